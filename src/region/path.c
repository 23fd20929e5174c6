#include "region/path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/time.h"
#include "region/instance.h"
#include "region/permission.h"

#define CONNECT_MS 4000 /* a handshake is the kernel's work, which no slow guest drags out for long */

const char *path_outcome_name(enum path_outcome o)
{
	static const char *const names[] = { "not tried", "connected", "refused", "timed out", "unreachable" };

	return names[o];
}

/* Adds to a list of words as far as there is room. */
static void add_words(char out[PATH_WORDS_MAX], const char *words)
{
	size_t used = strlen(out);

	snprintf(out + used, PATH_WORDS_MAX - used, "%s%s", used ? ", " : "", words);
}

bool region_instance_at(struct region *r, const char *address, char ret_id[ID_MAX], bool *ret_public, char ret_others[PATH_WORDS_MAX])
{
	uint32_t wanted = 0;
	bool found = false, valid = ipv4_parse(address, &wanted);

	ret_others[0] = '\0';
	region_lock(r);
	for (size_t k = 0; k < model_count(r->model, KIND_INSTANCE); k++) {
		const struct instance *i = model_at(r->model, KIND_INSTANCE, k);
		const struct eni *eni = instance_eni(r, i);
		char text[IPV4_TEXT_MAX], words[SENTENCE_MAX];
		const char *name = tags_get(&i->o.tags, "Name");

		if (!eni || i->state == STATE_TERMINATED)
			continue;
		if (valid && wanted && (eni->public_ip == wanted || eni->private_ip == wanted)) {
			snprintf(ret_id, ID_MAX, "%s", i->o.id);
			*ret_public = eni->public_ip == wanted;
			found = true;
		}
		if (!eni->public_ip)
			continue;
		ipv4_format(text, eni->public_ip);
		snprintf(words, sizeof words, "%.64s has %s", name ? name : i->o.id, text);
		add_words(ret_others, words);
	}
	region_unlock(r);
	return found;
}

bool region_admits(struct region *r, const char *id, unsigned port, uint32_t source, char ret_rule[PATH_WORDS_MAX],
		   char ret_groups[PATH_WORDS_MAX])
{
	const struct instance *i;
	const struct eni *eni;
	char words[SENTENCE_MAX * 2], permission[SENTENCE_MAX];
	bool found = false;

	ret_rule[0] = ret_groups[0] = '\0';
	region_lock(r);
	i = instance_find(r, id, NULL);
	eni = i ? instance_eni(r, i) : NULL;
	for (int k = 0; eni && k < eni->group_count; k++) {
		const struct group *g = model_find(r->model, KIND_GROUP, eni->groups[k]);

		snprintf(words, sizeof words, "%.100s (%s)", g ? g->name : "", eni->groups[k]);
		add_words(ret_groups, words);
	}
	for (size_t k = 0; eni && !found && k < model_count(r->model, KIND_RULE); k++) {
		const struct rule *rule = model_at(r->model, KIND_RULE, k);
		bool member = false;

		for (int n = 0; n < eni->group_count; n++)
			member = member || strcmp(eni->groups[n], rule->group_id) == 0;
		if (!member || rule->egress ||
		    !(rule->protocol == -1 || (rule->protocol == 6 && rule->from_port <= (int)port && (int)port <= rule->to_port)))
			continue;
		permission_words(rule, permission);
		snprintf(words, sizeof words, "%.200s (%s)", permission, rule->o.id);
		/* this machine is in no group */
		found = !*rule->peer_group_id && cidr_contains(rule->cidr, source);
		if (found)
			ret_rule[0] = '\0';
		add_words(ret_rule, words);
	}
	region_unlock(r);
	return found;
}

