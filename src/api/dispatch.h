/* One call from its text to its text: finds the action, decodes, runs, serializes, logs. Knows nothing of HTTP but statuses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "region/action.h"

/* A mutating call that has ended: in NULL where it could not be decoded, out NULL and e set where it failed. */
typedef void api_record(struct region *r, const struct action *a, const struct caller *caller, const json_t *in, const json_t *out,
			const struct error *e, int64_t elapsed_ms);

struct api_request {
	struct region *region;
	const struct action *const *tables; /* each ended by a NULL name, all by a NULL table */
	struct caller caller;               /* dry_run is the dispatcher's to set */
	const char *query;                  /* the URL's, still encoded; NULL for none */
	size_t query_len;
	const char *body; /* NULL for none */
	size_t body_len;
	bool json; /* by the Accept header; ContentType=JSON asks too */
	api_record *record; /* or NULL */
};

struct api_answer {
	int status;
	const char *content_type; /* static */
	char *body;               /* the caller frees; NULL only where memory ran out, with status 500 */
	size_t len;
};

void api_dispatch(struct api_request *req, struct api_answer *ret);
/* The answer to a call that got no further. */
void api_answer_error(const char *request_id, bool json, const struct error *e, struct api_answer *ret);

const struct action *api_table_find(const struct action *const *tables, const char *name);
