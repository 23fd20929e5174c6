/* The VPC's firewall as nftables' language. Pure: the model in, text out.
 *
 * Theory of operation. A packet's life between two interfaces is, as in EC2: the sender's outbound rules, the router (and
 * its NAT), the receiver's inbound rules. The three are three base chains, placed around the kernel's NAT so that each
 * sees the addresses that EC2's own would see:
 *
 *   ingress  (netdev, each tap)      is the sender who it says it is: MAC, ARP, IPv4
 *   leave    (prerouting,  -150)     before DNAT: the sender's outbound rules, by its MAC
 *   nat_in   (prerouting,  dstnat)   a public address becomes its interface's private one
 *   route    (forward,     filter)   from where to where at all; policy drop
 *   nat_out  (postrouting, srcnat)   the private address becomes the public one: to the pool, and for a guest that
 *                                    calls a neighbour by its public address
 *   enter    (postrouting, 150)      after SNAT: the receiver's inbound rules. So a flow that came by a public address
 *                                    shows a public source, which no group's set of private addresses holds
 *
 * Interfaces are found through verdict maps, so a packet's cost doesn't grow with their number.
 *
 * State. Replies and established flows pass unless their conntrack mark says that the side in question was admitted by
 * an any/any rule with an any/any rule the other way: EC2 doesn't track these, so each of their packets is judged by the
 * rules in force, and a revoke cuts them. "open" chains hold those rules; only they set the mark. */
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "network/names.h"
#include "network/network.h"

#define ANY_PORT_LAST 65535

static const char *ip(uint32_t addr, char out[IPV4_TEXT_MAX])
{
	ipv4_format(out, addr);
	return out;
}

/* Opens "elements = {" at the first element only: nftables refuses an empty list. */
struct elements {
	struct buffer *out;
	bool any;
};

static void element(struct elements *l)
{
	buffer_add(l->out, l->any ? ",\n\t\t\t" : "\t\telements = {\n\t\t\t");
	l->any = true;
}

static void elements_end(struct elements *l)
{
	buffer_add(l->out, l->any ? "\n\t\t}\n\t}\n" : "\t}\n");
}

static bool is_public(const struct net_eni *e)
{
	return e->attached && e->public_ip;
}

/* ---- rules of a group ---- */

/* tcp and udp from or to anywhere: what EC2 leaves untracked where the other direction is open too. */
static bool rule_open(const struct net_rule *r)
{
	return !r->by_group && r->cidr.prefix == 0 &&
	       (r->protocol == -1 || r->protocol == IPPROTO_TCP || r->protocol == IPPROTO_UDP);
}

static bool every_port(const struct net_rule *r)
{
	return r->from_port <= 0 && (r->to_port < 0 || r->to_port >= ANY_PORT_LAST);
}

/* Does some rule admit every answer of that protocol, to or from anywhere? */
static bool all_open(const struct net_vpc *vpc, const struct net_eni *e, bool inbound, int protocol)
{
	for (size_t i = 0; i < e->group_count; i++) {
		const struct net_group *g = vpc_group(vpc, e->group_ids[i]);
		const struct net_rule *rules = g ? inbound ? g->inbound : g->outbound : NULL;
		size_t count = g ? inbound ? g->inbound_count : g->outbound_count : 0;

		for (size_t k = 0; k < count; k++)
			if (rule_open(&rules[k]) &&
			    (rules[k].protocol == -1 || (rules[k].protocol == protocol && every_port(&rules[k]))))
				return true;
	}
	return false;
}

