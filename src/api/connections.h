/* The connections of the server: how many calls are under way, and an end for clients that send or read too slowly.
 * libmicrohttpd's own timeout counts silence only; a byte a second would hold a thread for hours. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct connections;
struct connection;

/* transfer_ms: for each request to come, keep-alive included, and for each answer to go. */
struct connections *connections_new(int64_t transfer_ms, struct error *err);
/* All connections must have been removed. */
void connections_free(struct connections *cs);

/* fd stays the server's; it is only shut down, and never after connection_remove. NULL when memory ran out. */
struct connection *connection_add(struct connections *cs, int fd);
void connection_remove(struct connection *c);
/* The life of each request: it comes (at first, and after each answer), runs, its answer goes. */
void connection_runs(struct connection *c);
void connection_answers(struct connection *c);
void connection_receives(struct connection *c);

/* Waits until no call runs or is being answered. Returns how many handlers still run at the deadline. */
unsigned connections_wait(struct connections *cs, int64_t deadline);
