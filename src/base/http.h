/* HTTP as a client, by libcurl: calls to the region's unix socket, probes of a guest's port, downloads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define HTTP_REPLY_MAX (64u << 20)

struct http_request {
	const char *url;
	const char *unix_socket;   /* path, or NULL for TCP */
	const char *body;          /* POSTed when not NULL */
	const char *content_type;  /* NULL: application/x-www-form-urlencoded */
	const char *const *headers;/* NULL-terminated "Name: value" list, or NULL */
	int64_t timeout_ms;        /* whole transfer; 0: none */
	int64_t connect_timeout_ms;/* 0: libcurl's own */
	size_t reply_max;          /* 0: HTTP_REPLY_MAX */
};

/* How a connection attempt ended, for probes that expect a failure. */
enum http_outcome {
	HTTP_ANSWERED,    /* some status came back */
	HTTP_TIMED_OUT,   /* packets dropped, or too slow */
	HTTP_REFUSED,     /* TCP reset: nobody listens */
	HTTP_UNREACHABLE, /* no route, name not found, and the like */
	HTTP_BROKEN,      /* connected, then failed */
};

struct http_reply {
	enum http_outcome outcome;
	int status;      /* HTTP status, 0 without one */
	char *body;      /* NUL-terminated, never NULL after success */
	size_t body_len;
	char *content_type; /* may be NULL */
	char detail[256];/* libcurl's own words when outcome is not HTTP_ANSWERED */
};

void http_reply_done(struct http_reply *r);
#define AUTO_HTTP_REPLY CLEANUP(http_reply_done)

/* Call once in main before threads are made. */
void http_global_init(void);
/* Returns 0 when an HTTP answer came, whatever its status; -1 otherwise, and then ret->outcome says how it failed and
 * err has a sentence. ret is to be http_reply_done in both cases. */
int http_call(const struct http_request *req, struct http_reply *ret, struct error *err);

struct http_download {
	const char *url;
	const char *path;        /* file written; when it exists the transfer resumes at its end */
	int64_t low_speed_ms;    /* give up when less than 1 byte/s comes for so long; 0: 60 s */
	int64_t connect_timeout_ms;
	/* done and total in bytes, resumed part included; total is 0 where unknown. Nonzero return cancels. */
	int (*progress)(void *arg, int64_t done, int64_t total);
	void *arg;
	int64_t max_bytes;       /* refuse more than this; 0: no limit */
};

/* Downloads with resume. A server without Range support makes it start again. Returns 0 with the whole file in
 * place; -1 with what came so far kept for the next try (ERROR_ENVIRONMENT, or ERROR_TIMEOUT for a stall).
 * ret_unreachable (may be NULL) tells "the server could not be reached at all" from other failures. */
int http_fetch_file(const struct http_download *d, bool *ret_unreachable, struct error *err);
