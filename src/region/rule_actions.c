/* Security group rules as resources of their own: described, modified and renamed by their ids. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "region/group.h"

/* Under the lock. */
static struct rule *rule_find(struct region *r, const char *id, struct error *err)
{
	struct rule *rule;

	if (!id_well_formed(id, "sgr")) {
		error_set_code(err, ERROR_USAGE, "InvalidSecurityGroupRuleId.Malformed", "Invalid id: \"%.64s\" (expecting \"sgr-...\")", id);
		return NULL;
	}
	rule = model_find(r->model, KIND_RULE, id);
	if (!rule)
		error_set_code(err, ERROR_USAGE, "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%.64s' does not exist", id);
	return rule;
}

static const struct param describe_params[] = { TEXTS("SecurityGroupRuleId"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param describe_reply[] = { LIST("securityGroupRuleSet", group_rule_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path rule_filters[] = {
	{ "group-id", "groupId" }, { "security-group-rule-id", "securityGroupRuleId" }, { NULL, NULL }
};

static int describe_rules(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "SecurityGroupRuleId"), *v;
	json_t *items = json_array();
	size_t i;
	int rc = 0;

	(void)caller;
	region_lock(r);
	json_array_foreach(ids, i, v)
	{
		if (rc == 0 && !rule_find(r, json_string_value(v), err))
			rc = -1;
	}
	for (i = 0; rc == 0 && i < model_count(r->model, KIND_RULE); i++) {
		const struct rule *rule = model_at(r->model, KIND_RULE, i);

		if (!ids || in_list(ids, rule->o.id))
			rule_reply(r, add_item(items), rule);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "securityGroupRuleSet", items, rule_filters, ids != NULL, err);
}

static const struct param request_members[] = {
	{ "IpProtocol", PARAM_STRING, 0, NULL, true, "tcp, udp, icmp, a protocol number, or -1 for all" },
	INTEGER("FromPort"), INTEGER("ToPort"), TEXT("CidrIpv4"), TEXT("CidrIpv6"), TEXT("PrefixListId"), TEXT("ReferencedGroupId"),
	{ "Description", PARAM_STRING, 0, NULL, false, "none when absent" }, PARAM_END
};
static const struct param update_members[] = {
	{ "SecurityGroupRuleId", PARAM_STRING, 0, NULL, true, NULL },
	{ "SecurityGroupRule", PARAM_STRUCTURE, 0, request_members, true, "the whole rule as it shall be" }, PARAM_END
};
static const struct param modify_params[] = {
	{ "GroupId", PARAM_STRING, 0, NULL, true, NULL },
	{ "SecurityGroupRule", PARAM_LIST, PARAM_STRUCTURE, update_members, true, NULL },
	PARAM_END,
};
static const struct param return_reply[] = { BOOLEAN("return"), PARAM_END };

/* One rule as it shall be, by the parser of IpPermissions. The kind of its other side stays, as EC2 demands. */
static int parse_request(struct region *r, const json_t *request, const struct group *g, const struct rule *live, struct permission_list *l,
			 struct error *err)
{
	const char *cidr = in_text(request, "CidrIpv4"), *peer = in_text(request, "ReferencedGroupId");
	const char *description = in_text(request, "Description");
	json_t *permission, *side, *in;
	size_t skipped;
	int rc;

	if (in_text(request, "CidrIpv6") || in_text(request, "PrefixListId"))
		return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
				      "The parameters CidrIpv6 and PrefixListId are not built in this region; name an IPv4 block or a group.");
	if (!cidr == !peer)
		return error_set_code(err, ERROR_USAGE, cidr ? "InvalidParameterCombination" : "MissingParameter",
				      "The rule %s must have either CidrIpv4 or ReferencedGroupId.", live->o.id);
	if (!peer != !*live->peer_group_id)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "The rule %s is for %s and can't be made one for %s; revoke it and authorize another.", live->o.id,
				      peer ? "a CIDR block" : "a group", peer ? "a group" : "a CIDR block");
	permission = json_deep_copy(request);
	side = json_pack("{s:s}", cidr ? "CidrIp" : "GroupId", cidr ? cidr : peer);
	if (description)
		put_text(side, "Description", description);
	json_object_set_new(permission, cidr ? "IpRanges" : "Groups", json_pack("[o]", side));
	in = json_pack("{s:[o]}", "IpPermissions", permission);
	rc = permissions_parse(r, in, g, live->egress, false, l, &skipped, err);
	json_decref(in);
	return rc;
}

/* What one call changes: each rule once. */
struct edit {
	struct rule *live, next, before;
};

/* The rules of the group as they will be must all differ. */
static int check_distinct(struct region *r, const struct edit *edits, size_t n, struct error *err)
{
	char words[SENTENCE_MAX];

	for (size_t i = 0; i < n; i++) {
		const struct rule *next = &edits[i].next;
		bool twice = false;

		for (size_t k = 0; k < model_count(r->model, KIND_RULE); k++) {
			const struct rule *other = model_at(r->model, KIND_RULE, k);

			for (size_t e = 0; e < n; e++)
				if (edits[e].live == other)
					other = &edits[e].next;
			if (other != next && strcmp(other->group_id, next->group_id) == 0)
				twice |= rule_same(other, next);
		}
		if (!twice)
			continue;
		permission_words(next, words);
		return error_set_code(err, ERROR_USAGE, "InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", words);
	}
	return 0;
}

static int add_edit(struct edit *edits, size_t *n, struct rule *live, const struct group *g, struct error *err)
{
	if (strcmp(live->group_id, g->o.id) != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidSecurityGroupRuleId.NotFound",
				      "The security group rule ID '%s' does not exist in %s", live->o.id, g->o.id);
	for (size_t i = 0; i < *n; i++)
		if (edits[i].live == live)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "The rule %s is named twice.", live->o.id);
	if (*n == PERMISSIONS_MAX)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "One call may name %d rules at most.", PERMISSIONS_MAX);
	edits[*n] = (struct edit){ live, *live, *live };
	(*n)++;
	return 0;
}

