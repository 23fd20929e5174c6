/* Security groups: docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html, and the API reference of each action. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "region/group.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"

static struct group *find_by_name(struct region *r, const char *vpc_id, const char *name)
{
	for (size_t i = 0; i < model_count(r->model, KIND_GROUP); i++) {
		struct group *g = model_at(r->model, KIND_GROUP, i);

		if (strcmp(g->vpc_id, vpc_id) == 0 && strcmp(g->name, name) == 0)
			return g;
	}
	return NULL;
}

struct group *group_find(struct region *r, const json_t *in, struct error *err)
{
	const char *id = in_text(in, "GroupId"), *name = in_text(in, "GroupName");
	const struct vpc *vpc = world_default_vpc(r);
	struct group *g = NULL;

	if (!id && !name) {
		error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter groupName or groupId");
		return NULL;
	}
	if (id && !id_well_formed(id, "sg")) {
		error_set_code(err, ERROR_USAGE, "InvalidGroupId.Malformed", "Invalid id: \"%.64s\" (expecting \"sg-...\")", id);
		return NULL;
	}
	if (id)
		g = model_find(r->model, KIND_GROUP, id);
	else if (vpc)
		g = find_by_name(r, vpc->o.id, name);
	if (!g)
		error_set_code(err, ERROR_USAGE, "InvalidGroup.NotFound", "The security group '%.64s' does not exist", id ? id : name);
	return g;
}

static int check_name(const char *key, const char *text, struct error *err)
{
	if (!*text || strlen(text) > 255 || strspn(text, NAME_CHARACTERS) != strlen(text))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%.64s) for parameter %s is invalid. Character sets beyond ASCII are not supported; use up to 255 of a-z A-Z 0-9, spaces and ._-:/()#,@[]+=&;{}!$*.",
				      text, key);
	return 0;
}

static const struct param create_params[] = {
	{ "GroupName", PARAM_STRING, 0, NULL, true, NULL },
	{ "GroupDescription", PARAM_STRING, 0, NULL, true, NULL },
	{ "VpcId", PARAM_STRING, 0, NULL, false, "the default VPC when absent" },
	PARAM_TAG_SPECIFICATIONS,
	PARAM_END,
};
static const struct param create_reply[] = { BOOLEAN("return"), TEXT("groupId"), REPLY_TAGS, TEXT("securityGroupArn"), PARAM_END };

static int create_locked(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *name = in_text(in, "GroupName"), *description = in_text(in, "GroupDescription"), *vpc_id = in_text(in, "VpcId");
	const struct vpc *vpc = vpc_id ? model_find(r->model, KIND_VPC, vpc_id) : world_default_vpc(r);
	struct group *g;
	struct rule *all_out;
	struct change changes[2];
	unsigned most = config_number(r->config.quota_groups);
	char arn[SENTENCE_MAX];

	if (!vpc)
		return error_set_code(err, ERROR_USAGE, "InvalidVpcID.NotFound", "The vpc ID '%.64s' does not exist", vpc_id ? vpc_id : "");
	if (check_name("GroupName", name, err) < 0 || check_name("GroupDescription", description, err) < 0)
		return -1;
	if (strncmp(name, "sg-", 3) == 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%.64s) for parameter GroupName is invalid. It cannot begin with 'sg-'.", name);
	if (strcasecmp(name, "default") == 0)
		return error_set_code(err, ERROR_USAGE, "InvalidGroup.Reserved", "The security group '%.64s' is reserved", name);
	if (find_by_name(r, vpc->o.id, name))
		return error_set_code(err, ERROR_USAGE, "InvalidGroup.Duplicate",
				      "The security group '%.255s' already exists for VPC '%s'", name, vpc->o.id);
	if (model_count(r->model, KIND_GROUP) >= most)
		return error_set_code(err, ERROR_USAGE, "SecurityGroupLimitExceeded",
				      "The maximum number of security groups has been reached: %u.", most);
	g = model_new(KIND_GROUP);
	all_out = model_new(KIND_RULE);
	if (!g || !all_out) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		goto bad;
	}
	TEXT_COPY(g->vpc_id, vpc->o.id);
	snprintf(g->name, sizeof g->name, "%s", name);
	snprintf(g->description, sizeof g->description, "%s", description);
	TEXT_COPY(all_out->group_id, g->o.id);
	all_out->egress = true;
	all_out->protocol = all_out->from_port = all_out->to_port = -1;
	if (in_tags(in, "security-group", &g->o.tags, err) < 0 || action_dry_run(caller, err) < 0)
		goto bad;
	changes[0] = (struct change){ NULL, &g->o };
	changes[1] = (struct change){ NULL, &all_out->o };
	if (region_commit(r, changes, 2, err) < 0)
		goto bad;
	put_bool(out, "return", true);
	put_text(out, "groupId", g->o.id);
	put_tags(out, &g->o.tags);
	snprintf(arn, sizeof arn, "arn:aws:ec2:%.64s:%.12s:security-group/%s", r->config.region, r->config.account_id, g->o.id);
	put_text(out, "securityGroupArn", arn);
	return 0;
bad:
	object_free(g ? &g->o : NULL);
	object_free(all_out ? &all_out->o : NULL);
	return -1;
}

static int create_group(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int rc;

	region_lock(r);
	rc = create_locked(r, caller, in, out, err);
	region_unlock(r);
	return rc;
}

static const struct param delete_params[] = { TEXT("GroupId"), TEXT("GroupName"), PARAM_END };
static const struct param delete_reply[] = { BOOLEAN("return"), TEXT("groupId"), PARAM_END };

/* What holds a group: an interface that has it, or a rule of another group that names it. */
static int check_unused(struct region *r, const struct group *g, struct error *err)
{
	for (size_t i = 0; i < model_count(r->model, KIND_ENI); i++) {
		const struct eni *e = model_at(r->model, KIND_ENI, i);

		for (int k = 0; k < e->group_count; k++)
			if (strcmp(e->groups[k], g->o.id) == 0)
				return error_set_code(err, ERROR_USAGE, "DependencyViolation",
						      "resource %s has a dependent object: network interface %s of instance %s uses it; terminate the instance or change its groups first.",
						      g->o.id, e->o.id, e->instance_id);
	}
	for (size_t i = 0; i < model_count(r->model, KIND_RULE); i++) {
		const struct rule *rule = model_at(r->model, KIND_RULE, i);

		if (strcmp(rule->peer_group_id, g->o.id) == 0 && strcmp(rule->group_id, g->o.id) != 0)
			return error_set_code(err, ERROR_USAGE, "DependencyViolation",
					      "resource %s has a dependent object: rule %s of security group %s names it; revoke that rule first.",
					      g->o.id, rule->o.id, rule->group_id);
	}
	return 0;
}

