/* Security group rules as words of a command line and as rows of a table. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/client.h"

/* One permission without its source. */
struct rule {
	char protocol[8]; /* tcp, udp, icmp, -1 */
	int from, to;     /* ports; ICMP type and code, -1 any; unused with protocol -1 */
};

/* PORT, FROM-TO, PORT/udp, all, all/tcp, icmp, TYPE/icmp, and the console's names ssh, http, https. Port 70000 and the like
 * are InvalidParameterValue in one sentence. Pure. */
int rule_parse(const char *text, struct rule *ret, struct error *err);
/* "TCP 8000", "UDP 53-54", "all ICMP", "all traffic". Pure. */
void rule_phrase(char out[64], const struct rule *r);

/* Cells of EC2's console: "TCP", "8000 - 8010", "All". Pure. */
void rule_cells(char protocol[16], char ports[32], const json_t *permission);
/* Does a permission of the groups (securityGroupInfo) let this TCP port in, from anyone at all? Pure. */
bool rules_allow_tcp(const json_t *groups, int port);

/* Adds IpPermissions.1.* with the peer: a CIDR, an address (then /32), or a group's id or name, which is looked up. */
int rule_request(struct cli *cli, struct request *r, const struct rule *rule, const char *peer, struct error *err);
/* The instance's (or any object's groupSet) groups in full: a new array, securityGroupInfo. */
json_t *groups_describe(struct cli *cli, const json_t *group_set, struct error *err);
/* One group by id or name; a new reference. */
json_t *group_get(struct cli *cli, const char *name, struct error *err);
