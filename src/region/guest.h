/* Reaching into a guest out of band: from the VPC router's own address, which no security group filters. For the region's own
 * checks; users go through the public address and the groups. */
#pragma once

#include "base/process.h"
#include "region/internal.h"

#define LONG_POLL_MAX_S 60

/* Runs script with sh as the image's default user over SSH, with a certificate that is good for a minute. Its exit status is in
 * ret->status. ERROR_ENVIRONMENT where SSH can't connect, ERROR_TIMEOUT past the deadline. */
int guest_run(struct region *r, const char *instance_id, const char *script, int64_t deadline, struct process_result *ret,
	      struct error *err);
/* Waits until the guest accepts a TCP connection on port, tried from the router; false at the deadline or when the instance left running. */
bool guest_wait_listening(struct region *r, const char *instance_id, unsigned port, int64_t deadline, struct error *err);
/* Waits until the file is larger than size (inotify) or the deadline. */
void guest_wait_growth(struct region *r, const char *path, int64_t size, int64_t deadline);
