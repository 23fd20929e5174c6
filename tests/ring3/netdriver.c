/* Calls the network room from a shell test: netdriver [-u] [-b BRIDGE] [-p POOL] [-H FIRST-LAST] RUN COMMAND [ARG...] < model
 *
 * The model is lines:
 *   vpc ID CIDR IGW-LINK IGW-ADDRESS
 *   subnet ID BRIDGE CIDR
 *   group ID
 *   in|out GROUP PROTOCOL FROM TO CIDR-OR-GROUP      (protocol -1, tcp, udp, icmp or a number)
 *   eni ID SUBNET TAP MAC PRIVATE PUBLIC-OR-- attached|detached check|nocheck GROUP[,GROUP...]
 * Commands: apply, rules, attach ENI UID GID, detach TAP, check, uplink (applies, says by what), parallel N (works on N VPCs like
 * the model's side by side); without a model: open, remove VPC IGW, removehost, strays [KEEP...]. "netdriver nft COMMAND" is nft(8), for
 * where that isn't installed. A failure's sentence goes to standard error, exit status 1. */
#include <nftables/libnftables.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/privilege.h"
#include "base/cidr.h"
#include "base/config.h"
#include "base/time.h"
#include "network/network.h"

#define LINE_MAX_LEN 512
#define MANY 256

static struct net_subnet subnets[MANY];
static struct net_group groups[MANY];
static struct net_eni enis[MANY];
static struct net_vpc vpc = { .dns_domain = "ap-northeast-2.compute.internal", .subnets = subnets, .enis = enis,
			      .groups = groups };

static void bad(const char *what)
{
	fprintf(stderr, "netdriver: bad model or usage: %s\n", what);
	exit(2);
}

static uint32_t address(const char *text)
{
	uint32_t a = 0;

	if (strcmp(text, "-") != 0 && !ipv4_parse(text, &a))
		bad(text);
	return a;
}

static struct cidr range(const char *text)
{
	struct cidr c;

	if (cidr_parse(text, &c, NULL, NULL) < 0)
		bad(text);
	return c;
}

static void name(char out[LINK_NAME_MAX], const char *text)
{
	snprintf(out, LINK_NAME_MAX, "%s", text);
}

static int protocol(const char *text)
{
	if (strcmp(text, "tcp") == 0)
		return 6;
	if (strcmp(text, "udp") == 0)
		return 17;
	if (strcmp(text, "icmp") == 0)
		return 1;
	return atoi(text);
}

static void add_rule(struct net_group *g, bool inbound, char *const w[])
{
	const struct net_rule **list = inbound ? &g->inbound : &g->outbound;
	size_t *count = inbound ? &g->inbound_count : &g->outbound_count;
	struct net_rule *grown = calloc(*count + 1, sizeof *grown);

	if (!grown)
		bad("memory");
	if (*count)
		memcpy(grown, *list, *count * sizeof *grown);
	grown[*count].protocol = protocol(w[2]);
	grown[*count].from_port = atoi(w[3]);
	grown[*count].to_port = atoi(w[4]);
	grown[*count].by_group = strncmp(w[5], "sg-", 3) == 0;
	if (grown[*count].by_group)
		grown[*count].peer_group_id = strdup(w[5]);
	else
		grown[*count].cidr = range(w[5]);
	free((void *)(uintptr_t)*list);
	*list = grown;
	++*count;
}

static void add_eni(struct net_eni *e, char *const w[])
{
	const char **ids = calloc(NET_GROUPS_PER_ENI_MAX + 1, sizeof *ids);
	char *save = NULL;

	if (!ids)
		bad("memory");
	e->id = strdup(w[1]);
	e->subnet_id = strdup(w[2]);
	name(e->tap, w[3]);
	snprintf(e->mac, sizeof e->mac, "%s", w[4]);
	e->private_ip = address(w[5]);
	e->public_ip = address(w[6]);
	e->attached = strcmp(w[7], "attached") == 0;
	e->source_dest_check = strcmp(w[8], "check") == 0;
	for (char *g = strtok_r(w[9], ",", &save); g && e->group_count < NET_GROUPS_PER_ENI_MAX;
	     g = strtok_r(NULL, ",", &save))
		ids[e->group_count++] = strdup(g);
	e->group_ids = ids;
}

