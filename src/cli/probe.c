#include "cli/probe.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define PAGE_MAX (1u << 20)

void probe_http(const char *address, int port, int64_t connect_ms, int64_t whole_ms, struct probe *ret)
{
	AUTO_HTTP_REPLY struct http_reply reply = { 0 };
	char url[64];
	struct http_request req = { .url = url, .connect_timeout_ms = connect_ms, .timeout_ms = whole_ms, .reply_max = PAGE_MAX };

	snprintf(url, sizeof url, "http://%.20s:%d/", address, port);
	memset(ret, 0, sizeof *ret);
	http_call(&req, &reply, NULL);
	ret->outcome = reply.outcome;
	ret->status = reply.status;
	ret->django = reply.body && strstr(reply.body, DJANGO_WORDS);
	snprintf(ret->detail, sizeof ret->detail, "%s", reply.detail);
}

void probe_words(char out[320], const struct probe *p, int64_t connect_ms)
{
	switch (p->outcome) {
	case HTTP_ANSWERED:
		snprintf(out, 320, "answers %d%s", p->status, p->django ? ", Django's start page" : "");
		break;
	case HTTP_TIMED_OUT:
		snprintf(out, 320, "no answer in %lld s: dropped", (long long)(connect_ms / 1000));
		break;
	case HTTP_REFUSED:
		snprintf(out, 320, "refused");
		break;
	case HTTP_UNREACHABLE:
		snprintf(out, 320, "unreachable: %s", p->detail);
		break;
	case HTTP_BROKEN:
		snprintf(out, 320, "connected, then broken off: %s", p->detail);
		break;
	}
}
