/* From a query's pairs to an action's typed parameters, by the action's table. Pure; safe on any bytes.
 * EC2's rules: lists are flattened (X.1, X.2.Y), any index from 0 counts, gaps are fine, members are sorted by index. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "api/query.h"
#include "base/error.h"
#include "region/action.h"

/* What any request may say beside its action's parameters. */
struct decode_common {
	const struct query_pair *action; /* points into the query */
	bool dry_run;
	bool json; /* ContentType=JSON */
};

/* Fails with MissingAction, InvalidParameterValue (Version, DryRun); ret->json is set even then. */
int decode_common(const struct query *q, struct decode_common *ret, struct error *err);
/* The parameters as region/action.h promises them to a handler: a new object, NULL with ERROR_USAGE and EC2's code. */
json_t *decode_params(const struct action *a, const struct query *q, struct error *err);
/* "2026-11-22T10:14:57.000Z" and the other usual forms of ISO 8601. */
bool decode_is_timestamp(const char *text);
