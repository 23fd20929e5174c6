#include "region/permission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PORT_MAX 65535
#define ICMP_MAX 255

static const struct param ip_range_members[] = { { "CidrIp", PARAM_STRING, 0, NULL, true, NULL }, TEXT("Description"), PARAM_END };
static const struct param ipv6_range_members[] = { TEXT("CidrIpv6"), TEXT("Description"), PARAM_END };
static const struct param prefix_list_members[] = { TEXT("PrefixListId"), TEXT("Description"), PARAM_END };
static const struct param group_pair_members[] = {
	TEXT("GroupId"), TEXT("GroupName"), TEXT("UserId"), TEXT("VpcId"), TEXT("Description"), PARAM_END
};
const struct param permission_members[] = {
	{ "IpProtocol", PARAM_STRING, 0, NULL, true, "tcp, udp, icmp, a protocol number, or -1 for all" },
	INTEGER("FromPort"),
	INTEGER("ToPort"),
	LIST("IpRanges", ip_range_members),
	LIST("Groups", group_pair_members),
	LIST("Ipv6Ranges", ipv6_range_members),
	LIST("PrefixListIds", prefix_list_members),
	PARAM_END
};

static const struct param ip_range_reply[] = { TEXT("cidrIp"), TEXT("description"), PARAM_END };
static const struct param ipv6_range_reply[] = { TEXT("cidrIpv6"), TEXT("description"), PARAM_END };
static const struct param prefix_list_reply[] = { TEXT("prefixListId"), PARAM_END };
static const struct param group_pair_reply[] = { TEXT("userId"), TEXT("groupId"), TEXT("description"), PARAM_END };
const struct param permission_reply_members[] = {
	TEXT("ipProtocol"),
	INTEGER("fromPort"),
	INTEGER("toPort"),
	LIST("groups", group_pair_reply),
	LIST("ipRanges", ip_range_reply),
	LIST("ipv6Ranges", ipv6_range_reply),
	LIST("prefixListIds", prefix_list_reply),
	PARAM_END
};

const char *protocol_name(int protocol, char buf[16])
{
	switch (protocol) {
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 1:
		return "icmp";
	default:
		snprintf(buf, 16, "%d", protocol);
		return buf;
	}
}

static int parse_protocol(const char *text, int *ret, struct error *err)
{
	static const struct {
		const char *name;
		int number;
	} names[] = { { "tcp", 6 }, { "udp", 17 }, { "icmp", 1 }, { "all", -1 }, { "-1", -1 }, { "icmpv6", 58 } };
	char *end;
	long number;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcasecmp(text, names[i].name) == 0) {
			*ret = names[i].number;
			return 0;
		}
	}
	number = strtol(text, &end, 10);
	if (*text == '\0' || *end || number < 0 || number > 255)
		return error_set_code(err, ERROR_USAGE, "InvalidPermission.Malformed",
				      "Unsupported IP protocol \"%.64s\" - supported: [tcp, udp, icmp], a number of 0 to 255, or -1 for all.",
				      text);
	*ret = (int)number;
	return 0;
}

static int parse_ports(const json_t *in, struct rule *rule, struct error *err)
{
	int64_t from = in_int(in, "FromPort", -1), to = in_int(in, "ToPort", -1);
	bool ports = rule->protocol == 6 || rule->protocol == 17;

	if (!ports && rule->protocol != 1) { /* EC2 ignores the ports of all other protocols */
		rule->from_port = rule->to_port = -1;
		return 0;
	}
	if (ports && (!json_object_get(in, "FromPort") || !json_object_get(in, "ToPort")))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.");
	if (ports && from == -1 && to == -1) {
		from = 0;
		to = PORT_MAX;
	}
	if (ports && (from < 0 || from > PORT_MAX || to < 0 || to > PORT_MAX))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "TCP/UDP port (%lld) out of range; a port is a number of 0 to %d.",
				      (long long)(from < 0 || from > PORT_MAX ? from : to), PORT_MAX);
	if (ports && from > to)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Invalid TCP/UDP port range (%lld:%lld); the first port is larger than the last.",
				      (long long)from, (long long)to);
	if (!ports && (from < -1 || from > ICMP_MAX || to < -1 || to > ICMP_MAX))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "ICMP type (%lld) or code (%lld) out of range; each is -1 for any, or 0 to %d.", (long long)from,
				      (long long)to, ICMP_MAX);
	if (!ports && from == -1 && to != -1)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "ICMP code (%lld) needs an ICMP type; the type is -1.", (long long)to);
	rule->from_port = (int)from;
	rule->to_port = (int)to;
	return 0;
}

