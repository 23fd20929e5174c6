#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "region/internal.h"
#include "region/watch.h"

/* The copy owns everything it points to: one block for each array, the texts in the blocks themselves. */
struct view {
	struct net_vpc vpc; /* first: what callers see */
	char id[ID_MAX], domain[SENTENCE_MAX];
	struct net_subnet *subnets;
	char (*subnet_ids)[ID_MAX];
	struct net_eni *enis;
	struct eni *eni_copies;
	const char *(*eni_groups)[GROUPS_PER_ENI_MAX];
	struct net_group *groups;
	char (*group_ids)[ID_MAX];
	struct net_rule *rules; /* all groups', inbound before outbound */
	char (*rule_peers)[ID_MAX];
};

void view_free(struct net_vpc *v)
{
	struct view *w = (struct view *)(void *)v;

	if (!w)
		return;
	free(w->subnets);
	free(w->subnet_ids);
	free(w->enis);
	free(w->eni_copies);
	free(w->eni_groups);
	free(w->groups);
	free(w->group_ids);
	free(w->rules);
	free(w->rule_peers);
	free(w);
}

static void link_name(char out[LINK_NAME_MAX], char head, const char *id)
{
	const char *dash = strchr(id, '-');

	snprintf(out, LINK_NAME_MAX, "%c%.13s", head, dash ? dash + 1 : id);
}

void view_tap_name(char out[LINK_NAME_MAX], const char *eni_id)
{
	link_name(out, 't', eni_id);
}

static void copy_subnets(struct view *w, const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < model_count(m, KIND_SUBNET); i++) {
		const struct subnet *s = model_at(m, KIND_SUBNET, i);

		if (strcmp(s->vpc_id, w->id) != 0)
			continue;
		TEXT_COPY(w->subnet_ids[n], s->o.id);
		w->subnets[n].id = w->subnet_ids[n];
		w->subnets[n].cidr = s->cidr;
		link_name(w->subnets[n].bridge, 'b', s->o.id);
		n++;
	}
	w->vpc.subnets = w->subnets;
	w->vpc.subnet_count = n;
}

static void copy_enis(struct view *w, const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < model_count(m, KIND_ENI); i++) {
		const struct eni *e = model_at(m, KIND_ENI, i);
		struct net_eni *to = &w->enis[n];
		struct eni *mine = &w->eni_copies[n];

		if (strcmp(e->vpc_id, w->id) != 0)
			continue;
		*mine = *e;
		to->id = mine->o.id;
		to->subnet_id = mine->subnet_id;
		link_name(to->tap, 't', e->o.id);
		snprintf(to->mac, sizeof to->mac, "%.17s", e->mac);
		to->private_ip = e->private_ip;
		to->public_ip = e->public_ip;
		to->source_dest_check = e->source_dest_check;
		to->attached = e->attached;
		for (int k = 0; k < e->group_count; k++)
			w->eni_groups[n][k] = mine->groups[k];
		to->group_ids = w->eni_groups[n];
		to->group_count = (size_t)e->group_count;
		n++;
	}
	w->vpc.enis = w->enis;
	w->vpc.eni_count = n;
}

static size_t copy_rules(struct view *w, const struct model *m, const char *group_id, bool egress, size_t at)
{
	size_t n = 0;

	for (size_t i = 0; i < model_count(m, KIND_RULE); i++) {
		const struct rule *rule = model_at(m, KIND_RULE, i);
		struct net_rule *to = &w->rules[at + n];

		if (rule->egress != egress || strcmp(rule->group_id, group_id) != 0)
			continue;
		to->protocol = rule->protocol;
		to->from_port = rule->from_port;
		to->to_port = rule->to_port;
		to->cidr = rule->cidr;
		to->by_group = *rule->peer_group_id != '\0';
		TEXT_COPY(w->rule_peers[at + n], rule->peer_group_id);
		to->peer_group_id = w->rule_peers[at + n];
		n++;
	}
	return n;
}

