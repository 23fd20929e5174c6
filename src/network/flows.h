/* The flows that conntrack remembers, in the calling thread's network namespace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "network/vpc.h"

struct flow {
	uint32_t source, destination;             /* as the first packet came */
	uint32_t reply_source, reply_destination; /* as an answer comes, before NAT is undone */
};

/* Does the flow belong to addresses that are no longer so: an interface that has left, a public address that has another
 * owner now? Pure. */
bool flow_is_stale(const struct net_vpc *vpc, const struct flow *f);
/* Forgets the stale ones, so that an address that changed hands works for its new owner at once. ret_count may be NULL. */
int flows_forget_stale(const struct net_vpc *vpc, size_t *ret_count, struct error *err);
