#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netlink/route/neighbour.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "network/link.h"

static int failed(int r, const char *what, struct error *err)
{
	return error_set(err, ERROR_ENVIRONMENT, "A neighbour entry can't be %s: %s.", what, nl_geterror(r));
}

bool mac_parse(const char *text, unsigned char out[6])
{
	for (int i = 0; i < 6; i++) {
		unsigned value = 0;

		for (int k = 0; k < 2; k++, text++) {
			if (*text >= '0' && *text <= '9')
				value = value * 16 + (unsigned)(*text - '0');
			else if (*text >= 'a' && *text <= 'f')
				value = value * 16 + (unsigned)(*text - 'a') + 10;
			else
				return false;
		}
		if (*text != (i < 5 ? ':' : '\0'))
			return false;
		text++;
		out[i] = (unsigned char)value;
	}
	return true;
}

static struct rtnl_neigh *entry(int family, int index, const uint32_t *addr, const unsigned char *mac)
{
	struct rtnl_neigh *n = rtnl_neigh_alloc();
	uint32_t be = addr ? htonl(*addr) : 0;
	struct nl_addr *dst = addr ? nl_addr_build(AF_INET, &be, sizeof be) : NULL;
	struct nl_addr *lladdr = mac ? nl_addr_build(AF_LLC, mac, 6) : NULL;

	if (n && (!addr || dst) && (!mac || lladdr)) {
		rtnl_neigh_set_ifindex(n, index);
		rtnl_neigh_set_family(n, family);
		if (dst)
			rtnl_neigh_set_dst(n, dst);
		if (lladdr)
			rtnl_neigh_set_lladdr(n, lladdr);
	} else if (n) {
		rtnl_neigh_put(n);
		n = NULL;
	}
	if (dst)
		nl_addr_put(dst);
	if (lladdr)
		nl_addr_put(lladdr);
	return n;
}

/* What the kernel has of n: an entry to keep, one to remove, or none of our business. */
static bool in_excess(struct rtnl_neigh *n, const struct link_neighbour *want, size_t count, bool *there)
{
	struct nl_addr *dst = rtnl_neigh_get_dst(n), *mac = rtnl_neigh_get_lladdr(n);
	uint32_t be;

	if (!(rtnl_neigh_get_state(n) & NUD_PERMANENT) || !dst || nl_addr_get_family(dst) != AF_INET)
		return false;
	memcpy(&be, nl_addr_get_binary_addr(dst), sizeof be);
	for (size_t i = 0; i < count; i++) {
		if (want[i].index != rtnl_neigh_get_ifindex(n) || want[i].addr != ntohl(be))
			continue;
		there[i] = mac && nl_addr_get_len(mac) == 6 && memcmp(nl_addr_get_binary_addr(mac), want[i].mac, 6) == 0;
		return false;
	}
	return true;
}

int neighbour_set(struct nl_sock *sk, const struct link_neighbour *want, size_t count, struct error *err)
{
	AUTO_FREE bool *there = calloc(count ? count : 1, sizeof *there);
	struct nl_cache *all = NULL;
	int r = there ? rtnl_neigh_alloc_cache(sk, &all) : -NLE_NOMEM;

	if (r < 0)
		return failed(r, "read", err);
	for (struct nl_object *o = nl_cache_get_first(all); o && r >= 0; o = nl_cache_get_next(o)) {
		struct rtnl_neigh *n = (struct rtnl_neigh *)o;

		if (in_excess(n, want, count, there)) {
			r = rtnl_neigh_delete(sk, n, 0);
			if (r == -NLE_OBJ_NOTFOUND)
				r = 0;
		}
	}
	nl_cache_free(all);
	if (r < 0)
		return failed(r, "removed", err);
	for (size_t i = 0; i < count; i++) {
		struct rtnl_neigh *n;

		if (there[i])
			continue;
		n = entry(AF_INET, want[i].index, &want[i].addr, want[i].mac);
		if (!n)
			return failed(-NLE_NOMEM, "added", err);
		rtnl_neigh_set_state(n, NUD_PERMANENT);
		r = rtnl_neigh_add(sk, n, NLM_F_CREATE | NLM_F_REPLACE);
		rtnl_neigh_put(n);
		if (r < 0)
			return failed(r, "added", err);
	}
	return 0;
}

int neighbour_forget(struct nl_sock *sk, int index, uint32_t addr, struct error *err)
{
	struct rtnl_neigh *n = entry(AF_INET, index, &addr, NULL);
	int r = n ? rtnl_neigh_delete(sk, n, 0) : -NLE_NOMEM;

	if (n)
		rtnl_neigh_put(n);
	return r < 0 && r != -NLE_OBJ_NOTFOUND ? failed(r, "removed", err) : 0;
}

int neighbour_fdb(struct nl_sock *sk, int port, const unsigned char mac[6], struct error *err)
{
	struct rtnl_neigh *n = entry(AF_BRIDGE, port, NULL, mac);
	int r = -NLE_NOMEM;

	if (n) {
		rtnl_neigh_set_state(n, NUD_NOARP);
		rtnl_neigh_set_flags(n, NTF_MASTER);
		r = rtnl_neigh_add(sk, n, NLM_F_CREATE | NLM_F_REPLACE);
		rtnl_neigh_put(n);
	}
	return r < 0 ? failed(r, "added to a bridge", err) : 0;
}

int neighbour_announce(int index, const unsigned char mac[6], const uint32_t *addrs, size_t count, struct error *err)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = index, .sll_halen = ETH_ALEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	AUTO_CLOSE int fd = -1;

	if (count == 0)
		return 0;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "A packet socket can't be opened");
	for (size_t i = 0; i < count; i++) {
		struct ether_arp arp;
		uint32_t be = htonl(addrs[i]);

		memset(&arp, 0, sizeof arp);
		arp.arp_hrd = htons(ARPHRD_ETHER);
		arp.arp_pro = htons(ETH_P_IP);
		arp.arp_hln = ETH_ALEN;
		arp.arp_pln = sizeof be;
		arp.arp_op = htons(ARPOP_REQUEST);
		memcpy(arp.arp_sha, mac, ETH_ALEN);
		memcpy(arp.arp_spa, &be, sizeof be);
		memcpy(arp.arp_tpa, &be, sizeof be);
		if (sendto(fd, &arp, sizeof arp, 0, (struct sockaddr *)&to, sizeof to) < 0)
			return error_set_errno(err, errno, "A gratuitous ARP can't be sent");
	}
	return 0;
}
