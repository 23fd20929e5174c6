/* The room's calls: one VPC at a time, each step idempotent, in the order that never lets a packet by before its rules.
 *
 *   inside       settings, which every link made afterwards starts with
 *   host         the gateway's link                 (in the machine's namespace)
 *   uplink       its process                        (before the rest: routes and rules differ by its being there)
 *   inside       links, addresses, neighbours; firewall; stale flows; only then taps up and forwarding on
 *   host         forget at whose MAC public addresses were that came or went
 *   dnsmasq      names and leases, waited for */
#include "network/network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "network/dnsmasq.h"
#include "network/firewall.h"
#include "network/flows.h"
#include "network/host.h"
#include "network/link.h"
#include "network/names.h"
#include "network/netns.h"
#include "network/router.h"
#include "network/tap.h"
#include "network/uplink.h"

#define RULESET_MAX (32u << 20)
#define USER_MAX 64

/* One for each VPC that was ever called for: calls for the same one wait for each other. */
struct vpc_lock {
	struct vpc_lock *next;
	char id[ID_MAX];
	pthread_mutex_t mutex;
};

struct network {
	char *run_dir, *bridge, user[USER_MAX];
	struct cidr pool;
	bool uplink;
	pthread_mutex_t mutex; /* guards what follows */
	struct vpc_lock *locks;
	_Atomic(const char *) uplink_name; /* NULL: none; read without the mutex */
	char uplink_reason[UPLINK_REASON_MAX];
};

/* ---- the handle ---- */

static void choose_user(struct network *n, const char *asked)
{
	const char *const candidates[] = { asked, "dnsmasq", "nobody" };

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (candidates[i] && (candidates[i] == asked || getpwnam(candidates[i]))) {
			snprintf(n->user, sizeof n->user, "%s", candidates[i]);
			return;
		}
}

int network_range_taken(const char *bridge, struct cidr range, char ret_by[RANGE_TAKEN_MAX], struct error *err)
{
	return host_range_taken(bridge, range, ret_by, err);
}

struct network *network_open(const struct network_config *c, struct error *err)
{
	struct network *n = calloc(1, sizeof *n);
	AUTO_FREE char *netns = file_path(err, "%s/netns", c->run_dir);