static int delete_locked(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct group *g = group_find(r, in, err);
	AUTO_FREE struct change *changes = NULL;
	size_t n = 0;

	if (!g)
		return -1;
	if (strcmp(g->name, "default") == 0)
		return error_set_code(err, ERROR_USAGE, "CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user",
				      g->o.id);
	if (check_unused(r, g, err) < 0 || action_dry_run(caller, err) < 0)
		return -1;
	changes = calloc(model_count(r->model, KIND_RULE) + 1, sizeof *changes);
	if (!changes)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	changes[n++].live = &g->o;
	for (size_t i = 0; i < model_count(r->model, KIND_RULE); i++) {
		struct rule *rule = model_at(r->model, KIND_RULE, i);

		if (strcmp(rule->group_id, g->o.id) == 0)
			changes[n++].live = &rule->o;
	}
	if (region_commit(r, changes, n, err) < 0)
		return -1;
	put_bool(out, "return", true);
	put_text(out, "groupId", g->o.id);
	return 0;
}

static int delete_group(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int rc;

	region_lock(r);
	rc = delete_locked(r, caller, in, out, err);
	region_unlock(r);
	return rc;
}

static const struct param describe_params[] = { TEXTS("GroupId"), TEXTS("GroupName"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param group_members[] = {
	TEXT("ownerId"),
	TEXT("groupId"),
	TEXT("groupName"),
	TEXT("groupDescription"),
	TEXT("vpcId"),
	LIST("ipPermissions", permission_reply_members),
	LIST("ipPermissionsEgress", permission_reply_members),
	REPLY_TAGS,
	TEXT("securityGroupArn"),
	PARAM_END,
};
static const struct param describe_reply[] = { LIST("securityGroupInfo", group_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path group_filters[] = {
	{ "group-id", "groupId" },
	{ "group-name", "groupName" },
	{ "description", "groupDescription" },
	{ "owner-id", "ownerId" },
	{ "vpc-id", "vpcId" },
	{ "ip-permission.cidr", "ipPermissions/ipRanges/cidrIp" },
	{ "ip-permission.from-port", "ipPermissions/fromPort" },
	{ "ip-permission.to-port", "ipPermissions/toPort" },
	{ "ip-permission.protocol", "ipPermissions/ipProtocol" },
	{ "ip-permission.group-id", "ipPermissions/groups/groupId" },
	{ "egress.ip-permission.cidr", "ipPermissionsEgress/ipRanges/cidrIp" },
	{ "egress.ip-permission.from-port", "ipPermissionsEgress/fromPort" },
	{ "egress.ip-permission.to-port", "ipPermissionsEgress/toPort" },
	{ "egress.ip-permission.protocol", "ipPermissionsEgress/ipProtocol" },
	{ "egress.ip-permission.group-id", "ipPermissionsEgress/groups/groupId" },
	{ NULL, NULL },
};

static void group_reply(struct region *r, json_t *item, const struct group *g)
{
	char arn[SENTENCE_MAX];

	put_text(item, "ownerId", r->config.account_id);
	put_text(item, "groupId", g->o.id);
	put_text(item, "groupName", g->name);
	put_text(item, "groupDescription", g->description);
	put_text(item, "vpcId", g->vpc_id);
	permissions_reply(r, put_list(item, "ipPermissions"), g, false);
	permissions_reply(r, put_list(item, "ipPermissionsEgress"), g, true);
	put_tags(item, &g->o.tags);
	snprintf(arn, sizeof arn, "arn:aws:ec2:%.64s:%.12s:security-group/%s", r->config.region, r->config.account_id, g->o.id);
	put_text(item, "securityGroupArn", arn);
}

static int describe_groups(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "GroupId"), *names = json_object_get(in, "GroupName"), *v;
	const struct vpc *vpc;
	json_t *items = json_array();
	int rc = 0;
	size_t i;

	(void)caller;
	region_lock(r);
	vpc = world_default_vpc(r);
	json_array_foreach(ids, i, v)
	{
		json_t *one = json_pack("{s:s}", "GroupId", json_string_value(v));

		rc = rc < 0 || !group_find(r, one, err) ? -1 : 0;
		json_decref(one);
	}
	json_array_foreach(names, i, v)
	{
		if (rc == 0 && !find_by_name(r, vpc->o.id, json_string_value(v)))
			rc = error_set_code(err, ERROR_USAGE, "InvalidGroup.NotFound", "The security group '%.64s' does not exist",
					    json_string_value(v));
	}
	for (i = 0; rc == 0 && i < model_count(r->model, KIND_GROUP); i++) {
		const struct group *g = model_at(r->model, KIND_GROUP, i);

		if ((!ids && !names) || in_list(ids, g->o.id) || (in_list(names, g->name) && strcmp(g->vpc_id, vpc->o.id) == 0))
			group_reply(r, add_item(items), g);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "securityGroupInfo", items, group_filters, ids != NULL, err);
}

static const struct param authorize_params[] = { PERMISSION_PARAMS, PARAM_TAG_SPECIFICATIONS, PARAM_END };
static const struct param referenced_members[] = { TEXT("groupId"), TEXT("userId"), PARAM_END };
const struct param group_rule_members[] = {
	TEXT("securityGroupRuleId"), TEXT("groupId"),  TEXT("groupOwnerId"), BOOLEAN("isEgress"),
	TEXT("ipProtocol"),          INTEGER("fromPort"), INTEGER("toPort"),    TEXT("cidrIpv4"),
	STRUCTURE("referencedGroupInfo", referenced_members), TEXT("description"), REPLY_TAGS, PARAM_END,
};
static const struct param authorize_reply[] = { BOOLEAN("return"), LIST("securityGroupRuleSet", group_rule_members), PARAM_END };

/* Rules are in force when the call returns; where the kernel refuses them the store is taken back. */
static int enforce(struct region *r, const char *vpc_id, const struct change *undo, size_t count, struct error *err)
{
	struct error undone = { 0 };

	if (view_apply_rules(r, vpc_id, err) == 0)
		return 0;
	region_lock(r);
	if (region_commit(r, undo, count, &undone) < 0)
		log_error("a rule change could not be taken back: %s", undone.message);
	region_unlock(r);
	if (view_apply_rules(r, vpc_id, &undone) < 0)
		log_error("the former rules could not be put in force: %s", undone.message);
	return error_prefix(err, "The rules could not be put in force and are as before");
}

static size_t count_rules(struct region *r, const char *group_id, bool egress)
{
	size_t n = 0;

	for (size_t i = 0; i < model_count(r->model, KIND_RULE); i++) {
		const struct rule *rule = model_at(r->model, KIND_RULE, i);

		n += rule->egress == egress && strcmp(rule->group_id, group_id) == 0;
	}
	return n;
}

struct rule *group_rule_same(struct region *r, const struct rule *wanted)
{
	for (size_t i = 0; i < model_count(r->model, KIND_RULE); i++) {
		struct rule *rule = model_at(r->model, KIND_RULE, i);

		if (strcmp(rule->group_id, wanted->group_id) == 0 && rule_same(rule, wanted))
			return rule;
	}
	return NULL;
}

struct rule *group_rule_named(struct region *r, const struct rule *wanted, struct error *err)
{
	struct rule *rule = group_rule_same(r, wanted);
	char words[SENTENCE_MAX];

	if (!rule) {
		permission_words(wanted, words);
		error_set_code(err, ERROR_USAGE, "InvalidPermission.NotFound",
			       "The specified rule \"%s\" does not exist in this security group.", words);
	}
	return rule;
}

static int check_new_rules(struct region *r, const struct group *g, bool egress, const struct permission_list *l, struct error *err)
{
	unsigned most = config_number(r->config.quota_rules_per_group);
	char words[SENTENCE_MAX];

	for (size_t i = 0; i < l->count; i++) {
		bool twice = group_rule_same(r, &l->rules[i]) != NULL;

		for (size_t k = 0; k < i; k++)
			twice |= rule_same(&l->rules[k], &l->rules[i]);
		if (twice) {
			permission_words(&l->rules[i], words);
			return error_set_code(err, ERROR_USAGE, "InvalidPermission.Duplicate", "the specified rule \"%s\" already exists",
					      words);
		}
	}
	if (count_rules(r, g->o.id, egress) + l->count > most)
		return error_set_code(err, ERROR_USAGE, "RulesPerSecurityGroupLimitExceeded",
				      "The maximum number of rules per security group has been reached: %u.", most);
	return 0;
}

static int authorize_rules(struct region *r, const struct caller *caller, const json_t *in, json_t *out, bool egress, struct error *err)
{
	AUTO_FREE struct permission_list *l = calloc(1, sizeof *l);
	struct change changes[PERMISSIONS_MAX], undo[PERMISSIONS_MAX];
	char vpc_id[ID_MAX] = "";
	size_t made = 0, skipped;
	struct group *g;
	json_t *set;
	int rc = -1;

	if (!l)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	region_lock(r);
	g = group_find(r, in, err);
	if (!g || permissions_parse(r, in, g, egress, false, l, &skipped, err) < 0 || check_new_rules(r, g, egress, l, err) < 0 ||
	    action_dry_run(caller, err) < 0)
		goto done;
	TEXT_COPY(vpc_id, g->vpc_id);
	for (; made < l->count; made++) {
		struct rule *rule = model_new(KIND_RULE);
		struct object head;

		if (!rule) {
			error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
			goto bad;
		}
		head = rule->o;
		*rule = l->rules[made];
		rule->o = head;
		changes[made] = (struct change){ NULL, &rule->o };
		undo[made] = (struct change){ &rule->o, NULL };
		if (in_tags(in, "security-group-rule", &rule->o.tags, err) < 0) {
			made++;
			goto bad;
		}
	}
	if (region_commit(r, changes, made, err) < 0)
		goto bad;
	put_bool(out, "return", true);
	set = put_list(out, "securityGroupRuleSet");
	for (size_t i = 0; i < made; i++)
		rule_reply(r, add_item(set), (const struct rule *)(const void *)changes[i].next);
	rc = 0;
	goto done;
bad:
	while (made > 0)
		object_free(changes[--made].next);
done:
	region_unlock(r);
	return rc == 0 ? enforce(r, vpc_id, undo, made, err) : -1;
}

static int authorize_ingress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	return authorize_rules(r, caller, in, out, false, err);
}

static int authorize_egress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	return authorize_rules(r, caller, in, out, true, err);
}

static const struct param revoke_params[] = { PERMISSION_PARAMS, TEXTS("SecurityGroupRuleId"), PARAM_END };
static const struct param revoke_reply[] = { BOOLEAN("return"), LIST("revokedSecurityGroupRuleSet", group_rule_members), PARAM_END };

/* A rule that a call names twice is revoked once: a change of the model names each object once. */
static void find_once(struct rule *found[], size_t *n, struct rule *rule)
{
	for (size_t i = 0; i < *n; i++)
		if (found[i] == rule)
			return;
	found[(*n)++] = rule;
}

static int rules_by_id(struct region *r, const json_t *ids, const struct group *g, bool egress, struct rule *found[], size_t *n,
		       struct error *err)
{
	size_t i;
	const json_t *v;

	json_array_foreach(ids, i, v)
	{
		struct rule *rule = model_find(r->model, KIND_RULE, json_string_value(v));

		if (!rule || rule->egress != egress || strcmp(rule->group_id, g->o.id) != 0)
			return error_set_code(err, ERROR_USAGE, "InvalidSecurityGroupRuleId.NotFound",
					      "The security group rule ID '%.64s' does not exist", json_string_value(v));
		if (*n == PERMISSIONS_MAX)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "One call may name %d rules at most.",
					      PERMISSIONS_MAX);
		find_once(found, n, rule);
	}
	return 0;
}

