#include "network/vpc.h"

#include <string.h>

#define VPC_PREFIX_MIN 16
#define VPC_PREFIX_MAX 28

/* Links and ids end up in paths, in nftables' language and in dnsmasq's files: nothing but these may. */
static bool word(const char *text, size_t max)
{
	size_t len = text ? strnlen(text, max) : 0;

	if (len == 0 || len >= max || text[0] < 'a' || text[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9') || text[i] == '-'))
			return false;
	return true;
}

static bool domain(const char *text)
{
	size_t len = text ? strnlen(text, DNS_DOMAIN_MAX) : 0;

	if (len == 0 || len >= DNS_DOMAIN_MAX || text[0] == '-' || text[0] == '.')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

static bool mac(const char *text)
{
	if (strnlen(text, MAC_TEXT_MAX) != MAC_TEXT_MAX - 1)
		return false;
	for (int i = 0; i < MAC_TEXT_MAX - 1; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return !(strchr("13579bdf", text[1])); /* a multicast address is nobody's */
}

const struct net_subnet *vpc_subnet(const struct net_vpc *vpc, const char *id)
{
	for (size_t i = 0; i < vpc->subnet_count; i++)
		if (strcmp(vpc->subnets[i].id, id) == 0)
			return &vpc->subnets[i];
	return NULL;
}

const struct net_group *vpc_group(const struct net_vpc *vpc, const char *id)
{
	for (size_t i = 0; i < vpc->group_count; i++)
		if (strcmp(vpc->groups[i].id, id) == 0)
			return &vpc->groups[i];
	return NULL;
}

const struct net_eni *vpc_eni(const struct net_vpc *vpc, const char *id)
{
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (strcmp(vpc->enis[i].id, id) == 0)
			return &vpc->enis[i];
	return NULL;
}

bool vpc_is_router(const struct net_vpc *vpc, uint32_t addr)
{
	if (addr == vpc_resolver(vpc) || addr == vpc->igw_address)
		return true;
	for (size_t i = 0; i < vpc->subnet_count; i++)
		if (addr == subnet_router(&vpc->subnets[i]))
			return true;
	return false;
}

static int check_rules(const struct net_group *g, const struct net_rule *rules, size_t count, struct error *err)
{
	if (count > NET_RULES_MAX)
		return error_set_code(err, ERROR_USAGE, "RulesPerSecurityGroupLimitExceeded",
				      "The security group '%s' has %zu rules; at most %d are possible.", g->id, count,
				      NET_RULES_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct net_rule *r = &rules[i];

		if (r->protocol < -1 || r->protocol > 255 || r->cidr.prefix > 32 ||
		    (r->by_group && !word(r->peer_group_id, ID_MAX)))
			return error_set(err, ERROR_INTERNAL, "Rule %zu of the security group '%s' is malformed.", i,
					 g->id);
	}
	return 0;
}

static int check_eni(const struct net_vpc *vpc, const struct net_eni *e, struct error *err)
{
	const struct net_subnet *subnet = e->subnet_id ? vpc_subnet(vpc, e->subnet_id) : NULL;

	if (!word(e->id, ID_MAX) || !word(e->tap, LINK_NAME_MAX) || !mac(e->mac))
		return error_set(err, ERROR_INTERNAL, "The network interface '%s' has a malformed id, tap or MAC.",
				 e->id ? e->id : "");
	if (!subnet || !cidr_contains(subnet->cidr, e->private_ip) || e->private_ip == subnet->cidr.addr ||
	    e->private_ip == cidr_last(subnet->cidr) || vpc_is_router(vpc, e->private_ip))
		return error_set(err, ERROR_INTERNAL, "The network interface '%s' has no usable address in its subnet.",
				 e->id);
	if (e->group_count > NET_GROUPS_PER_ENI_MAX)
		return error_set_code(err, ERROR_USAGE, "SecurityGroupsPerInterfaceLimitExceeded",
				      "The network interface '%s' is in %zu security groups; at most %d are possible.",
				      e->id, e->group_count, NET_GROUPS_PER_ENI_MAX);
	/* the same address, MAC or tap twice would make one rule element twice, or worse: two owners */
	for (const struct net_eni *o = vpc->enis; o < e; o++)
		if (o->private_ip == e->private_ip || (e->public_ip && o->public_ip == e->public_ip) ||
		    strcmp(o->mac, e->mac) == 0 || strcmp(o->tap, e->tap) == 0 || strcmp(o->id, e->id) == 0)
			return error_set(err, ERROR_INTERNAL,
					 "The network interfaces '%s' and '%s' share an address, a MAC or a tap.", o->id,
					 e->id);
	return 0;
}

int vpc_check(const struct net_vpc *vpc, struct error *err)
{
	if (!word(vpc->id, ID_MAX) || !word(vpc->igw, LINK_NAME_MAX) || !domain(vpc->dns_domain) ||
	    vpc->cidr.prefix < VPC_PREFIX_MIN || vpc->cidr.prefix > VPC_PREFIX_MAX || vpc->igw_address == 0)
		return error_set(err, ERROR_INTERNAL, "The VPC '%s' has a malformed id, range, gateway or domain.",
				 vpc->id ? vpc->id : "");
	if (vpc->host_address &&
	    (vpc->host_first_port < 1 || vpc->host_first_port > vpc->host_last_port || vpc->host_last_port > 65535))
		return error_set(err, ERROR_INTERNAL, "The VPC '%s' has a malformed range of the host's ports.", vpc->id);
	if (vpc->subnet_count > NET_SUBNETS_MAX || vpc->eni_count > NET_ENIS_MAX || vpc->group_count > NET_GROUPS_MAX)
		return error_set(err, ERROR_INTERNAL, "The VPC '%s' has more subnets, interfaces or groups than possible.",
				 vpc->id);
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		const struct net_subnet *s = &vpc->subnets[i];

		if (!word(s->id, ID_MAX) || !word(s->bridge, LINK_NAME_MAX) || s->cidr.prefix < vpc->cidr.prefix ||
		    s->cidr.prefix > VPC_PREFIX_MAX || !cidr_contains(vpc->cidr, s->cidr.addr))
			return error_set(err, ERROR_INTERNAL, "The subnet '%s' has a malformed id, bridge or range.",
					 s->id ? s->id : "");
		for (size_t j = 0; j < i; j++)
			if (strcmp(vpc->subnets[j].bridge, s->bridge) == 0 || cidr_overlaps(vpc->subnets[j].cidr, s->cidr))
				return error_set(err, ERROR_INTERNAL, "The subnets '%s' and '%s' overlap.",
						 vpc->subnets[j].id, s->id);
	}
	for (size_t i = 0; i < vpc->group_count; i++) {
		const struct net_group *g = &vpc->groups[i];

		if (!word(g->id, ID_MAX))
			return error_set(err, ERROR_INTERNAL, "The security group '%s' has a malformed id.",
					 g->id ? g->id : "");
		if (check_rules(g, g->inbound, g->inbound_count, err) < 0 ||
		    check_rules(g, g->outbound, g->outbound_count, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (check_eni(vpc, &vpc->enis[i], err) < 0)
			return -1;
	return 0;
}