	if (!n || !netns) {
		free(n);
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	pthread_mutex_init(&n->mutex, NULL);
	n->run_dir = strdup(c->run_dir);
	n->bridge = strdup(c->public_bridge);
	n->pool = c->public_pool;
	n->uplink = c->uplink;
	choose_user(n, c->dnsmasq_user);
	n->uplink_name = n->uplink ? uplink_program() : NULL;
	if (!n->uplink)
		snprintf(n->uplink_reason, sizeof n->uplink_reason, "the setting uplink is none");
	else if (n->uplink_name == NULL)
		snprintf(n->uplink_reason, sizeof n->uplink_reason,
			 "neither pasta (package passt) nor slirp4netns is installed");
	if (!n->run_dir || !n->bridge || file_mkdirs(netns, 0755, err) < 0 || (!c->only_remove && host_bridge(n->bridge, n->pool, err) < 0)) {
		network_close(n);
		return NULL;
	}
	return n;
}

void network_close(struct network *n)
{
	if (!n)
		return;
	while (n->locks) {
		struct vpc_lock *l = n->locks;

		n->locks = l->next;
		pthread_mutex_destroy(&l->mutex);
		free(l);
	}
	pthread_mutex_destroy(&n->mutex);
	free(n->run_dir);
	free(n->bridge);
	free(n);
}

static pthread_mutex_t *lock(struct network *n, const char *vpc_id, struct error *err)
{
	struct vpc_lock *l;

	pthread_mutex_lock(&n->mutex);
	for (l = n->locks; l && strcmp(l->id, vpc_id) != 0; l = l->next)
		;
	if (!l && (l = calloc(1, sizeof *l)) != NULL) {
		snprintf(l->id, sizeof l->id, "%s", vpc_id);
		pthread_mutex_init(&l->mutex, NULL);
		l->next = n->locks;
		n->locks = l;
	}
	pthread_mutex_unlock(&n->mutex);
	if (!l) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	pthread_mutex_lock(&l->mutex);
	return &l->mutex;
}

/* ---- paths ---- */

char *network_netns_path(const struct network *n, const char *vpc_id)
{
	return file_path(NULL, "%s/netns/%s", n->run_dir, vpc_id);
}

struct place {
	char *netns, *dnsmasq_dir, *uplink_dir;
	struct dnsmasq_place dnsmasq;
	struct uplink_place uplink;
};

static void place_done(struct place *p)
{
	free(p->netns);
	free(p->dnsmasq_dir);
	free(p->uplink_dir);
}

#define AUTO_PLACE CLEANUP(place_done)

static int place_of(const struct network *n, const char *vpc_id, struct place *ret, struct error *err)
{
	ret->netns = file_path(err, "%s/netns/%s", n->run_dir, vpc_id);
	ret->dnsmasq_dir = file_path(err, "%s/dnsmasq/%s", n->run_dir, vpc_id);
	ret->uplink_dir = file_path(err, "%s/uplink", n->run_dir);
	if (!ret->netns || !ret->dnsmasq_dir || !ret->uplink_dir)
		return -1;
	ret->dnsmasq = (struct dnsmasq_place){ ret->dnsmasq_dir, ret->netns, n->user };
	ret->uplink = (struct uplink_place){ ret->uplink_dir, ret->netns, vpc_id };
	return 0;
}

/* ---- applying ---- */

static int rules(const struct net_vpc *vpc, bool uplink, struct error *err)
{
	AUTO_BUFFER struct buffer text = BUFFER_INIT(RULESET_MAX);

	ruleset_build(&text, vpc, uplink);
	if (buffer_failed(&text))
		return error_set(err, ERROR_ENVIRONMENT, "The firewall's ruleset of %s is too large.", vpc->id);
	return firewall_apply(buffer_text(&text), err);
}

struct inside {
	const struct network *n;
	const struct net_vpc *vpc;
	bool uplink;
	uint32_t *avoid;
	size_t avoid_count;
	const struct net_eni *owned; /* a tap to make for uid:gid; NULL: none */
	unsigned uid, gid;
	struct router_changes changes;
};

static int apply_inside(struct inside *w, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);
	const struct net_vpc *vpc = w->vpc;
	struct link_info igw;

	if (!sk)
		return -1;
	if (w->owned && tap_make(w->owned->tap, w->uid, w->gid, err) < 0)
		return -1;
	if (router_links(sk, vpc, err) < 0 ||
	    router_gateway(sk, vpc, w->n->pool.prefix, &w->changes, err) < 0 ||
	    router_neighbours(sk, vpc, err) < 0 ||
	    router_uplink(sk, vpc, w->uplink, w->avoid, w->avoid_count, err) < 0 || rules(vpc, w->uplink, err) < 0 ||
	    flows_forget_stale(vpc, NULL, err) < 0 || router_open(sk, vpc, err) < 0 ||
	    link_get(sk, vpc->igw, &igw, err) < 0)
		return -1;
	return neighbour_announce(igw.index, igw.mac, w->changes.came, w->changes.came_count, err);
}

static int settings_inside(const struct net_vpc *vpc, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);

	return sk ? router_base(sk, vpc, err) : -1;
}

static void note_uplink(struct network *n, const char *name, const char *reason)
{
	bool news;

	pthread_mutex_lock(&n->mutex);
	news = !name && strcmp(n->uplink_reason, reason) != 0;
	n->uplink_name = name;
	snprintf(n->uplink_reason, sizeof n->uplink_reason, "%s", reason);
	pthread_mutex_unlock(&n->mutex);
	if (news)
		log_warn("Guests have no way out to the internet: %s.", reason);
}

static int apply(struct network *n, const struct net_vpc *vpc, const struct net_eni *owned, unsigned uid, unsigned gid,
		 struct error *err)
{
	struct place place AUTO_PLACE = { 0 };
	struct inside w = { .n = n, .vpc = vpc, .owned = owned, .uid = uid, .gid = gid };
	AUTO_FREE uint32_t *avoid = NULL;
	AUTO_CLOSE int ns = -1;
	int back, r;

