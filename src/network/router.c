#include "network/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cidr.h"
#include "network/names.h"
#include "network/route.h"
#include "network/sysctl.h"
#include "network/tap.h"

#define BRIDGE_ALIAS "vpclab subnet"

/* A new namespace may inherit the host's settings: each one that matters is said. Sources are checked at the taps, by
 * address and not by route, so rp_filter would only hurt interfaces without source/destination check. */
static const struct {
	const char *key, *value;
	bool optional;
} settings[] = {
	{ "net/ipv4/conf/all/rp_filter", "0", false },
	{ "net/ipv4/conf/default/rp_filter", "0", false },
	{ "net/ipv4/conf/all/send_redirects", "0", false },
	{ "net/ipv4/conf/default/send_redirects", "0", false },
	{ "net/ipv4/conf/all/accept_redirects", "0", false },
	{ "net/ipv4/conf/default/accept_redirects", "0", false },
	{ "net/ipv4/conf/all/accept_source_route", "0", false },
	{ "net/ipv4/conf/default/accept_source_route", "0", false },
	{ "net/ipv4/conf/all/arp_ignore", "0", false },
	{ "net/ipv4/conf/default/arp_ignore", "0", false },
	{ "net/ipv4/conf/all/arp_filter", "0", false },
	{ "net/ipv4/conf/all/arp_announce", "0", false },
	{ "net/ipv4/conf/all/proxy_arp", "0", false },
	{ "net/ipv4/conf/all/accept_local", "0", false },
	{ "net/ipv4/conf/all/route_localnet", "0", false },
	{ "net/ipv4/conf/all/log_martians", "0", false },
	{ "net/ipv4/neigh/default/proxy_delay", "0", true },
	{ "net/ipv6/conf/all/disable_ipv6", "1", true },
	{ "net/ipv6/conf/default/disable_ipv6", "1", true },
	{ "net/ipv6/conf/all/forwarding", "0", true },
	/* frames between ports must not pass the hooks a second time; there only while br_netfilter is loaded */
	{ "net/bridge/bridge-nf-call-iptables", "0", true },
	{ "net/bridge/bridge-nf-call-ip6tables", "0", true },
	{ "net/bridge/bridge-nf-call-arptables", "0", true },
	/* EC2's idle times */
	{ "net/netfilter/nf_conntrack_tcp_timeout_established", "432000", true },
	{ "net/netfilter/nf_conntrack_udp_timeout", "30", true },
	{ "net/netfilter/nf_conntrack_udp_timeout_stream", "180", true },
};

static int link_setting(const char *family_key, const char *link, const char *name, const char *value, struct error *err)
{
	char key[128];

	snprintf(key, sizeof key, "net/ipv4/%s/%s/%s", family_key, link, name);
	return sysctl_set(key, value, strcmp(family_key, "neigh") == 0, err);
}

int router_base(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err)
{
	struct link_address own[] = { { 0x7f000001, 8 }, { vpc_resolver(vpc), 32 }, { 0, 32 }, { 0, 32 } };
	struct link_info lo;

	ipv4_parse(RESOLVER_LINK_LOCAL, &own[2].addr);
	ipv4_parse(METADATA_ADDRESS, &own[3].addr);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (sysctl_set(settings[i].key, settings[i].value, settings[i].optional, err) < 0)
			return -1;
	if (link_get(sk, "lo", &lo, err) < 0 || (!lo.up && link_up(sk, lo.index, "lo", err) < 0))
		return -1;
	return address_set(sk, lo.index, "lo", own, ARRAY_SIZE(own), NULL, NULL, err);
}

/* A router's MAC is its subnet's for ever: guests remember it over a restart of the lab. 0a: can't be a guest's 02:. */
static void bridge_mac(const char *name, unsigned char out[6])
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	out[0] = 0x0a;
	for (int i = 1; i < 6; i++)
		out[i] = (unsigned char)(h >> (8 * i));
}

/* Names of the links that are there, so that those in excess can go. */
struct wanted {
	struct nl_sock *sk;
	const struct net_vpc *vpc;
	bool all; /* even the wanted ones */
};