static void rule_build(struct buffer *out, const struct net_rule *r, bool inbound, const char *verdict)
{
	char cidr[CIDR_TEXT_MAX];

	buffer_add(out, "\t\t");
	if (r->by_group)
		buffer_addf(out, "ip %s @members_%s ", inbound ? "saddr" : "daddr", r->peer_group_id);
	else if (r->cidr.prefix > 0) {
		cidr_format(cidr, r->cidr);
		buffer_addf(out, "ip %s %s ", inbound ? "saddr" : "daddr", cidr);
	}
	switch (r->protocol) {
	case -1:
		break;
	case IPPROTO_TCP:
	case IPPROTO_UDP: {
		const char *name = r->protocol == IPPROTO_TCP ? "tcp" : "udp";

		if (every_port(r))
			buffer_addf(out, "meta l4proto %s ", name);
		else if (r->from_port == r->to_port)
			buffer_addf(out, "%s dport %d ", name, r->from_port);
		else
			buffer_addf(out, "%s dport %d-%d ", name, r->from_port, r->to_port);
		break;
	}
	case IPPROTO_ICMP:
		if (r->from_port < 0)
			buffer_add(out, "meta l4proto icmp ");
		else
			buffer_addf(out, "icmp type %d ", r->from_port);
		if (r->from_port >= 0 && r->to_port >= 0)
			buffer_addf(out, "icmp code %d ", r->to_port);
		break;
	default:
		buffer_addf(out, "meta l4proto %d ", r->protocol);
	}
	buffer_addf(out, "%s\n", verdict);
}

static void group_direction(struct buffer *out, const struct net_group *g, bool inbound)
{
	const struct net_rule *rules = inbound ? g->inbound : g->outbound;
	size_t count = inbound ? g->inbound_count : g->outbound_count;
	const char *way = inbound ? "in" : "out";

	buffer_addf(out, "\tchain open_%s_%s {\n", way, g->id);
	for (size_t i = 0; i < count; i++)
		if (rule_open(&rules[i]))
			rule_build(out, &rules[i], inbound, inbound ? "goto untracked_in" : "goto untracked_out");
	buffer_addf(out, "\t}\n\tchain %s_%s {\n", way, g->id);
	for (size_t i = 0; i < count; i++)
		rule_build(out, &rules[i], inbound, "accept");
	buffer_add(out, "\t}\n");
}

static bool referenced(const struct net_rule *rules, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].by_group && strcmp(rules[i].peer_group_id, id) == 0)
			return true;
	return false;
}

/* Was the group named as a peer before (group, rule index) in reading order? */
static bool named_before(const struct net_vpc *vpc, size_t group, const struct net_rule *rules, size_t index,
			 bool outbound, const char *id)
{
	const struct net_group *g = &vpc->groups[group];

	for (size_t i = 0; i < group; i++)
		if (referenced(vpc->groups[i].inbound, vpc->groups[i].inbound_count, id) ||
		    referenced(vpc->groups[i].outbound, vpc->groups[i].outbound_count, id))
			return true;
	if (outbound && referenced(g->inbound, g->inbound_count, id))
		return true;
	return referenced(rules, index, id);
}

static void members_build(struct buffer *out, const struct net_vpc *vpc, const char *id)
{
	struct elements l = { out, false };
	char a[IPV4_TEXT_MAX];

	buffer_addf(out, "\tset members_%s {\n\t\ttype ipv4_addr\n", id);
	for (size_t i = 0; i < vpc->eni_count; i++) {
		const struct net_eni *e = &vpc->enis[i];

		for (size_t k = 0; k < e->group_count; k++) {
			if (strcmp(e->group_ids[k], id) != 0)
				continue;
			element(&l);
			buffer_add(out, ip(e->private_ip, a));
			break;
		}
	}
	elements_end(&l);
}

/* One set for each group that a rule names, whether the group is still there or not. */
static void all_members_build(struct buffer *out, const struct net_vpc *vpc)
{
	for (size_t i = 0; i < vpc->group_count; i++) {
		const struct net_group *g = &vpc->groups[i];

		for (int way = 0; way < 2; way++) {
			const struct net_rule *rules = way ? g->outbound : g->inbound;
			size_t count = way ? g->outbound_count : g->inbound_count;

			for (size_t k = 0; k < count; k++)
				if (rules[k].by_group && !named_before(vpc, i, rules, k, way, rules[k].peer_group_id))
					members_build(out, vpc, rules[k].peer_group_id);
		}
	}
}

/* ---- interfaces ---- */

