#include "network/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

struct nl_sock *link_open(struct error *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int r = sk ? nl_connect(sk, NETLINK_ROUTE) : -NLE_NOMEM;

	if (r < 0) {
		error_set(err, ERROR_ENVIRONMENT, "The kernel's rtnetlink can't be reached: %s.", nl_geterror(r));
		link_socket_done(&sk);
	}
	return sk;
}

void link_socket_done(struct nl_sock **sk)
{
	if (*sk)
		nl_socket_free(*sk);
	*sk = NULL;
}

static int failed(int r, const char *name, const char *what, struct error *err)
{
	if (r == -NLE_PERM)
		return error_set(err, ERROR_ENVIRONMENT, "The link %s can't be %s: only root may.", name, what);
	return error_set(err, ERROR_ENVIRONMENT, "The link %s can't be %s: %s.", name, what, nl_geterror(r));
}

static void link_done(struct rtnl_link **l)
{
	if (*l)
		rtnl_link_put(*l);
}

#define AUTO_LINK CLEANUP(link_done)

static void describe(struct rtnl_link *l, struct link_info *ret)
{
	const char *kind = rtnl_link_get_type(l), *alias = rtnl_link_get_ifalias(l);
	struct nl_addr *mac = rtnl_link_get_addr(l);

	memset(ret, 0, sizeof *ret);
	ret->index = rtnl_link_get_ifindex(l);
	ret->master = rtnl_link_get_master(l);
	ret->peer = rtnl_link_get_link(l);
	ret->up = rtnl_link_get_flags(l) & IFF_UP;
	snprintf(ret->kind, sizeof ret->kind, "%s", kind ? kind : "");
	snprintf(ret->alias, sizeof ret->alias, "%s", alias ? alias : "");
	if (mac && nl_addr_get_len(mac) == sizeof ret->mac)
		memcpy(ret->mac, nl_addr_get_binary_addr(mac), sizeof ret->mac);
}

int link_get(struct nl_sock *sk, const char *name, struct link_info *ret, struct error *err)
{
	struct rtnl_link *l AUTO_LINK = NULL;
	int r = rtnl_link_get_kernel(sk, 0, name, &l);

	memset(ret, 0, sizeof *ret);
	if (r == -NLE_NODEV || r == -NLE_OBJ_NOTFOUND)
		return 0;
	if (r < 0)
		return failed(r, name, "looked up", err);
	describe(l, ret);
	return 0;
}

int link_each(struct nl_sock *sk, int (*fn)(void *arg, const char *name, const struct link_info *info, struct error *err),
	      void *arg, struct error *err)
{
	struct nl_cache *all = NULL;
	int r = rtnl_link_alloc_cache(sk, AF_UNSPEC, &all), ret = 0;

	if (r < 0)
		return failed(r, "list", "read", err);
	for (struct nl_object *o = nl_cache_get_first(all); o && ret >= 0; o = nl_cache_get_next(o)) {
		struct rtnl_link *l = (struct rtnl_link *)o;
		struct link_info info;

		describe(l, &info);
		ret = fn(arg, rtnl_link_get_name(l), &info, err);
	}
	nl_cache_free(all);
	return ret;
}

/* The machine's other programs shall not see IPv6 chatter of ours; a kernel without IPv6 refuses the question. */
static void no_ipv6(struct rtnl_link *l)
{
	if (access("/proc/sys/net/ipv6", F_OK) == 0)
		rtnl_link_inet6_set_addr_gen_mode(l, IN6_ADDR_GEN_MODE_NONE);
}

int link_make_bridge(struct nl_sock *sk, const char *name, const unsigned char mac[6], const char *alias,
		     struct error *err)
{
	struct rtnl_link *l AUTO_LINK = rtnl_link_bridge_alloc();
	struct nl_addr *addr = nl_addr_build(AF_LLC, mac, 6);
	struct link_info info;
	int r = -NLE_NOMEM;

