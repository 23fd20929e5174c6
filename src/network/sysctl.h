/* Settings under /proc/sys/net of the calling thread's network namespace; never the host's. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* key is the path below /proc/sys/, for instance "net/ipv4/ip_forward". What has the value already isn't written. An optional one
 * that this kernel lacks is success. */
int sysctl_set(const char *key, const char *value, bool optional, struct error *err);
