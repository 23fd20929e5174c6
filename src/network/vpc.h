/* What the network room is told about one VPC: plain data, made by the region from its model for each call.
 * Names of links are given by the caller (15 bytes at most); addresses are host byte order; ids are EC2's.
 * Everything pointed to belongs to the caller and is only read during the call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "base/id.h"

#define LINK_NAME_MAX 16
#define MAC_TEXT_MAX 18
#define DNS_DOMAIN_MAX 128

/* What one VPC may hold at most; over EC2's own quotas, under what would choke a machine. */
#define NET_SUBNETS_MAX 200
#define NET_ENIS_MAX 4096
#define NET_GROUPS_MAX 2500
#define NET_GROUPS_PER_ENI_MAX 16
#define NET_RULES_MAX 1000 /* a direction of one group */

/* One rule of a security group: one protocol, one range, one source (inbound) or destination (outbound). */
struct net_rule {
	int protocol;           /* IANA number; -1 all */
	int from_port, to_port; /* tcp, udp: ports; icmp: type and code, -1 any; ignored for others */
	bool by_group;
	struct cidr cidr;             /* when not by_group */
	const char *peer_group_id;    /* when by_group: the private addresses of its members */
};

struct net_group {
	const char *id;
	const struct net_rule *inbound;
	size_t inbound_count;
	const struct net_rule *outbound;
	size_t outbound_count;
};

/* One network interface of a guest. */
struct net_eni {
	const char *id;
	const char *subnet_id;
	char tap[LINK_NAME_MAX];
	char mac[MAC_TEXT_MAX];  /* lower case, colons */
	uint32_t private_ip;
	uint32_t public_ip;      /* 0: none */
	bool source_dest_check;  /* off: it may send and receive for others' addresses */
	bool attached;           /* its tap exists (the guest runs or is about to) */
	const char *const *group_ids;
	size_t group_count;
};

struct net_subnet {
	const char *id;
	char bridge[LINK_NAME_MAX];
	struct cidr cidr; /* router at .1 of it */
};

struct net_vpc {
	const char *id;
	struct cidr cidr;       /* resolver at base + 2 */
	char igw[LINK_NAME_MAX]; /* name of the gateway's link inside; its host end is this name too */
	uint32_t igw_address;   /* the VPC router's own address on the public bridge, in the pool */
	uint32_t host_address;   /* the host's in the pool; 0: what guests do there is not limited */
	int host_first_port, host_last_port; /* tcp and udp, that guests with a public address may reach there */
	const char *dns_domain; /* "ap-northeast-2.compute.internal" */
	const struct net_subnet *subnets;
	size_t subnet_count;
	const struct net_eni *enis;
	size_t eni_count;
	const struct net_group *groups;
	size_t group_count;
};

/* Is every name, address and count in it usable (names reach paths, nftables' language and dnsmasq's files)? Every call
 * of the room asks this first; a failure is a bug of the caller: ERROR_INTERNAL. */
int vpc_check(const struct net_vpc *vpc, struct error *err);

/* NULL where there is none. */
const struct net_subnet *vpc_subnet(const struct net_vpc *vpc, const char *id);
const struct net_group *vpc_group(const struct net_vpc *vpc, const char *id);
const struct net_eni *vpc_eni(const struct net_vpc *vpc, const char *id);

static inline uint32_t vpc_resolver(const struct net_vpc *vpc)
{
	return vpc->cidr.addr + 2;
}

static inline uint32_t subnet_router(const struct net_subnet *s)
{
	return s->cidr.addr + 1;
}

/* Is it one of the router's own addresses: of a subnet, of the resolver, of the gateway? */
bool vpc_is_router(const struct net_vpc *vpc, uint32_t addr);
