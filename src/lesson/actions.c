#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/time.h"
#include "lesson/connection.h"
#include "lesson/django.h"
#include "lesson/lesson.h"

#define VERIFY_MS 60000
#define REPORT_MAX (256u << 10)

static const struct param verify_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL },
	{ "Format", PARAM_STRING, 0, NULL, false, "none, tap or junit: the reply's report is that text" },
	{ "Timeout", PARAM_INTEGER, 0, NULL, false, "seconds that the looks into the guest may take; 60 when absent, more without KVM" },
	{ NULL, 0, 0, NULL, false, NULL },
};
static const struct param check_members[] = {
	{ "id", PARAM_STRING, 0, NULL, false, NULL },	  { "title", PARAM_STRING, 0, NULL, false, NULL },
	{ "status", PARAM_STRING, 0, NULL, false, NULL }, { "seen", PARAM_STRING, 0, NULL, false, NULL },
	{ "advice", PARAM_STRING, 0, NULL, false, NULL }, { "elapsedMs", PARAM_INTEGER, 0, NULL, false, NULL },
	{ NULL, 0, 0, NULL, false, NULL },
};
static const struct param verify_reply[] = {
	{ "instanceId", PARAM_STRING, 0, NULL, false, NULL },
	{ "passed", PARAM_BOOLEAN, 0, NULL, false, NULL },
	{ "checkSet", PARAM_LIST, PARAM_STRUCTURE, check_members, false, NULL },
	{ "report", PARAM_STRING, 0, NULL, false, NULL },
	{ NULL, 0, 0, NULL, false, NULL },
};

static json_t *text(const char *s)
{
	json_t *v = json_string(s);

	return v ? v : json_string("\xef\xbf\xbd"); /* a guest may print anything */
}

static int verify(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *id = json_string_value(json_object_get(in, "InstanceId")), *format = json_string_value(json_object_get(in, "Format"));
	const json_t *timeout = json_object_get(in, "Timeout");
	int64_t ms = timeout ? json_integer_value(timeout) * 1000 : time_scaled(VERIFY_MS);
	AUTO_FREE struct checks *c = calloc(1, sizeof *c);
	AUTO_BUFFER struct buffer report = BUFFER_INIT(REPORT_MAX);
	json_t *set;

	(void)caller;
	if (!c)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (format && strcmp(format, "none") == 0)
		format = NULL;
	if (format && strcmp(format, "tap") != 0 && strcmp(format, "junit") != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Format is tap or junit, not %.64s.", format);
	if (ms < 1000 || ms > 3600000)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Timeout is 1 to 3600 seconds.");
	if (django_check(r, id, deadline_in(ms), c, err) < 0)
		return -1;
	json_object_set_new(out, "instanceId", text(id));
	json_object_set_new(out, "passed", json_boolean(checks_passed(c)));
	set = json_array();
	json_object_set_new(out, "checkSet", set);
	for (size_t i = 0; i < c->count; i++) {
		const struct check *one = &c->items[i];
		json_t *item = json_object();

		json_array_append_new(set, item);
		json_object_set_new(item, "id", text(one->id));
		json_object_set_new(item, "title", text(one->title));
		json_object_set_new(item, "status", text(check_status_name(one->status)));
		json_object_set_new(item, "seen", text(one->seen));
		json_object_set_new(item, "advice", text(one->advice));
		json_object_set_new(item, "elapsedMs", json_integer(one->elapsed_ms));
	}
	if (format) {
		if (strcmp(format, "tap") == 0)
			report_tap(&report, c);
		else
			report_junit(&report, c, "vpclab");
		json_object_set_new(out, "report", text(buffer_text(&report)));
	}
	return 0;
}

const struct action lesson_actions[] = {
	{ "VerifyInstance", "vpclab", "Checks each fact of the lecture's lab in and around an instance; changes nothing (the lab's own).",
	  verify_params, verify_reply, false, verify },
	{ "ExplainConnection", "vpclab",
	  "Walks the way from this machine to a port of an instance and names the hop that is broken (the lab's own).", explain_params,
	  explain_reply, false, explain_connection },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
