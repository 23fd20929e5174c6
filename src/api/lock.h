/* One daemon a directory: a file flocked for the daemon's life, with its pid in it for people. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Takes path's lock. A holder that is on its way out (or in) is waited for until deadline (monotonic ms); one that has its
 * socket up is not (socket NULL: can't tell). Returns the descriptor that holds the lock; -1 with ERROR_ENVIRONMENT when a
 * live process has it, naming its pid, and dir, what it guards. */
int daemon_lock(const char *path, const char *dir, const char *socket, int64_t deadline, struct error *err);
/* Removes the file while the lock is held, then lets go. fd -1: nothing. */
void daemon_unlock(const char *path, int fd);
