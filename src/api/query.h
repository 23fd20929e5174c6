/* application/x-www-form-urlencoded text, of a URL's query or of a body, taken apart into names and values. Knows nothing
 * of actions (decode.h does). Pure; safe on any bytes. */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define QUERY_BODY_MAX (1u << 20)
#define QUERY_PAIRS_MAX 4096
#define QUERY_NAME_MAX 256
#define QUERY_SEGMENTS_MAX 16 /* of a name: IpPermissions.1.IpRanges.1.CidrIp has five */
#define QUERY_VALUE_MAX (256u << 10)
#define QUERY_TEXTS_MAX 2     /* a URL's query and a body */

struct query_pair {
	const char *name; /* NUL-terminated, no NUL inside, not empty */
	size_t name_len;
	const char *value; /* NUL-terminated, but may have NULs inside and be no UTF-8 */
	size_t value_len;
};

struct query {
	struct query_pair *pairs; /* in the order sent, duplicates included */
	size_t count, cap;
	char *texts[QUERY_TEXTS_MAX]; /* what the pairs point into */
	size_t text_count;
};

#define QUERY_INIT { NULL, 0, 0, { NULL, NULL }, 0 }

/* Adds the pairs of one text, at most QUERY_TEXTS_MAX times a query. Errors are ERROR_USAGE with EC2's MalformedQueryString or
 * InvalidParameterValue; what was added before stays. */
int query_parse(struct query *q, const char *text, size_t len, struct error *err);
void query_done(struct query *q);
#define AUTO_QUERY CLEANUP(query_done)

/* The first pair of that name, NULL without one. */
const struct query_pair *query_find(const struct query *q, const char *name);
