/* IPv4 routes of the main table. */
#pragma once

#include <netlink/netlink.h>
#include <stdbool.h>

#include "base/cidr.h"
#include "base/error.h"

struct route {
	struct cidr dst;
	uint32_t gateway; /* 0: none */
	int index;        /* outgoing link, 0: none */
	bool unreachable;
};

int route_add(struct nl_sock *sk, const struct route *r, struct error *err); /* replaces one to the same dst */
int route_delete(struct nl_sock *sk, const struct route *r, struct error *err); /* one that isn't there is success */
/* Calls fn for each; a nonzero return ends it and is returned. */
int route_each(struct nl_sock *sk, int (*fn)(void *arg, const struct route *r), void *arg, struct error *err);
