#include <arpa/inet.h>
#include <netlink/route/addr.h>
#include <string.h>

#include "base/cleanup.h"
#include "network/link.h"

static int failed(int r, const char *what, const char *name, struct error *err)
{
	return error_set(err, ERROR_ENVIRONMENT, "The addresses of the link %s can't be %s: %s.", name, what,
			 nl_geterror(r));
}

static bool ipv4_of(struct rtnl_addr *a, uint32_t *ret)
{
	struct nl_addr *local = rtnl_addr_get_local(a);
	uint32_t be;

	if (!local || nl_addr_get_family(local) != AF_INET || nl_addr_get_len(local) != sizeof be)
		return false;
	memcpy(&be, nl_addr_get_binary_addr(local), sizeof be);
	*ret = ntohl(be);
	return true;
}

static int add(struct nl_sock *sk, int index, struct link_address want)
{
	uint32_t be = htonl(want.addr);
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(AF_INET, &be, sizeof be);
	int r = -NLE_NOMEM;

	if (a && local) {
		nl_addr_set_prefixlen(local, (int)want.prefix);
		rtnl_addr_set_ifindex(a, index);
		r = rtnl_addr_set_local(a, local);
		if (r == 0)
			r = rtnl_addr_add(sk, a, NLM_F_EXCL);
		if (r == -NLE_EXIST)
			r = 0;
	}
	if (local)
		nl_addr_put(local);
	if (a)
		rtnl_addr_put(a);
	return r;
}

int address_set(struct nl_sock *sk, int index, const char *name, const struct link_address *want, size_t count,
		void (*changed)(void *arg, uint32_t addr, bool came), void *arg, struct error *err)
{
	struct nl_cache *all = NULL;
	AUTO_FREE bool *there = calloc(count ? count : 1, sizeof *there);
	int r = there ? rtnl_addr_alloc_cache(sk, &all) : -NLE_NOMEM;

	if (r < 0)
		return failed(r, "read", name, err);
	for (struct nl_object *o = nl_cache_get_first(all); o && r >= 0; o = nl_cache_get_next(o)) {
		struct rtnl_addr *a = (struct rtnl_addr *)o;
		uint32_t addr;
		size_t i;

		if (rtnl_addr_get_ifindex(a) != index || !ipv4_of(a, &addr))
			continue;
		for (i = 0; i < count; i++)
			if (want[i].addr == addr && (int)want[i].prefix == rtnl_addr_get_prefixlen(a))
				break;
		if (i < count) {
			there[i] = true;
			continue;
		}
		r = rtnl_addr_delete(sk, a, 0);
		if (r == -NLE_NOADDR || r == -NLE_OBJ_NOTFOUND) /* a secondary goes with its primary */
			r = 0;
		if (r == 0 && changed)
			changed(arg, addr, false);
	}
	nl_cache_free(all);
	if (r < 0)
		return failed(r, "removed", name, err);
	for (size_t i = 0; i < count; i++) {
		/* also those that were there: one may have gone as another's secondary */
		r = add(sk, index, want[i]);
		if (r < 0)
			return failed(r, "added", name, err);
		if (changed && !there[i])
			changed(arg, want[i].addr, true);
	}
	return 0;
}

int address_each(struct nl_sock *sk, int (*fn)(void *arg, int index, uint32_t addr, unsigned prefix), void *arg,
		 struct error *err)
{
	struct nl_cache *all = NULL;
	int r = rtnl_addr_alloc_cache(sk, &all), ret = 0;

	if (r < 0)
		return failed(r, "read", "list", err);
	for (struct nl_object *o = nl_cache_get_first(all); o && ret >= 0; o = nl_cache_get_next(o)) {
		struct rtnl_addr *a = (struct rtnl_addr *)o;
		uint32_t addr;

		if (ipv4_of(a, &addr))
			ret = fn(arg, rtnl_addr_get_ifindex(a), addr, (unsigned)rtnl_addr_get_prefixlen(a));
	}
	nl_cache_free(all);
	return ret;
}
