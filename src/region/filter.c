#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "region/reply.h"

#define MAX_RESULTS_MIN 5
#define MAX_RESULTS_MAX 1000
#define FILTER_VALUES_MAX 200 /* EC2's limit of values in one filter */

/* * and ? as EC2's filters have them, a backslash takes the next character literally. Iterative: no pattern is slow. */
bool wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		const char *p = pattern;

		if (*p == '*') {
			star = ++pattern;
			from = text;
			continue;
		}
		if (*p == '\\' && p[1])
			p++;
		if (*p && ((*p == '?' && p == pattern) || *p == *text)) {
			pattern = p + 1;
			text++;
			continue;
		}
		if (!star)
			return false;
		pattern = star;
		text = ++from;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool any_value(const json_t *values, const char *text)
{
	size_t i;
	const json_t *v;

	json_array_foreach(values, i, v)
	{
		if (wildcard_match(json_string_value(v), text))
			return true;
	}
	return false;
}

/* Whether a scalar of the reply is among the values. */
static bool leaf_matches(const json_t *v, const json_t *values)
{
	char number[32];

	if (json_is_string(v))
		return any_value(values, json_string_value(v));
	if (json_is_boolean(v))
		return any_value(values, json_is_true(v) ? "true" : "false");
	if (!json_is_integer(v))
		return false;
	snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
	return any_value(values, number);
}

static bool path_matches(const json_t *node, const char *path, const json_t *values)
{
	const char *slash = strchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : strlen(path), i;
	char key[64];
	const json_t *item;

	if (json_is_array(node)) {
		json_array_foreach(node, i, item)
		{
			if (path_matches(item, path, values))
				return true;
		}
		return false;
	}
	if (*path == '\0')
		return leaf_matches(node, values);
	if (!json_is_object(node) || len >= sizeof key)
		return false;
	memcpy(key, path, len);
	key[len] = '\0';
	node = json_object_get(node, key);
	return node && path_matches(node, slash ? slash + 1 : "", values);
}

static bool tag_matches(const json_t *item, const char *filter, const json_t *values)
{
	size_t i;
	const json_t *tag;

	json_array_foreach(json_object_get(item, "tagSet"), i, tag)
	{
		const char *key = in_text(tag, "key"), *value = in_text(tag, "value");

		if (strcmp(filter, "tag-key") == 0 ? any_value(values, key) :
		    strcmp(filter, "tag-value") == 0 ? any_value(values, value) :
						       strcmp(filter + 4, key) == 0 && any_value(values, value))
			return true;
	}
	return false;
}

static bool is_tag_filter(const char *name)
{
	return strncmp(name, "tag:", 4) == 0 || strcmp(name, "tag-key") == 0 || strcmp(name, "tag-value") == 0;
}

static const char *path_of(const struct filter_path *paths, const char *name)
{
	for (; paths && paths->name; paths++)
		if (strcmp(paths->name, name) == 0)
			return paths->path;
	return NULL;
}

static int check_filters(const json_t *filters, const struct filter_path *paths, struct error *err)
{
	size_t i;
	const json_t *f;

	json_array_foreach(filters, i, f)
	{
		const char *name = in_text(f, "Name");
		size_t values = json_array_size(json_object_get(f, "Value"));

		if (!is_tag_filter(name) && !path_of(paths, name))
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "The filter '%.64s' is invalid", name);
		if (values == 0)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
					      "The filter '%.64s' has no value; send Filter.%zu.Value.1.", name, i + 1);
		if (values > FILTER_VALUES_MAX)
			return error_set_code(err, ERROR_USAGE, "FilterLimitExceeded",
					      "The filter '%.64s' has %zu values; the most is %d.", name, values,
					      FILTER_VALUES_MAX);
	}
	return 0;
}

static bool passes(const json_t *item, const json_t *filters, const struct filter_path *paths)
{
	size_t i;
	const json_t *f;

	json_array_foreach(filters, i, f)
	{
		const char *name = in_text(f, "Name");
		const json_t *values = json_object_get(f, "Value");

		if (!(is_tag_filter(name) ? tag_matches(item, name, values) : path_matches(item, path_of(paths, name), values)))
			return false;
	}
	return true;
}

/* A token says where to go on; its form is ours, and what it says is checked like any input. */
static int page_start(const char *token, size_t *ret, struct error *err)
{
	char *end;

	*ret = 0;
	if (!token)
		return 0;
	if (strncmp(token, "p1-", 3) != 0 || strspn(token + 3, "0123456789") == 0)
		goto bad;
	*ret = strtoul(token + 3, &end, 10);
	if (!*end && strlen(token) < 16)
		return 0;
bad:
	return error_set_code(err, ERROR_USAGE, "InvalidNextToken", "The token '%.64s' is invalid; use one of a reply's nextToken.",
			      token);
}

int describe_finish(const json_t *in, json_t *out, const char *set, json_t *items, const struct filter_path *paths,
		    bool ids_given, struct error *err)
{
	const json_t *filters = json_object_get(in, "Filter");
	int64_t max = in_int(in, "MaxResults", 0);
	json_t *page = json_array(), *item;
	size_t start, seen = 0, i;
	bool more = false;

	if (check_filters(filters, paths, err) < 0 || page_start(in_text(in, "NextToken"), &start, err) < 0)
		goto bad;
	if (json_object_get(in, "MaxResults")) {
		if (ids_given) {
			error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				       "The parameter MaxResults can't be used together with a list of ids.");
			goto bad;
		}
		if (max < MAX_RESULTS_MIN || max > MAX_RESULTS_MAX) {
			error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				       "Value ( %lld ) for parameter maxResults is invalid. Expecting a value between %d and %d.",
				       (long long)max, MAX_RESULTS_MIN, MAX_RESULTS_MAX);
			goto bad;
		}
	}
	json_array_foreach(items, i, item)
	{
		if (!passes(item, filters, paths) || seen++ < start)
			continue;
		if (max && json_array_size(page) == (size_t)max) {
			more = true;
			break;
		}
		json_array_append(page, item);
	}
	json_decref(items);
	json_object_set_new(out, set, page);
	if (more) {
		char token[32];

		snprintf(token, sizeof token, "p1-%zu", start + (size_t)max);
		put_text(out, "nextToken", token);
	}
	return 0;
bad:
	json_decref(items);
	json_decref(page);
	return -1;
}
