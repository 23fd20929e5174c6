#include "network/route.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>

static int request(struct nl_sock *sk, int type, int flags, const struct route *r)
{
	struct rtmsg rt = {
		.rtm_family = AF_INET, .rtm_dst_len = (unsigned char)r->dst.prefix, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = r->unreachable ? RTN_UNREACHABLE : RTN_UNICAST,
		.rtm_scope = r->unreachable || r->gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);
	int e;

	if (type == RTM_DELROUTE)
		rt.rtm_scope = RT_SCOPE_NOWHERE;
	e = m ? nlmsg_append(m, &rt, sizeof rt, NLMSG_ALIGNTO) : -NLE_NOMEM;
	if (e == 0 && r->dst.prefix)
		e = nla_put_u32(m, RTA_DST, htonl(r->dst.addr));
	if (e == 0 && r->gateway)
		e = nla_put_u32(m, RTA_GATEWAY, htonl(r->gateway));
	if (e == 0 && r->index)
		e = nla_put_u32(m, RTA_OIF, (uint32_t)r->index);
	if (e == 0)
		return nl_send_sync(sk, m);
	if (m)
		nlmsg_free(m);
	return e;
}

int route_add(struct nl_sock *sk, const struct route *r, struct error *err)
{
	int e = request(sk, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r);
	char dst[CIDR_TEXT_MAX];

	if (e == 0)
		return 0;
	cidr_format(dst, r->dst);
	return error_set(err, ERROR_ENVIRONMENT, "The route to %s can't be made: %s.", dst, nl_geterror(e));
}

int route_delete(struct nl_sock *sk, const struct route *r, struct error *err)
{
	int e = request(sk, RTM_DELROUTE, 0, r);
	char dst[CIDR_TEXT_MAX];

	if (e == 0 || e == -NLE_OBJ_NOTFOUND)
		return 0;
	cidr_format(dst, r->dst);
	return error_set(err, ERROR_ENVIRONMENT, "The route to %s can't be removed: %s.", dst, nl_geterror(e));
}

int route_each(struct nl_sock *sk, int (*fn)(void *arg, const struct route *r), void *arg, struct error *err)
{
	struct nl_cache *all = NULL;
	int e = rtnl_route_alloc_cache(sk, AF_INET, 0, &all), ret = 0;

	if (e < 0)
		return error_set(err, ERROR_ENVIRONMENT, "The routes can't be read: %s.", nl_geterror(e));
	for (struct nl_object *o = nl_cache_get_first(all); o && ret == 0; o = nl_cache_get_next(o)) {
		struct rtnl_route *rt = (struct rtnl_route *)o;
		struct nl_addr *dst = rtnl_route_get_dst(rt);
		struct rtnl_nexthop *hop = rtnl_route_nexthop_n(rt, 0);
		struct nl_addr *gateway = hop ? rtnl_route_nh_get_gateway(hop) : NULL;
		struct route r = { .unreachable = rtnl_route_get_type(rt) == RTN_UNREACHABLE };
		uint32_t be = 0;

		if (rtnl_route_get_table(rt) != RT_TABLE_MAIN || !dst)
			continue;
		if (nl_addr_get_len(dst) == sizeof be)
			memcpy(&be, nl_addr_get_binary_addr(dst), sizeof be);
		r.dst.addr = ntohl(be);
		r.dst.prefix = nl_addr_get_prefixlen(dst);
		if (gateway && nl_addr_get_len(gateway) == sizeof be) {
			memcpy(&be, nl_addr_get_binary_addr(gateway), sizeof be);
			r.gateway = ntohl(be);
		}
		r.index = hop ? rtnl_route_nh_get_ifindex(hop) : 0;
		ret = fn(arg, &r);
	}
	nl_cache_free(all);
	return ret;
}