static int add(struct permission_list *l, const struct rule *rule, const char *description, struct error *err)
{
	struct rule *to = &l->rules[l->count];

	if (l->count == PERMISSIONS_MAX)
		return error_set_code(err, ERROR_USAGE, "RulesPerSecurityGroupLimitExceeded",
				      "One call may name %d rules at most.", PERMISSIONS_MAX);
	if (description && strlen(description) >= sizeof to->description)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "A rule's description can be %zu bytes at most.", sizeof to->description - 1);
	*to = *rule;
	snprintf(to->description, sizeof to->description, "%s", description ? description : "");
	l->count++;
	return 0;
}

static const struct group *group_named(struct region *r, const char *vpc_id, const char *name)
{
	for (size_t i = 0; i < model_count(r->model, KIND_GROUP); i++) {
		const struct group *g = model_at(r->model, KIND_GROUP, i);

		if (strcmp(g->vpc_id, vpc_id) == 0 && strcmp(g->name, name) == 0)
			return g;
	}
	return NULL;
}

static int add_peer(struct region *r, struct permission_list *l, struct rule rule, const struct group *group, const char *id,
		    const char *name, const char *description, struct error *err)
{
	const struct group *peer = NULL;

	if (id && !id_well_formed(id, "sg"))
		return error_set_code(err, ERROR_USAGE, "InvalidGroupId.Malformed", "Invalid id: \"%.64s\" (expecting \"sg-...\")", id);
	if (id)
		peer = model_find(r->model, KIND_GROUP, id);
	else if (name)
		peer = group_named(r, group->vpc_id, name);
	if (!peer || strcmp(peer->vpc_id, group->vpc_id) != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidGroup.NotFound", "The security group '%.64s' does not exist",
				      id ? id : name ? name : "");
	TEXT_COPY(rule.peer_group_id, peer->o.id);
	rule.cidr = (struct cidr){ 0, 0 };
	return add(l, &rule, description, err);
}

static int parse_one(struct region *r, const json_t *p, const struct group *group, bool egress, bool allow_ipv6,
		     struct permission_list *l, size_t *skipped, struct error *err)
{
	struct rule rule = { .o = { .kind = KIND_RULE }, .egress = egress };
	const json_t *ranges = json_object_get(p, "IpRanges"), *groups = json_object_get(p, "Groups");
	const json_t *v6 = json_object_get(p, "Ipv6Ranges"), *item;
	size_t i;

	TEXT_COPY(rule.group_id, group->o.id);
	if (parse_protocol(in_text(p, "IpProtocol"), &rule.protocol, err) < 0 || parse_ports(p, &rule, err) < 0)
		return -1;
	if (json_array_size(json_object_get(p, "PrefixListIds")))
		return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
				      "The parameter PrefixListIds is not built in this region; name CIDR blocks.");
	if (json_array_size(v6) && !allow_ipv6)
		return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
				      "The parameter Ipv6Ranges is not built in this region: its VPCs have no IPv6.");
	if (!json_array_size(ranges) && !json_array_size(groups) && !json_array_size(v6))
		return error_set_code(err, ERROR_USAGE, "MissingParameter",
				      "The request must contain the parameter IpPermissions.1.IpRanges or IpPermissions.1.Groups: a rule needs a source or a destination.");
	*skipped += json_array_size(v6);
	json_array_foreach(ranges, i, item)
	{
		struct rule one = rule;

		if (cidr_parse(in_text(item, "CidrIp"), &one.cidr, NULL, err) < 0 ||
		    add(l, &one, in_text(item, "Description"), err) < 0)
			return -1;
	}
	json_array_foreach(groups, i, item)
	{
		if (add_peer(r, l, rule, group, in_text(item, "GroupId"), in_text(item, "GroupName"), in_text(item, "Description"),
			     err) < 0)
			return -1;
	}
	return 0;
}

/* The older form, one rule in the request's own parameters. */
static int parse_flat(struct region *r, const json_t *in, const struct group *group, bool egress, struct permission_list *l,
		      struct error *err)
{
	struct rule rule = { .o = { .kind = KIND_RULE }, .egress = egress };
	const char *protocol = in_text(in, "IpProtocol"), *cidr = in_text(in, "CidrIp");
	const char *peer = in_text(in, "SourceSecurityGroupName");

	TEXT_COPY(rule.group_id, group->o.id);
	if (!protocol && !peer)
		return error_set_code(err, ERROR_USAGE, "MissingParameter",
				      "The request must contain the parameter IpPermissions, or IpProtocol with its ports and CidrIp.");
	if (parse_protocol(protocol ? protocol : "-1", &rule.protocol, err) < 0 || parse_ports(in, &rule, err) < 0)
		return -1;
	if (peer)
		return add_peer(r, l, rule, group, NULL, peer, NULL, err);
	if (!cidr)
		return error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter CidrIp.");
	return cidr_parse(cidr, &rule.cidr, NULL, err) < 0 ? -1 : add(l, &rule, NULL, err);
}

