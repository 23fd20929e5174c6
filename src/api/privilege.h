/* What the daemon, and everything that it starts, can never do: capabilities that no part of a region needs are given up. */
#pragma once

#include "base/error.h"

/* Gives them up for this process and all its children (bounding, permitted, effective, inheritable and ambient sets), and sets
 * no_new_privs, so that no child gets more than it has by a setuid program. To be called before any thread is made. Without the
 * right to reduce the bounding set (not root) there is nothing to give up, which is success. */
int privilege_reduce(struct error *err);
