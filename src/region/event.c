#include "region/event.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/time.h"
#include "region/internal.h"
#include "region/reply.h"
#include "region/store.h"

#define NAME_MAX_LEN 256
#define RESOURCE_DEPTH_MAX 12

static void cleanup_json(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON CLEANUP(cleanup_json)

/* What must not be kept whatever its type is: user data holds passwords, key material is one. */
static bool is_secret(const char *name)
{
	static const char *const words[] = { "UserData", "KeyMaterial", "Password", "Secret", "PrivateKey" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

static void add_parameter(json_t *set, const char *name, const char *value, bool secret)
{
	char kept[EVENT_VALUE_MAX + 48];
	size_t len = strlen(value), cut = EVENT_VALUE_MAX;
	json_t *item;

	if (json_array_size(set) >= EVENT_PARAMETERS_MAX)
		return;
	item = add_item(set);
	if (json_array_size(set) == EVENT_PARAMETERS_MAX) {
		put_text(item, "name", "...");
		put_text(item, "value", "and more");
		return;
	}
	put_text(item, "name", name);
	if (secret) {
		snprintf(kept, sizeof kept, "(%zu bytes, not kept)", len);
	} else if (len > EVENT_VALUE_MAX) {
		while (cut > 0 && ((unsigned char)value[cut] & 0xc0) == 0x80)
			cut--; /* not within a character */
		snprintf(kept, sizeof kept, "%.*s... (%zu bytes)", (int)cut, value, len);
	} else {
		snprintf(kept, sizeof kept, "%s", value);
	}
	put_text(item, "value", kept);
}

static void walk_members(json_t *set, const struct param *params, const json_t *in, const char *prefix, bool secret);

static void walk_value(json_t *set, enum param_type type, const struct param *p, const json_t *v, const char *name, bool secret)
{
	char text[32];

	secret = secret || type == PARAM_BLOB || is_secret(p->name);
	if (json_is_object(v)) {
		walk_members(set, p->members, v, name, secret);
	} else if (json_is_string(v)) {
		add_parameter(set, name, json_string_value(v), secret);
	} else if (json_is_boolean(v)) {
		add_parameter(set, name, json_is_true(v) ? "true" : "false", secret);
	} else if (json_is_integer(v)) {
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
		add_parameter(set, name, text, secret);
	}
}

static void walk_members(json_t *set, const struct param *params, const json_t *in, const char *prefix, bool secret)
{
	for (const struct param *p = params; p && p->name; p++) {
		const json_t *v = json_object_get(in, p->name), *item;
		char name[NAME_MAX_LEN], numbered[NAME_MAX_LEN];
		size_t i;

		if (!v)
			continue;
		snprintf(name, sizeof name, "%.120s%s%.120s", prefix, *prefix ? "." : "", p->name);
		if (!json_is_array(v)) {
			walk_value(set, p->type, p, v, name, secret);
			continue;
		}
		json_array_foreach(v, i, item)
		{
			snprintf(numbered, sizeof numbered, "%.230s.%zu", name, i + 1);
			walk_value(set, p->element, p, item, numbered, secret);
		}
	}
}

void event_parameters(json_t *entry, const struct param *params, const json_t *in)
{
	walk_members(put_list(entry, "parameterSet"), params, in, "", false);
}

/* EC2's form: a prefix of lower-case words, and 17 hex digits. */
static bool is_resource_id(const char *text)
{
	const char *dash = strrchr(text, '-');

	return dash && dash > text && strlen(text) < ID_MAX && strspn(text, "abcdefghijklmnopqrstuvwxyz-") >= (size_t)(dash - text) &&
	       strlen(dash + 1) == ID_DIGITS && strspn(dash + 1, "0123456789abcdef") == ID_DIGITS;
}

static void find_ids(json_t *set, const json_t *node, int depth)
{
	const char *key;
	const json_t *member;
	size_t i;

	if (depth > RESOURCE_DEPTH_MAX || json_array_size(set) >= EVENT_RESOURCES_MAX)
		return;
	if (json_is_string(node)) {
		if (is_resource_id(json_string_value(node)) && !in_list(set, json_string_value(node)))
			json_array_append_new(set, json_string(json_string_value(node)));
	} else if (json_is_array(node)) {
		json_array_foreach(node, i, member)
			find_ids(set, member, depth + 1);
	} else if (json_is_object(node)) {
		json_object_foreach((json_t *)(uintptr_t)node, key, member)
			find_ids(set, member, depth + 1);
	}
}

void event_resources(json_t *entry, const json_t *in, const json_t *out)
{
	json_t *set = put_list(entry, "resourceSet");

	find_ids(set, in, 0);
	find_ids(set, out, 0);
}

void event_record(struct region *r, const struct action *a, const struct caller *caller, const json_t *in, const json_t *out,
		  const struct error *e, int64_t elapsed_ms)
{
	AUTO_JSON json_t *entry = json_object();
	AUTO_FREE char *body = NULL;
	struct error why = { 0 };
	const char *result = "ok";

	if (e)
		result = *e->code ? e->code : error_kind_name(e->kind);
	put_time(entry, "time", time_wall_ms());
	put_text(entry, "action", a->name);
	put_text(entry, "service", a->service);
	put_text(entry, "caller", caller->name);
	put_int(entry, "uid", (int64_t)caller->uid);
	put_int(entry, "pid", caller->pid);
	put_text(entry, "requestId", caller->request_id);
	put_text(entry, "result", result);
	put_text(entry, "message", e ? e->message : NULL);
	put_int(entry, "elapsedMs", elapsed_ms);
	event_resources(entry, in, out);
	event_parameters(entry, a->params, in);
	body = json_dumps(entry, JSON_COMPACT);
	if (!body) {
		log_warn("the event of %s, request %s, is not kept: memory ran out", a->name, caller->request_id);
		return;
	}
	region_lock(r);
	if (store_event_add(r->store, body, EVENTS_KEPT, &why) < 0)
		log_warn("the event of %s, request %s, is not kept: %s", a->name, caller->request_id, why.message);
	r->events_recorded++;
	region_changed(r);
	region_unlock(r);
}