static void eni_direction(struct buffer *out, const struct net_vpc *vpc, const struct net_eni *e, bool inbound)
{
	const char *way = inbound ? "in" : "out";
	bool tcp = all_open(vpc, e, !inbound, IPPROTO_TCP), udp = all_open(vpc, e, !inbound, IPPROTO_UDP);
	const char *which = tcp && udp ? "{ tcp, udp }" : tcp ? "tcp" : "udp";

	buffer_addf(out, "\tchain %s_%s {\n", way, e->id);
	for (size_t i = 0; (tcp || udp) && i < e->group_count; i++)
		if (vpc_group(vpc, e->group_ids[i]))
			buffer_addf(out, "\t\tmeta l4proto %s jump open_%s_%s\n", which, way, e->group_ids[i]);
	for (size_t i = 0; i < e->group_count; i++)
		if (vpc_group(vpc, e->group_ids[i]))
			buffer_addf(out, "\t\tjump %s_%s\n", way, e->group_ids[i]);
	buffer_add(out, "\t\tdrop\n\t}\n");
}

static void sets_build(struct buffer *out, const struct net_vpc *vpc)
{
	char a[IPV4_TEXT_MAX], b[IPV4_TEXT_MAX];
	struct elements l = { out, false };

	buffer_add(out, "\tset bridges {\n\t\ttype ifname\n");
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		element(&l);
		buffer_addf(out, "\"%s\"", vpc->subnets[i].bridge);
	}
	elements_end(&l);

	l.any = false;
	buffer_add(out, "\tset router {\n\t\ttype ipv4_addr\n");
	element(&l);
	buffer_add(out, ip(vpc_resolver(vpc), a));
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		if (subnet_router(&vpc->subnets[i]) == vpc_resolver(vpc))
			continue;
		element(&l);
		buffer_add(out, ip(subnet_router(&vpc->subnets[i]), a));
	}
	element(&l);
	buffer_add(out, RESOLVER_LINK_LOCAL ",\n\t\t\t" METADATA_ADDRESS ",\n\t\t\t255.255.255.255");
	elements_end(&l);

	l.any = false;
	buffer_add(out, "\tset public {\n\t\ttype ipv4_addr\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (is_public(&vpc->enis[i])) {
			element(&l);
			buffer_add(out, ip(vpc->enis[i].private_ip, a));
		}
	elements_end(&l);

	for (int way = 0; way < 2; way++) {
		l.any = false;
		buffer_addf(out, "\tmap %s {\n\t\ttype ipv4_addr : ipv4_addr\n",
			    way ? "private_to_public" : "public_to_private");
		for (size_t i = 0; i < vpc->eni_count; i++) {
			const struct net_eni *e = &vpc->enis[i];

			if (!is_public(e))
				continue;
			element(&l);
			buffer_addf(out, "%s : %s", ip(way ? e->private_ip : e->public_ip, a),
				    ip(way ? e->public_ip : e->private_ip, b));
		}
		elements_end(&l);
	}

	l.any = false;
	buffer_add(out, "\tmap from_eni {\n\t\ttype ether_addr : verdict\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached) {
			element(&l);
			buffer_addf(out, "%s : goto out_%s", vpc->enis[i].mac, vpc->enis[i].id);
		}
	elements_end(&l);

	l.any = false;
	buffer_add(out, "\tmap to_eni {\n\t\ttype ipv4_addr : verdict\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached) {
			element(&l);
			buffer_addf(out, "%s : goto in_%s", ip(vpc->enis[i].private_ip, a), vpc->enis[i].id);
		}
	elements_end(&l);
}

/* ---- base chains ---- */

/* Each side looks at its own mark: the initiator's side is "out", the acceptor's "in", whichever way the packet goes. */
static void state_build(struct buffer *out, bool leaving)
{
	buffer_add(out, "\t\tct state vmap { invalid : drop, related : accept }\n");
	buffer_addf(out, "\t\tct state established ct direction original ct mark & 0x%x == 0x0 accept\n",
		    leaving ? MARK_UNTRACKED_OUT : MARK_UNTRACKED_IN);
	buffer_addf(out, "\t\tct state established ct direction reply ct mark & 0x%x == 0x0 accept\n",
		    leaving ? MARK_UNTRACKED_IN : MARK_UNTRACKED_OUT);
}

