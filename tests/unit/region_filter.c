/* Filters with wildcards, pages, tags, types: what every Describe shares. */
#include "tap.h"

#include "base/cleanup.h"
#include "base/time.h"
#include "region/reply.h"
#include "region/types.h"

static void test_wildcards(void)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} cases[] = {
		{ "", "", true },	       { "", "a", false },	{ "a", "", false },	   { "web", "web", true },
		{ "web", "Web", false },       { "*", "", true },	{ "*", "anything", true }, { "w*", "web", true },
		{ "*b", "web", true },	       { "w*b", "wb", true },	{ "w*e*b", "we-be-b", true }, { "w?b", "web", true },
		{ "w?b", "wb", false },	       { "???", "web", true },	{ "????", "web", false },  { "**", "x", true },
		{ "*?", "", false },	       { "*?", "x", true },	{ "a\\*b", "a*b", true },  { "a\\*b", "axb", false },
		{ "a\\?", "a?", true },	       { "a\\?", "ab", false }, { "a\\\\", "a\\", true },  { "\\", "\\", true },
		{ "*.small", "t2.small", true }, { "t?.*", "t2.small", true }, { "*a*a*b", "aaab", true }, { "*ab", "aab", true },
	};
	char slow[64 * 1024], pattern[256];
	int64_t began;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok(wildcard_match(cases[i].pattern, cases[i].text) == cases[i].match, "'%s' %s '%s'", cases[i].pattern,
		   cases[i].match ? "is" : "is not", cases[i].text);
	memset(slow, 'a', sizeof slow - 1);
	slow[sizeof slow - 1] = '\0';
	for (size_t i = 0; i + 2 < sizeof pattern; i += 2)
		memcpy(pattern + i, "*a", 3);
	strcat(pattern, "b");
	began = time_mono_ms();
	ok(!wildcard_match(pattern, slow) && time_mono_ms() - began < 5000, "a pattern that means ill is not slow");
}

static json_t *items(void)
{
	static const char text[] = "[{\"id\":\"i-1\",\"n\":7,\"yes\":true,\"list\":[{\"x\":\"a\"},{\"x\":\"b\"}],\"tagSet\":[{\"key\":\"Name\",\"value\":\"web\"}]},"
				   "{\"id\":\"i-2\",\"n\":8,\"yes\":false,\"list\":[],\"tagSet\":[{\"key\":\"Name\",\"value\":\"db\"},{\"key\":\"k\",\"value\":\"\"}]},"
				   "{\"id\":\"i-3\",\"tagSet\":[]}]";

	return json_loads(text, 0, NULL);
}

static const struct filter_path paths[] = { { "id", "id" }, { "n", "n" }, { "yes", "yes" }, { "x", "list/x" }, { NULL, NULL } };

/* The ids that the parameters let through, or the error's code. */
static const char *described(const char *params, bool ids_given)
{
	static char text[256];
	json_t *in = json_loads(params, 0, NULL), *out = json_object();
	struct error err = { 0 };
	const json_t *v;
	size_t i;

	text[0] = '\0';
	if (describe_finish(in, out, "set", items(), paths, ids_given, &err) < 0)
		snprintf(text, sizeof text, "%s", err.code);
	json_array_foreach(json_object_get(out, "set"), i, v)
	{
		size_t n = strlen(text);

		snprintf(text + n, sizeof text - n, "%s ", json_string_value(json_object_get(v, "id")));
	}
	if (json_object_get(out, "nextToken"))
		strcat(text, json_string_value(json_object_get(out, "nextToken")));
	json_decref(in);
	json_decref(out);
	return text;
}

#define FILTER(name, value) "{\"Filter\":[{\"Name\":\"" name "\",\"Value\":[\"" value "\"]}]}"

