#include "cli/rule.h"

#include <ctype.h>
#include <string.h>

#include "base/cidr.h"
#include "cli/arguments.h"
#include "cli/format.h"

#define PORT_MAX 65535
#define ICMP_MAX 255
#define ANY_NUMBER 99999999

static int wrong(const char *text, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			      "\"%.64s\" is no port; write 8000, 8000-8010, 53/udp, icmp or all.", text);
}

static int parse_port(const char *text, const char *whole, int *ret, struct error *err)
{
	int64_t n;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || text[digits])
		return wrong(whole, err);
	if (!number_parse(text, ANY_NUMBER, &n) || n > PORT_MAX)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Port %.20s is beyond %d, the last port there is.", text, PORT_MAX);
	*ret = (int)n;
	return 0;
}

static int parse_icmp(const char *type, const char *whole, struct rule *ret, struct error *err)
{
	int64_t n;

	ret->from = ret->to = -1;
	if (!type || strcmp(type, "all") == 0)
		return 0;
	if (!number_parse(type, ICMP_MAX, &n))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "\"%.64s\" is no ICMP type; write icmp, or 8/icmp for echo requests.", whole);
	ret->from = (int)n;
	return 0;
}

int rule_parse(const char *text, struct rule *ret, struct error *err)
{
	static const struct {
		const char *name;
		int port;
	} types[] = { { "ssh", 22 }, { "http", 80 }, { "https", 443 } };
	char copy[64], *slash, *dash;
	const char *ports = copy, *protocol = "tcp";
	struct rule r = { .protocol = "tcp" };

	if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
		return wrong(text, err);
	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		protocol = slash + 1;
		/* both "8000/tcp" and "tcp/8000" are seen in the wild */
		if (strcmp(copy, "tcp") == 0 || strcmp(copy, "udp") == 0 || strcmp(copy, "icmp") == 0) {
			protocol = copy;
			ports = slash + 1;
		}
		if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 && strcmp(protocol, "icmp") != 0)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
					      "\"%.32s\" is no protocol of a rule; it is tcp, udp or icmp.", protocol);
		memcpy(r.protocol, protocol, strlen(protocol) + 1);
	}
	if (!slash && (strcmp(copy, "all") == 0 || strcmp(copy, "-1") == 0)) {
		snprintf(r.protocol, sizeof r.protocol, "-1");
		r.from = r.to = -1;
		*ret = r;
		return 0;
	}
	if (!slash && strcmp(copy, "icmp") == 0) {
		snprintf(r.protocol, sizeof r.protocol, "icmp");
		ports = NULL;
	}
	if (strcmp(r.protocol, "icmp") == 0) {
		if (parse_icmp(ports, text, &r, err) < 0)
			return -1;
		*ret = r;
		return 0;
	}
	if (strcmp(ports, "all") == 0) {
		r.to = PORT_MAX;
		*ret = r;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcmp(ports, types[i].name) == 0) {
			r.from = r.to = types[i].port;
			*ret = r;
			return 0;
		}
	}
	dash = strchr(ports, '-');
	if (dash)
		*dash = '\0';
	if (parse_port(ports, text, &r.from, err) < 0 || parse_port(dash ? dash + 1 : ports, text, &r.to, err) < 0)
		return -1;
	if (r.from > r.to)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "The port range %.32s ends before it begins; write the smaller port first.", text);
	*ret = r;
	return 0;
}

void rule_phrase(char out[64], const struct rule *r)
{
	bool tcp = strcmp(r->protocol, "tcp") == 0;

	if (strcmp(r->protocol, "-1") == 0)
		snprintf(out, 64, "all traffic");
	else if (strcmp(r->protocol, "icmp") == 0 && r->from < 0)
		snprintf(out, 64, "all ICMP");
	else if (strcmp(r->protocol, "icmp") == 0)
		snprintf(out, 64, "ICMP type %d", r->from);
	else if (r->from == 0 && r->to == PORT_MAX)
		snprintf(out, 64, "all %s", tcp ? "TCP" : "UDP");
	else if (r->from == r->to)
		snprintf(out, 64, "%s %d", tcp ? "TCP" : "UDP", r->from);
	else
		snprintf(out, 64, "%s %d-%d", tcp ? "TCP" : "UDP", r->from, r->to);
}

