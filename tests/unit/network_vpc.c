/* Models that the room must refuse: names that would reach a path or nftables' language, addresses of two owners. */
#include "network/link.h"
#include "network/vpc.h"
#include "tap.h"

static struct net_subnet subnets[2];
static struct net_eni enis[2];
static struct net_group group;
static struct net_rule rule;
static struct net_vpc vpc;

static void fresh(void)
{
	static const char *const ids[] = { "sg-1" };

	subnets[0] = (struct net_subnet){ "subnet-1", "b1", { 0xac1f0000, 20 } };
	subnets[1] = (struct net_subnet){ "subnet-2", "b2", { 0xac1f1000, 20 } };
	rule = (struct net_rule){ .protocol = 6, .from_port = 22, .to_port = 22 };
	group = (struct net_group){ "sg-1", &rule, 1, NULL, 0 };
	enis[0] = (struct net_eni){ "eni-1", "subnet-1", "t1", "02:00:00:00:00:01", 0xac1f0005, 0, true, true, ids, 1 };
	enis[1] = (struct net_eni){ "eni-2", "subnet-2", "t2", "02:00:00:00:00:02", 0xac1f1005, 0, true, true, ids, 1 };
	vpc = (struct net_vpc){ .id = "vpc-1", .cidr = { 0xac1f0000, 16 }, .igw = "igw1", .igw_address = 0xcb007102,
				.dns_domain = "ap-northeast-2.compute.internal", .subnets = subnets, .subnet_count = 2,
				.enis = enis, .eni_count = 2, .groups = &group, .group_count = 1 };
}

static void refused(const char *what)
{
	struct error err = { 0 };

	ok(vpc_check(&vpc, &err) < 0 && err.message[0], "%s: %s", what, err.message);
	fresh();
}

#define REFUSED(change) \
	do { \
		change; \
		refused(#change); \
	} while (0)

int main(void)
{
	unsigned char mac[6];

	fresh();
	ok(vpc_check(&vpc, NULL) == 0, "a sound one");
	REFUSED(vpc.id = "../etc");
	REFUSED(vpc.id = "");
	REFUSED(vpc.dns_domain = "x\nserver=1.2.3.4");
	REFUSED(vpc.cidr.prefix = 8);
	REFUSED(strcpy(vpc.igw, "a;b"));
	REFUSED(vpc.igw_address = 0);
	REFUSED(strcpy(subnets[0].bridge, ""));
	REFUSED(subnets[1].cidr = subnets[0].cidr);
	REFUSED(subnets[1].cidr.addr = 0x0a000000);
	REFUSED(strcpy(subnets[1].bridge, "b1"));
	REFUSED(strcpy(enis[0].tap, "t1\" }"));
	REFUSED(strcpy(enis[0].tap, "../t1"));
	REFUSED(strcpy(enis[0].tap, "1t"));
	REFUSED(strcpy(enis[0].tap, "-t1"));
	REFUSED(strcpy(enis[0].mac, "02:00:00:00:00:0G"));
	REFUSED(strcpy(enis[0].mac, "02:00:00:00:00:0"));
	REFUSED(strcpy(enis[0].mac, "01:00:00:00:00:01"));
	REFUSED(strcpy(enis[1].mac, enis[0].mac));
	REFUSED(enis[0].subnet_id = "subnet-9");
	REFUSED(enis[0].private_ip = 0xac1f1006);
	REFUSED(enis[0].private_ip = 0xac1f0001);
	REFUSED(enis[0].private_ip = 0xac1f0002);
	REFUSED(enis[0].private_ip = 0xac1f0fff);
	REFUSED(enis[0].public_ip = enis[1].public_ip = 0xcb00710a);
	REFUSED(enis[0].group_count = 17);
	REFUSED(group.id = "sg-1 accept");
	REFUSED(rule.protocol = 256);
	REFUSED(rule.protocol = -2);
	REFUSED((rule.by_group = true, rule.peer_group_id = "sg-$x"));
	REFUSED(rule.cidr.prefix = 33);
	REFUSED(group.inbound_count = NET_RULES_MAX + 1);

	ok(vpc_subnet(&vpc, "subnet-2") == &subnets[1] && !vpc_subnet(&vpc, "subnet-3"), "a subnet by id");
	ok(vpc_eni(&vpc, "eni-2") == &enis[1] && !vpc_eni(&vpc, "eni-3"), "an interface by id");
	ok(vpc_group(&vpc, "sg-1") == &group && !vpc_group(&vpc, "sg-2"), "a group by id");
	is_int(vpc_resolver(&vpc), 0xac1f0002, "the resolver is base + 2");
	is_int(subnet_router(&subnets[1]), 0xac1f1001, "a subnet's router is .1");
	ok(mac_parse("02:0a:ff:00:10:9c", mac) && memcmp(mac, "\x02\x0a\xff\x00\x10\x9c", 6) == 0, "a MAC");
	ok(!mac_parse("02:0a:ff:00:10", mac) && !mac_parse("02:0a:ff:00:10:9c:", mac) && !mac_parse("02-0a-ff-00-10-9c", mac),
	   "no MACs");
	return tap_done();
}