	if (l && addr) {
		rtnl_link_set_name(l, name);
		rtnl_link_set_addr(l, addr);
		r = rtnl_link_add(sk, l, NLM_F_CREATE | NLM_F_EXCL);
	}
	if (addr)
		nl_addr_put(addr);
	if (r < 0)
		return failed(r, name, "made", err);
	/* the kernel takes these two from a change only, not from the creation */
	if (link_get(sk, name, &info, err) < 0)
		return -1;
	link_done(&l);
	l = rtnl_link_alloc();
	if (!l)
		return failed(-NLE_NOMEM, name, "made", err);
	rtnl_link_set_ifindex(l, info.index);
	rtnl_link_set_ifalias(l, alias);
	no_ipv6(l);
	r = rtnl_link_change(sk, l, l, 0);
	return r < 0 ? failed(r, name, "set up", err) : 0;
}

int link_make_veth(struct nl_sock *sk, const char *name, int master, int peer_ns, struct error *err)
{
	struct rtnl_link *l AUTO_LINK = rtnl_link_veth_alloc();
	struct rtnl_link *peer;
	struct link_info info;
	int r;

	if (!l)
		return failed(-NLE_NOMEM, name, "made", err);
	peer = rtnl_link_veth_get_peer(l);
	rtnl_link_set_name(l, name);
	rtnl_link_set_name(peer, name);
	rtnl_link_set_ns_fd(peer, peer_ns);
	r = rtnl_link_add(sk, l, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(peer);
	if (r < 0)
		return failed(r, name, "made", err);
	if (link_get(sk, name, &info, err) < 0)
		return -1;
	link_done(&l);
	l = rtnl_link_alloc();
	if (!l)
		return failed(-NLE_NOMEM, name, "made", err);
	rtnl_link_set_ifindex(l, info.index);
	rtnl_link_set_master(l, master);
	rtnl_link_set_flags(l, IFF_UP);
	no_ipv6(l);
	r = rtnl_link_change(sk, l, l, 0);
	return r < 0 ? failed(r, name, "put into its bridge", err) : 0;
}

int link_delete(struct nl_sock *sk, const char *name, struct error *err)
{
	struct rtnl_link *l AUTO_LINK = rtnl_link_alloc();
	int r;

	if (!l)
		return failed(-NLE_NOMEM, name, "removed", err);
	rtnl_link_set_name(l, name);
	r = rtnl_link_delete(sk, l);
	return r < 0 && r != -NLE_NODEV && r != -NLE_OBJ_NOTFOUND ? failed(r, name, "removed", err) : 0;
}

static int change(struct nl_sock *sk, int index, unsigned flags, int master, const char *name, const char *what,
		  struct error *err)
{
	struct rtnl_link *l AUTO_LINK = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (l) {
		rtnl_link_set_ifindex(l, index);
		if (flags)
			rtnl_link_set_flags(l, flags);
		if (master)
			rtnl_link_set_master(l, master);
		r = rtnl_link_change(sk, l, l, 0);
	}
	return r < 0 ? failed(r, name, what, err) : 0;
}

int link_up(struct nl_sock *sk, int index, const char *name, struct error *err)
{
	return change(sk, index, IFF_UP, 0, name, "brought up", err);
}

int link_set_master(struct nl_sock *sk, int index, int master, const char *name, struct error *err)
{
	return change(sk, index, 0, master, name, "put into its bridge", err);
}

/* By hand: libnl 3.7 knows neither "isolated" nor multicast flooding. */
int link_isolate_port(struct nl_sock *sk, int index, const char *name, struct error *err)
{
	struct ifinfomsg ifi = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	struct nl_msg *m = nlmsg_alloc_simple(RTM_SETLINK, 0);
	struct nlattr *port;
	int r = -NLE_NOMEM;

	if (!m)
		return failed(r, name, "isolated", err);
	if (nlmsg_append(m, &ifi, sizeof ifi, NLMSG_ALIGNTO) == 0 &&
	    (port = nla_nest_start(m, IFLA_PROTINFO | NLA_F_NESTED)) != NULL &&
	    nla_put_u8(m, IFLA_BRPORT_ISOLATED, 1) == 0 && nla_put_u8(m, IFLA_BRPORT_LEARNING, 0) == 0 &&
	    nla_put_u8(m, IFLA_BRPORT_UNICAST_FLOOD, 0) == 0 && nla_put_u8(m, IFLA_BRPORT_MCAST_FLOOD, 0) == 0) {
		nla_nest_end(m, port);
		r = nl_send_sync(sk, m); /* frees m */
	} else {
		nlmsg_free(m);
	}
	return r < 0 ? failed(r, name, "isolated", err) : 0;
}
