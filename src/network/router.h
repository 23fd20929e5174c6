/* The VPC's router: everything inside its namespace that is a link, an address, a neighbour or a setting. All of it
 * runs in a thread that is in the namespace. The order of the calls is the caller's (network.c): settings, links, then the
 * firewall, and only then router_open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "network/link.h"
#include "network/vpc.h"

/* Settings of a namespace in which nothing is forwarded yet; loopback with the resolver's addresses. */
int router_base(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err);
/* Bridges and taps of the model; those in excess go. New taps stay down. */
int router_links(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err);
/* Public addresses that came to the gateway or went from it. */
struct router_changes {
	uint32_t *came, *went;
	size_t came_count, went_count;
};

void router_changes_done(struct router_changes *c);

/* The gateway's link up, with its own address (prefix is the pool's) and those of the attached interfaces. What changed is
 * added to ret. */
int router_gateway(struct nl_sock *sk, const struct net_vpc *vpc, unsigned prefix, struct router_changes *ret,
		   struct error *err);
/* Who has which address, told rather than asked. */
int router_neighbours(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err);
/* The uplink's tap up with its address, the default route through it, and none to `avoid` (the machine's own addresses). Without
 * an uplink there is no default route. */
int router_uplink(struct nl_sock *sk, const struct net_vpc *vpc, bool uplink, const uint32_t *avoid, size_t avoid_count,
		  struct error *err);
/* Taps up, forwarding on: packets flow, under the rules that are in force. */
int router_open(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err);
/* Removes every bridge, tap and veth. */
int router_clear(struct nl_sock *sk, struct error *err);
