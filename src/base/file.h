/* Files: whole reads with a cap, atomic writes, directories. Paths are absolute or relative to the cwd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Reads a whole file of at most max bytes; NUL-terminated, the caller frees. len may be NULL. */
char *file_read(const char *path, size_t max, size_t *ret_len, struct error *err);
/* Writes to a temporary file beside path, syncs, renames over it: a reader sees the old or the new. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct error *err);
/* mkdir -p; directories that exist keep their mode. */
int file_mkdirs(const char *path, mode_t mode, struct error *err);
/* rm -rf without following links or crossing into other file systems; a missing path is success. */
int file_remove_tree(const char *path, struct error *err);
/* unlink; a missing path is success. */
int file_unlink(const char *path, struct error *err);
bool file_exists(const char *path);
/* Apparent size in bytes, -1 where it can't be read. */
int64_t file_size(const char *path);
/* Blocks really taken, in bytes, -1 where it can't be read. */
int64_t file_disk_usage(const char *path);
/* Free bytes for us on path's file system, -1 where it can't be read. */
int64_t file_space(const char *path);
/* printf into a malloc'd path; NULL only when memory ran out (then err is set). */
char *file_path(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Opens path (made if missing, 0600) and takes an exclusive flock on it before deadline (monotonic ms).
 * Returns the descriptor, whose close releases the lock; -1 with ERROR_TIMEOUT when another kept it. */
int file_lock(const char *path, int64_t deadline, struct error *err);
