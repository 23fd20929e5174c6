/* Persistent taps, in the calling thread's network namespace. */
#pragma once

#include "base/error.h"

#define TAP_NOBODY ((unsigned)-1) /* no owner, no group: only root may attach */

/* Makes the tap, or changes the owner of the one that is there. QEMU (virtio-net, one queue, vnet header) attaches. */
int tap_make(const char *name, unsigned uid, unsigned gid, struct error *err);
