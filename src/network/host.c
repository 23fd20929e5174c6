#include "network/host.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "network/link.h"
#include "network/netns.h"
#include "network/route.h"

#define ADDRESSES_MAX 1024
#define LOOPBACK_NET ((struct cidr){ 0x7f000000, 8 })
#define ROUTE_PREFIX_MIN 8 /* shorter ones are ways to the rest of the world, cut in pieces */

/* Whose bridge it is stands in its alias. */
static void alias_of(struct cidr pool, char out[64])
{
	char text[CIDR_TEXT_MAX];

	cidr_format(text, pool);
	snprintf(out, 64, "vpclab public addresses %s", text);
}

static bool is_ours(const struct link_info *info)
{
	return strcmp(info->kind, "bridge") == 0 && strncmp(info->alias, "vpclab ", 7) == 0;
}

struct conflict {
	struct cidr pool, other;
	int bridge; /* its index: its own addresses don't count */
	int index;
};

static int address_conflict(void *arg, int index, uint32_t addr, unsigned prefix)
{
	struct conflict *c = arg;
	struct cidr net = { addr & cidr_mask(prefix), prefix };

	if (index != c->bridge && cidr_overlaps(net, c->pool) && c->index == 0) {
		c->index = index;
		c->other = (struct cidr){ addr, prefix };
	}
	return 0;
}

static int route_conflict(void *arg, const struct route *r)
{
	struct conflict *c = arg;

	if (r->index && r->index != c->bridge && r->dst.prefix >= ROUTE_PREFIX_MIN && cidr_overlaps(r->dst, c->pool) &&
	    c->index == 0) {
		c->index = r->index;
		c->other = r->dst;
	}
	return 0;
}

/* 1 where the range is another link's, with what in words; 0 where it is free. */
static int look(struct nl_sock *sk, int bridge, struct cidr pool, char by[RANGE_TAKEN_MAX], struct error *err)
{
	struct conflict c = { .pool = pool, .bridge = bridge };
	char name[IF_NAMESIZE] = "?", other[CIDR_TEXT_MAX];

	by[0] = '\0';
	if (address_each(sk, address_conflict, &c, err) < 0 || route_each(sk, route_conflict, &c, err) < 0)
		return -1;
	if (!c.index)
		return 0;
	if (!if_indextoname((unsigned)c.index, name))
		snprintf(name, sizeof name, "?");
	cidr_format(other, c.other);
	snprintf(by, RANGE_TAKEN_MAX, "%s has %s", name, other);
	return 1;
}

int host_range_taken(const char *bridge, struct cidr range, char ret_by[RANGE_TAKEN_MAX], struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);
	struct link_info info;

	if (!sk || link_get(sk, bridge, &info, err) < 0)
		return -1;
	return look(sk, is_ours(&info) ? info.index : 0, range, ret_by, err);
}

static int check_free(struct nl_sock *sk, int bridge, struct cidr pool, struct error *err)
{
	char by[RANGE_TAKEN_MAX], text[CIDR_TEXT_MAX];
	int taken = look(sk, bridge, pool, by, err);

	if (taken <= 0)
		return taken;
	cidr_format(text, pool);
	return error_set(err, ERROR_ENVIRONMENT,
			 "The range of public addresses %s is in use on this machine: %s; choose another range with public_cidr.",
			 text, by);
}

int host_bridge(const char *bridge, struct cidr pool, struct error *err)
{
	struct link_address own = { pool.addr + 1, pool.prefix };
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);
	unsigned char mac[6] = { 0x0a, 0x76, 0, 0, 0, 1 };
	struct link_info info;
	char alias[64];

	if (!sk || link_get(sk, bridge, &info, err) < 0)
		return -1;
	if (info.index && !is_ours(&info))
		return error_set(err, ERROR_ENVIRONMENT,
				 "A link %s that isn't vpclab's is on this machine; remove it or choose another name with "
				 "public_bridge.",
				 bridge);
	if (check_free(sk, info.index, pool, err) < 0)
		return -1;
	alias_of(pool, alias);
	for (int i = 0; i < 3; i++)
		mac[i + 2] = (unsigned char)(pool.addr >> (24 - 8 * i));
	if (!info.index && (link_make_bridge(sk, bridge, mac, alias, err) < 0 || link_get(sk, bridge, &info, err) < 0))
		return -1;
	if (address_set(sk, info.index, bridge, &own, 1, NULL, NULL, err) < 0)
		return -1;
	return info.up ? 0 : link_up(sk, info.index, bridge, err);
}

