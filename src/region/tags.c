#include <stdlib.h>
#include <string.h>

#include "region/model.h"

static size_t characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += (*utf8 & 0xc0) != 0x80;
	return n;
}

const char *tags_get(const struct tags *t, const char *key)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->items[i].key, key) == 0)
			return t->items[i].value;
	return NULL;
}

void tags_free(struct tags *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->items[i].key);
		free(t->items[i].value);
	}
	free(t->items);
	t->items = NULL;
	t->count = 0;
}

static int append(struct tags *t, const char *key, const char *value, struct error *err)
{
	struct tag *items = realloc(t->items, (t->count + 1) * sizeof *items);

	if (!items)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	t->items = items;
	items[t->count].key = strdup(key);
	items[t->count].value = strdup(value);
	if (!items[t->count].key || !items[t->count].value) {
		free(items[t->count].key);
		free(items[t->count].value);
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	}
	t->count++;
	return 0;
}

int tags_copy(struct tags *ret, const struct tags *from, struct error *err)
{
	struct tags copy = { NULL, 0 };

	for (size_t i = 0; i < from->count; i++) {
		if (append(&copy, from->items[i].key, from->items[i].value, err) < 0) {
			tags_free(&copy);
			return -1;
		}
	}
	*ret = copy;
	return 0;
}

void tags_remove(struct tags *t, const char *key, const char *value)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->items[i].key, key) != 0)
			continue;
		if (value && strcmp(t->items[i].value, value) != 0)
			return;
		free(t->items[i].key);
		free(t->items[i].value);
		memmove(t->items + i, t->items + i + 1, (t->count - i - 1) * sizeof *t->items);
		t->count--;
		return;
	}
}

int tags_set(struct tags *t, const char *key, const char *value, struct error *err)
{
	if (!*key || characters(key) > TAG_KEY_MAX)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Tag key '%.140s' must be 1 to %d characters long.", key, TAG_KEY_MAX);
	if (characters(value) > TAG_VALUE_MAX)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "The value of tag '%.140s' exceeds the maximum of %d characters.", key, TAG_VALUE_MAX);
	if (strncasecmp(key, "aws:", 4) == 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Tag keys starting with 'aws:' are reserved: %.140s.", key);
	for (size_t i = 0; i < t->count; i++) {
		char *copy;

		if (strcmp(t->items[i].key, key) != 0)
			continue;
		copy = strdup(value);
		if (!copy)
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		free(t->items[i].value);
		t->items[i].value = copy;
		return 0;
	}
	if (t->count >= TAGS_PER_RESOURCE_MAX)
		return error_set_code(err, ERROR_USAGE, "TagLimitExceeded",
				      "The maximum number of tags for this resource has been reached: %d.",
				      TAGS_PER_RESOURCE_MAX);
	return append(t, key, value, err);
}