static void base_chains_build(struct buffer *out, const struct net_vpc *vpc, bool uplink)
{
	char cidr[CIDR_TEXT_MAX], resolver[IPV4_TEXT_MAX], host[IPV4_TEXT_MAX];

	ip(vpc->host_address, host);
	cidr_format(cidr, vpc->cidr);
	ip(vpc_resolver(vpc), resolver);

	buffer_add(out, "\tchain leave {\n\t\ttype filter hook prerouting priority -150; policy accept;\n");
	buffer_add(out, "\t\tiifname != @bridges accept\n");
	buffer_add(out, "\t\tip daddr @router accept\n");
	state_build(out, true);
	buffer_add(out, "\t\tether saddr vmap @from_eni\n\t\tdrop\n\t}\n");

	buffer_add(out, "\tchain nat_in {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n");
	buffer_add(out, "\t\tiifname != \"" UPLINK_LINK "\" dnat ip to ip daddr map @public_to_private\n\t}\n");

	buffer_add(out, "\tchain route {\n\t\ttype filter hook forward priority filter; policy drop;\n");
	buffer_add(out, "\t\tct state invalid drop\n");
	buffer_add(out, "\t\tip daddr 169.254.0.0/16 drop\n");
	buffer_add(out, "\t\tct state related accept\n");
	buffer_add(out, "\t\tct state established ct direction reply accept\n");
	buffer_add(out, "\t\tiifname @bridges oifname @bridges ct status dnat ip saddr != @public drop\n");
	buffer_add(out, "\t\tiifname @bridges oifname @bridges accept\n");
	buffer_addf(out, "\t\tiifname \"%s\" oifname @bridges ct status dnat ip saddr != %s accept\n", vpc->igw, cidr);
	if (vpc->host_address) { /* the machine is no neighbour to be explored */
		buffer_addf(out, "\t\tiifname @bridges ip daddr %s meta l4proto { tcp, udp } th dport != %d-%d drop\n", host,
			    vpc->host_first_port, vpc->host_last_port);
		buffer_addf(out, "\t\tiifname @bridges ip daddr %s meta l4proto != { icmp, tcp, udp } drop\n", host);
	}
	buffer_addf(out, "\t\tiifname @bridges oifname \"%s\" ip saddr @public accept\n", vpc->igw);
	if (uplink)
		buffer_add(out, "\t\tiifname @bridges oifname \"" UPLINK_LINK "\" ip saddr @public accept\n");
	buffer_add(out, "\t}\n");

	buffer_add(out, "\tchain nat_out {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n");
	buffer_addf(out, "\t\toifname \"%s\" snat ip to ip saddr map @private_to_public\n", vpc->igw);
	buffer_add(out, "\t\toifname @bridges ct status dnat snat ip to ip saddr map @private_to_public\n");
	if (uplink)
		buffer_add(out, "\t\toifname \"" UPLINK_LINK "\" masquerade\n");
	buffer_add(out, "\t}\n");

	buffer_add(out, "\tchain enter {\n\t\ttype filter hook postrouting priority 150; policy accept;\n");
	buffer_add(out, "\t\toifname != @bridges accept\n");
	buffer_addf(out, "\t\tmeta mark 0x%x accept\n", MARK_ROUTER);
	state_build(out, false);
	buffer_add(out, "\t\trt ip nexthop vmap @to_eni\n\t\tdrop\n\t}\n");

	buffer_add(out, "\tchain self_in {\n\t\ttype filter hook input priority filter; policy drop;\n");
	buffer_add(out, "\t\tiifname \"lo\" accept\n");
	buffer_add(out, "\t\tct state established,related accept\n");
	buffer_add(out, "\t\tiifname != @bridges drop\n");
	buffer_add(out, "\t\tudp sport 68 udp dport 67 accept\n");
	buffer_addf(out, "\t\tip daddr { %s, " RESOLVER_LINK_LOCAL " } meta l4proto { tcp, udp } th dport 53 accept\n",
		    resolver);
	buffer_add(out, "\t\tip daddr " METADATA_ADDRESS " tcp dport 80 accept\n");
	buffer_add(out, "\t\tip daddr @router icmp type echo-request accept\n\t}\n");

	buffer_add(out, "\tchain self_out {\n\t\ttype filter hook output priority filter; policy accept;\n");
	buffer_addf(out, "\t\tmeta mark set 0x%x\n\t}\n", MARK_ROUTER);
}

/* ---- the taps: nobody sends as somebody else ---- */

