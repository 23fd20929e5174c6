/* A call of one of the region's actions over its unix socket, starting the daemon where none runs. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "cli/cli.h"

#define REQUEST_MAX (1u << 20)
#define CALL_TIMEOUT_MS 120000   /* an ordinary action; scaled */
#define POLL_WAIT_SECONDS 20     /* of one long poll */

/* The parameters of one call. */
struct request {
	const char *action;
	struct buffer body;
};

void request_init(struct request *r, const char *action);
void request_done(struct request *r);
#define AUTO_REQUEST CLEANUP(request_done)
void request_add(struct request *r, const char *key, const char *value);
void request_add_number(struct request *r, const char *key, int64_t value);
/* The same with a key made by printf, for EC2's flattened lists. */
void request_addf(struct request *r, const char *value, const char *key_fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the reply tree, which the caller json_decrefs; NULL with err, whose kind and code are the region's. timeout_ms
 * is for the whole call, 0: CALL_TIMEOUT_MS scaled. */
json_t *client_call(struct cli *cli, const struct request *r, int64_t timeout_ms, struct error *err);
/* client_call of an action without parameters. */
json_t *client_get(struct cli *cli, const char *action, struct error *err);

/* Makes sure that a daemon answers: with start, one is started where none runs. ret_running (may be NULL) tells
 * whether one answers now; without start "none runs" is no error. */
int client_connect(struct cli *cli, bool start, bool *ret_running, struct error *err);
/* An error reply's JSON text into err. Pure. Returns -1. */
int client_error(const char *text, int status, struct error *err);

/* False where libvirt's test driver runs the region: its machines have neither disk nor console. */
bool region_has_guests(struct cli *cli);

/* A region already started by another process, or one that we start: daemon_start.c. */
int daemon_start(struct cli *cli, struct error *err);
/* 0 when the socket accepts a connection, else errno. */
int daemon_try(const char *socket_path);
/* Did a region that isn't running leave instances or networks behind? Then only a daemon can look after them. */
bool daemon_left_something(const struct config *config);
bool directory_has_entries(const char *path);

static inline void cleanup_json(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON CLEANUP(cleanup_json)
