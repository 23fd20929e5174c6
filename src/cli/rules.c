/* `vpclab rules`: security group rules, as EC2's console lists them. */
#include "cli/rules.h"

#include <string.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/rule.h"
#include "cli/verb.h"

static void add_row(struct table *t, const json_t *group, const char *direction, const json_t *permission,
		    const char *peer, const char *description)
{
	char protocol[16], ports[32];

	rule_cells(protocol, ports, permission);
	const char *const cells[] = { text_of(group, "groupName"), text_of(group, "groupId"), direction, protocol, ports, peer,
				      description };
	table_row(t, cells);
}

static size_t add_rows(struct table *t, const json_t *group, const char *key, const char *direction)
{
	const json_t *permission, *peer;
	size_t i, k, rows = 0;

	json_array_foreach(json_object_get(group, key), i, permission) {
		json_array_foreach(json_object_get(permission, "ipRanges"), k, peer) {
			add_row(t, group, direction, permission, text_of(peer, "cidrIp"), text_of(peer, "description"));
			rows++;
		}
		json_array_foreach(json_object_get(permission, "ipv6Ranges"), k, peer) {
			add_row(t, group, direction, permission, text_of(peer, "cidrIpv6"), text_of(peer, "description"));
			rows++;
		}
		json_array_foreach(json_object_get(permission, "groups"), k, peer) {
			add_row(t, group, direction, permission, text_of(peer, "groupId"), text_of(peer, "description"));
			rows++;
		}
	}
	return rows;
}

void rules_print(const json_t *groups)
{
	static const char *const headings[] = { "GROUP", "GROUP ID", "DIRECTION", "PROTOCOL", "PORTS", "SOURCE/DESTINATION",
						"DESCRIPTION", NULL };
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const json_t *group;
	size_t i;

	if (!t)
		return;
	json_array_foreach(groups, i, group) {
		size_t rows = add_rows(t, group, "ipPermissions", "inbound");

		rows += add_rows(t, group, "ipPermissionsEgress", "outbound");
		if (!rows) {
			const char *const cells[] = { text_of(group, "groupName"), text_of(group, "groupId"), "none: nothing passes", "",
						      "", "", "" };
			table_row(t, cells);
		}
	}
	table_print(t, stdout);
}

/* The groups that word means: an instance's, or the one of that name or id. */
static json_t *groups_meant(struct cli *cli, const char *word, struct error *err)
{
	AUTO_JSON json_t *all = NULL, *group = NULL, *one = NULL;
	const json_t *instance;

	if (strncmp(word, "sg-", 3) != 0) {
		all = instances_all(cli, err);
		if (!all)
			return NULL;
		instance = instance_pick(all, word, NULL);
		if (instance)
			return groups_describe(cli, json_object_get(instance, "groupSet"), err);
	}
	group = group_get(cli, word, err);
	if (!group) {
		if (strncmp(word, "sg-", 3) != 0)
			error_set(err, ERROR_USAGE, "There is no instance or security group named %.64s; `vpclab ls` and `vpclab rules` list "
				  "them.", word);
		return NULL;
	}
	one = json_array();
	json_array_append(one, group);
	return TAKE_PTR(one);
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *reply = NULL, *groups = NULL;

	if (a->word_count) {
		groups = groups_meant(cli, a->words[0], err);
		if (groups && cli->json) {
			reply = json_pack("{s:O}", "securityGroupInfo", groups);
			print_json(reply);
			return 0;
		}
	} else {
		reply = client_get(cli, "DescribeSecurityGroups", err);
		groups = json_incref(json_object_get(reply, "securityGroupInfo"));
		if (groups && cli->json) {
			print_json(reply);
			return 0;
		}
	}
	if (!groups)
		return -1;
	rules_print(groups);
	return 0;
}

const struct verb verb_rules = {
	.name = "rules",
	.group = "Security groups",
	.synopsis = "[NAME | GROUP]",
	.summary = "List rules: an instance's, one group's, or all.",
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
