/* libnftables: one ruleset in, in force or refused as a whole. Runs in the calling thread's network namespace. */
#pragma once

#include "base/error.h"

/* A dry run (parsed, and checked by the kernel) and then the real one, which is one transaction. */
int firewall_apply(const char *ruleset, struct error *err);
/* The dry run alone. */
int firewall_check(const char *ruleset, struct error *err);
