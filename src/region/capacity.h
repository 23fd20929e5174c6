/* Is there room for another guest on this machine? */
#pragma once

#include "region/internal.h"

/* InsufficientInstanceCapacity where this machine could never hold a guest of memory_mib, whatever else runs. */
int capacity_fits(const char *type, unsigned memory_mib, struct error *err);
/* InsufficientInstanceCapacity, with what is short, where a guest of memory_mib can't be expected to run. */
int capacity_check(const struct region *r, const char *type, unsigned memory_mib, struct error *err);
