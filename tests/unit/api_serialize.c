/* Replies and errors on the wire, and the check of replies against their tables. */
#include <libxml/parser.h>

#include "api/check.h"
#include "api/serialize.h"
#include "api/server.h"
#include "base/cleanup.h"
#include "tap.h"

#define REQUEST_ID "59dbff89-35bd-4eac-99ed-be587EXAMPLE"

static const struct param state_members[] = { { .name = "code", .type = PARAM_INTEGER },
					      { .name = "name", .type = PARAM_STRING },
					      { 0 } };
static const struct param tag_members[] = { { .name = "key", .type = PARAM_STRING, .required = true },
					    { .name = "value", .type = PARAM_STRING },
					    { 0 } };
static const struct param instance_members[] = {
	{ .name = "instanceId", .type = PARAM_STRING, .required = true, .what = "Its id | as EC2's" },
	{ .name = "instanceState", .type = PARAM_STRUCTURE, .members = state_members },
	{ .name = "launchTime", .type = PARAM_TIMESTAMP },
	{ .name = "ebsOptimized", .type = PARAM_BOOLEAN },
	{ .name = "tagSet", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = tag_members },
	{ .name = "groupSet", .type = PARAM_LIST, .element = PARAM_STRING },
	{ 0 }
};
static const struct param describe_reply[] = {
	{ .name = "instancesSet", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = instance_members },
	{ .name = "nextToken", .type = PARAM_STRING },
	{ 0 }
};
static const struct param describe_params[] = {
	{ .name = "InstanceId", .type = PARAM_LIST, .element = PARAM_STRING, .required = true, .what = "The instances" },
	{ .name = "Filter", .type = PARAM_LIST, .element = PARAM_STRUCTURE, .members = tag_members, .what = "ANDed" },
	{ .name = "WaitSeconds", .type = PARAM_INTEGER },
	{ 0 }
};
static const struct action actions[] = {
	{ .name = "DescribeInstances", .service = "ec2", .what = "Describes instances.", .params = describe_params,
	  .reply = describe_reply },
	{ .name = "CreateTags", .service = "ec2", .what = "Tags resources.", .mutates = true },
	{ .name = "StopRegion", .service = "vpclab", .what = "Ends it all.", .mutates = true },
	{ 0 }
};

static const char tree[] =
	"{\"instancesSet\":[{\"instanceId\":\"i-0123456789abcdef0\",\"instanceState\":{\"code\":16,\"name\":\"running\"},"
	"\"launchTime\":\"2026-11-22T10:14:57.000Z\",\"ebsOptimized\":false,"
	"\"tagSet\":[{\"key\":\"이름\",\"value\":\"웹 <서버> & \\\"강의\\\" 🐧\"},"
	"{\"key\":\"odd\",\"value\":\"tab\\t line\\n return\\r bell\\u0007 esc\\u001b ' end\"},{\"key\":\"empty\",\"value\":\"\"}],"
	"\"groupSet\":[]},{\"instanceId\":\"i-2\",\"instanceState\":{},\"ebsOptimized\":true,\"groupSet\":[\"a\",\"b\"]}],"
	"\"nextToken\":null}";

static json_t *load(const char *text)
{
	json_error_t e;
	json_t *j = json_loads(text, 0, &e);

	if (!j) {
		printf("Bail out! %s: %s\n", e.text, text);
		exit(1);
	}
	return j;
}

/* libxml2 must read back what we wrote by hand. */
static void is_xml(const struct buffer *out, const char *what)
{
	xmlDoc *doc = xmlReadMemory(buffer_text(out), (int)out->len, NULL, NULL, XML_PARSE_NONET);

	ok(doc, "%s is well-formed", what);
	if (doc)
		xmlFreeDoc(doc);
}

static void test_replies(void)
{
	json_t *reply = load(tree);
	AUTO_BUFFER struct buffer out = BUFFER_INIT(SERIALIZE_MAX);
	json_t *back;

	serialize_reply_xml(&out, "DescribeInstances", REQUEST_ID, reply);
	golden(buffer_text(&out), "api-reply.xml");
	is_xml(&out, "the reply");
	buffer_reset(&out);
	serialize_reply_json(&out, REQUEST_ID, reply);
	golden(buffer_text(&out), "api-reply.json");
	back = load(buffer_text(&out));
	is_str(json_string_value(json_object_get(back, "requestId")), REQUEST_ID, "JSON has the request id");
	json_object_del(back, "requestId");
	ok(json_equal(back, reply), "and the rest is the tree");
	json_decref(back);
	json_decref(reply);

	buffer_reset(&out);
	serialize_reply_xml(&out, "CreateTags", REQUEST_ID, NULL);
	golden(buffer_text(&out), "api-return.xml");
	buffer_reset(&out);
	serialize_reply_json(&out, REQUEST_ID, NULL);
	is_str(buffer_text(&out), "{\"requestId\":\"" REQUEST_ID "\",\"return\":true}\n", "JSON of an action without a reply");
}

