#include "api/serialize.h"

#include <string.h>

#include "api/text.h"

#define INDENT 4 /* as EC2 does it */
#define XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void add_indent(struct buffer *out, int depth)
{
	buffer_addf(out, "%*s", depth * INDENT, "");
}

static void add_element(struct buffer *out, const char *name, const json_t *value, int depth)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_null(value))
		return;
	add_indent(out, depth);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (json_object_size(value) + json_array_size(value) == 0) {
			buffer_addf(out, "<%s/>\n", name);
			return;
		}
		buffer_addf(out, "<%s>\n", name);
		/* jansson's iteration wants a json_t that isn't const, yet changes nothing */
		json_object_foreach((json_t *)value, key, member)
			add_element(out, key, member, depth + 1);
		json_array_foreach(value, i, member)
			add_element(out, "item", member, depth + 1);
		add_indent(out, depth);
		buffer_addf(out, "</%s>\n", name);
		return;
	case JSON_STRING:
		buffer_addf(out, "<%s>", name);
		buffer_add_xml(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		buffer_addf(out, "<%s>%" JSON_INTEGER_FORMAT, name, json_integer_value(value));
		break;
	case JSON_REAL:
		buffer_addf(out, "<%s>%.15g", name, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buffer_addf(out, "<%s>%s", name, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		return;
	}
	buffer_addf(out, "</%s>\n", name);
}

void serialize_reply_xml(struct buffer *out, const char *action, const char *request_id, const json_t *reply)
{
	const char *key;
	json_t *member;

	buffer_addf(out, XML_DECLARATION "<%sResponse xmlns=\"%s\">\n", action, SERIALIZE_EC2_NAMESPACE);
	buffer_addf(out, "%*s<requestId>%s</requestId>\n", INDENT, "", request_id);
	if (reply)
		json_object_foreach((json_t *)reply, key, member)
			add_element(out, key, member, 1);
	else
		buffer_addf(out, "%*s<return>true</return>\n", INDENT, "");
	buffer_addf(out, "</%sResponse>\n", action);
}

static int add_dumped(const char *text, size_t len, void *arg)
{
	struct buffer *out = arg;

	buffer_add_len(out, text, len);
	return buffer_failed(out) ? -1 : 0;
}

/* Steals tree, which may be NULL where memory ran out. */
static void add_json(struct buffer *out, json_t *tree)
{
	if (!tree || json_dump_callback(tree, add_dumped, out, JSON_COMPACT) < 0)
		out->failed = true;
	buffer_add(out, "\n");
	json_decref(tree);
}

void serialize_reply_json(struct buffer *out, const char *request_id, const json_t *reply)
{
	json_t *tree = json_pack("{s:s}", "requestId", request_id);
	const char *key;
	json_t *member;

	if (tree && reply)
		json_object_foreach((json_t *)reply, key, member)
			json_object_set(tree, key, member);
	else if (tree)
		json_object_set_new(tree, "return", json_true());
	add_json(out, tree);
}

const char *serialize_error_code(const struct error *e)
{
	if (e->code[0])
		return e->code;
	switch (e->kind) {
	case ERROR_USAGE:
		return "InvalidParameterValue";
	case ERROR_CHECK:
		return "IncorrectState";
	case ERROR_TIMEOUT:
		return "Unavailable";
	case ERROR_NONE:
	case ERROR_ENVIRONMENT:
	case ERROR_INTERNAL:
		break;
	}
	return "InternalError";
}

int serialize_error_status(const struct error *e)
{
	static const struct {
		const char *code;
		int status;
	} known[] = {
		{ "AuthFailure", 401 },
		{ "UnauthorizedOperation", 403 },
		{ "Blocked", 403 },
		{ "OptInRequired", 403 },
		{ "DryRunOperation", 412 },
		{ "RequestEntityTooLarge", 413 },
		{ "Unavailable", 503 },
		{ "InternalError", 500 },
		{ "InsufficientInstanceCapacity", 500 },
	};
	const char *code = serialize_error_code(e);

	if (e->http_status)
		return e->http_status;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].code, code) == 0)
			return known[i].status;
	}
	return error_http_status(e);
}

void serialize_error_xml(struct buffer *out, const char *request_id, const struct error *e)
{
	buffer_add(out, XML_DECLARATION "<Response><Errors><Error><Code>");
	buffer_add_xml(out, serialize_error_code(e));
	buffer_add(out, "</Code><Message>");
	buffer_add_xml(out, e->message);
	buffer_addf(out, "</Message></Error></Errors><RequestID>%s</RequestID></Response>\n", request_id);
}

void serialize_error_json(struct buffer *out, const char *request_id, const struct error *e)
{
	AUTO_BUFFER struct buffer message = BUFFER_INIT(3 * ERROR_MESSAGE_MAX); /* U+FFFD has three bytes */

	text_add_utf8(&message, e->message);
	add_json(out, json_pack("{s:[{s:s,s:s}],s:s,s:s}", "Errors", "Code", serialize_error_code(e), "Message",
				buffer_text(&message), "RequestID", request_id, "Kind", error_kind_name(e->kind)));
}