static void read_model(void)
{
	char line[LINE_MAX_LEN];

	while (fgets(line, sizeof line, stdin)) {
		char *w[10], *save = NULL;
		int n = 0;

		for (char *t = strtok_r(line, " \t\n", &save); t && n < 10; t = strtok_r(NULL, " \t\n", &save))
			w[n++] = t;
		if (n == 0 || w[0][0] == '#')
			continue;
		if (strcmp(w[0], "vpc") == 0 && n == 5) {
			vpc.id = strdup(w[1]);
			vpc.cidr = range(w[2]);
			name(vpc.igw, w[3]);
			vpc.igw_address = address(w[4]);
		} else if (strcmp(w[0], "subnet") == 0 && n == 4 && vpc.subnet_count < MANY) {
			subnets[vpc.subnet_count].id = strdup(w[1]);
			name(subnets[vpc.subnet_count].bridge, w[2]);
			subnets[vpc.subnet_count++].cidr = range(w[3]);
		} else if (strcmp(w[0], "group") == 0 && n == 2 && vpc.group_count < MANY) {
			groups[vpc.group_count++].id = strdup(w[1]);
		} else if ((strcmp(w[0], "in") == 0 || strcmp(w[0], "out") == 0) && n == 6) {
			size_t i = 0;

			while (i < vpc.group_count && strcmp(groups[i].id, w[1]) != 0)
				i++;
			if (i == vpc.group_count)
				bad(w[1]);
			add_rule(&groups[i], w[0][0] == 'i', w);
		} else if (strcmp(w[0], "eni") == 0 && n == 10 && vpc.eni_count < MANY) {
			add_eni(&enis[vpc.eni_count++], w);
		} else {
			bad(w[0]);
		}
	}
}

#define ROUNDS 5

struct worker {
	struct network *n;
	struct net_vpc vpc;
	char id[ID_MAX];
	struct error err;
	int result;
	pthread_t thread;
};

static int where(void *arg, struct error *err)
{
	struct stat s;

	(void)err;
	if (stat("/proc/thread-self/ns/net", &s) < 0)
		return -1;
	*(ino_t *)arg = s.st_ino;
	return 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	ino_t before = 0, inside = 0, after = 0;

	w->result = -1;
	where(&before, NULL);
	for (int i = 0; i < ROUNDS; i++)
		if (network_apply_vpc(w->n, &w->vpc, &w->err) < 0 || network_apply_rules(w->n, &w->vpc, &w->err) < 0 ||
		    network_inside(w->n, w->vpc.id, where, &inside, &w->err) < 0 ||
		    (i % 2 && network_remove_vpc(w->n, w->vpc.id, w->vpc.igw, &w->err) < 0))
			return NULL;
	where(&after, NULL);
	if (before != after || before == inside)
		error_set(&w->err, ERROR_INTERNAL, "A thread of %s did not come home.", w->id);
	else
		w->result = network_remove_vpc(w->n, w->vpc.id, w->vpc.igw, &w->err);
	return NULL;
}

static int parallel(struct network *n, int count, struct error *err)
{
	struct worker *all = calloc((size_t)count, sizeof *all);
	int r = 0;

	for (int i = 0; all && i < count; i++) {
		all[i].n = n;
		all[i].vpc = vpc;
		snprintf(all[i].id, sizeof all[i].id, "vpc-p%d", i);
		all[i].vpc.id = all[i].id;
		snprintf(all[i].vpc.igw, LINK_NAME_MAX, "igwp%d", i);
		all[i].vpc.igw_address = vpc.igw_address + 100 + (uint32_t)i;
		if (pthread_create(&all[i].thread, NULL, work, &all[i]) != 0)
			bad("threads");
	}
	for (int i = 0; all && i < count; i++) {
		pthread_join(all[i].thread, NULL);
		if (all[i].result < 0) {
			*err = all[i].err;
			r = -1;
		}
	}
	free(all);
	return r;
}

