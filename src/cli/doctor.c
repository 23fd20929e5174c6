/* `vpclab doctor`: each requirement, found or missing, with the line that mends it. Needs no daemon. */
#include "cli/doctor.h"

#include <stdarg.h>
#include <string.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/verb.h"

#define SEEN_MAX 400

static const char *const finding_names[] = { [FOUND] = "ok", [WANTING] = "warn", [MISSING] = "missing" };

void doctor_add(json_t *list, const char *name, enum finding f, const char *remedy, const char *seen_fmt, ...)
{
	char seen[SEEN_MAX];
	va_list ap;

	va_start(ap, seen_fmt);
	vsnprintf(seen, sizeof seen, seen_fmt, ap);
	va_end(ap);
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "status", finding_names[f], "seen", seen,
					      "remedy", f == FOUND ? "" : remedy));
}

static void print_list(const json_t *list)
{
	static const char *const headings[] = { "", "REQUIREMENT", "SEEN", NULL };
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const json_t *item;
	bool first = true;
	size_t i;

	if (!t)
		return;
	json_array_foreach(list, i, item) {
		const char *const cells[] = { text_of(item, "status"), text_of(item, "name"), text_of(item, "seen") };

		table_row(t, cells);
	}
	table_print(t, stdout);
	json_array_foreach(list, i, item) {
		if (!*text_of(item, "remedy"))
			continue;
		printf("%s  %s: %s\n", first ? "\nTo mend\n" : "", text_of(item, "name"), text_of(item, "remedy"));
		first = false;
	}
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *list = json_array();
	AUTO_JSON json_t *out = NULL;
	size_t i, missing = 0;
	const json_t *item;

	(void)a;
	doctor_machine(list, cli);
	doctor_programs(list);
	json_array_foreach(list, i, item)
		missing += strcmp(text_of(item, "status"), finding_names[MISSING]) == 0;
	if (cli->json) {
		out = json_pack("{s:b, s:O}", "ok", missing == 0, "requirementSet", list);
		print_json(out);
	} else {
		print_list(list);
	}
	if (missing)
		return error_set(err, ERROR_ENVIRONMENT, "%zu requirement%s missing; the lab can't run on this machine yet.", missing,
				 missing == 1 ? " is" : "s are");
	if (!cli->json)
		printf("\nThis machine can run the lab.\n");
	return 0;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.group = "The region",
	.synopsis = "",
	.summary = "What this machine lacks for the lab, and the remedy.",
	.details = "Exits with 3 when something is missing that the lab can't do without. Changes nothing and needs\n"
		   "no running region.",
	.run = run,
};
