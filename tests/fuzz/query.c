/* A call as it comes: one line the URL's query, the rest the body, decoded by the region's own tables. */
#include "api/query.h"

#include "api/decode.h"
#include "api/server.h"
#include "fuzz/fuzz.h"

#define DEFAULTS 8

static const struct action *chosen(const struct query_pair *name)
{
	const struct action *a = name ? api_action_find(name->value) : NULL;

	return a ? a : api_action_find("RunInstances");
}

static void typed(const struct param *params, const json_t *value, int depth);

static void typed_one(const struct param *p, enum param_type type, const json_t *v, int depth)
{
	json_t *member;
	size_t i;

	switch (type) {
	case PARAM_STRING:
	case PARAM_BLOB:
	case PARAM_TIMESTAMP:
		MUST(json_is_string(v));
		MUST(strlen(json_string_value(v)) == json_string_length(v));
		MUST(json_string_length(v) <= (type == PARAM_BLOB ? PARAM_BLOB_MAX : PARAM_STRING_MAX));
		break;
	case PARAM_INTEGER:
		MUST(json_is_integer(v));
		break;
	case PARAM_BOOLEAN:
		MUST(json_is_boolean(v));
		break;
	case PARAM_LIST:
		MUST(json_is_array(v) && json_array_size(v) <= PARAM_LIST_MAX);
		json_array_foreach(v, i, member)
			typed_one(p, p->element, member, depth + 1);
		break;
	case PARAM_STRUCTURE:
		typed(p->members, v, depth + 1);
		break;
	}
}

/* What the handlers rely on (region/action.h). */
static void typed(const struct param *params, const json_t *value, int depth)
{
	size_t seen = 0;

	MUST(json_is_object(value) && depth <= 2 * PARAM_DEPTH_MAX);
	for (const struct param *p = params; p && p->name; p++) {
		const json_t *v = json_object_get(value, p->name);

		MUST(v || !p->required);
		if (!v)
			continue;
		seen++;
		typed_one(p, p->type, v, depth);
	}
	MUST(seen == json_object_size(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	size_t first = line ? (size_t)(line - data) : 0;
	char *url = fuzz_bytes(data, first), *body = fuzz_bytes(data + (line ? first + 1 : 0), size - (line ? first + 1 : 0));
	struct query q = QUERY_INIT;
	struct error err = { 0 };

	if (query_parse(&q, url, first, &err) == 0 && query_parse(&q, body, size - (line ? first + 1 : 0), &err) == 0) {
		struct decode_common common = { 0 };
		const struct action *a;
		json_t *in;

		for (size_t i = 0; i < q.count; i++) {
			MUST(q.pairs[i].name_len > 0 && q.pairs[i].name_len <= QUERY_NAME_MAX);
			MUST(strlen(q.pairs[i].name) == q.pairs[i].name_len && q.pairs[i].value[q.pairs[i].value_len] == '\0');
			MUST(query_find(&q, q.pairs[i].name));
		}
		if (decode_common(&q, &common, &err) < 0)
			MUST(err.kind == ERROR_USAGE && *err.code);
		a = chosen(common.action);
		memset(&err, 0, sizeof err);
		in = decode_params(a, &q, &err);
		if (in) {
			char *text = json_dumps(in, JSON_COMPACT);

			typed(a->params, in, 0);
			MUST(text);
			free(text);
			json_decref(in);
		} else {
			MUST(err.kind == ERROR_USAGE && *err.code && *err.message);
		}
	} else {
		MUST(err.kind == ERROR_USAGE && *err.code);
	}
	query_done(&q);
	free(url);
	free(body);
	return 0;
}