	if (place_of(n, vpc->id, &place, err) < 0 || netns_make(place.netns, err) < 0)
		return -1;
	avoid = host_addresses(n->pool, &w.avoid_count, err);
	if (!avoid)
		return -1;
	ns = open(place.netns, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return error_set_errno(err, errno, "The network namespace %s can't be opened", place.netns);
	if (netns_enter_fd(ns, &back, err) < 0)
		return -1;
	r = settings_inside(vpc, err);
	netns_leave(back);
	if (r < 0 || host_gateway(n->bridge, vpc->igw, ns, err) < 0)
		return -1;
	if (n->uplink) {
		char reason[UPLINK_REASON_MAX];
		const char *name = uplink_ensure(&place.uplink, reason);

		note_uplink(n, name, reason);
		w.uplink = name != NULL;
	} else if (uplink_remove(&place.uplink, err) < 0) { /* the setting was another one before */
		return -1;
	}
	w.avoid = avoid;
	if (netns_enter_fd(ns, &back, err) < 0)
		return -1;
	r = apply_inside(&w, err);
	netns_leave(back);
	if (r == 0)
		r = host_forget(n->bridge, w.changes.came, w.changes.came_count, err);
	if (r == 0)
		r = host_forget(n->bridge, w.changes.went, w.changes.went_count, err);
	router_changes_done(&w.changes);
	if (r < 0)
		return -1;
	return dnsmasq_apply(&place.dnsmasq, vpc, w.uplink ? UPLINK_DNS : NULL, err);
}

int network_apply_vpc(struct network *n, const struct net_vpc *vpc, struct error *err)
{
	pthread_mutex_t *m;
	int r;

	if (vpc_check(vpc, err) < 0 || !(m = lock(n, vpc->id, err)))
		return -1;
	r = apply(n, vpc, NULL, 0, 0, err);
	pthread_mutex_unlock(m);
	return r;
}

int network_apply_rules(struct network *n, const struct net_vpc *vpc, struct error *err)
{
	struct place place AUTO_PLACE = { 0 };
	pthread_mutex_t *m;
	int back, r = -1;

	if (vpc_check(vpc, err) < 0 || place_of(n, vpc->id, &place, err) < 0 || !(m = lock(n, vpc->id, err)))
		return -1;
	if (netns_enter(place.netns, &back, err) == 0) {
		r = rules(vpc, uplink_alive(&place.uplink), err);
		netns_leave(back);
	}
	pthread_mutex_unlock(m);
	return r;
}

int network_attach_eni(struct network *n, const struct net_vpc *vpc, const char *eni_id, unsigned uid, unsigned gid,
		       struct error *err)
{
	const struct net_eni *e;
	pthread_mutex_t *m;
	int r;

	if (vpc_check(vpc, err) < 0)
		return -1;
	e = vpc_eni(vpc, eni_id);
	if (!e || !e->attached)
		return error_set(err, ERROR_INTERNAL, "The network interface '%s' is not an attached one of %s.", eni_id,
				 vpc->id);
	if (!(m = lock(n, vpc->id, err)))
		return -1;
	r = apply(n, vpc, e, uid, gid, err);
	pthread_mutex_unlock(m);
	return r;
}

int network_detach_eni(struct network *n, const struct net_vpc *vpc, const char *tap, struct error *err)
{
	for (size_t i = 0; i < vpc->eni_count; i++)
		if (vpc->enis[i].attached && strcmp(vpc->enis[i].tap, tap) == 0)
			return error_set(err, ERROR_INTERNAL, "The tap '%s' to detach belongs to the attached %s.", tap,
					 vpc->enis[i].id);
	/* a tap that the model doesn't have is in excess */
	return network_apply_vpc(n, vpc, err);
}

/* ---- removing ---- */

static int clear(void *arg, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = link_open(err);

	(void)arg;
	return sk ? router_clear(sk, err) : -1;
}

int network_remove_vpc(struct network *n, const char *vpc_id, const char *igw, struct error *err)
{
	struct place place AUTO_PLACE = { 0 };
	pthread_mutex_t *m;
	int r;

	if (place_of(n, vpc_id, &place, err) < 0 || !(m = lock(n, vpc_id, err)))
		return -1;
	r = dnsmasq_remove(place.dnsmasq_dir, err);
	if (r == 0)
		r = uplink_remove(&place.uplink, err);
	if (r == 0 && netns_exists(place.netns))
		r = network_inside(n, vpc_id, clear, NULL, err);
	if (r == 0)
		r = netns_remove(place.netns, err);
	if (r == 0 && igw)
		r = host_gateway_remove(n->bridge, igw, err);
	pthread_mutex_unlock(m);
	return r;
}

int network_remove_host(struct network *n, struct error *err)
{
	const char *const dirs[] = { "netns", "dnsmasq", "uplink" };

	if (host_bridge_remove(n->bridge, n->pool, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		AUTO_FREE char *path = file_path(err, "%s/%s", n->run_dir, dirs[i]);

		if (!path)
			return -1;
		rmdir(path); /* one that still holds something stays */
	}
	return 0;
}

static bool kept(const char *id, const char *const *keep, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keep[i], id) == 0)
			return true;
	return false;
}

