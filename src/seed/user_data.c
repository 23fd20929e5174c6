#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "seed/seed.h"

static bool is_cloud_config(const char *data, size_t len)
{
	static const char mark[] = "#cloud-config";
	size_t at = 0;

	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	return len - at >= sizeof mark - 1 && memcmp(data + at, mark, sizeof mark - 1) == 0;
}

int seed_user_data_yaml_check(const void *data, size_t len, char *why, size_t why_size)
{
	yaml_parser_t parser;
	bool end = false;
	int broken = 0;

	if (why_size)
		why[0] = '\0';
	if (!data || !is_cloud_config(data, len))
		return 0;
	if (!yaml_parser_initialize(&parser)) {
		snprintf(why, why_size, "memory ran out");
		return 1;
	}
	yaml_parser_set_input_string(&parser, data, len);
	while (!end && !broken) {
		yaml_event_t event;

		if (yaml_parser_parse(&parser, &event)) {
			end = event.type == YAML_STREAM_END_EVENT;
			yaml_event_delete(&event);
			continue;
		}
		broken = 1;
		snprintf(why, why_size, "%s%s%s in line %zu, column %zu", parser.context ? parser.context : "",
			 parser.context ? ": " : "", parser.problem ? parser.problem : "it is not YAML",
			 parser.problem_mark.line + 1, parser.problem_mark.column + 1);
	}
	yaml_parser_delete(&parser);
	return broken;
}