static void copy_groups(struct view *w, const struct model *m)
{
	size_t n = 0, at = 0;

	for (size_t i = 0; i < model_count(m, KIND_GROUP); i++) {
		const struct group *g = model_at(m, KIND_GROUP, i);
		struct net_group *to = &w->groups[n];

		if (strcmp(g->vpc_id, w->id) != 0)
			continue;
		TEXT_COPY(w->group_ids[n], g->o.id);
		to->id = w->group_ids[n];
		to->inbound = w->rules + at;
		to->inbound_count = copy_rules(w, m, g->o.id, false, at);
		at += to->inbound_count;
		to->outbound = w->rules + at;
		to->outbound_count = copy_rules(w, m, g->o.id, true, at);
		at += to->outbound_count;
		n++;
	}
	w->vpc.groups = w->groups;
	w->vpc.group_count = n;
}

static struct view *view_new(const struct model *m)
{
	/* one more than needed: calloc(0) may be NULL */
	size_t subnets = model_count(m, KIND_SUBNET) + 1, enis = model_count(m, KIND_ENI) + 1;
	size_t groups = model_count(m, KIND_GROUP) + 1, rules = model_count(m, KIND_RULE) + 1;
	struct view *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->subnets = calloc(subnets, sizeof *w->subnets);
	w->subnet_ids = calloc(subnets, sizeof *w->subnet_ids);
	w->enis = calloc(enis, sizeof *w->enis);
	w->eni_copies = calloc(enis, sizeof *w->eni_copies);
	w->eni_groups = calloc(enis, sizeof *w->eni_groups);
	w->groups = calloc(groups, sizeof *w->groups);
	w->group_ids = calloc(groups, sizeof *w->group_ids);
	w->rules = calloc(rules, sizeof *w->rules);
	w->rule_peers = calloc(rules, sizeof *w->rule_peers);
	if (w->subnets && w->subnet_ids && w->enis && w->eni_copies && w->eni_groups && w->groups && w->group_ids && w->rules &&
	    w->rule_peers)
		return w;
	view_free(&w->vpc);
	return NULL;
}

struct net_vpc *view_build(struct region *r, const char *vpc_id, struct error *err)
{
	const struct vpc *vpc;
	struct view *w;

	region_lock(r);
	vpc = model_find(r->model, KIND_VPC, vpc_id);
	w = vpc ? view_new(r->model) : NULL;
	if (w) {
		TEXT_COPY(w->id, vpc->o.id);
		snprintf(w->domain, sizeof w->domain, "%.64s.compute.internal", r->config.region);
		w->vpc.id = w->id;
		w->vpc.cidr = vpc->cidr;
		w->vpc.dns_domain = w->domain;
		w->vpc.igw_address = vpc->igw_address;
		w->vpc.host_address = r->public_pool.addr + 1;
		config_ports(r->config.host_ports, &w->vpc.host_first_port, &w->vpc.host_last_port);
		link_name(w->vpc.igw, 'g', vpc->o.id);
		copy_subnets(w, r->model);
		copy_enis(w, r->model);
		copy_groups(w, r->model);
	}
	region_unlock(r);
	if (!vpc)
		error_set_code(err, ERROR_USAGE, "InvalidVpcID.NotFound", "The vpc ID '%.32s' does not exist", vpc_id);
	else if (!w)
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	return w ? &w->vpc : NULL;
}

static struct network *open_network(struct region *r, bool only_remove, struct error *err)
{
	struct network_config c = {
		.run_dir = r->config.run_dir,
		.public_bridge = r->config.public_bridge,
		.public_pool = r->public_pool,
		.uplink = strcmp(r->config.uplink, "none") != 0,
		.only_remove = only_remove,
	};

	return network_open(&c, err);
}

int view_network_needed(struct region *r, struct error *err)
{
	if (!r->network)
		r->network = open_network(r, false, err);
	return r->network ? 0 : -1;
}

