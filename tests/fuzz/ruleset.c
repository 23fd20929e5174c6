/* A VPC's firewall, DHCP and DNS of a random model: whatever vpc_check lets by is text of whole blocks, within its bounds. With
 * FUZZ_DRY_RUN=1, as root, each ruleset also passes nftables' dry run in a network namespace with the taps (slow). */
#include <sched.h>

#include "fuzz/fuzz.h"
#include "network/firewall.h"
#include "network/network.h"
#include "network/tap.h"

#define MAX (4u << 20)
#define SUBNETS 4
#define ENIS 8
#define GROUPS 6
#define RULES 5

static const char *const group_names[] = { "sg-a", "sg-b", "sg-c", "sg-d", "sg-e", "sg-f", "sg-gone" };
static const char *const subnet_names[] = { "subnet-0", "subnet-1", "subnet-2", "subnet-3" };
static const char *const eni_names[] = { "eni-0", "eni-1", "eni-2", "eni-3", "eni-4", "eni-5", "eni-6", "eni-7" };

struct model {
	struct net_vpc vpc;
	struct net_subnet subnets[SUBNETS];
	struct net_eni enis[ENIS];
	struct net_group groups[GROUPS];
	struct net_rule rules[GROUPS][2][RULES];
	const char *in[ENIS][NET_GROUPS_PER_ENI_MAX];
	char odd[16];
};

/* Now and then a word of the input's own, which vpc_check must judge. */
static const char *word(struct model *m, struct fuzz_source *s, const char *usual)
{
	if (fuzz_byte(s) != 0xee)
		return usual;
	for (size_t i = 0; i + 1 < sizeof m->odd; i++)
		m->odd[i] = (char)fuzz_byte(s);
	m->odd[sizeof m->odd - 1] = '\0';
	return m->odd;
}

/* An address at the edges as often as anywhere. */
static uint32_t address(struct fuzz_source *s, uint32_t base)
{
	switch (fuzz_below(s, 4)) {
	case 0:
		return fuzz_u32(s);
	case 1:
		return base;
	default:
		return base + fuzz_byte(s);
	}
}

static int port(struct fuzz_source *s)
{
	static const int usual[] = { -1, 0, 1, 22, 80, 255, 256, 8000, 65534, 65535 };
	unsigned i = fuzz_below(s, 12);

	return i < 10 ? usual[i] : (int)fuzz_below(s, 65536);
}

static void rule(struct model *m, struct fuzz_source *s, struct net_rule *r)
{
	static const int protocols[] = { -1, 1, 6, 17, 58, 47, 0, 255 };
	unsigned p = fuzz_below(s, 10);

	r->protocol = p < 8 ? protocols[p] : (int)fuzz_byte(s);
	r->from_port = port(s);
	r->to_port = port(s);
	/* what the region's checks let by (permission.c): ordered ports; ICMP's types and codes are bytes */
	if (r->protocol == 1) {
		r->from_port = r->from_port > 255 ? -1 : r->from_port;
		r->to_port = r->to_port > 255 || r->from_port < 0 ? -1 : r->to_port;
	} else if (r->from_port < 0 || r->to_port < 0 || r->from_port > r->to_port) {
		r->from_port = r->protocol == -1 ? -1 : 0;
		r->to_port = r->protocol == -1 ? -1 : 65535;
	}
	r->by_group = fuzz_byte(s) & 1;
	if (r->by_group) {
		r->peer_group_id = word(m, s, group_names[fuzz_below(s, 7)]);
	} else {
		r->cidr.prefix = fuzz_below(s, 33);
		r->cidr.addr = address(s, 0xac1f0000) & cidr_mask(r->cidr.prefix);
	}
}