static int commit_edits(struct region *r, struct edit *edits, size_t n, struct error *err)
{
	struct change changes[PERMISSIONS_MAX];

	for (size_t i = 0; i < n; i++)
		changes[i] = (struct change){ &edits[i].live->o, &edits[i].next.o };
	return region_commit(r, changes, n, err);
}

static int modify_locked(struct region *r, const struct caller *caller, const json_t *in, const struct group *g, struct edit *edits, size_t *n,
			 struct error *err)
{
	AUTO_FREE struct permission_list *l = calloc(1, sizeof *l);
	const json_t *update;
	size_t i;

	if (!l)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	json_array_foreach(json_object_get(in, "SecurityGroupRule"), i, update)
	{
		struct rule *live = rule_find(r, in_text(update, "SecurityGroupRuleId"), err);
		struct object head;

		if (!live || add_edit(edits, n, live, g, err) < 0 ||
		    parse_request(r, json_object_get(update, "SecurityGroupRule"), g, live, l, err) < 0)
			return -1;
		head = live->o;
		edits[*n - 1].next = l->rules[0];
		edits[*n - 1].next.o = head;
	}
	if (check_distinct(r, edits, *n, err) < 0 || action_dry_run(caller, err) < 0)
		return -1;
	return commit_edits(r, edits, *n, err);
}

/* Other calls may have changed the rules' tags, or revoked one, since: what there is now gets its former meaning. */
static int restore_rules(struct region *r, void *arg, struct error *err)
{
	const struct edit *edits = arg;

	for (size_t i = 0; *edits[i].before.o.id; i++) {
		struct rule *live = model_find(r->model, KIND_RULE, edits[i].before.o.id), next;
		struct change c = { NULL, &next.o };

		if (!live)
			continue;
		next = edits[i].before;
		next.o = live->o;
		c.live = &live->o;
		if (region_commit(r, &c, 1, err) < 0)
			return -1;
	}
	return 0;
}

static int modify_rules(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	AUTO_FREE struct edit *edits = calloc(PERMISSIONS_MAX + 1, sizeof *edits);
	char vpc_id[ID_MAX] = "";
	const struct group *g;
	size_t n = 0;
	int rc = -1;

	if (!edits)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	region_lock(r);
	g = group_find(r, in, err);
	if (g) {
		TEXT_COPY(vpc_id, g->vpc_id);
		rc = modify_locked(r, caller, in, g, edits, &n, err);
	}
	region_unlock(r);
	if (rc < 0 || group_enforce(r, vpc_id, restore_rules, edits, err) < 0)
		return -1;
	put_bool(out, "return", true);
	return 0;
}

static const struct param description_members[] = {
	TEXT("SecurityGroupRuleId"), { "Description", PARAM_STRING, 0, NULL, false, "none when absent" }, PARAM_END
};
static const struct param descriptions_params[] = {
	TEXT("GroupId"), TEXT("GroupName"), LIST("IpPermissions", permission_members), LIST("SecurityGroupRuleDescription", description_members),
	PARAM_END
};

