/* The action RunInstances: checks what is asked for, stores the pending instances, starts their jobs. */
#pragma once

#include "region/action.h"

#define GROUPS_PER_ENI_QUOTA 5 /* EC2's default quota */
#define RUN_STATES_QUOTA 1000  /* instances that are not terminated */

extern const struct param run_params[];
int run_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err);
