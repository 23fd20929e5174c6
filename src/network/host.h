/* The little that the room does on the machine itself: one bridge with one address, and the gateways' ends in it. The rest of
 * the machine (settings, firewall, forwarding, other links) is left alone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "base/error.h"
#include "network/network.h"

/* The bridge with the pool's first address. A range in use by another link is ERROR_ENVIRONMENT naming both. */
int host_bridge(const char *bridge, struct cidr pool, struct error *err);
/* network_range_taken. */
int host_range_taken(const char *bridge, struct cidr range, char ret_by[RANGE_TAKEN_MAX], struct error *err);
int host_bridge_remove(const char *bridge, struct cidr pool, struct error *err);
/* A veth named igw whose one end is in the bridge and whose other, of the same name, is in the namespace ns. What is there
 * and joins just these two stays. */
int host_gateway(const char *bridge, const char *igw, int ns, struct error *err);
/* Removes a gateway's end that was left behind; only one of ours. */
int host_gateway_remove(const char *bridge, const char *igw, struct error *err);
/* The machine forgets at whose MAC these addresses were. */
int host_forget(const char *bridge, const uint32_t *addrs, size_t count, struct error *err);
/* The machine's own IPv4 addresses but loopback's and those in the pool. Caller frees. */
uint32_t *host_addresses(struct cidr pool, size_t *ret_count, struct error *err);
