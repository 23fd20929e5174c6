/* The instance types of the region: t2 and t3, nano to 2xlarge (aws.amazon.com/ec2/instance-types). */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct instance_type {
	const char *name;
	unsigned vcpus, memory_mib;
	bool current_generation, free_tier;
};

extern const struct instance_type instance_types[]; /* ends with a NULL name */
/* InvalidParameterValue with the nearest name for an unknown one. */
const struct instance_type *instance_type_find(const char *name, struct error *err);
