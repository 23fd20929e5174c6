/* What the rooms above ask of the region beside its actions: an action by C call, and facts that checks need. */
#pragma once

#include "base/process.h"
#include "region/action.h"
#include "region/region.h"

#define REGION_TEXT_MAX 256

struct instance_facts {
	char id[ID_MAX], name[REGION_TEXT_MAX], state[16], type[64], image[64], image_os[REGION_TEXT_MAX], default_user[64];
	char private_ip[16], public_ip[16], host_address[16]; /* "" for none; host_address: the host's on the public bridge */
	int host_first_port, host_last_port; /* those of the host's that guests may reach */
	unsigned vcpus, memory_mib;
	bool running, is_test;
};

/* By id. Errors as DescribeInstances. */
int region_instance_facts(struct region *r, const char *id, struct instance_facts *ret, struct error *err);
/* Does a rule of the instance's groups admit TCP to port from anywhere (inbound), or anything at all out? ret_rule: the
 * words of the rule, or what is missing. */
bool region_port_open(struct region *r, const char *id, unsigned port, char ret_rule[REGION_TEXT_MAX]);
bool region_outbound_open(struct region *r, const char *id, char ret_rule[REGION_TEXT_MAX]);
/* The launch's user data as sent, decoded; the caller frees; NULL where there is none. */
char *region_user_data(struct region *r, const char *id, size_t *ret_len);
/* guest.h's guest_run. */
int region_guest_run(struct region *r, const char *id, const char *script, int64_t deadline, struct process_result *ret, struct error *err);
/* Whether user data is cloud-config that no YAML parser can read; why gets the parser's words. */
bool region_user_data_broken(const char *data, size_t len, char *why, size_t why_size);