static int rules_by_permission(struct region *r, const json_t *in, const struct group *g, bool egress, struct rule *found[], size_t *n,
			       struct error *err)
{
	AUTO_FREE struct permission_list *l = calloc(1, sizeof *l);
	size_t skipped;

	if (!l)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (permissions_parse(r, in, g, egress, true, l, &skipped, err) < 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		struct rule *rule = group_rule_named(r, &l->rules[i], err);

		if (!rule)
			return -1;
		find_once(found, n, rule);
	}
	if (*n == 0 && skipped) /* IPv6 ranges can't have been authorized */
		return error_set_code(err, ERROR_USAGE, "InvalidPermission.NotFound",
				      "The specified rule does not exist in this security group.");
	return 0;
}

/* A copy of a rule that was deleted, to be put back. */
static struct object *rule_copy(const struct rule *rule)
{
	struct rule *copy = model_new(KIND_RULE);

	if (!copy)
		return NULL;
	*copy = *rule;
	copy->o.tags = (struct tags){ NULL, 0 };
	tags_copy(&copy->o.tags, &rule->o.tags, NULL);
	return &copy->o;
}

static int revoke_rules(struct region *r, const struct caller *caller, const json_t *in, json_t *out, bool egress, struct error *err)
{
	const json_t *ids = json_object_get(in, "SecurityGroupRuleId");
	struct rule *found[PERMISSIONS_MAX];
	struct change changes[PERMISSIONS_MAX], undo[PERMISSIONS_MAX];
	char vpc_id[ID_MAX] = "";
	struct group *g;
	json_t *set;
	size_t n = 0, copies = 0;
	int rc = -1;

	region_lock(r);
	g = group_find(r, in, err);
	if (!g || (json_array_size(ids) ? rules_by_id(r, ids, g, egress, found, &n, err) :
					  rules_by_permission(r, in, g, egress, found, &n, err)) < 0 ||
	    action_dry_run(caller, err) < 0)
		goto done;
	TEXT_COPY(vpc_id, g->vpc_id);
	set = json_array();
	for (size_t i = 0; i < n; i++) {
		changes[i] = (struct change){ &found[i]->o, NULL };
		rule_reply(r, add_item(set), found[i]);
		undo[copies].live = NULL;
		undo[copies].next = rule_copy(found[i]);
		copies += undo[copies].next != NULL;
	}
	if (region_commit(r, changes, n, err) < 0) {
		json_decref(set);
		goto done;
	}
	put_bool(out, "return", true);
	json_object_set_new(out, "revokedSecurityGroupRuleSet", set);
	rc = 0;
done:
	region_unlock(r);
	if (rc == 0)
		rc = enforce(r, vpc_id, undo, copies, err);
	/* the copies are the model's only where they were put back */
	region_lock(r);
	for (size_t i = 0; i < copies; i++)
		if (model_find(r->model, KIND_RULE, undo[i].next->id) != undo[i].next)
			object_free(undo[i].next);
	region_unlock(r);
	return rc;
}

