/* The way from this machine to a port of an instance, as far as the region itself sees it: its model, the machine's own links, the
 * gateway, and what a connection attempt comes to. For the explanation of a connection that fails. */
#pragma once

#include "region/query.h"

#define PATH_WORDS_MAX 512

/* How an attempt to connect ended. */
enum path_outcome { PATH_UNTRIED, PATH_CONNECTED, PATH_REFUSED, PATH_TIMED_OUT, PATH_UNREACHABLE };

struct path_facts {
	bool bridge_up;                     /* the public bridge has the host's address */
	char route_source[16];              /* from which of its addresses this machine would call the public address; "" for none */
	bool gateway_up;                    /* the VPC's namespace carries the public address */
	char router_address[16];            /* the subnet's router, the guest's default route */
	bool ready, failed;                 /* what the guest's console told since it last started */
	char phase[REGION_TEXT_MAX];        /* the last thing that it told, "" for none */
	enum path_outcome from_host;        /* to the public address */
	enum path_outcome from_router;      /* to the private address, past the security groups */
};

const char *path_outcome_name(enum path_outcome o);

/* The instance (not terminated) whose public or private address that is, false for none; ret_public tells which. ret_others: the
 * public addresses that there are, with their instances' names. */
bool region_instance_at(struct region *r, const char *address, char ret_id[ID_MAX], bool *ret_public, char ret_others[PATH_WORDS_MAX]);
/* Does a rule of the instance's groups admit TCP to port from source? ret_rule: the rule, or which rules for the port there are
 * instead; ret_groups: the groups that were looked at. */
bool region_admits(struct region *r, const char *id, unsigned port, uint32_t source, char ret_rule[PATH_WORDS_MAX],
		   char ret_groups[PATH_WORDS_MAX]);
/* Looks and tries; not with the test driver, which has no network (UnsupportedOperation). */
int region_path_facts(struct region *r, const char *id, unsigned port, struct path_facts *ret, struct error *err);