static void make(struct model *m, struct fuzz_source *s)
{
	struct net_vpc *v = &m->vpc;

	v->id = word(m, s, "vpc-1");
	v->cidr.prefix = 16 + fuzz_below(s, 13);
	v->cidr.addr = 0xac1f0000;
	snprintf(v->igw, sizeof v->igw, "igw1");
	v->igw_address = 0xcb007102;
	if (fuzz_byte(s) & 1) {
		v->host_address = 0xcb007101;
		v->host_first_port = port(s);
		v->host_last_port = port(s);
	}
	v->dns_domain = word(m, s, "ap-northeast-2.compute.internal");
	v->subnets = m->subnets;
	v->enis = m->enis;
	v->groups = m->groups;
	v->subnet_count = fuzz_below(s, SUBNETS + 1);
	v->group_count = fuzz_below(s, GROUPS + 1);
	v->eni_count = fuzz_below(s, ENIS + 1);
	for (size_t i = 0; i < v->subnet_count; i++) {
		m->subnets[i].id = word(m, s, subnet_names[i]);
		snprintf(m->subnets[i].bridge, LINK_NAME_MAX, "b%zu", i);
		m->subnets[i].cidr.prefix = v->cidr.prefix + fuzz_below(s, 29 - v->cidr.prefix);
		m->subnets[i].cidr.addr = (0xac1f0000 + (fuzz_below(s, 64) << (32 - m->subnets[i].cidr.prefix))) & cidr_mask(m->subnets[i].cidr.prefix);
	}
	for (size_t i = 0; i < v->group_count; i++) {
		m->groups[i].id = word(m, s, group_names[i]);
		m->groups[i].inbound = m->rules[i][0];
		m->groups[i].outbound = m->rules[i][1];
		m->groups[i].inbound_count = fuzz_below(s, RULES + 1);
		m->groups[i].outbound_count = fuzz_below(s, RULES + 1);
		for (size_t k = 0; k < m->groups[i].inbound_count; k++)
			rule(m, s, &m->rules[i][0][k]);
		for (size_t k = 0; k < m->groups[i].outbound_count; k++)
			rule(m, s, &m->rules[i][1][k]);
	}
	for (size_t i = 0; i < v->eni_count; i++) {
		struct net_eni *e = &m->enis[i];
		unsigned subnet = v->subnet_count ? fuzz_below(s, (unsigned)v->subnet_count) : 0;

		e->id = word(m, s, eni_names[i]);
		e->subnet_id = subnet_names[subnet];
		snprintf(e->tap, sizeof e->tap, "t%zu", i);
		snprintf(e->mac, sizeof e->mac, "%s", word(m, s, ""));
		if (!*e->mac)
			snprintf(e->mac, sizeof e->mac, "02:00:00:00:00:%02zx", i);
		e->private_ip = m->subnets[subnet].cidr.addr + fuzz_below(s, 1u << (32 - (m->subnets[subnet].cidr.prefix > 22 ? m->subnets[subnet].cidr.prefix : 22)));
		e->public_ip = fuzz_byte(s) & 1 ? 0xcb007100 + fuzz_byte(s) : 0;
		e->source_dest_check = fuzz_byte(s) & 1;
		e->attached = fuzz_byte(s) & 3;
		e->group_count = fuzz_below(s, 5);
		e->group_ids = m->in[i];
		for (size_t k = 0; k < e->group_count; k++)
			m->in[i][k] = group_names[fuzz_below(s, 7)];
	}
}

/* Braces that open are closed, and no byte is there that no builder means to write. */
static void sound(const struct buffer *out, const char *more)
{
	int depth = 0;

	MUST(!buffer_failed(out));
	for (const char *c = buffer_text(out); *c; c++) {
		depth += *c == '{';
		depth -= *c == '}';
		MUST(depth >= 0 && depth <= 4);
		MUST((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || strchr(" \t\n.,:;-_/{}\"@=!|&", *c) || strchr(more, *c));
	}
	MUST(depth == 0);
}

static void dry_run(const struct buffer *out)
{
	static int mode = -1;
	struct error err = { 0 };

	if (mode < 0) {
		mode = getenv("FUZZ_DRY_RUN") != NULL;
		if (mode) {
			MUST(unshare(CLONE_NEWNET) == 0);
			for (int i = 0; i < ENIS; i++) {
				char tap[LINK_NAME_MAX];

				snprintf(tap, sizeof tap, "t%d", i);
				MUST(tap_make(tap, TAP_NOBODY, TAP_NOBODY, &err) == 0);
			}
		}
	}
	if (mode && firewall_check(buffer_text(out), &err) < 0) {
		fprintf(stderr, "%s\n%s\n", err.message, buffer_text(out));
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out = BUFFER_INIT(MAX), conf = BUFFER_INIT(MAX), dhcp = BUFFER_INIT(MAX), dns = BUFFER_INIT(MAX);
	struct fuzz_source s = { data, size };
	struct error err = { 0 };
	struct model m;
	bool uplink;

	memset(&m, 0, sizeof m);
	uplink = fuzz_byte(&s) & 1;
	make(&m, &s);
	if (vpc_check(&m.vpc, &err) == 0) {
		ruleset_build(&out, &m.vpc, uplink);
		sound(&out, "");
		dry_run(&out);
		dnsmasq_conf_build(&conf, &m.vpc, "/run/vpclab/dnsmasq/vpc-1", "nobody", uplink ? "169.254.200.3" : NULL);
		dnsmasq_hosts_build(&dhcp, &dns, &m.vpc);
		sound(&conf, "#<>()'ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		sound(&dhcp, "#");
		sound(&dns, "#");
	} else {
		MUST(*err.message);
	}
	buffer_done(&out);
	buffer_done(&conf);
	buffer_done(&dhcp);
	buffer_done(&dns);
	return 0;
}
