/* Security groups and their rules, as the files of their actions share them. */
#pragma once

#include "region/permission.h"

/* Under the lock. The group that GroupId names, or GroupName in the default VPC: InvalidGroupId.Malformed, InvalidGroup.NotFound,
 * MissingParameter. */
struct group *group_find(struct region *r, const json_t *in, struct error *err);
/* Under the lock: a rule of the same direction, ports and other side in wanted's group; NULL where there is none. */
struct rule *group_rule_same(struct region *r, const struct rule *wanted);
/* The same; where there is none, InvalidPermission.NotFound with the rule's words. */
struct rule *group_rule_named(struct region *r, const struct rule *wanted, struct error *err);
/* Without the lock. What the model has now is in force when this returns; where the kernel refuses it, restore (called under the lock)
 * puts the model back and what was before is in force again. */
int group_enforce(struct region *r, const char *vpc_id, int (*restore)(struct region *r, void *arg, struct error *err), void *arg,
		  struct error *err);

/* The members of securityGroupRuleSet. */
extern const struct param group_rule_members[];

/* Authorize's and Revoke's. */
#define PERMISSION_PARAMS                                                                     \
	TEXT("GroupId"), TEXT("GroupName"), LIST("IpPermissions", permission_members),            \
	{ "IpProtocol", PARAM_STRING, 0, NULL, false, "the older form of one rule" },             \
	INTEGER("FromPort"), INTEGER("ToPort"), TEXT("CidrIp"), TEXT("SourceSecurityGroupName"),  \
	TEXT("SourceSecurityGroupOwnerId")
