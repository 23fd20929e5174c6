#include "region/types.h"

#include <string.h>

#include "base/cleanup.h"

#define NAME_MAX_COMPARED 31

const struct instance_type instance_types[] = {
	{ "t2.nano", 1, 512, true, false },      { "t2.micro", 1, 1024, true, true },
	{ "t2.small", 1, 2048, true, false },    { "t2.medium", 2, 4096, true, false },
	{ "t2.large", 2, 8192, true, false },    { "t2.xlarge", 4, 16384, true, false },
	{ "t2.2xlarge", 8, 32768, true, false }, { "t3.nano", 2, 512, true, false },
	{ "t3.micro", 2, 1024, true, false },    { "t3.small", 2, 2048, true, false },
	{ "t3.medium", 2, 4096, true, false },   { "t3.large", 2, 8192, true, false },
	{ "t3.xlarge", 4, 16384, true, false },  { "t3.2xlarge", 8, 32768, true, false },
	{ NULL, 0, 0, false, false },
};

/* Levenshtein's distance of two short names. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_COMPARED + 1];
	size_t la = strnlen(a, NAME_MAX_COMPARED), lb = strnlen(b, NAME_MAX_COMPARED);

	for (unsigned k = 0; k <= lb; k++)
		row[k] = k;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t k = 1; k <= lb; k++) {
			unsigned best = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[lb];
}

const struct instance_type *instance_type_find(const char *name, struct error *err)
{
	const struct instance_type *nearest = &instance_types[0];

	for (const struct instance_type *t = instance_types; t->name; t++) {
		if (strcmp(t->name, name) == 0)
			return t;
		if (distance(name, t->name) < distance(name, nearest->name))
			nearest = t;
	}
	error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Invalid value '%.64s' for InstanceType. Did you mean %s?", name,
		       nearest->name);
	return NULL;
}
