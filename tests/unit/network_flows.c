/* Which remembered flows are forgotten when addresses change hands. */
#include "network/flows.h"
#include "tap.h"

#define ADDR(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define HOST ADDR(203, 0, 113, 1)
#define IGW ADDR(203, 0, 113, 2)
#define PUB1 ADDR(203, 0, 113, 11)
#define PUB2 ADDR(203, 0, 113, 12)
#define PUB9 ADDR(203, 0, 113, 19)
#define ONE ADDR(172, 31, 0, 11)
#define TWO ADDR(172, 31, 0, 12)
#define BARE ADDR(172, 31, 0, 13) /* without public address */
#define GONE ADDR(172, 31, 0, 14) /* not attached */
#define NEVER ADDR(172, 31, 0, 99)
#define ROUTER ADDR(172, 31, 0, 1)
#define RESOLVER ADDR(172, 31, 0, 2)
#define UPLINK ADDR(169, 254, 200, 100)
#define WORLD ADDR(198, 51, 100, 7)

int main(void)
{
	const struct net_subnet subnet = { "subnet-1", "b1", { ADDR(172, 31, 0, 0), 20 } };
	const struct net_eni enis[] = {
		{ .id = "eni-1", .private_ip = ONE, .public_ip = PUB1, .attached = true },
		{ .id = "eni-2", .private_ip = TWO, .public_ip = PUB2, .attached = true },
		{ .id = "eni-3", .private_ip = BARE, .attached = true },
		{ .id = "eni-4", .private_ip = GONE, .public_ip = PUB9, .attached = false },
	};
	const struct net_vpc v = { .id = "vpc-1", .cidr = { ADDR(172, 31, 0, 0), 16 }, .igw_address = IGW, .subnets = &subnet,
				   .subnet_count = 1, .enis = enis, .eni_count = 4 };
	const struct {
		const char *name;
		struct flow flow; /* source, destination, reply source, reply destination */
		bool stale;
	} cases[] = {
		{ "between guests", { ONE, TWO, TWO, ONE }, false },
		{ "from one that left", { GONE, TWO, TWO, GONE }, true },
		{ "to one that left", { ONE, GONE, GONE, ONE }, true },
		{ "to an address of nobody", { ONE, NEVER, NEVER, ONE }, true },
		{ "to the resolver", { ONE, RESOLVER, RESOLVER, ONE }, false },
		{ "from the router", { ROUTER, ONE, ONE, ROUTER }, false },
		{ "arrived at its public address", { HOST, PUB1, ONE, HOST }, false },
		{ "arrived at a public address that is another's now", { HOST, PUB2, ONE, HOST }, true },
		{ "arrived at a public address that is nobody's now", { HOST, PUB9, ONE, HOST }, true },
		{ "went to the pool before the address was ours", { ONE, PUB2, PUB2, PUB1 }, true },
		{ "left with its public address", { ONE, HOST, HOST, PUB1 }, false },
		{ "left with another", { ONE, HOST, HOST, PUB9 }, true },
		{ "left with one, has none now", { BARE, HOST, HOST, PUB9 }, true },
		{ "by the uplink", { ONE, WORLD, WORLD, UPLINK }, false },
		{ "by the uplink, has no public address now", { BARE, WORLD, WORLD, UPLINK }, true },
		{ "a neighbour by public addresses", { ONE, PUB2, TWO, PUB1 }, false },
		{ "a neighbour by public addresses, the sender's changed", { ONE, PUB2, TWO, PUB9 }, true },
		{ "the router's own by the uplink", { UPLINK, WORLD, WORLD, UPLINK }, false },
		{ "loopback", { ADDR(127, 0, 0, 1), ADDR(127, 0, 0, 1), ADDR(127, 0, 0, 1), ADDR(127, 0, 0, 1) }, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(flow_is_stale(&v, &cases[i].flow) == cases[i].stale, "%s: %s", cases[i].name,
		   cases[i].stale ? "forgotten" : "stays");
	return tap_done();
}