static int remove_excess(void *arg, const char *name, const struct link_info *info, struct error *err)
{
	const struct wanted *w = arg;

	/* other kinds (some kernels put tunnels of their own into each new namespace) are not ours */
	if (strcmp(info->kind, "bridge") != 0 && strcmp(info->kind, "tun") != 0 && strcmp(info->kind, "veth") != 0)
		return 0;
	if (!w->all) {
		if (strcmp(name, UPLINK_LINK) == 0 || strcmp(name, w->vpc->igw) == 0)
			return 0;
		for (size_t i = 0; i < w->vpc->subnet_count; i++)
			if (strcmp(w->vpc->subnets[i].bridge, name) == 0 && strcmp(info->kind, "bridge") == 0)
				return 0;
		for (size_t i = 0; i < w->vpc->eni_count; i++)
			if (w->vpc->enis[i].attached && strcmp(w->vpc->enis[i].tap, name) == 0 &&
			    strcmp(info->kind, "tun") == 0)
				return 0;
	}
	return link_delete(w->sk, name, err);
}

int router_clear(struct nl_sock *sk, struct error *err)
{
	struct wanted w = { sk, NULL, true };

	return link_each(sk, remove_excess, &w, err);
}

static int subnet_link(struct nl_sock *sk, const struct net_subnet *s, struct error *err)
{
	struct link_address router = { subnet_router(s), s->cidr.prefix };
	struct link_info info;
	unsigned char mac[6];

	bridge_mac(s->bridge, mac);
	if (link_get(sk, s->bridge, &info, err) < 0)
		return -1;
	if (info.index && memcmp(info.mac, mac, sizeof mac) != 0) {
		if (link_delete(sk, s->bridge, err) < 0)
			return -1;
		info.index = 0;
	}
	if (!info.index && (link_make_bridge(sk, s->bridge, mac, BRIDGE_ALIAS, err) < 0 ||
			    link_get(sk, s->bridge, &info, err) < 0))
		return -1;
	/* isolated ports don't hear each other: the router answers for every neighbour, and carries the packets */
	if (link_setting("conf", s->bridge, "proxy_arp_pvlan", "1", err) < 0 ||
	    link_setting("conf", s->bridge, "send_redirects", "0", err) < 0 ||
	    link_setting("conf", s->bridge, "rp_filter", "0", err) < 0 ||
	    link_setting("neigh", s->bridge, "proxy_delay", "0", err) < 0)
		return -1;
	if (address_set(sk, info.index, s->bridge, &router, 1, NULL, NULL, err) < 0)
		return -1;
	return info.up ? 0 : link_up(sk, info.index, s->bridge, err);
}

static int eni_link(struct nl_sock *sk, const struct net_vpc *vpc, const struct net_eni *e, struct error *err)
{
	const struct net_subnet *s = vpc_subnet(vpc, e->subnet_id);
	struct link_info tap, bridge;

	if (link_get(sk, e->tap, &tap, err) < 0 || link_get(sk, s->bridge, &bridge, err) < 0)
		return -1;
	if (!tap.index && (tap_make(e->tap, TAP_NOBODY, TAP_NOBODY, err) < 0 || link_get(sk, e->tap, &tap, err) < 0))
		return -1;
	if (tap.master != bridge.index && link_set_master(sk, tap.index, bridge.index, e->tap, err) < 0)
		return -1;
	return link_isolate_port(sk, tap.index, e->tap, err);
}

int router_links(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err)
{
	struct wanted w = { sk, vpc, false };

	if (link_each(sk, remove_excess, &w, err) < 0)
		return -1;
	for (size_t i = 0; i < vpc->subnet_count; i++)
		if (subnet_link(sk, &vpc->subnets[i], err) < 0)
			return -1;
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached && eni_link(sk, vpc, &vpc->enis[i], err) < 0)
			return -1;
	return 0;
}

void router_changes_done(struct router_changes *c)
{
	free(c->came);
	free(c->went);
}

static void note_change(void *arg, uint32_t addr, bool came)
{
	struct router_changes *c = arg;
	uint32_t **list = came ? &c->came : &c->went;
	size_t *count = came ? &c->came_count : &c->went_count;
	uint32_t *more = reallocarray(*list, *count + 1, sizeof *more);

	if (!more) /* it is told of no news: a neighbour then finds out by itself, later */
		return;
	more[(*count)++] = addr;
	*list = more;
}