/* Has any interface here that address, and is it up? */
static bool has_address(const char *address)
{
	struct ifaddrs *all = NULL;
	struct in_addr wanted;
	bool found = false;

	if (inet_pton(AF_INET, address, &wanted) != 1 || getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *a = all; a && !found; a = a->ifa_next)
		found = a->ifa_addr && a->ifa_addr->sa_family == AF_INET && (a->ifa_flags & IFF_UP) &&
			((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr.s_addr == wanted.s_addr;
	freeifaddrs(all);
	return found;
}

static struct sockaddr_in endpoint(const char *address, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	inet_pton(AF_INET, address, &a.sin_addr);
	return a;
}

/* The address that the kernel would call from: a datagram socket's connect looks up the route and sends nothing. */
static void route_source(const char *address, char ret[16])
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = endpoint(address, 9), from = { 0 };
	socklen_t len = sizeof from;

	ret[0] = '\0';
	if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&to, sizeof to) == 0 &&
	    getsockname(fd, (struct sockaddr *)(void *)&from, &len) == 0)
		inet_ntop(AF_INET, &from.sin_addr, ret, 16);
}

static enum path_outcome outcome_of(int errnum)
{
	switch (errnum) {
	case 0:
		return PATH_CONNECTED;
	case ECONNREFUSED:
	case ECONNRESET:
		return PATH_REFUSED;
	case ETIMEDOUT:
		return PATH_TIMED_OUT;
	default:
		return PATH_UNREACHABLE;
	}
}

static enum path_outcome try_connect(const char *address, unsigned port)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = endpoint(address, port);
	struct pollfd p = { fd, POLLOUT, 0 };
	int failed = 0;
	socklen_t len = sizeof failed;

	if (fd < 0)
		return PATH_UNTRIED;
	if (connect(fd, (struct sockaddr *)(void *)&to, sizeof to) == 0)
		return PATH_CONNECTED;
	if (errno != EINPROGRESS)
		return outcome_of(errno);
	if (poll(&p, 1, CONNECT_MS) != 1)
		return PATH_TIMED_OUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len);
	return outcome_of(failed);
}

struct inside {
	const char *public_ip, *private_ip;
	unsigned port;
	struct path_facts *facts;
};

/* Runs in the VPC's namespace. */
static int look_inside(void *arg, struct error *err)
{
	const struct inside *in = arg;

	(void)err;
	in->facts->gateway_up = has_address(in->public_ip);
	in->facts->from_router = try_connect(in->private_ip, in->port);
	return 0;
}

int region_path_facts(struct region *r, const char *id, unsigned port, struct path_facts *ret, struct error *err)
{
	struct instance_facts f;
	struct inside in = { f.public_ip, f.private_ip, port, ret };
	char vpc_id[ID_MAX] = "";
	const struct instance *i;
	const struct subnet *s;

	memset(ret, 0, sizeof *ret);
	if (region_instance_facts(r, id, &f, err) < 0)
		return -1;
	if (f.is_test)
		return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
				      "Instances of libvirt's test driver have no guest to reach.");
	region_lock(r);
	i = instance_find(r, id, err);
	s = i ? model_find(r->model, KIND_SUBNET, i->subnet_id) : NULL;
	if (s)
		ipv4_format(ret->router_address, s->cidr.addr + 1);
	if (i) {
		const struct instance_runtime *rt = i->runtime;

		ret->ready = i->ready;
		ret->failed = i->failed;
		snprintf(vpc_id, sizeof vpc_id, "%s", i->vpc_id);
		if (rt && rt->count)
			snprintf(ret->phase, sizeof ret->phase, "%s%s%.200s", rt->entries[rt->count - 1].phase,
				 *rt->entries[rt->count - 1].detail ? ": " : "", rt->entries[rt->count - 1].detail);
	}
	region_unlock(r);
	if (!i)
		return -1;
	ret->bridge_up = has_address(f.host_address);
	route_source(f.public_ip, ret->route_source);
	/* no namespace: the gateway is not up, which is a fact and no failure */
	if (!r->network || network_inside(r->network, vpc_id, look_inside, &in, NULL) < 0)
		return 0;
	if (*f.public_ip)
		ret->from_host = try_connect(f.public_ip, port);
	return 0;
}