struct ports {
	int bridge;
	char name[IF_NAMESIZE];
};

static int find_port(void *arg, const char *name, const struct link_info *info, struct error *err)
{
	struct ports *p = arg;

	(void)err;
	if (info->master == p->bridge && !p->name[0])
		snprintf(p->name, sizeof p->name, "%s", name);
	return 0;
}

int host_bridge_remove(const char *bridge, struct cidr pool, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);
	struct ports ports = { 0, "" };
	struct link_info info;

	(void)pool;
	if (!sk || link_get(sk, bridge, &info, err) < 0)
		return -1;
	if (!info.index || !is_ours(&info))
		return 0;
	ports.bridge = info.index;
	if (link_each(sk, find_port, &ports, err) < 0)
		return -1;
	if (ports.name[0])
		return error_set(err, ERROR_ENVIRONMENT, "The bridge %s still has the port %s and stays.", bridge, ports.name);
	return link_delete(sk, bridge, err);
}

int host_gateway(const char *bridge, const char *igw, int ns, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);
	struct nl_sock *inside AUTO_LINK_SOCKET = NULL;
	struct link_info br, here, there;
	int back;

	if (!sk || link_get(sk, bridge, &br, err) < 0 || link_get(sk, igw, &here, err) < 0)
		return -1;
	if (!br.index)
		return error_set(err, ERROR_ENVIRONMENT, "The bridge %s is gone; start the region again.", bridge);
	if (netns_enter_fd(ns, &back, err) < 0)
		return -1;
	inside = link_open(err);
	netns_leave(back);
	if (!inside || link_get(inside, igw, &there, err) < 0)
		return -1;
	if (here.index && there.index && here.master == br.index && there.peer == here.index && here.peer == there.index)
		return here.up ? 0 : link_up(sk, here.index, igw, err);
	if (here.index && (strcmp(here.kind, "veth") != 0 || (here.master && here.master != br.index)))
		return error_set(err, ERROR_ENVIRONMENT,
				 "A link %s that isn't vpclab's is on this machine, where a VPC's gateway is to be.", igw);
	if ((here.index && link_delete(sk, igw, err) < 0) || link_delete(inside, igw, err) < 0)
		return -1;
	return link_make_veth(sk, igw, br.index, ns, err);
}

int host_gateway_remove(const char *bridge, const char *igw, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);
	struct link_info br, info;

	if (!sk || link_get(sk, bridge, &br, err) < 0 || link_get(sk, igw, &info, err) < 0)
		return -1;
	if (!info.index || strcmp(info.kind, "veth") != 0 || !br.index || info.master != br.index)
		return 0;
	return link_delete(sk, igw, err);
}

int host_forget(const char *bridge, const uint32_t *addrs, size_t count, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = NULL;
	struct link_info br;

	if (count == 0)
		return 0;
	sk = link_open(err);
	if (!sk || link_get(sk, bridge, &br, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (neighbour_forget(sk, br.index, addrs[i], err) < 0)
			return -1;
	return 0;
}

struct list {
	struct cidr pool;
	uint32_t *addrs;
	size_t count;
};

static int collect(void *arg, int index, uint32_t addr, unsigned prefix)
{
	struct list *l = arg;

	(void)index;
	(void)prefix;
	if (l->count < ADDRESSES_MAX && !cidr_contains(LOOPBACK_NET, addr) && !cidr_contains(l->pool, addr))
		l->addrs[l->count++] = addr;
	return 0;
}

uint32_t *host_addresses(struct cidr pool, size_t *ret_count, struct error *err)
{
	struct list l = { pool, calloc(ADDRESSES_MAX, sizeof(uint32_t)), 0 };
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);

	if (!l.addrs || !sk || address_each(sk, collect, &l, err) < 0) {
		free(l.addrs);
		return NULL;
	}
	*ret_count = l.count;
	return l.addrs;
}
