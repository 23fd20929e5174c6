/* Network namespaces by path: made, entered and left, removed. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Is a namespace bound at path? */
bool netns_exists(const char *path);
/* Is the process in the namespace that is bound at path? */
bool netns_holds(const char *path, pid_t pid);
/* Makes a new namespace and binds it at path (made if missing); what is bound there already stays. */
int netns_make(const char *path, struct error *err);
/* Unbinds and unlinks; a namespace that isn't there is success. It lives on while a process is in it. */
int netns_remove(const char *path, struct error *err);

/* Puts this thread into the namespace at path. ret_back is the descriptor that netns_leave takes. */
int netns_enter(const char *path, int *ret_back, struct error *err);
int netns_enter_fd(int ns, int *ret_back, struct error *err);
/* Back to where it was, and closes back. A thread that can't go home would do the rest of its work in the wrong network:
 * abort(). */
void netns_leave(int back);
