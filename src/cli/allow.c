/* `vpclab allow` and `vpclab deny`: add and remove security group rules. */
#include <string.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/rule.h"
#include "cli/verb.h"

static const struct flag flags[] = {
	{ "from", "SOURCE", "a CIDR block, an address, or another group (default 0.0.0.0/0)" },
	{ "out", NULL, "an outbound rule; --from then means the destination" },
	{ "to", "DESTINATION", "the same as --out --from" },
	{ "group", "GROUP", "which of the instance's groups (default: its first)" },
	{ NULL, NULL, NULL },
};

static const struct flag allow_flags[] = {
	{ "from", "SOURCE", "a CIDR block, an address, or another group (default 0.0.0.0/0)" },
	{ "out", NULL, "an outbound rule; --from then means the destination" },
	{ "to", "DESTINATION", "the same as --out --from" },
	{ "group", "GROUP", "which of the instance's groups (default: its first)" },
	{ "description", "TEXT", "the rule's description" },
	{ NULL, NULL, NULL },
};

/* The group that the rule goes into: of the instance that word names, or the group that it names itself. */
static json_t *group_meant(struct cli *cli, const char *word, const char *group, char whose[160], struct error *err)
{
	AUTO_JSON json_t *all = NULL, *found = NULL;
	const json_t *instance, *member;
	struct error no_instance = { 0 };
	char label[128];
	size_t i;

	whose[0] = '\0';
	if (strncmp(word, "sg-", 3) == 0)
		return group_get(cli, word, err);
	all = instances_all(cli, err);
	if (!all)
		return NULL;
	instance = instance_pick(all, word, &no_instance);
	if (!instance) {
		found = group_get(cli, word, NULL);
		if (!found && err)
			*err = no_instance;
		return TAKE_PTR(found);
	}
	instance_label(label, instance);
	snprintf(whose, 160, ", a group of %s", label);
	json_array_foreach(json_object_get(instance, "groupSet"), i, member)
		if (!group || strcmp(text_of(member, "groupId"), group) == 0 || strcmp(text_of(member, "groupName"), group) == 0)
			return group_get(cli, text_of(member, "groupId"), err);
	if (group)
		error_set(err, ERROR_USAGE, "Instance %s is not in the security group %.64s; `vpclab rules %.64s` lists its groups.",
			  label, group, word);
	else
		error_set(err, ERROR_USAGE, "Instance %s is in no security group.", label);
	return NULL;
}

static int change(struct cli *cli, const struct arguments *a, bool allow, struct error *err)
{
	const char *to = arguments_value(a, "to"), *from = arguments_value(a, "from");
	const char *peer = to ? to : from ? from : "0.0.0.0/0", *description = arguments_value(a, "description");
	bool out = to || arguments_has(a, "out");
	AUTO_JSON json_t *group = NULL, *reply = NULL;
	AUTO_REQUEST struct request r;
	char whose[160], words[64], action[64];
	struct rule rule;

	snprintf(action, sizeof action, "%sSecurityGroup%s", allow ? "Authorize" : "Revoke", out ? "Egress" : "Ingress");
	request_init(&r, action);
	if (to && from)
		return error_set(err, ERROR_USAGE, "Give --from or --to, not both: a rule has one other side.");
	if (rule_parse(a->words[1], &rule, err) < 0)
		return -1;
	group = group_meant(cli, a->words[0], arguments_value(a, "group"), whose, err);
	if (!group)
		return -1;
	request_add(&r, "GroupId", text_of(group, "groupId"));
	if (rule_request(cli, &r, &rule, peer, err) < 0)
		return -1;
	if (description) {
		if (strstr(buffer_text(&r.body), "IpRanges"))
			request_add(&r, "IpPermissions.1.IpRanges.1.Description", description);
		else
			request_add(&r, "IpPermissions.1.Groups.1.Description", description);
	}
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (cli->json) {
		print_json(reply);
		return 0;
	}
	rule_phrase(words, &rule);
	printf("%s %s %s %s in %s (%s)%s.\n", allow ? "Allowed" : "No longer allowed:", words, out ? "to" : "from", peer,
	       text_of(group, "groupName"), text_of(group, "groupId"), whose);
	return 0;
}

static int run_allow(struct cli *cli, const struct arguments *a, struct error *err)
{
	return change(cli, a, true, err);
}

static int run_deny(struct cli *cli, const struct arguments *a, struct error *err)
{
	return change(cli, a, false, err);
}

#define PORT_HELP                                                                                    \
	"PORT is 8000, a range 8000-8010, 53/udp, icmp, 8/icmp (a type), all, all/tcp, or one of ssh, http,\n" \
	"https. NAME is an instance, whose first group is meant, or a security group by name or id."

const struct verb verb_allow = {
	.name = "allow",
	.group = "Security groups",
	.synopsis = "NAME PORT",
	.summary = "Add a security group rule (inbound, or --out).",
	.details = PORT_HELP "\n\nThis is AuthorizeSecurityGroupIngress, with --out AuthorizeSecurityGroupEgress. The rule is in force "
			     "when the verb returns. A rule that is there already is InvalidPermission.Duplicate.",
	.flags = allow_flags,
	.min_words = 2,
	.max_words = 2,
	.run = run_allow,
};

const struct verb verb_deny = {
	.name = "deny",
	.group = "Security groups",
	.synopsis = "NAME PORT",
	.summary = "Remove a security group rule.",
	.details = PORT_HELP "\n\nThis is RevokeSecurityGroupIngress, with --out RevokeSecurityGroupEgress. Security groups only permit, so this removes the rule that `allow` added; it must be given as it was\n"
			     "added. Connections that the rule let in from anywhere end with it.",
	.flags = flags,
	.min_words = 2,
	.max_words = 2,
	.run = run_deny,
};
