/* The event log: who changed what, when, and how it ended. One entry for each mutating call, kept in the store. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "region/action.h"

#define EVENTS_KEPT 10000
#define EVENT_VALUE_MAX 120     /* bytes of a parameter's value that are kept */
#define EVENT_PARAMETERS_MAX 64 /* of one call */
#define EVENT_RESOURCES_MAX 32

/* Records a call that has ended; in NULL where it could not be decoded, out NULL and e set where it failed. The dispatcher's alone to
 * call. A log that can't be written is said in the daemon's log and holds up nothing. */
void event_record(struct region *r, const struct action *a, const struct caller *caller, const json_t *in, const json_t *out,
		  const struct error *e, int64_t elapsed_ms);

/* The parameters as they were sent (Name.1.Member = value), without secrets: blobs are left out but for their size, long values
 * cut. Into parameterSet of entry. Pure. */
void event_parameters(json_t *entry, const struct param *params, const json_t *in);
/* The ids of what a call named or made, each once. Into resourceSet of entry. Pure. */
void event_resources(json_t *entry, const json_t *in, const json_t *out);
