/* DescribeEvents: the event log, asked for. */
#include <string.h>

#include "base/cleanup.h"
#include "base/time.h"
#include "region/event.h"
#include "region/guest.h"
#include "region/internal.h"
#include "region/reply.h"
#include "region/store.h"

static const struct param describe_params[] = {
	PARAM_FILTERS,
	PARAM_PAGES,
	{ "After", PARAM_INTEGER, 0, NULL, false, "only entries with a greater sequence" },
	{ "WaitSeconds", PARAM_INTEGER, 0, NULL, false, "where there is none yet, wait so long for one (60 at most)" },
	{ "Newest", PARAM_INTEGER, 0, NULL, false, "only so many, the newest; not together with MaxResults" },
	PARAM_END,
};
static const struct param parameter_members[] = { TEXT("name"), TEXT("value"), PARAM_END };
static const struct param event_members[] = {
	INTEGER("sequence"), TIMESTAMP("time"), TEXT("action"), TEXT("service"), TEXT("caller"), INTEGER("uid"), INTEGER("pid"),
	TEXT("requestId"), TEXT("result"), TEXT("message"), INTEGER("elapsedMs"), TEXTS("resourceSet"),
	LIST("parameterSet", parameter_members), PARAM_END,
};
static const struct param describe_reply[] = { LIST("eventSet", event_members), TEXT("nextToken"), INTEGER("lastSequence"), PARAM_END };
static const struct filter_path describe_filters[] = {
	{ "resource", "resourceSet" }, { "action", "action" },       { "caller", "caller" },
	{ "result", "result" },	       { "request-id", "requestId" }, { NULL, NULL },
};

struct row {
	int64_t sequence;
	char *body;
};

struct rows {
	struct row *items;
	size_t count, cap;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->items[i].body);
	free(rows->items);
	memset(rows, 0, sizeof *rows);
}

static int add_row(void *arg, int64_t sequence, const char *body, struct error *err)
{
	struct rows *rows = arg;

	if (rows->count == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 64;
		struct row *more = reallocarray(rows->items, cap, sizeof *more);

		if (!more)
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		rows->items = more;
		rows->cap = cap;
	}
	rows->items[rows->count] = (struct row){ sequence, strdup(body) };
	if (!rows->items[rows->count].body)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	rows->count++;
	return 0;
}

/* Entries after *last that pass the call's filters into out, without the region's lock, for there may be thousands to read. */
static int look(struct region *r, const json_t *in, json_t *out, int64_t *last, uint64_t *ret_recorded,
		struct error *err)
{
	struct rows rows CLEANUP(rows_done) = { 0 };
	json_t *items = json_array();
	int rc;

	region_lock(r);
	*ret_recorded = r->events_recorded;
	rc = store_event_each(r->store, *last, add_row, &rows, err);
	region_unlock(r);
	for (size_t i = 0; rc == 0 && i < rows.count; i++) {
		json_t *item = json_object(), *stored = json_loads(rows.items[i].body, 0, NULL);

		put_int(item, "sequence", rows.items[i].sequence);
		json_object_update(item, stored);
		json_decref(stored);
		json_array_append_new(items, item);
		*last = rows.items[i].sequence;
	}
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "eventSet", items, describe_filters, false, err);
}

static int check(const json_t *in, struct error *err)
{
	int64_t after = in_int(in, "After", 0), wait = in_int(in, "WaitSeconds", 0), newest = in_int(in, "Newest", 1);

	if (wait < 0 || wait > LONG_POLL_MAX_S)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "WaitSeconds is 0 to %d, not %lld.", LONG_POLL_MAX_S,
				      (long long)wait);
	if (after < 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "After is a sequence of an entry, or 0, not %lld.",
				      (long long)after);
	if (newest < 1 || newest > EVENTS_KEPT)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Newest is 1 to %d, not %lld.", EVENTS_KEPT,
				      (long long)newest);
	if (json_object_get(in, "Newest") && (json_object_get(in, "MaxResults") || json_object_get(in, "NextToken")))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "The parameter Newest can't be used together with MaxResults or NextToken.");
	return 0;
}

static int describe_events(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int64_t deadline = deadline_in(in_int(in, "WaitSeconds", 0) * 1000), last = in_int(in, "After", 0);
	size_t newest = (size_t)in_int(in, "Newest", 0);
	json_t *set;
	uint64_t seen;
	bool over = false;

	(void)caller;
	if (check(in, err) < 0)
		return -1;
	for (;;) {
		if (look(r, in, out, &last, &seen, err) < 0)
			return -1;
		if (over || json_array_size(json_object_get(out, "eventSet")) > 0)
			break;
		region_lock(r);
		while (r->events_recorded == seen && !over)
			over = r->closing || !region_wait(r, deadline);
		region_unlock(r);
	}
	set = json_object_get(out, "eventSet");
	while (newest && json_array_size(set) > newest)
		json_array_remove(set, 0);
	put_int(out, "lastSequence", last);
	return 0;
}

const struct action event_actions[] = {
	{ "DescribeEvents", "vpclab",
	  "The newest 10,000 calls that changed something or tried to: who, when, with what parameters, and the result (the lab's own).",
	  describe_params, describe_reply, false, describe_events },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
