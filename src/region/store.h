/* The region's one SQLite file: documents by kind and id, in WAL mode, with migrations. Only this room's store.c
 * sees sqlite3.h. Calls are made under the region's lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct store;

struct store *store_open(const char *path, struct error *err);
void store_close(struct store *s);
int store_begin(struct store *s, struct error *err);
int store_put(struct store *s, const char *kind, const char *id, const char *body, struct error *err);
int store_delete(struct store *s, const char *id, struct error *err);
int store_commit(struct store *s, struct error *err);
void store_rollback(struct store *s);
/* After a failure: was it a full disk, and has the store just given up the reserve that it kept for that? Then a second try may
 * succeed. */
bool store_give_way(struct store *s);
/* Every document in order of creation. A nonzero return of each stops and fails. */
int store_each(struct store *s, int (*each)(void *arg, const char *kind, const char *id, const char *body, struct error *err),
	       void *arg, struct error *err);

/* The event log beside the documents: adds one, in a transaction of its own, and lets go of all but the newest keep. */
int store_event_add(struct store *s, const char *body, int64_t keep, struct error *err);
/* Those with a greater sequence, oldest first. A nonzero return of each stops and fails. */
int store_event_each(struct store *s, int64_t after,
		     int (*each)(void *arg, int64_t sequence, const char *body, struct error *err), void *arg, struct error *err);