int view_network_remove(struct region *r, struct error *err)
{
	struct network *n;
	int rc = -1;

	if (compute_is_test(r->compute))
		return 0;
	pthread_mutex_lock(&r->net_lock);
	n = r->network ? r->network : open_network(r, true, err);
	if (n && network_remove_strays(n, NULL, 0, err) == 0 && network_remove_host(n, err) == 0)
		rc = 0;
	if (n != r->network || rc == 0) {
		network_close(n);
		r->network = NULL;
	}
	pthread_mutex_unlock(&r->net_lock);
	return rc;
}

enum how { APPLY_VPC, APPLY_ADDRESSES, APPLY_RULES, ATTACH, DETACH };

/* The net lock spans the look at the model and the change of the kernel: a later model never loses to an earlier one. */
static int apply(struct region *r, enum how how, const char *vpc_id, const char *eni_id, struct error *err)
{
	struct net_vpc *v = NULL;
	char tap[LINK_NAME_MAX];
	unsigned uid, gid;
	int rc = -1;

	if (compute_is_test(r->compute))
		return 0;
	pthread_mutex_lock(&r->net_lock);
	if ((how == APPLY_RULES || how == APPLY_ADDRESSES) && !r->network) { /* no instance has run yet: the first will bring them */
		pthread_mutex_unlock(&r->net_lock);
		return 0;
	}
	if (view_network_needed(r, err) == 0)
		v = view_build(r, vpc_id, err);
	if (v) {
		switch (how) {
		case APPLY_VPC:
		case APPLY_ADDRESSES:
			rc = network_apply_vpc(r->network, v, err);
			break;
		case APPLY_RULES:
			rc = network_apply_rules(r->network, v, err);
			break;
		case ATTACH:
			rc = compute_qemu_user(r->compute, &uid, &gid, err);
			if (rc == 0)
				rc = network_attach_eni(r->network, v, eni_id, uid, gid, err);
			break;
		case DETACH:
			view_tap_name(tap, eni_id);
			rc = network_detach_eni(r->network, v, tap, err);
			break;
		}
	}
	pthread_mutex_unlock(&r->net_lock);
	view_free(v);
	region_watch_news(r->watch);
	return rc;
}

int view_check(struct region *r, const char *vpc_id, bool *ret_repaired, struct error *err)
{
	struct net_vpc *v;
	int rc = -1;

	*ret_repaired = false;
	pthread_mutex_lock(&r->net_lock);
	if (!r->network && view_network_needed(r, err) < 0) {
		pthread_mutex_unlock(&r->net_lock);
		return -1;
	}
	v = view_build(r, vpc_id, err);
	if (v)
		rc = network_check(r->network, v, ret_repaired, err);
	pthread_mutex_unlock(&r->net_lock);
	view_free(v);
	return rc;
}

void view_watch(struct region *r, const char *vpc_id, int fds[2])
{
	fds[0] = fds[1] = -1;
	pthread_mutex_lock(&r->net_lock);
	if (r->network)
		network_watch(r->network, vpc_id, fds);
	pthread_mutex_unlock(&r->net_lock);
}

int view_apply_vpc(struct region *r, const char *vpc_id, struct error *err)
{
	return apply(r, APPLY_VPC, vpc_id, NULL, err);
}

int view_apply_addresses(struct region *r, const char *vpc_id, struct error *err)
{
	return apply(r, APPLY_ADDRESSES, vpc_id, NULL, err);
}

int view_apply_rules(struct region *r, const char *vpc_id, struct error *err)
{
	return apply(r, APPLY_RULES, vpc_id, NULL, err);
}

int view_attach(struct region *r, const char *vpc_id, const char *eni_id, struct error *err)
{
	return apply(r, ATTACH, vpc_id, eni_id, err);
}

int view_detach(struct region *r, const char *vpc_id, const char *eni_id, struct error *err)
{
	return apply(r, DETACH, vpc_id, eni_id, err);
}
