#include "network/flows.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "network/link.h"
#include "network/names.h"

#define FLOWS_MAX 65536u /* a round; what is left is for the next */

static const struct net_eni *by_private(const struct net_vpc *vpc, uint32_t addr)
{
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached && vpc->enis[i].private_ip == addr)
			return &vpc->enis[i];
	return NULL;
}

static const struct net_eni *by_public(const struct net_vpc *vpc, uint32_t addr)
{
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached && vpc->enis[i].public_ip == addr)
			return &vpc->enis[i];
	return NULL;
}

static bool nobody(const struct net_vpc *vpc, uint32_t addr)
{
	return cidr_contains(vpc->cidr, addr) && !vpc_is_router(vpc, addr) && !by_private(vpc, addr);
}

bool flow_is_stale(const struct net_vpc *vpc, const struct flow *f)
{
	const struct net_eni *sender = by_private(vpc, f->source), *public = by_public(vpc, f->destination);
	uint32_t uplink;

	if (nobody(vpc, f->source) || nobody(vpc, f->reply_source))
		return true;
	/* arrived at a public address: that of the interface it was brought to? And one that wasn't brought, but should now be? */
	if (public ? public->private_ip != f->reply_source : f->destination != f->reply_source)
		return true;
	if (f->source == f->reply_destination)
		return false;
	/* left with another source: the interface's public address, or by the uplink with the uplink's, having a public one */
	ipv4_parse(UPLINK_ADDRESS, &uplink);
	if (!sender)
		return cidr_contains(vpc->cidr, f->source);
	return f->reply_destination == uplink ? !sender->public_ip : sender->public_ip != f->reply_destination;
}

/* ---- ctnetlink ---- */

static uint32_t address_in(struct nlattr *tuple, int which)
{
	struct nlattr *parts[CTA_TUPLE_MAX + 1], *ips[CTA_IP_MAX + 1];

	if (!tuple || nla_parse_nested(parts, CTA_TUPLE_MAX, tuple, NULL) < 0 || !parts[CTA_TUPLE_IP] ||
	    nla_parse_nested(ips, CTA_IP_MAX, parts[CTA_TUPLE_IP], NULL) < 0 || !ips[which])
		return 0;
	return ntohl(nla_get_u32(ips[which]));
}

struct gathering {
	const struct net_vpc *vpc;
	struct nl_msg **doomed;
	size_t count;
	bool no_memory;
};

static struct nl_msg *request(int type, int flags)
{
	struct nfgenmsg head = { .nfgen_family = AF_INET, .version = NFNETLINK_V0 };
	struct nl_msg *m = nlmsg_alloc_simple((NFNL_SUBSYS_CTNETLINK << 8) | type, flags);

	if (m && nlmsg_append(m, &head, sizeof head, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return m;
}

static int on_flow(struct nl_msg *msg, void *arg)
{
	struct gathering *g = arg;
	struct nlattr *a[CTA_MAX + 1];
	struct nl_msg *m, **more;
	struct flow f;

	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(struct nfgenmsg), a, CTA_MAX, NULL) < 0 || g->count >= FLOWS_MAX)
		return NL_OK;
	f.source = address_in(a[CTA_TUPLE_ORIG], CTA_IP_V4_SRC);
	f.destination = address_in(a[CTA_TUPLE_ORIG], CTA_IP_V4_DST);
	f.reply_source = address_in(a[CTA_TUPLE_REPLY], CTA_IP_V4_SRC);
	f.reply_destination = address_in(a[CTA_TUPLE_REPLY], CTA_IP_V4_DST);
	if (!f.source || !f.destination || !flow_is_stale(g->vpc, &f))
		return NL_OK;
	/* the flow is named by its own tuple, and by its id so that a successor isn't hit */
	m = request(IPCTNL_MSG_CT_DELETE, 0);
	more = m ? reallocarray(g->doomed, g->count + 1, sizeof *more) : NULL;
	if (!more || nla_put(m, CTA_TUPLE_ORIG | NLA_F_NESTED, nla_len(a[CTA_TUPLE_ORIG]), nla_data(a[CTA_TUPLE_ORIG])) < 0 ||
	    (a[CTA_ID] && nla_put_u32(m, CTA_ID, nla_get_u32(a[CTA_ID])) < 0)) {
		g->no_memory = true;
		if (more)
			g->doomed = more;
		if (m)
			nlmsg_free(m);
		return NL_STOP;
	}
	g->doomed = more;
	g->doomed[g->count++] = m;
	return NL_OK;
}

int flows_forget_stale(const struct net_vpc *vpc, size_t *ret_count, struct error *err)
{
	struct gathering g = { .vpc = vpc };
	struct nl_sock *sk AUTO_LINK_SOCKET = nl_socket_alloc();
	struct nl_msg *m = request(IPCTNL_MSG_CT_GET, NLM_F_DUMP);
	int r = sk && m ? nl_connect(sk, NETLINK_NETFILTER) : -NLE_NOMEM;

	if (r == 0) {
		nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_flow, &g);
		r = nl_send_auto(sk, m);
	}
	if (m)
		nlmsg_free(m);
	if (r >= 0)
		r = nl_recvmsgs_default(sk);
	for (size_t i = 0; i < g.count; i++) {
		int e = r < 0 ? nlmsg_free(g.doomed[i]), r : nl_send_sync(sk, g.doomed[i]);

		if (e < 0 && e != -NLE_OBJ_NOTFOUND && r >= 0)
			r = e;
	}
	free(g.doomed);
	if (g.no_memory)
		r = -NLE_NOMEM;
	if (ret_count)
		*ret_count = g.count;
	if (r < 0)
		return error_set(err, ERROR_ENVIRONMENT, "The flows of %s can't be looked through: %s.", vpc->id,
				 nl_geterror(r));
	return 0;
}