static int describe_by_id(struct region *r, const json_t *list, const struct group *g, bool egress, struct edit *edits, size_t *n,
			  struct error *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *id = in_text(item, "SecurityGroupRuleId"), *description = in_text(item, "Description");
		struct rule *live;

		if (!id)
			return error_set_code(err, ERROR_USAGE, "MissingParameter",
					      "The request must contain the parameter SecurityGroupRuleDescription.%zu.SecurityGroupRuleId", i + 1);
		live = rule_find(r, id, err);
		if (!live || add_edit(edits, n, live, g, err) < 0)
			return -1;
		if (live->egress != egress)
			return error_set_code(err, ERROR_USAGE, "InvalidSecurityGroupRuleId.NotFound",
					      "The security group rule ID '%.64s' is not one of %s rules", id, egress ? "the outbound" : "the inbound");
		if (description && strlen(description) >= SENTENCE_MAX)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "A rule's description can be %d bytes at most.",
					      SENTENCE_MAX - 1);
		snprintf(edits[*n - 1].next.description, SENTENCE_MAX, "%s", description ? description : "");
	}
	return 0;
}

static int describe_by_permission(struct region *r, const json_t *in, const struct group *g, bool egress, struct edit *edits, size_t *n,
				  struct error *err)
{
	AUTO_FREE struct permission_list *l = calloc(1, sizeof *l);
	size_t skipped;

	if (!l)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (permissions_parse(r, in, g, egress, false, l, &skipped, err) < 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		struct rule *live = group_rule_named(r, &l->rules[i], err);

		if (!live)
			return -1;
		if (add_edit(edits, n, live, g, err) < 0)
			return -1;
		TEXT_COPY(edits[*n - 1].next.description, l->rules[i].description);
	}
	return 0;
}

/* Descriptions are no part of what the kernel enforces. */
static int update_descriptions(struct region *r, const struct caller *caller, const json_t *in, json_t *out, bool egress, struct error *err)
{
	const json_t *permissions = json_object_get(in, "IpPermissions"), *list = json_object_get(in, "SecurityGroupRuleDescription");
	AUTO_FREE struct edit *edits = calloc(PERMISSIONS_MAX, sizeof *edits);
	const struct group *g;
	size_t n = 0;
	int rc;

	if (!edits)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (!json_array_size(permissions) && !json_array_size(list))
		return error_set_code(err, ERROR_USAGE, "MissingParameter",
				      "The request must contain the parameter IpPermissions or SecurityGroupRuleDescription");
	if (json_array_size(permissions) && json_array_size(list))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "IpPermissions and SecurityGroupRuleDescription exclude each other.");
	region_lock(r);
	g = group_find(r, in, err);
	rc = !g ? -1 : list ? describe_by_id(r, list, g, egress, edits, &n, err) : describe_by_permission(r, in, g, egress, edits, &n, err);
	if (rc == 0)
		rc = action_dry_run(caller, err);
	if (rc == 0)
		rc = commit_edits(r, edits, n, err);
	region_unlock(r);
	if (rc == 0)
		put_bool(out, "return", true);
	return rc;
}

static int update_ingress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	return update_descriptions(r, caller, in, out, false, err);
}

static int update_egress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	return update_descriptions(r, caller, in, out, true, err);
}

int group_enforce(struct region *r, const char *vpc_id, int (*restore)(struct region *r, void *arg, struct error *err), void *arg,
		  struct error *err)
{
	struct error undone = { 0 };

	if (view_apply_rules(r, vpc_id, err) == 0)
		return 0;
	region_lock(r);
	if (restore(r, arg, &undone) < 0)
		log_error("a change could not be taken back: %s", undone.message);
	region_unlock(r);
	if (view_apply_rules(r, vpc_id, &undone) < 0)
		log_error("the former rules could not be put in force: %s", undone.message);
	return error_prefix(err, "The change could not be put in force and all is as before");
}

const struct action rule_actions[] = {
	{ "DescribeSecurityGroupRules", "ec2", "Lists the rules of security groups, one by one.", describe_params, describe_reply, false,
	  describe_rules },
	{ "ModifySecurityGroupRules", "ec2", "Changes rules of a group, which keep their ids; in force when the call returns.", modify_params,
	  return_reply, true, modify_rules },
	{ "UpdateSecurityGroupRuleDescriptionsIngress", "ec2", "Changes or removes the descriptions of inbound rules.", descriptions_params,
	  return_reply, true, update_ingress },
	{ "UpdateSecurityGroupRuleDescriptionsEgress", "ec2", "Changes or removes the descriptions of outbound rules.", descriptions_params,
	  return_reply, true, update_egress },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