static void test_describe(void)
{
	json_t *many = json_array(), *in = json_pack("{s:i}", "MaxResults", 5), *out;
	char token[64] = "";
	size_t seen = 0, pages = 0;

	is_str(described("{}", false), "i-1 i-2 i-3 ", "no filter lets all through");
	is_str(described(FILTER("id", "i-?"), false), "i-1 i-2 i-3 ", "a wildcard");
	is_str(described(FILTER("n", "8"), false), "i-2 ", "a number");
	is_str(described(FILTER("yes", "true"), false), "i-1 ", "a boolean");
	is_str(described(FILTER("x", "b"), false), "i-1 ", "any element of a list");
	is_str(described(FILTER("tag:Name", "*b"), false), "i-1 i-2 ", "a tag");
	is_str(described(FILTER("tag:Na", "*"), false), "", "a tag's key is whole");
	is_str(described(FILTER("tag-key", "k"), false), "i-2 ", "a tag's key");
	is_str(described(FILTER("tag:k", ""), false), "i-2 ", "an empty value");
	is_str(described("{\"Filter\":[{\"Name\":\"n\",\"Value\":[\"7\",\"8\"]},{\"Name\":\"yes\",\"Value\":[\"false\"]}]}", false), "i-2 ",
	       "values are alternatives, filters conditions");
	is_str(described(FILTER("colour", "green"), false), "InvalidParameterValue", "an unknown filter");
	is_str(described("{\"Filter\":[{\"Name\":\"n\"}]}", false), "InvalidParameterValue", "a filter without a value");
	is_str(described("{\"MaxResults\":4}", false), "InvalidParameterValue", "too small a page");
	is_str(described("{\"MaxResults\":5}", true), "InvalidParameterCombination", "a page of named ones");
	is_str(described("{\"NextToken\":\"p1-1\"}", false), "i-2 i-3 ", "a token");
	is_str(described("{\"NextToken\":\"p1-1x\"}", false), "InvalidNextToken", "no token");
	is_str(described("{\"NextToken\":\"\"}", false), "InvalidNextToken", "nothing is none either");

	for (int i = 0; i < 12; i++)
		json_array_append_new(many, json_pack("{s:i}", "n", i));
	do {
		out = json_object();
		json_incref(many);
		describe_finish(in, out, "set", many, paths, false, NULL);
		seen += json_array_size(json_object_get(out, "set"));
		snprintf(token, sizeof token, "%s", json_object_get(out, "nextToken") ? json_string_value(json_object_get(out, "nextToken")) : "");
		json_object_set_new(in, "NextToken", json_string(token));
		json_decref(out);
	} while (*token && ++pages < 10);
	ok(seen == 12 && pages == 2, "twelve in pages of five: %zu in %zu and one", seen, pages);
	json_decref(many);
	json_decref(in);
}

static void test_tags(void)
{
	struct tags t = { NULL, 0 }, copy = { NULL, 0 };
	struct error err = { 0 };
	char long_key[4 * 128 + 1] = "", key[16];

	ok(tags_set(&t, "Name", "web", NULL) == 0 && tags_set(&t, "Name", "db", NULL) == 0 && t.count == 1, "a tag is overwritten");
	is_str(tags_get(&t, "Name"), "db", "by the later");
	is_str(tags_get(&t, "name"), NULL, "letters count");
	for (int i = 0; i < 127; i++)
		strcat(long_key, "🦄");
	ok(tags_set(&t, long_key, "x", &err) == 0, "a key of 127 characters, whatever their bytes: %s", err.message);
	strcat(long_key, "x");
	ok(tags_set(&t, long_key, "x", &err) < 0, "but not 128: %.80s", err.message);
	ok(tags_set(&t, "AWS:x", "x", &err) < 0 && strcmp(err.code, "InvalidParameterValue") == 0, "AWS's own");
	for (int i = 0; t.count < TAGS_PER_RESOURCE_MAX; i++) {
		snprintf(key, sizeof key, "k%d", i);
		tags_set(&t, key, "", NULL);
	}
	ok(tags_set(&t, "more", "x", &err) < 0 && strcmp(err.code, "TagLimitExceeded") == 0, "fifty is the most");
	ok(tags_copy(&copy, &t, NULL) == 0 && copy.count == t.count && copy.items[0].key != t.items[0].key, "a copy is its own");
	tags_free(&t);
	is_str(tags_get(&copy, "Name"), "db", "and outlives the other");
	tags_free(&copy);
}

static void test_types(void)
{
	static const struct {
		const char *typed, *meant;
	} guesses[] = { { "t2.smal", "t2.small?" }, { "t2small", "t2.small?" }, { "t3.2xlarg", "t3.2xlarge?" }, { "T2.MICRO", "t2." },
			{ "t3.micr0", "t3.micro?" } };
	struct error err;
	char huge[4096];

	ok(instance_type_find("t2.small", NULL)->memory_mib == 2048 && instance_type_find("t2.small", NULL)->vcpus == 1, "t2.small is 1 vCPU and 2 GiB");
	ok(instance_type_find("t3.2xlarge", NULL)->memory_mib == 32768 && instance_type_find("t3.2xlarge", NULL)->vcpus == 8, "t3.2xlarge is 8 and 32");
	for (size_t i = 0; i < ARRAY_SIZE(guesses); i++) {
		memset(&err, 0, sizeof err);
		ok(!instance_type_find(guesses[i].typed, &err) && strstr(err.message, guesses[i].meant), "%s: %s", guesses[i].typed, err.message);
	}
	memset(huge, 'x', sizeof huge - 1);
	huge[sizeof huge - 1] = '\0';
	ok(!instance_type_find(huge, &err) && !instance_type_find("", &err), "nothing and very much are no type");
}

int main(void)
{
	test_wildcards();
	test_describe();
	test_tags();
	test_types();
	return tap_done();
}