int permissions_parse(struct region *r, const json_t *in, const struct group *group, bool egress, bool allow_ipv6,
		      struct permission_list *ret, size_t *ret_skipped, struct error *err)
{
	const json_t *permissions = json_object_get(in, "IpPermissions"), *p;
	size_t i;

	ret->count = 0;
	*ret_skipped = 0;
	if (!json_array_size(permissions))
		return parse_flat(r, in, group, egress, ret, err);
	json_array_foreach(permissions, i, p)
	{
		if (parse_one(r, p, group, egress, allow_ipv6, ret, ret_skipped, err) < 0)
			return -1;
	}
	return 0;
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	return a->egress == b->egress && a->protocol == b->protocol && a->from_port == b->from_port && a->to_port == b->to_port &&
	       strcmp(a->peer_group_id, b->peer_group_id) == 0 &&
	       (*a->peer_group_id || (a->cidr.addr == b->cidr.addr && a->cidr.prefix == b->cidr.prefix));
}

void permission_words(const struct rule *rule, char out[SENTENCE_MAX])
{
	char peer[CIDR_TEXT_MAX], number[16];
	const char *who = rule->peer_group_id;

	if (!*who) {
		cidr_format(peer, rule->cidr);
		who = peer;
	}
	if (rule->protocol == -1)
		snprintf(out, SENTENCE_MAX, "peer: %s, ALL, ALLOW", who);
	else if (rule->protocol == 1)
		snprintf(out, SENTENCE_MAX, "peer: %s, ICMP, type: %d, code: %d, ALLOW", who, rule->from_port, rule->to_port);
	else if (rule->from_port == -1)
		snprintf(out, SENTENCE_MAX, "peer: %s, %s, ALLOW", who, protocol_name(rule->protocol, number));
	else
		snprintf(out, SENTENCE_MAX, "peer: %s, %s, from port: %d, to port: %d, ALLOW", who,
			 rule->protocol == 6 ? "TCP" : "UDP", rule->from_port, rule->to_port);
}

static void ports_reply(json_t *item, const struct rule *rule)
{
	char number[16];

	put_text(item, "ipProtocol", protocol_name(rule->protocol, number));
	if (rule->protocol == -1) /* absent in ipPermissions, where EC2 leaves them out */
		return;
	put_int(item, "fromPort", rule->from_port);
	put_int(item, "toPort", rule->to_port);
}

static json_t *permission_of(json_t *list, const struct rule *rule)
{
	char number[16];
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		if (strcmp(in_text(item, "ipProtocol"), protocol_name(rule->protocol, number)) == 0 &&
		    (rule->protocol == -1 ||
		     (in_int(item, "fromPort", 0) == rule->from_port && in_int(item, "toPort", 0) == rule->to_port)))
			return item;
	}
	item = add_item(list);
	ports_reply(item, rule);
	put_list(item, "groups");
	put_list(item, "ipRanges");
	put_list(item, "ipv6Ranges");
	put_list(item, "prefixListIds");
	return item;
}

void permissions_reply(struct region *r, json_t *list, const struct group *group, bool egress)
{
	for (size_t i = 0; i < model_count(r->model, KIND_RULE); i++) {
		const struct rule *rule = model_at(r->model, KIND_RULE, i);
		json_t *permission, *item;

		if (rule->egress != egress || strcmp(rule->group_id, group->o.id) != 0)
			continue;
		permission = permission_of(list, rule);
		if (*rule->peer_group_id) {
			item = add_item(json_object_get(permission, "groups"));
			put_text(item, "userId", r->config.account_id);
			put_text(item, "groupId", rule->peer_group_id);
		} else {
			item = add_item(json_object_get(permission, "ipRanges"));
			put_cidr(item, "cidrIp", rule->cidr);
		}
		if (*rule->description)
			put_text(item, "description", rule->description);
	}
}

void rule_reply(struct region *r, json_t *item, const struct rule *rule)
{
	char number[16];

	put_text(item, "securityGroupRuleId", rule->o.id);
	put_text(item, "groupId", rule->group_id);
	put_text(item, "groupOwnerId", r->config.account_id);
	put_bool(item, "isEgress", rule->egress);
	put_text(item, "ipProtocol", protocol_name(rule->protocol, number));
	put_int(item, "fromPort", rule->from_port);
	put_int(item, "toPort", rule->to_port);
	if (*rule->peer_group_id) {
		json_t *peer = put_structure(item, "referencedGroupInfo");

		put_text(peer, "groupId", rule->peer_group_id);
		put_text(peer, "userId", r->config.account_id);
	} else {
		put_cidr(item, "cidrIpv4", rule->cidr);
	}
	if (*rule->description)
		put_text(item, "description", rule->description);
	put_tags(item, &rule->o.tags);
}