static int revoke_ingress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	return revoke_rules(r, caller, in, out, false, err);
}

static int revoke_egress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	return revoke_rules(r, caller, in, out, true, err);
}

const struct action group_actions[] = {
	{ "CreateSecurityGroup", "ec2", "Makes a security group: nothing in, everything out.", create_params, create_reply, true,
	  create_group },
	{ "DeleteSecurityGroup", "ec2", "Deletes a security group that nothing uses.", delete_params, delete_reply, true, delete_group },
	{ "DescribeSecurityGroups", "ec2", "Lists security groups with their rules.", describe_params, describe_reply, false,
	  describe_groups },
	{ "AuthorizeSecurityGroupIngress", "ec2", "Adds inbound rules; they are in force when the call returns.", authorize_params,
	  authorize_reply, true, authorize_ingress },
	{ "AuthorizeSecurityGroupEgress", "ec2", "Adds outbound rules; they are in force when the call returns.", authorize_params,
	  authorize_reply, true, authorize_egress },
	{ "RevokeSecurityGroupIngress", "ec2", "Removes inbound rules; they are out of force when the call returns.", revoke_params,
	  revoke_reply, true, revoke_ingress },
	{ "RevokeSecurityGroupEgress", "ec2", "Removes outbound rules; they are out of force when the call returns.", revoke_params,
	  revoke_reply, true, revoke_egress },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
