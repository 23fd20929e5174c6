/* Slow work on threads of its own, so that no call waits for it. A limited number runs side by side; what comes beyond waits its
 * turn and is never refused for that. A job must not wait for another that has not begun. */
#pragma once

#include "base/error.h"

struct region;
struct jobs;

/* NULL only when memory ran out. */
struct jobs *jobs_new(struct region *r);
/* Runs fn(r, arg) soon. After jobs_close has begun it fails. With or without the region's lock. */
int jobs_start(struct jobs *j, void (*fn)(struct region *r, void *arg), void *arg, struct error *err);
/* No new jobs; returns when those under way and those that wait have ended. Without the region's lock. */
void jobs_close(struct jobs *j);
void jobs_free(struct jobs *j);