int network_remove_strays(struct network *n, const char *const *keep, size_t keep_count, struct error *err)
{
	const char *const dirs[] = { "netns", "dnsmasq" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		AUTO_FREE char *path = file_path(err, "%s/%s", n->run_dir, dirs[i]);
		DIR *dir = path ? opendir(path) : NULL;
		struct dirent *e;
		int r = 0;

		if (!path)
			return -1;
		while (dir && r == 0 && (e = readdir(dir)) != NULL)
			if (e->d_name[0] != '.' && !kept(e->d_name, keep, keep_count)) {
				log_info("Removing the stray VPC %s.", e->d_name);
				r = network_remove_vpc(n, e->d_name, NULL, err);
			}
		if (dir)
			closedir(dir);
		if (r < 0)
			return -1;
	}
	return 0;
}

/* ---- looking in ---- */

int network_inside(struct network *n, const char *vpc_id, int (*fn)(void *arg, struct error *err), void *arg,
		   struct error *err)
{
	AUTO_FREE char *path = network_netns_path(n, vpc_id);
	int back, r;

	if (!path)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (netns_enter(path, &back, err) < 0)
		return -1;
	r = fn(arg, err);
	netns_leave(back);
	return r;
}

const char *network_uplink_name(const struct network *n)
{
	const char *name = n->uplink_name;

	return name ? name : "none";
}

void network_uplink_reason(struct network *n, char *out, size_t size)
{
	pthread_mutex_lock(&n->mutex);
	snprintf(out, size, "%s", n->uplink_reason);
	pthread_mutex_unlock(&n->mutex);
}

/* The machine may have got another address since, on another network for instance. */
static int check_avoided(struct network *n, const struct net_vpc *vpc, const char *netns, struct error *err)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = NULL;
	AUTO_FREE uint32_t *avoid = NULL;
	size_t count;
	int back;

	avoid = host_addresses(n->pool, &count, err);
	if (!avoid || netns_enter(netns, &back, err) < 0)
		return -1;
	sk = link_open(err);
	netns_leave(back);
	return sk ? router_uplink(sk, vpc, true, avoid, count, err) : -1;
}

int network_check(struct network *n, const struct net_vpc *vpc, bool *ret_repaired, struct error *err)
{
	struct place place AUTO_PLACE = { 0 };
	bool well;

	if (vpc_check(vpc, err) < 0 || place_of(n, vpc->id, &place, err) < 0)
		return -1;
	/* an uplink that wasn't possible is tried again by an apply only */
	well = netns_exists(place.netns) && dnsmasq_alive(&place.dnsmasq) &&
	       (strcmp(network_uplink_name(n), "none") == 0 || uplink_alive(&place.uplink));
	if (ret_repaired)
		*ret_repaired = !well;
	if (!well)
		return network_apply_vpc(n, vpc, err);
	if (strcmp(network_uplink_name(n), "none") != 0) {
		pthread_mutex_t *m = lock(n, vpc->id, err);
		int r = m ? check_avoided(n, vpc, place.netns, err) : -1;

		if (m)
			pthread_mutex_unlock(m);
		return r;
	}
	return 0;
}

void network_watch(struct network *n, const char *vpc_id, int fds[2])
{
	struct place place AUTO_PLACE = { 0 };

	fds[0] = fds[1] = -1;
	if (place_of(n, vpc_id, &place, NULL) < 0)
		return;
	fds[0] = dnsmasq_watch(place.dnsmasq_dir);
	fds[1] = uplink_watch(&place.uplink);
}
