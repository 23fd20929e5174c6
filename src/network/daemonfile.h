/* Which process serves a VPC: its id in a small file below RUN, so that a later daemon finds it again. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/process.h"

/* The process that path names, if it is still alive. */
bool daemonfile_alive(const char *path, struct process_id *ret);
/* Ends processes that have both arguments, each as a whole, in their command line: ones that were started and whose file could not
 * be written any more, because the starter was killed. */
int daemonfile_end_strays(const char *one, const char *other, struct error *err);
int daemonfile_write(const char *path, const struct process_id *id, struct error *err);
/* Ends the process that path names and removes the file; none is success. */
int daemonfile_end(const char *path, struct error *err);
/* A descriptor that becomes readable when the process ends; -1 where it has ended. The caller closes it. */
int daemonfile_watch(const struct process_id *id);
/* The last line of a log, for an error's sentence; "it said nothing" where there is none. Always NUL-terminated. */
void daemonfile_last_words(const char *log, char *out, size_t size);
