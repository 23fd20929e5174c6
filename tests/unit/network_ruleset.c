/* The ruleset as text, and whether nftables and this kernel take it: each golden one goes through libnftables' dry run
 * in a network namespace of its own, with the taps that it names. */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "base/buffer.h"
#include "network/firewall.h"
#include "network/network.h"
#include "network/tap.h"
#include "tap.h"

#define MAX (1u << 20)
#define ANY { 0, 0 }

static const struct net_subnet subnets[] = {
	{ "subnet-0a", "b0a", { 0xac1f0000, 20 } },
	{ "subnet-0b", "b0b", { 0xac1f1000, 20 } },
};

static const struct net_rule default_in[] = {
	{ .protocol = -1, .by_group = true, .peer_group_id = "sg-default" },
};
static const struct net_rule all_out[] = {
	{ .protocol = -1, .from_port = -1, .to_port = -1, .cidr = ANY },
};
static const struct net_rule web_in[] = {
	{ .protocol = 6, .from_port = 22, .to_port = 22, .cidr = ANY },
	{ .protocol = 6, .from_port = 8000, .to_port = 8010, .cidr = { 0xcb007100, 24 } },
	{ .protocol = 17, .from_port = 53, .to_port = 53, .cidr = { 0x0a000001, 32 } },
	{ .protocol = 17, .from_port = 0, .to_port = 65535, .by_group = true, .peer_group_id = "sg-default" },
	{ .protocol = 1, .from_port = 8, .to_port = 0, .cidr = ANY },
	{ .protocol = 1, .from_port = 3, .to_port = -1, .cidr = ANY },
	{ .protocol = 1, .from_port = -1, .to_port = -1, .cidr = { 0xac1f0000, 16 } },
	{ .protocol = 47, .cidr = ANY },
	{ .protocol = 58, .from_port = -1, .to_port = -1, .cidr = ANY },
	{ .protocol = 6, .from_port = 5432, .to_port = 5432, .by_group = true, .peer_group_id = "sg-gone" },
};
static const struct net_rule tcp_out[] = {
	{ .protocol = 6, .from_port = 0, .to_port = 65535, .cidr = ANY },
	{ .protocol = 17, .from_port = 123, .to_port = 123, .cidr = ANY },
};

static const struct net_group groups[] = {
	{ "sg-default", default_in, 1, all_out, 1 },
	{ "sg-web", web_in, sizeof web_in / sizeof *web_in, NULL, 0 },
	{ "sg-tcp", NULL, 0, tcp_out, 2 },
};

static const char *const in_default[] = { "sg-default" };
static const char *const in_both[] = { "sg-default", "sg-web" };
static const char *const in_tcp[] = { "sg-web", "sg-tcp", "sg-unknown" };

static const struct net_eni enis[] = {
	{ "eni-1", "subnet-0a", "t1", "02:00:00:00:00:01", 0xac1f0005, 0xcb00710a, true, true, in_both, 2 },
	{ "eni-2", "subnet-0b", "t2", "02:00:00:00:00:02", 0xac1f1005, 0, false, true, in_default, 1 },
	{ "eni-3", "subnet-0b", "t3", "02:00:00:00:00:03", 0xac1f1006, 0xcb00710b, true, false, in_default, 1 },
	{ "eni-4", "subnet-0a", "t4", "02:00:00:00:00:04", 0xac1f0006, 0xcb00710c, true, true, in_tcp, 3 },
};

static struct net_vpc vpc(size_t eni_count, size_t group_count, size_t subnet_count)
{
	return (struct net_vpc){
		.id = "vpc-1", .cidr = { 0xac1f0000, 16 }, .igw = "igw1", .igw_address = 0xcb007102,
		.dns_domain = "ap-northeast-2.compute.internal", .subnets = subnets, .subnet_count = subnet_count,
		.enis = enis, .eni_count = eni_count, .groups = groups, .group_count = group_count,
	};
}

static void check(const struct net_vpc *v, bool uplink, const char *name, bool kernel)
{
	struct buffer out = BUFFER_INIT(MAX);
	struct error err = { 0 };

	ok(vpc_check(v, &err) == 0, "%s: a sound model", name);
	ruleset_build(&out, v, uplink);
	golden(buffer_text(&out), name);
	if (kernel)
		ok(firewall_check(buffer_text(&out), &err) == 0, "%s: the dry run takes it (%s)", name, err.message);
	else
		printf("ok %d # SKIP %s: the dry run needs root\n", ++tap_count, name);
	buffer_done(&out);
}

int main(void)
{
	bool kernel = unshare(CLONE_NEWNET) == 0;
	struct net_vpc v;
	struct error err = { 0 };

	if (!kernel && getenv("VPCLAB_MUST_WORK"))
		ok(false, "a network namespace (%s)", strerror(errno));
	if (kernel)
		for (size_t i = 0; i < 4; i++)
			if (tap_make(enis[i].tap, TAP_NOBODY, TAP_NOBODY, &err) < 0)
				ok(false, "%s", err.message);
	v = vpc(0, 0, 0);
	check(&v, false, "network-empty.nft", kernel);
	v = vpc(0, 1, 2);
	check(&v, true, "network-no-interface.nft", kernel);
	v = vpc(1, 2, 1);
	check(&v, true, "network-one.nft", kernel);
	v = vpc(4, 3, 2);
	check(&v, true, "network-several.nft", kernel);
	check(&v, false, "network-no-uplink.nft", kernel);
	v.host_address = 0xcb007101;
	v.host_first_port = 61800;
	v.host_last_port = 61899;
	check(&v, true, "network-host-ports.nft", kernel);
	v.host_first_port = 61900;
	ok(vpc_check(&v, &err) < 0, "a range of ports the wrong way round: %s", err.message);
	v.host_first_port = 61800;

	if (kernel) {
		struct buffer out = BUFFER_INIT(MAX);

		ruleset_build(&out, &v, true);
		ok(firewall_apply(buffer_text(&out), &err) == 0, "it is put in force");
		ok(firewall_apply(buffer_text(&out), &err) == 0, "and replaced by itself");
		buffer_add(&out, "table inet vpclab {\n\tchain leave {\n\t\tnonsense\n\t}\n}\n");
		ok(firewall_apply(buffer_text(&out), &err) < 0 && strstr(err.message, "refused"), "nonsense is refused: %s",
		   err.message);
		buffer_done(&out);
	}
	return tap_done();
}
