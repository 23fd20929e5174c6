/* EC2's IpPermissions: what Authorize and Revoke are sent, as the rules they mean; and rules as what Describe answers. */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "region/internal.h"
#include "region/reply.h"

#define PERMISSIONS_MAX 200 /* rules that one call may name */

extern const struct param permission_members[], permission_reply_members[];

struct permission_list {
	struct rule rules[PERMISSIONS_MAX]; /* o.id empty; group_id and egress set */
	size_t count;
};

/* Parses in's IpPermissions, and the older flat form (IpProtocol, FromPort, ToPort, CidrIp, SourceSecurityGroupName) into rules of
 * group. Under the region's lock (named groups are looked up). Errors as EC2's: InvalidPermission.Malformed,
 * InvalidParameterValue, InvalidGroup.NotFound, MissingParameter. allow_ipv6: IPv6 ranges are passed over rather than refused (a
 * revoke of what can't exist); ret_skipped counts them. */
int permissions_parse(struct region *r, const json_t *in, const struct group *group, bool egress, bool allow_ipv6,
		      struct permission_list *ret, size_t *ret_skipped, struct error *err);
/* The group's rules of one direction, gathered by protocol and ports as EC2 does. */
void permissions_reply(struct region *r, json_t *list, const struct group *group, bool egress);
/* One rule as an item of securityGroupRuleSet. */
void rule_reply(struct region *r, json_t *item, const struct rule *rule);
bool rule_same(const struct rule *a, const struct rule *b);
/* "peer: 0.0.0.0/0, TCP, from port: 8000, to port: 8000, ALLOW": EC2's words in its errors. */
void permission_words(const struct rule *rule, char out[SENTENCE_MAX]);
/* "tcp", "udp", "icmp", "-1" or a number. */
const char *protocol_name(int protocol, char buf[16]);
