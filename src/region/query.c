#include "region/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "region/guest.h"
#include "region/instance.h"
#include "region/permission.h"
#include "region/types.h"
#include "seed/seed.h"

int region_instance_facts(struct region *r, const char *id, struct instance_facts *ret, struct error *err)
{
	const struct instance *i;
	const struct instance_type *type;
	const struct image *image;
	const struct eni *eni;
	const char *name;

	memset(ret, 0, sizeof *ret);
	region_lock(r);
	i = instance_find(r, id, err);
	if (i) {
		name = tags_get(&i->o.tags, "Name");
		type = instance_type_find(i->type, NULL);
		image = image_find(r->images, i->image_id, NULL);
		eni = instance_eni(r, i);
		snprintf(ret->id, sizeof ret->id, "%s", i->o.id);
		snprintf(ret->name, sizeof ret->name, "%.255s", name ? name : "");
		snprintf(ret->state, sizeof ret->state, "%s", instance_state_name(i->state));
		snprintf(ret->type, sizeof ret->type, "%s", i->type);
		snprintf(ret->image, sizeof ret->image, "%s", i->image_name);
		snprintf(ret->image_os, sizeof ret->image_os, "%.255s", image ? image->os : "");
		snprintf(ret->default_user, sizeof ret->default_user, "%.63s", image ? image->default_user : GUEST_USER);
		ret->vcpus = type ? type->vcpus : 0;
		ret->memory_mib = type ? type->memory_mib : 0;
		ret->running = i->state == STATE_RUNNING;
		ret->is_test = compute_is_test(r->compute);
		if (eni)
			ipv4_format(ret->private_ip, eni->private_ip);
		if (eni && eni->public_ip)
			ipv4_format(ret->public_ip, eni->public_ip);
		ipv4_format(ret->host_address, r->public_pool.addr + 1);
		config_ports(r->config.host_ports, &ret->host_first_port, &ret->host_last_port);
	}
	region_unlock(r);
	return i ? 0 : -1;
}

static bool in_groups(const struct eni *eni, const char *group_id)
{
	for (int k = 0; k < eni->group_count; k++)
		if (strcmp(eni->groups[k], group_id) == 0)
			return true;
	return false;
}

/* Looks through the rules of one direction for one that admits everybody to a port (0: any rule for all). */
static bool find_rule(struct region *r, const char *id, bool egress, unsigned port, char ret[REGION_TEXT_MAX])
{
	const struct instance *i;
	const struct eni *eni;
	bool found = false;

	region_lock(r);
	i = instance_find(r, id, NULL);
	eni = i ? instance_eni(r, i) : NULL;
	for (size_t k = 0; eni && !found && k < model_count(r->model, KIND_RULE); k++) {
		const struct rule *rule = model_at(r->model, KIND_RULE, k);

		if (rule->egress != egress || *rule->peer_group_id || rule->cidr.prefix != 0 || !in_groups(eni, rule->group_id))
			continue;
		found = rule->protocol == -1 ||
			(port && rule->protocol == 6 && rule->from_port <= (int)port && (int)port <= rule->to_port);
		if (found) {
			char words[SENTENCE_MAX];

			permission_words(rule, words);
			snprintf(ret, REGION_TEXT_MAX, "%.180s (%s)", words, rule->o.id);
		}
	}
	if (!found && eni) {
		const struct group *g = model_find(r->model, KIND_GROUP, eni->groups[0]);

		if (egress)
			snprintf(ret, REGION_TEXT_MAX, "no outbound rule of its %d group(s) admits all traffic to 0.0.0.0/0", eni->group_count);
		else
			snprintf(ret, REGION_TEXT_MAX, "no inbound rule of %s (%.100s)%s admits TCP %u from 0.0.0.0/0", eni->groups[0],
				 g ? g->name : "", eni->group_count > 1 ? " or its other groups" : "", port);
	}
	region_unlock(r);
	return found;
}

bool region_port_open(struct region *r, const char *id, unsigned port, char ret_rule[REGION_TEXT_MAX])
{
	ret_rule[0] = '\0';
	return find_rule(r, id, false, port, ret_rule);
}

bool region_outbound_open(struct region *r, const char *id, char ret_rule[REGION_TEXT_MAX])
{
	ret_rule[0] = '\0';
	return find_rule(r, id, true, 0, ret_rule);
}

char *region_user_data(struct region *r, const char *id, size_t *ret_len)
{
	const struct instance *i;
	char *data = NULL;

	region_lock(r);
	i = instance_find(r, id, NULL);
	if (i && i->user_data)
		data = base64_decode(i->user_data, ret_len, NULL);
	region_unlock(r);
	return data;
}

int region_guest_run(struct region *r, const char *id, const char *script, int64_t deadline, struct process_result *ret, struct error *err)
{
	return guest_run(r, id, script, deadline, ret, err);
}

bool region_user_data_broken(const char *data, size_t len, char *why, size_t why_size)
{
	return seed_user_data_yaml_check(data, len, why, why_size) == 1;
}