void rule_cells(char protocol[16], char ports[32], const json_t *permission)
{
	const char *name = text_of(permission, "ipProtocol");
	long long from = number_of(permission, "fromPort"), to = number_of(permission, "toPort");
	bool icmp = strncmp(name, "icmp", 4) == 0;

	snprintf(protocol, 16, "%s", strcmp(name, "-1") == 0 ? "All" : name);
	for (char *p = protocol; strcmp(protocol, "All") != 0 && *p; p++)
		*p = (char)toupper((unsigned char)*p);
	if (strcmp(name, "-1") == 0 || !json_object_get(permission, "fromPort") || (icmp && from < 0) ||
	    (from == 0 && to == PORT_MAX))
		snprintf(ports, 32, "All");
	else if (icmp)
		snprintf(ports, 32, to < 0 ? "type %lld" : "type %lld code %lld", from, to);
	else if (from == to)
		snprintf(ports, 32, "%lld", from);
	else
		snprintf(ports, 32, "%lld - %lld", from, to);
}

/* Anywhere-IPv4, as EC2's console calls it. */
static bool for_everybody(const json_t *permission)
{
	const json_t *range;
	size_t i;

	json_array_foreach(json_object_get(permission, "ipRanges"), i, range) {
		if (strcmp(text_of(range, "cidrIp"), "0.0.0.0/0") == 0)
			return true;
	}
	return false;
}

bool rules_allow_tcp(const json_t *groups, int port)
{
	const json_t *group, *permission;
	size_t i, k;

	json_array_foreach(groups, i, group) {
		json_array_foreach(json_object_get(group, "ipPermissions"), k, permission) {
			const char *protocol = text_of(permission, "ipProtocol");

			if (!for_everybody(permission))
				continue;
			if (strcmp(protocol, "-1") == 0)
				return true;
			if ((strcmp(protocol, "tcp") == 0 || strcmp(protocol, "6") == 0) &&
			    number_of(permission, "fromPort") <= port && port <= number_of(permission, "toPort"))
				return true;
		}
	}
	return false;
}

json_t *group_get(struct cli *cli, const char *name, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	json_t *found;

	request_init(&r, "DescribeSecurityGroups");
	if (strncmp(name, "sg-", 3) == 0) {
		request_add(&r, "GroupId.1", name);
	} else {
		request_add(&r, "Filter.1.Name", "group-name");
		request_add(&r, "Filter.1.Value.1", name);
	}
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return NULL;
	found = json_array_get(json_object_get(reply, "securityGroupInfo"), 0);
	if (!found)
		error_set_code(err, ERROR_USAGE, "InvalidGroup.NotFound",
			       "There is no security group named %.64s; `vpclab rules` lists them.", name);
	return found ? json_incref(found) : NULL;
}

json_t *groups_describe(struct cli *cli, const json_t *group_set, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	const json_t *group;
	size_t i;

	request_init(&r, "DescribeSecurityGroups");
	json_array_foreach(group_set, i, group)
		request_addf(&r, text_of(group, "groupId"), "GroupId.%zu", i + 1);
	reply = client_call(cli, &r, 0, err);
	return reply ? json_incref(json_object_get(reply, "securityGroupInfo")) : NULL;
}

int rule_request(struct cli *cli, struct request *r, const struct rule *rule, const char *peer, struct error *err)
{
	bool any = strcmp(peer, "anywhere") == 0;
	uint32_t address;

	request_add(r, "IpPermissions.1.IpProtocol", rule->protocol);
	if (strcmp(rule->protocol, "-1") != 0) {
		request_add_number(r, "IpPermissions.1.FromPort", rule->from);
		request_add_number(r, "IpPermissions.1.ToPort", rule->to);
	}
	if (any || strchr(peer, '/') || ipv4_parse(peer, &address) || strspn(peer, "0123456789.") == strlen(peer)) {
		char cidr[64];

		/* an address alone is the console's "My IP"; whether a block is well formed is the region's to say */
		snprintf(cidr, sizeof cidr, any ? "0.0.0.0/0" : strchr(peer, '/') ? "%.60s" : "%.60s/32", peer);
		request_add(r, "IpPermissions.1.IpRanges.1.CidrIp", cidr);
	} else {
		AUTO_JSON json_t *group = group_get(cli, peer, err);

		if (!group)
			return -1;
		request_add(r, "IpPermissions.1.Groups.1.GroupId", text_of(group, "groupId"));
	}
	return 0;
}
