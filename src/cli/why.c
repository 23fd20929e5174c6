/* `vpclab why`: which hop of a connection's way is broken. */
#include <string.h>

#include "base/cidr.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "cli/why.h"

#define WHY_MS 60000 /* scaled */
#define WHY_MARGIN_MS 60000
#define WHY_MAX_S 3600
#define HTTP_PORT 80
#define LAB_PORT 8000

static const struct flag flags[] = {
	{ "timeout", "SECONDS", "for the look into the guest (default 60, six times that without KVM)" },
	{ NULL, NULL, NULL },
};

int url_parse(const char *text, struct url_parts *ret, struct error *err)
{
	const char *host = strstr(text, "://"), *end;
	int64_t port = HTTP_PORT;
	char digits[8];

	if (!host || strncmp(text, "http://", 7) != 0)
		return error_set(err, ERROR_USAGE, "%.64s is not a URL that can be looked at; the lab's begin with http://.", text);
	host += 3;
	end = host + strcspn(host, ":/?#");
	if (end == host || (size_t)(end - host) >= sizeof ret->host || memchr(host, '@', (size_t)(end - host)))
		return error_set(err, ERROR_USAGE, "The URL %.64s names no host.", text);
	snprintf(ret->host, sizeof ret->host, "%.*s", (int)(end - host), host);
	if (*end == ':') {
		size_t len = strcspn(++end, "/?#");

		snprintf(digits, sizeof digits, "%.*s", (int)(len < 7 ? len : 7), end);
		if (!number_parse(digits, 65535, &port) || port < 1)
			return error_set(err, ERROR_USAGE, "The port in %.64s is not a number of 1 to 65535.", text);
		end += len;
	}
	ret->port = port;
	/* what is behind # never leaves the browser */
	snprintf(ret->path, sizeof ret->path, "%s%.*s", *end == '/' ? "" : "/", (int)strcspn(end, "#"), end);
	return 0;
}

/* Into r: the instance or the address, and the port. */
static int ask_for(struct cli *cli, const struct arguments *a, struct request *r, struct error *err)
{
	AUTO_JSON json_t *instance = NULL;
	struct url_parts url = { .port = LAB_PORT };
	const char *what = a->words[0];
	uint32_t address;

	if (strstr(what, "://")) {
		if (a->word_count > 1)
			return error_set(err, ERROR_USAGE, "A URL has its port in itself; \"%.32s\" is one word too many.", a->words[1]);
		if (url_parse(what, &url, err) < 0)
			return -1;
		request_add(r, "Path", url.path);
		what = url.host;
	} else if (a->word_count > 1 && (!number_parse(a->words[1], 65535, &url.port) || url.port < 1)) {
		return error_set(err, ERROR_USAGE, "The port must be a number of 1 to 65535, not %.32s.", a->words[1]);
	}
	request_add_number(r, "Port", url.port);
	if (ipv4_parse(what, &address)) {
		request_add(r, "Address", what);
		return 0;
	}
	instance = instance_get(cli, what, err);
	if (!instance)
		return -1;
	request_add(r, "InstanceId", instance_id(instance));
	return 0;
}

static void print_way(const json_t *reply)
{
	static const char *const headings[] = { "", "HOP", "SEEN", NULL };
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const char *log = text_of(reply, "log");
	const json_t *hop;
	size_t i;

	if (!t)
		return;
	json_array_foreach(json_object_get(reply, "hopSet"), i, hop) {
		const char *status = text_of(hop, "status");
		const char *const cells[] = { strcmp(status, "broken") == 0 ? "BROKEN" : strcmp(status, "ok") == 0 ? "ok" : "?",
					      text_of(hop, "hop"), text_of(hop, "seen") };

		table_row(t, cells);
	}
	table_print(t, stdout);
	if (json_is_true(json_object_get(reply, "reachable"))) {
		printf("\nNothing is broken on the way.\n");
		return;
	}
	printf("\n%s\n", text_of(reply, "sentence"));
	while (*log) {
		size_t n = strcspn(log, "\n");

		printf("  | %.*s\n", (int)n, log);
		log += n + (log[n] == '\n');
	}
	printf("\n  %s\n", text_of(reply, "command"));
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	int64_t seconds;

	request_init(&r, "ExplainConnection");
	if (arguments_number(a, "timeout", time_scaled(WHY_MS) / 1000, 1, WHY_MAX_S, &seconds, err) < 0 || ask_for(cli, a, &r, err) < 0)
		return -1;
	request_add_number(&r, "Timeout", seconds);
	progress_live("walking the way to %.64s", a->words[0]);
	reply = client_call(cli, &r, seconds * 1000 + time_scaled(WHY_MARGIN_MS), err);
	progress_end();
	if (!reply)
		return -1;
	if (cli->json)
		print_json(reply);
	else
		print_way(reply);
	return json_is_true(json_object_get(reply, "reachable")) ? 0 : 1;
}

const struct verb verb_why = {
	.name = "why",
	.group = "The lab",
	.synopsis = "URL|NAME [PORT]",
	.summary = "Why a page can't be reached: the broken hop.",
	.details = "Walks the real way from this machine to the process: the instance's state, its public address,\n"
		   "the internet gateway, the security groups' rules, the guest's network and firewall, who listens,\n"
		   "the service, Django's answer. Names the first hop that is broken, in a sentence, with the command\n"
		   "that mends it. PORT is 8000 by default. Changes nothing; exits with 1 when a hop is broken.",
	.flags = flags,
	.min_words = 1,
	.max_words = 2,
	.run = run,
};
