/* dnsmasq's configuration and hosts files, as text. Pure. */
#include <string.h>

#include "network/names.h"
#include "network/network.h"

#define LEASE "1h"

static const char *ip(uint32_t addr, char out[IPV4_TEXT_MAX])
{
	ipv4_format(out, addr);
	return out;
}

void dnsmasq_conf_build(struct buffer *out, const struct net_vpc *vpc, const char *dir, const char *user,
			const char *upstream)
{
	char a[IPV4_TEXT_MAX], mask[IPV4_TEXT_MAX], resolver[IPV4_TEXT_MAX];

	ip(vpc_resolver(vpc), resolver);
	buffer_addf(out, "# the resolver and DHCP of %s; written anew by vpclab at each change\n", vpc->id);
	if (user)
		buffer_addf(out, "user=%s\n", user);
	buffer_add(out, "pid-file=\nlog-facility=-\nquiet-dhcp\n");
	buffer_add(out, "bind-dynamic\nlisten-address=");
	buffer_addf(out, "%s,%s\n", resolver, RESOLVER_LINK_LOCAL);
	for (size_t i = 0; i < vpc->subnet_count; i++)
		buffer_addf(out, "interface=%s\n", vpc->subnets[i].bridge);
	/* names: ours, then upstream's, never the machine's own hosts */
	buffer_add(out, "no-resolv\nno-hosts\ndomain-needed\nbogus-priv\ncache-size=1000\n");
	buffer_addf(out, "domain=%s\nlocal=/%s/\nlocal=/vpclab/\n", vpc->dns_domain, vpc->dns_domain);
	buffer_addf(out, "addn-hosts=%s/dns-hosts\n", dir);
	if (upstream)
		buffer_addf(out, "server=%s\n", upstream);
	/* addresses: those of the model and no others; nothing is remembered that the model doesn't say */
	buffer_add(out, "dhcp-authoritative\ndhcp-ignore=tag:!known\nno-ping\nleasefile-ro\n");
	buffer_addf(out, "dhcp-lease-max=%d\n", NET_ENIS_MAX);
	buffer_addf(out, "dhcp-hostsfile=%s/dhcp-hosts\n", dir);
	buffer_addf(out, "dhcp-option=option:dns-server,%s\n", resolver);
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		const struct net_subnet *s = &vpc->subnets[i];

		buffer_addf(out, "dhcp-range=set:%s,%s,static,%s,%s\n", s->id, ip(s->cidr.addr, a),
			    ip(cidr_mask(s->cidr.prefix), mask), LEASE);
		buffer_addf(out, "dhcp-option=tag:%s,option:router,%s\n", s->id, ip(subnet_router(s), a));
	}
}

static void dashed(char text[IPV4_TEXT_MAX])
{
	for (char *p = text; *p; p++)
		if (*p == '.')
			*p = '-';
}

/* "ap-northeast-2.compute.internal" -> ".ap-northeast-2.compute", us-east-1's "ec2.internal" -> ".compute-1". */
static void public_zone(struct buffer *out, const char *dns_domain)
{
	size_t len = strlen(dns_domain), tail = strlen(".internal");

	if (strcmp(dns_domain, "ec2.internal") == 0)
		buffer_add(out, ".compute-1");
	else if (len > tail && strcmp(dns_domain + len - tail, ".internal") == 0)
		buffer_addf(out, ".%.*s", (int)(len - tail), dns_domain);
	buffer_add(out, ".amazonaws.com");
}

void dnsmasq_hosts_build(struct buffer *dhcp_hosts, struct buffer *dns_hosts, const struct net_vpc *vpc)
{
	for (size_t i = 0; i < vpc->eni_count; i++) {
		const struct net_eni *e = &vpc->enis[i];
		char addr[IPV4_TEXT_MAX], name[IPV4_TEXT_MAX];

		ip(e->private_ip, addr);
		ip(e->private_ip, name);
		dashed(name);
		buffer_addf(dhcp_hosts, "%s,%s,ip-%s,%s\n", e->mac, addr, name, LEASE);
		buffer_addf(dns_hosts, "%s ip-%s.%s", addr, name, vpc->dns_domain);
		if (e->public_ip) { /* seen from inside, the public name is the private address */
			ip(e->public_ip, name);
			dashed(name);
			buffer_addf(dns_hosts, " ec2-%s", name);
			public_zone(dns_hosts, vpc->dns_domain);
		}
		buffer_add(dns_hosts, "\n");
	}
}
