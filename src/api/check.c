#include "api/check.h"

#include <stdio.h>
#include <string.h>

#include "api/decode.h"

#define CHECK_PATH_MAX 512

static const char *const type_names[] = {
	[PARAM_STRING] = "a string",   [PARAM_INTEGER] = "an integer", [PARAM_BOOLEAN] = "a boolean",
	[PARAM_BLOB] = "a string",     [PARAM_TIMESTAMP] = "a time",   [PARAM_LIST] = "a list",
	[PARAM_STRUCTURE] = "a structure",
};

static int check_structure(const struct param *members, const json_t *value, const char *path, struct error *err);

static bool type_ok(enum param_type type, const json_t *value)
{
	switch (type) {
	case PARAM_STRING:
	case PARAM_BLOB:
		return json_is_string(value);
	case PARAM_TIMESTAMP:
		return json_is_string(value) && decode_is_timestamp(json_string_value(value));
	case PARAM_INTEGER:
		return json_is_integer(value);
	case PARAM_BOOLEAN:
		return json_is_boolean(value);
	case PARAM_LIST:
		return json_is_array(value);
	case PARAM_STRUCTURE:
		return json_is_object(value);
	}
	return false;
}

static int check_value(const struct param *p, enum param_type type, const json_t *value, const char *path,
		       struct error *err)
{
	char below[CHECK_PATH_MAX];
	json_t *element;
	size_t i;

	if (!type_ok(type, value))
		return error_set(err, ERROR_INTERNAL, "%s is not %s, as its table says.", path, type_names[type]);
	if (type == PARAM_STRUCTURE)
		return check_structure(p->members, value, path, err);
	if (type != PARAM_LIST)
		return 0;
	json_array_foreach(value, i, element) {
		snprintf(below, sizeof below, "%s[%zu]", path, i);
		if (check_value(p, p->element, element, below, err) < 0)
			return -1;
	}
	return 0;
}

static int check_structure(const struct param *members, const json_t *value, const char *path, struct error *err)
{
	char below[CHECK_PATH_MAX];
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)value, key, member) {
		const struct param *p = members;

		while (p && p->name && strcmp(p->name, key) != 0)
			p++;
		snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", key);
		if (!p || !p->name)
			return error_set(err, ERROR_INTERNAL, "%s is not in the action's table.", below);
		if (check_value(p, p->type, member, below, err) < 0)
			return -1;
	}
	for (const struct param *p = members; p && p->name; p++) {
		if (p->required && !json_object_get(value, p->name))
			return error_set(err, ERROR_INTERNAL, "%s%s%s is missing, though its table requires it.", path,
					 *path ? "." : "", p->name);
	}
	return 0;
}

int api_reply_check(const struct action *a, const json_t *reply, struct error *err)
{
	if (!json_is_object(reply))
		return error_set(err, ERROR_INTERNAL, "The reply of %s is not a structure.", a->name);
	if (check_structure(a->reply, reply, "", err) < 0)
		return error_prefix(err, "The reply of %s is not what its table says", a->name);
	return 0;
}
