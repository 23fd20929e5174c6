/* Is there room for another guest on this machine? */
#pragma once

#include "region/internal.h"

/* InsufficientInstanceCapacity, with what is short, where a guest of memory_mib can't be expected to run. */
int capacity_check(const struct region *r, const char *type, unsigned memory_mib, struct error *err);