static int command(struct network *n, char **arg, struct error *err)
{
	bool repaired = false;
	int r;

	if (strcmp(arg[0], "open") == 0)
		return 0;
	if (strcmp(arg[0], "remove") == 0 && arg[1])
		return network_remove_vpc(n, arg[1], arg[2], err);
	if (strcmp(arg[0], "removehost") == 0)
		return network_remove_host(n, err);
	if (strcmp(arg[0], "strays") == 0) {
		size_t count = 0;

		while (arg[1 + count])
			count++;
		return network_remove_strays(n, (const char *const *)&arg[1], count, err);
	}
	read_model();
	if (strcmp(arg[0], "apply") == 0)
		return network_apply_vpc(n, &vpc, err);
	if (strcmp(arg[0], "rules") == 0)
		return network_apply_rules(n, &vpc, err);
	if (strcmp(arg[0], "attach") == 0 && arg[1] && arg[2] && arg[3])
		return network_attach_eni(n, &vpc, arg[1], (unsigned)atoi(arg[2]), (unsigned)atoi(arg[3]), err);
	if (strcmp(arg[0], "detach") == 0 && arg[1])
		return network_detach_eni(n, &vpc, arg[1], err);
	if (strcmp(arg[0], "check") == 0) {
		r = network_check(n, &vpc, &repaired, err);
		puts(repaired ? "repaired" : "well");
		return r;
	}
	if (strcmp(arg[0], "uplink") == 0) {
		char reason[ERROR_MESSAGE_MAX];

		r = network_apply_vpc(n, &vpc, err);
		network_uplink_reason(n, reason, sizeof reason);
		printf("%s%s%s\n", network_uplink_name(n), *reason ? ": " : "", reason);
		return r;
	}
	if (strcmp(arg[0], "parallel") == 0 && arg[1])
		return parallel(n, atoi(arg[1]), err);
	bad(arg[0]);
	return -1;
}

static int nft(const char *what)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	int r = ctx ? nft_run_cmd_from_buffer(ctx, what) : -1;

	if (ctx)
		nft_ctx_free(ctx);
	return r != 0;
}

int main(int argc, char **argv)
{
	struct network_config c = { .public_bridge = "vpclab0" };
	struct error err = { 0 };
	struct network *n;
	int64_t before;
	int o, r;

	if (argc == 3 && strcmp(argv[1], "nft") == 0)
		return nft(argv[2]);
	c.public_pool = range("203.0.113.0/24");
	while ((o = getopt(argc, argv, "+ub:p:H:")) != -1) {
		if (o == 'u')
			c.uplink = true;
		else if (o == 'b')
			c.public_bridge = optarg;
		else if (o == 'p')
			c.public_pool = range(optarg);
		else if (o == 'H') {
			if (!config_ports(optarg, &vpc.host_first_port, &vpc.host_last_port))
				bad("ports");
			vpc.host_address = 1; /* made the pool's below */
		}
		else
			bad("option");
	}
	if (argc - optind < 2)
		bad("netdriver [-u] [-b BRIDGE] [-p POOL] RUN COMMAND [ARG...]");
	if (privilege_reduce(&err) < 0) /* as the daemon, so that this ring shows what its rights suffice for */
		bad(err.message);
	c.run_dir = argv[optind];
	if (vpc.host_address)
		vpc.host_address = c.public_pool.addr + 1;
	n = network_open(&c, &err);
	if (!n) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	before = time_mono_ms();
	r = command(n, &argv[optind + 1], &err);
	if (getenv("NETDRIVER_TIME"))
		fprintf(stderr, "%s: %d ms\n", argv[optind + 1], (int)(time_mono_ms() - before));
	network_close(n);
	if (r < 0)
		fprintf(stderr, "%s\n", err.message);
	return r < 0;
}
