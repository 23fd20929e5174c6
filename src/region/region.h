/* The region: the owner of all state. Made once by the daemon; its actions (action.h) are called from any thread. */
#pragma once

#include <stdbool.h>

#include "base/config.h"
#include "base/error.h"
#include "region/action.h"

struct region;

/* Opens the store, the network and libvirt, reconciles them after a crash, starts the workers. config is copied. */
struct region *region_open(const struct config *config, struct error *err);
/* Stops the workers and closes everything; guests go on running. */
void region_close(struct region *r);

/* Before the daemon's end: every handler that waits (WaitSeconds) answers at once with what it has, later ones too. */
void region_interrupt(struct region *r);

const struct config *region_config(const struct region *r);
/* StopRegion was called and all is gone: the daemon should end now. purge: remove the state directory too. */
bool region_stopped(const struct region *r, bool *ret_purge);
/* on_stop is called once (from a worker) when region_stopped becomes true. */
void region_on_stop(struct region *r, void (*on_stop)(void *arg), void *arg);
