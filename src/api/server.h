/* The region's listener: EC2's Query protocol over HTTP on a unix socket. */
#pragma once

#include <stdint.h>

#include "api/dispatch.h"
#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"
#include "region/region.h"

struct api_server;

/* Zero: the usual. */
struct api_limits {
	unsigned connections;     /* at a time; more are turned away */
	unsigned idle_seconds;    /* without a byte from or to the client */
	int64_t transfer_ms;      /* for a whole request to come (however it trickles), and for its answer to go */
	int64_t stop_ms;          /* what calls under way are given when the server stops */
	api_record *record;       /* told of every mutating call when it has ended; NULL: nobody is */
};

/* Listens on run_dir/api.sock (0660, group vpclab if that group exists) with libmicrohttpd. The caller holds daemon_lock
 * (lock.h), so a socket that is there is stale and is replaced. config and r must outlive the server. */
struct api_server *api_server_start(struct region *r, const struct config *config, struct error *err);
/* The same with any tables (a NULL after the last) and limits (NULL: the usual). */
struct api_server *api_server_start_with(struct region *r, const struct config *config,
					 const struct action *const *tables, const struct api_limits *limits,
					 struct error *err);
/* Stops accepting, removes the socket, waits for calls under way (at most stop_ms, 10 s). -1 when a handler would not end:
 * then its thread lives on and the server with it, the region must not be closed under it, and stop may be tried again.
 * Interrupt the region first. */
int api_server_stop(struct api_server *s);

/* Every action there is, all tables in one, ended by a NULL table: for the dispatcher and the reference. */
extern const struct action *const api_tables[];
const struct action *api_action_find(const char *name);
void api_action_each(void (*fn)(void *arg, const struct action *a), void *arg);

/* docs/actions.md: every action with its parameters and reply members, as Markdown. */
void api_reference(struct buffer *out);
/* The same of any tables. */
void api_reference_of(const struct action *const *tables, struct buffer *out);

/* The whole daemon: lock, log file STATE/daemon.log unless foreground, region_open, server, wait for SIGTERM/SIGINT or StopRegion, close.
 * ready_fd (or -1): one byte '1' is written when calls are answered, or the error's sentence when it failed; then it is closed.
 * To be called before any thread is made: it blocks the signals it waits for. */
int api_daemon_run(const struct config *config, bool foreground, int ready_fd, struct error *err);
