/* `vpclab verify`: each fact of the lab as its own check. */
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define VERIFY_MS 60000 /* scaled */
#define VERIFY_MARGIN_MS 60000
#define VERIFY_MAX_S 86400

static const struct flag flags[] = {
	{ "junit", "FILE", "write a JUnit report too" },
	{ "tap", NULL, "print TAP (Test Anything Protocol), not a table" },
	{ "timeout", "SECONDS", "for all checks together (default 60, six times that without KVM)" },
	{ NULL, NULL, NULL },
};

static void print_checks(const json_t *reply, const char *label)
{
	static const char *const headings[] = { "", "CHECK", "SEEN", NULL };
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	size_t i, count[3] = { 0 }; /* passed, failed, skipped */
	const json_t *check;

	if (!t)
		return;
	json_array_foreach(json_object_get(reply, "checkSet"), i, check) {
		const char *status = text_of(check, "status");
		size_t which = strcmp(status, "pass") == 0 ? 0 : strcmp(status, "fail") == 0 ? 1 : 2;
		static const char *const marks[] = { "ok", "FAIL", "skip" };
		const char *const cells[] = { marks[which], text_of(check, "title"), text_of(check, "seen") };

		count[which]++;
		table_row(t, cells);
	}
	table_print(t, stdout);
	json_array_foreach(json_object_get(reply, "checkSet"), i, check)
		if (strcmp(text_of(check, "status"), "fail") == 0 && *text_of(check, "advice"))
			printf("\n%s: %s\n", text_of(check, "title"), text_of(check, "advice"));
	printf("\n%s: %zu passed, %zu failed", label, count[0], count[1]);
	printf(count[2] ? ", %zu skipped.\n" : ".\n", count[2]);
}

static json_t *ask(struct cli *cli, const json_t *instance, const char *format, int64_t timeout_ms, struct error *err)
{
	AUTO_REQUEST struct request r;

	request_init(&r, "VerifyInstance");
	request_add(&r, "InstanceId", instance_id(instance));
	if (format)
		request_add(&r, "Format", format);
	request_add_number(&r, "Timeout", timeout_ms / 1000);
	return client_call(cli, &r, timeout_ms + time_scaled(VERIFY_MARGIN_MS), err);
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *junit = arguments_value(a, "junit");
	bool tap = arguments_has(a, "tap");
	AUTO_JSON json_t *instance = NULL, *reply = NULL;
	int64_t seconds;
	char label[128];

	if (tap && (junit || cli->json))
		return error_set(err, ERROR_USAGE, "--tap takes standard output for itself, so it goes with neither --junit nor --json.");
	if (arguments_number(a, "timeout", time_scaled(VERIFY_MS) / 1000, 1, VERIFY_MAX_S, &seconds, err) < 0)
		return -1;
	instance = instance_get_default(cli, a, err);
	if (!instance)
		return -1;
	instance_label(label, instance);
	progress_live("checking %s", label);
	reply = ask(cli, instance, junit ? "junit" : tap ? "tap" : NULL, seconds * 1000, err);
	progress_end();
	if (!reply)
		return -1;
	if (junit) {
		const char *report = text_of(reply, "report");

		if (file_write_atomic(junit, report, strlen(report), 0644, err) < 0)
			return -1;
		json_object_del(reply, "report");
	}
	if (cli->json)
		print_json(reply);
	else if (tap)
		fputs(text_of(reply, "report"), stdout);
	else
		print_checks(reply, label);
	return json_is_true(json_object_get(reply, "passed")) ? 0 : 1;
}

const struct verb verb_verify = {
	.name = "verify",
	.group = "The lab",
	.synopsis = "[NAME]",
	.summary = "Check each fact of the lab; say what to do.",
	.details = "Looks at the instance from outside and inside: state, type, operating system, cloud-init, venv\n"
		   "and Django, the port, the inbound rule, HTTP from this machine, the way out. Changes nothing.\n"
		   "Exits with 1 when a check fails. Without NAME it is web, or the only instance there is.",
	.flags = flags,
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