static void test_errors(void)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(SERIALIZE_MAX);
	struct error e = { 0 };
	json_t *back;

	error_set_code(&e, ERROR_USAGE, "InvalidGroup.NotFound", "The group '강의 <\"&'>\x01' does not exist\xea\xb0");
	serialize_error_xml(&out, REQUEST_ID, &e);
	golden(buffer_text(&out), "api-error.xml");
	is_xml(&out, "the error");
	buffer_reset(&out);
	serialize_error_json(&out, REQUEST_ID, &e);
	golden(buffer_text(&out), "api-error.json");
	back = load(buffer_text(&out));
	json_decref(back);
}

static void test_codes(void)
{
	static const struct {
		enum error_kind kind;
		const char *code, *want_code;
		int status;
	} cases[] = {
		{ ERROR_USAGE, "InvalidInstanceID.NotFound", "InvalidInstanceID.NotFound", 400 },
		{ ERROR_USAGE, "", "InvalidParameterValue", 400 },
		{ ERROR_USAGE, "DryRunOperation", "DryRunOperation", 412 },
		{ ERROR_USAGE, "UnauthorizedOperation", "UnauthorizedOperation", 403 },
		{ ERROR_USAGE, "AuthFailure", "AuthFailure", 401 },
		{ ERROR_USAGE, "RequestEntityTooLarge", "RequestEntityTooLarge", 413 },
		{ ERROR_ENVIRONMENT, "InsufficientInstanceCapacity", "InsufficientInstanceCapacity", 500 },
		{ ERROR_ENVIRONMENT, "", "InternalError", 500 },
		{ ERROR_INTERNAL, "", "InternalError", 500 },
		{ ERROR_TIMEOUT, "", "Unavailable", 503 },
		{ ERROR_CHECK, "", "IncorrectState", 400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error e = { 0 };

		error_set_code(&e, cases[i].kind, cases[i].code, "A sentence.");
		is_str(serialize_error_code(&e), cases[i].want_code, "code");
		is_int(serialize_error_status(&e), cases[i].status, cases[i].want_code);
	}
}

static void test_check(void)
{
	static const struct {
		const char *reply, *message; /* NULL: it is true to the table */
	} cases[] = {
		{ "{}", NULL },
		{ "{\"instancesSet\":[]}", NULL },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\",\"instanceState\":{\"code\":1},\"groupSet\":[\"x\"]}]}", NULL },
		{ "{\"instanceSet\":[]}", "instanceSet is not in the action's table." },
		{ "{\"instancesSet\":{}}", "instancesSet is not a list, as its table says." },
		{ "{\"instancesSet\":[\"i\"]}", "instancesSet[0] is not a structure, as its table says." },
		{ "{\"instancesSet\":[{}]}", "instancesSet[0].instanceId is missing, though its table requires it." },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\"},{\"instanceId\":7}]}",
		  "instancesSet[1].instanceId is not a string, as its table says." },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\",\"instanceState\":{\"code\":\"1\"}}]}",
		  "instancesSet[0].instanceState.code is not an integer, as its table says." },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\",\"instanceState\":{\"colour\":1}}]}",
		  "instancesSet[0].instanceState.colour is not in the action's table." },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\",\"launchTime\":\"now\"}]}",
		  "instancesSet[0].launchTime is not a time, as its table says." },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\",\"ebsOptimized\":\"true\"}]}",
		  "instancesSet[0].ebsOptimized is not a boolean, as its table says." },
		{ "{\"instancesSet\":[{\"instanceId\":\"i\",\"groupSet\":[\"a\",1]}]}",
		  "instancesSet[0].groupSet[1] is not a string, as its table says." },
		{ "{\"nextToken\":null}", "nextToken is not a string, as its table says." },
	};
	struct error e = { 0 };
	json_t *empty = json_object(), *full = load("{\"x\":1}");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *reply = load(cases[i].reply);
		const char *colon;
		int r;

		error_clear(&e);
		r = api_reply_check(&actions[0], reply, &e);
		colon = strstr(e.message, ": ");
		if (cases[i].message)
			ok(r < 0 && is_str(colon ? colon + 2 : e.message, cases[i].message, cases[i].reply), "refused");
		else
			ok(r == 0, "true to the table: %s", cases[i].reply);
		json_decref(reply);
	}
	ok(api_reply_check(&actions[1], empty, &e) == 0, "nothing where the table has nothing");
	ok(api_reply_check(&actions[1], full, &e) < 0, "something where the table has nothing");
	json_decref(empty);
	json_decref(full);
}

static void test_reference(void)
{
	const struct action *const tables[] = { actions, NULL };
	AUTO_BUFFER struct buffer out = BUFFER_INIT(1 << 20);

	api_reference_of(tables, &out);
	golden(buffer_text(&out), "api-reference.md");
}

int main(void)
{
	test_replies();
	test_errors();
	test_codes();
	test_check();
	test_reference();
	xmlCleanupParser();
	return tap_done();
}
