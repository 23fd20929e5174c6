/* The table of security group rules. */
#pragma once

#include <jansson.h>

/* groups: an array of securityGroupInfo. */
void rules_print(const json_t *groups);