static void ingress_build(struct buffer *out, const struct net_vpc *vpc)
{
	struct elements l = { out, false };
	char a[IPV4_TEXT_MAX];

	buffer_add(out, "\tset enis {\n\t\ttypeof iifname . ether saddr\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached) {
			element(&l);
			buffer_addf(out, "\"%s\" . %s", vpc->enis[i].tap, vpc->enis[i].mac);
		}
	elements_end(&l);

	l.any = false;
	buffer_add(out, "\tset arp_senders {\n\t\ttypeof iifname . arp saddr ether . arp saddr ip\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached) {
			element(&l);
			buffer_addf(out, "\"%s\" . %s . %s", vpc->enis[i].tap, vpc->enis[i].mac,
				    ip(vpc->enis[i].private_ip, a));
			/* a probe for a duplicate address has no sender address (RFC 5227) */
			element(&l);
			buffer_addf(out, "\"%s\" . %s . 0.0.0.0", vpc->enis[i].tap, vpc->enis[i].mac);
		}
	elements_end(&l);

	l.any = false;
	buffer_add(out, "\tset ip_senders {\n\t\ttypeof iifname . ip saddr\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached) {
			element(&l);
			buffer_addf(out, "\"%s\" . %s", vpc->enis[i].tap, ip(vpc->enis[i].private_ip, a));
		}
	elements_end(&l);

	l.any = false;
	buffer_add(out, "\tset unchecked {\n\t\ttype ifname\n");
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached && !vpc->enis[i].source_dest_check) {
			element(&l);
			buffer_addf(out, "\"%s\"", vpc->enis[i].tap);
		}
	elements_end(&l);

	buffer_add(out, "\tchain ingress {\n\t\ttype filter hook ingress devices = { ");
	l.any = false;
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached) {
			buffer_addf(out, "%s%s", l.any ? ", " : "", vpc->enis[i].tap); /* older nftables take no quotes here */
			l.any = true;
		}
	buffer_add(out, " } priority filter; policy drop;\n");
	/* looked at as bytes: the kernel has moved a VLAN tag out of the way by now, and "ether type" would not see it */
	buffer_add(out, "\t\t@ll,96,16 != 0x0800 @ll,96,16 != 0x0806 drop\n");
	buffer_add(out, "\t\tiifname . ether saddr != @enis drop\n");
	buffer_add(out, "\t\tiifname . arp saddr ether . arp saddr ip @arp_senders accept\n");
	buffer_add(out, "\t\tudp sport 67 drop\n");
	buffer_add(out, "\t\tip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept\n");
	buffer_add(out, "\t\tiifname . ip saddr @ip_senders accept\n");
	buffer_add(out, "\t\tiifname @unchecked meta protocol ip accept\n\t}\n");
}

void ruleset_build(struct buffer *out, const struct net_vpc *vpc, bool uplink)
{
	bool attached = false;

	/* one transaction: made if missing, dropped, made anew */
	buffer_add(out, "table inet vpclab\ndelete table inet vpclab\n");
	buffer_add(out, "table netdev vpclab\ndelete table netdev vpclab\n");
	buffer_add(out, "table inet vpclab {\n");
	sets_build(out, vpc);
	all_members_build(out, vpc);
	buffer_addf(out, "\tchain untracked_in {\n\t\tct state new ct mark set ct mark | 0x%x\n\t\taccept\n\t}\n",
		    MARK_UNTRACKED_IN);
	buffer_addf(out, "\tchain untracked_out {\n\t\tct state new ct mark set ct mark | 0x%x\n\t\taccept\n\t}\n",
		    MARK_UNTRACKED_OUT);
	for (size_t i = 0; i < vpc->group_count; i++) {
		group_direction(out, &vpc->groups[i], false);
		group_direction(out, &vpc->groups[i], true);
	}
	for (size_t i = 0; i < vpc->eni_count; i++) {
		if (!vpc->enis[i].attached)
			continue;
		attached = true;
		eni_direction(out, vpc, &vpc->enis[i], false);
		eni_direction(out, vpc, &vpc->enis[i], true);
	}
	base_chains_build(out, vpc, uplink);
	buffer_add(out, "}\n");
	buffer_add(out, "table netdev vpclab {\n");
	if (attached)
		ingress_build(out, vpc);
	buffer_add(out, "}\n");
}
