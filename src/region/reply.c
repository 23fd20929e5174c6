#include "region/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

const struct param filter_members[] = { { "Name", PARAM_STRING, 0, NULL, true, NULL }, TEXTS("Value"), PARAM_END };
const struct param tag_members[] = { { "Key", PARAM_STRING, 0, NULL, true, NULL }, TEXT("Value"), PARAM_END };
const struct param tag_specification_members[] = { TEXT("ResourceType"), LIST("Tag", tag_members), PARAM_END };
const struct param tag_reply_members[] = { TEXT("key"), TEXT("value"), PARAM_END };

void put_text(json_t *o, const char *key, const char *text)
{
	json_t *v;

	if (!text)
		return;
	v = json_string(text);
	json_object_set_new(o, key, v ? v : json_string("\xef\xbf\xbd"));
}

void put_int(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer(value));
}

void put_bool(json_t *o, const char *key, bool value)
{
	json_object_set_new(o, key, json_boolean(value));
}

void put_time(json_t *o, const char *key, int64_t wall_ms)
{
	char text[TIME_ISO_MAX];

	time_iso(text, wall_ms);
	put_text(o, key, text);
}

void put_address(json_t *o, const char *key, uint32_t addr)
{
	char text[IPV4_TEXT_MAX];

	if (!addr)
		return;
	ipv4_format(text, addr);
	put_text(o, key, text);
}

void put_cidr(json_t *o, const char *key, struct cidr c)
{
	char text[CIDR_TEXT_MAX];

	cidr_format(text, c);
	put_text(o, key, text);
}

json_t *put_list(json_t *o, const char *key)
{
	json_t *list = json_array();

	json_object_set_new(o, key, list);
	return list;
}

json_t *put_structure(json_t *o, const char *key)
{
	json_t *s = json_object();

	json_object_set_new(o, key, s);
	return s;
}

json_t *add_item(json_t *list)
{
	json_t *item = json_object();

	json_array_append_new(list, item);
	return item;
}

void put_tags(json_t *o, const struct tags *t)
{
	json_t *set = put_list(o, "tagSet");

	for (size_t i = 0; i < t->count; i++) {
		json_t *item = add_item(set);

		put_text(item, "key", t->items[i].key);
		put_text(item, "value", t->items[i].value);
	}
}

const char *in_text(const json_t *in, const char *key)
{
	return json_string_value(json_object_get(in, key));
}

int64_t in_int(const json_t *in, const char *key, int64_t absent)
{
	const json_t *v = json_object_get(in, key);

	return v ? json_integer_value(v) : absent;
}

bool in_bool(const json_t *in, const char *key, bool absent)
{
	const json_t *v = json_object_get(in, key);

	return v ? json_is_true(v) : absent;
}

bool in_list(const json_t *list, const char *text)
{
	size_t i;
	const json_t *v;

	json_array_foreach(list, i, v)
	{
		if (strcmp(json_string_value(v), text) == 0)
			return true;
	}
	return false;
}

int in_tags(const json_t *in, const char *resource_type, struct tags *ret, struct error *err)
{
	size_t i, k;
	const json_t *spec, *tag;

	json_array_foreach(json_object_get(in, "TagSpecification"), i, spec)
	{
		const char *type = in_text(spec, "ResourceType");

		if (!type)
			return error_set_code(err, ERROR_USAGE, "MissingParameter",
					      "The request must contain the parameter TagSpecification.%zu.ResourceType.", i + 1);
		if (strcmp(type, resource_type) != 0)
			continue;
		json_array_foreach(json_object_get(spec, "Tag"), k, tag)
		{
			const char *value = in_text(tag, "Value");

			if (tags_set(ret, in_text(tag, "Key"), value ? value : "", err) < 0)
				return -1;
		}
	}
	return 0;
}
