/* Follows console logs as they grow and tells each guest's steps: one thread for all of them, woken by inotify. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "compute/console.h"

struct console_watch;

/* step is called on the watch's own thread, with no lock held that console_watch_add needs; it may call add and remove.
 * After console_watch_remove has returned (on another thread) step is not called for that id again. */
struct console_watch *console_watch_new(void (*step)(void *arg, const char *id, const struct boot_step *s), void *arg,
					struct error *err);
/* Follows the file at path, which need not exist yet (its directory must), from offset on: what is there already is told
 * first. A file that shrank is read from its beginning. An id that is followed already is an error. */
int console_watch_add(struct console_watch *w, const char *id, const char *path, int64_t offset, struct error *err);
/* Unknown ids are fine. */
void console_watch_remove(struct console_watch *w, const char *id);
/* Ends the thread. */
void console_watch_free(struct console_watch *w);