int router_gateway(struct nl_sock *sk, const struct net_vpc *vpc, unsigned prefix, struct router_changes *ret,
		   struct error *err)
{
	AUTO_FREE struct link_address *want = calloc(vpc->eni_count + 1, sizeof *want);
	struct link_info igw;
	size_t count = 1;

	if (!want)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (link_get(sk, vpc->igw, &igw, err) < 0)
		return -1;
	want[0] = (struct link_address){ vpc->igw_address, prefix };
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached && vpc->enis[i].public_ip)
			want[count++] = (struct link_address){ vpc->enis[i].public_ip, 32 };
	/* only for its own addresses: a subnet's router is nobody's business out there */
	if (link_setting("conf", vpc->igw, "arp_ignore", "1", err) < 0)
		return -1;
	if (address_set(sk, igw.index, vpc->igw, want, count, note_change, ret, err) < 0)
		return -1;
	return igw.up ? 0 : link_up(sk, igw.index, vpc->igw, err);
}

int router_neighbours(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err)
{
	AUTO_FREE struct link_neighbour *want = calloc(vpc->eni_count + 1, sizeof *want);
	size_t count = 0;

	if (!want)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	for (size_t i = 0; i < vpc->eni_count; i++) {
		const struct net_eni *e = &vpc->enis[i];
		struct link_info tap;

		if (!e->attached)
			continue;
		if (link_get(sk, e->tap, &tap, err) < 0)
			return -1;
		want[count].index = tap.master;
		want[count].addr = e->private_ip;
		mac_parse(e->mac, want[count].mac);
		if (neighbour_fdb(sk, tap.index, want[count].mac, err) < 0)
			return -1;
		count++;
	}
	return neighbour_set(sk, want, count, err);
}

struct avoiding {
	struct nl_sock *sk;
	const uint32_t *avoid;
	size_t count;
	struct error *err;
};

static int remove_stale(void *arg, const struct route *r)
{
	const struct avoiding *a = arg;

	if (!r->unreachable || r->dst.prefix != 32)
		return 0;
	for (size_t i = 0; i < a->count; i++)
		if (a->avoid[i] == r->dst.addr)
			return 0;
	return route_delete(a->sk, r, a->err);
}

int router_uplink(struct nl_sock *sk, const struct net_vpc *vpc, bool uplink, const uint32_t *avoid, size_t avoid_count,
		  struct error *err)
{
	struct link_address address = { 0, UPLINK_PREFIX };
	struct route out = { .dst = { 0, 0 } };
	struct avoiding a = { sk, avoid, avoid_count, err };
	struct link_info info;

	/* the way out is a process of the machine: it would reach what listens on the machine's own addresses */
	if (route_each(sk, remove_stale, &a, err) < 0)
		return -1;
	for (size_t i = 0; i < avoid_count; i++) {
		struct route r = { .dst = { avoid[i], 32 }, .unreachable = true };

		if (!cidr_contains(vpc->cidr, avoid[i]) && route_add(sk, &r, err) < 0)
			return -1;
	}
	if (!uplink)
		return 0;
	if (link_get(sk, UPLINK_LINK, &info, err) < 0)
		return -1;
	if (!info.index)
		return error_set(err, ERROR_ENVIRONMENT, "The uplink's link is not there.");
	ipv4_parse(UPLINK_ADDRESS, &address.addr);
	ipv4_parse(UPLINK_GATEWAY, &out.gateway);
	if (address_set(sk, info.index, UPLINK_LINK, &address, 1, NULL, NULL, err) < 0 ||
	    (!info.up && link_up(sk, info.index, UPLINK_LINK, err) < 0))
		return -1;
	out.index = info.index;
	return route_add(sk, &out, err);
}

int router_open(struct nl_sock *sk, const struct net_vpc *vpc, struct error *err)
{
	for (size_t i = 0; i < vpc->eni_count; i++) {
		struct link_info tap;

		if (!vpc->enis[i].attached)
			continue;
		if (link_get(sk, vpc->enis[i].tap, &tap, err) < 0)
			return -1;
		if (!tap.up && link_up(sk, tap.index, vpc->enis[i].tap, err) < 0)
			return -1;
	}
	return sysctl_set("net/ipv4/ip_forward", "1", false, err);
}
