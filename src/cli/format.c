#include "cli/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void format_duration(char out[FORMAT_MAX], int64_t ms)
{
	long long s = ms < 0 ? 0 : ms / 1000;

	if (ms >= 0 && ms < 9950)
		snprintf(out, FORMAT_MAX, "%.1f s", (double)ms / 1000);
	else if (s < 60)
		snprintf(out, FORMAT_MAX, "%lld s", s);
	else if (s < 3600)
		snprintf(out, FORMAT_MAX, "%lld min %02lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, FORMAT_MAX, "%lld h %02lld min", s / 3600, s / 60 % 60);
	else
		snprintf(out, FORMAT_MAX, "%lld d %lld h", s / 86400, s / 3600 % 24);
}

void format_clock(char out[FORMAT_MAX], int64_t ms)
{
	long long s = ms < 0 ? 0 : ms / 1000;

	if (s < 3600)
		snprintf(out, FORMAT_MAX, "%lld:%02lld", s / 60, s % 60);
	else
		snprintf(out, FORMAT_MAX, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

void format_bytes(char out[FORMAT_MAX], int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = bytes < 0 ? 0 : (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit < 4) {
		value /= 1024;
		unit++;
	}
	snprintf(out, FORMAT_MAX, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

void format_age(char out[FORMAT_MAX], const char *iso, int64_t now_wall_ms)
{
	struct tm tm = { 0 };
	long long s;

	out[0] = '\0';
	if (!strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	s = now_wall_ms / 1000 - (long long)timegm(&tm);
	if (s < 0)
		s = 0;
	if (s < 60)
		snprintf(out, FORMAT_MAX, "%llds ago", s);
	else if (s < 3600)
		snprintf(out, FORMAT_MAX, "%lldm ago", s / 60);
	else if (s < 86400)
		snprintf(out, FORMAT_MAX, "%lldh%02lldm ago", s / 3600, s / 60 % 60);
	else
		snprintf(out, FORMAT_MAX, "%lldd ago", s / 86400);
}

const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Numbers come as JSON numbers, or as text where EC2 has text. */
int64_t number_of(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (json_is_string(v))
		return strtoll(json_string_value(v), NULL, 10);
	return json_is_number(v) ? (int64_t)json_number_value(v) : 0;
}

const char *tag_of(const json_t *resource, const char *key)
{
	size_t i;
	const json_t *tag;

	json_array_foreach(json_object_get(resource, "tagSet"), i, tag)
		if (strcmp(text_of(tag, "key"), key) == 0)
			return text_of(tag, "value");
	return "";
}

void print_json(const json_t *tree)
{
	json_dumpf(tree, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
}
