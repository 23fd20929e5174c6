/* `vpclab events`: who changed what, when, and how it ended. */
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/verb.h"

#define LINES_DEFAULT 50
#define LINES_MAX 10000
#define POLL_MARGIN_MS 30000
#define WHAT_MAX 4096
#define SHOWN_TIME_MAX 32
#define ANSWER_PAUSE_NS 250000000 /* between answers that told nothing new and came at once: the region is ending */

static const struct flag flags[] = {
	{ "follow", NULL, "go on printing what comes, until Ctrl-C" },
	{ "action", "ACTION", "only this action; * and ? stand for any text" },
	{ "caller", "USER", "only this user's" },
	{ "failed", NULL, "only calls that failed" },
	{ "lines", "N", "the newest N (default 50)" },
	{ NULL, NULL, NULL },
};

/* What the region is to look for. */
struct query {
	const char *action, *caller, *resource;
	char resource_id[ID_MAX];
	bool failed;
};

static void request_events(struct request *r, const struct query *q)
{
	const struct {
		const char *name, *value;
	} filters[] = { { "action", q->action }, { "caller", q->caller }, { "resource", q->resource } };
	size_t n = 0;

	request_init(r, "DescribeEvents");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		if (!filters[i].value)
			continue;
		n++;
		request_addf(r, filters[i].name, "Filter.%zu.Name", n);
		request_addf(r, filters[i].value, "Filter.%zu.Value.1", n);
	}
}

/* An instance's name stands for its id; any other id, of a group or of an image, for itself. */
static int resolve(struct cli *cli, const char *word, struct query *q, struct error *err)
{
	AUTO_JSON json_t *all = NULL;
	const json_t *instance;
	const char *dash = strchr(word, '-');

	if (dash && strlen(dash + 1) >= ID_DIGITS && strlen(word) < sizeof q->resource_id) {
		snprintf(q->resource_id, sizeof q->resource_id, "%s", word);
	} else {
		all = instances_all(cli, err);
		instance = all ? instance_pick(all, word, err) : NULL;
		if (!instance)
			return -1;
		snprintf(q->resource_id, sizeof q->resource_id, "%.39s", instance_id(instance));
	}
	q->resource = q->resource_id;
	return 0;
}

/* The machine's own time, which is what a teacher's clock shows. */
static void local_time(char out[SHOWN_TIME_MAX], const char *iso)
{
	struct tm utc = { 0 }, local;
	time_t at;

	if (!strptime(iso, "%Y-%m-%dT%H:%M:%S", &utc)) {
		snprintf(out, SHOWN_TIME_MAX, "%.31s", iso);
		return;
	}
	at = timegm(&utc);
	localtime_r(&at, &local);
	strftime(out, SHOWN_TIME_MAX, "%Y-%m-%d %H:%M:%S", &local);
}

/* The parameters, then what else the call made or named. */
static void describe(struct buffer *out, const json_t *event)
{
	AUTO_BUFFER struct buffer parameters = BUFFER_INIT(WHAT_MAX);
	const json_t *parameter, *id;
	size_t i;

	json_array_foreach(json_object_get(event, "parameterSet"), i, parameter)
		buffer_addf(&parameters, "%s%.100s=%.140s", i ? " " : "", text_of(parameter, "name"), text_of(parameter, "value"));
	buffer_add(out, buffer_text(&parameters));
	json_array_foreach(json_object_get(event, "resourceSet"), i, id)
		if (!strstr(buffer_text(&parameters), json_string_value(id)))
			buffer_addf(out, "%s%s", strstr(buffer_text(out), " -> ") ? " " : " -> ", json_string_value(id));
	if (*text_of(event, "message"))
		buffer_addf(out, "%s: %.300s", out->len ? "" : "-", text_of(event, "message"));
}

/* Printed as text: what a caller sent must not drive the reader's terminal. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_line(const json_t *event)
{
	AUTO_BUFFER struct buffer what = BUFFER_INIT(WHAT_MAX * 2);
	char at[SHOWN_TIME_MAX];

	local_time(at, text_of(event, "time"));
	describe(&what, event);
	printf("%s  ", at);
	print_plain(text_of(event, "caller"));
	printf("  %s  %s  ", text_of(event, "action"), text_of(event, "result"));
	print_plain(buffer_text(&what));
	putchar('\n');
}

static bool wanted(const struct query *q, const json_t *event)
{
	return !q->failed || strcmp(text_of(event, "result"), "ok") != 0;
}

static int follow_events(struct cli *cli, const struct query *q, int64_t after, struct error *err)
{
	for (;;) {
		AUTO_JSON json_t *reply = NULL;
		AUTO_REQUEST struct request r;
		int64_t asked = time_mono_ms();
		const json_t *event;
		size_t i;

		request_events(&r, q);
		request_add_number(&r, "After", after);
		request_add_number(&r, "WaitSeconds", POLL_WAIT_SECONDS);
		reply = client_call(cli, &r, POLL_WAIT_SECONDS * 1000 + time_scaled(POLL_MARGIN_MS), err);
		if (!reply)
			return -1;
		after = number_of(reply, "lastSequence");
		json_array_foreach(json_object_get(reply, "eventSet"), i, event) {
			if (!wanted(q, event))
				continue;
			if (cli->json) {
				json_dumpf(event, stdout, JSON_COMPACT);
				putchar('\n');
			} else {
				print_line(event);
			}
		}
		if (fflush(stdout) != 0)
			return 0; /* whoever read it has gone */
		if (!json_array_size(json_object_get(reply, "eventSet")) && time_mono_ms() - asked < 1000)
			nanosleep(&(const struct timespec){ .tv_nsec = ANSWER_PAUSE_NS }, NULL);
	}
}

static void print_table(const json_t *set)
{
	static const char *const headings[] = { "TIME", "CALLER", "ACTION", "RESULT", "WHAT", NULL };
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const json_t *event;
	size_t i;

	if (!t)
		return;
	json_array_foreach(set, i, event) {
		AUTO_BUFFER struct buffer what = BUFFER_INIT(WHAT_MAX * 2);
		char at[SHOWN_TIME_MAX];

		local_time(at, text_of(event, "time"));
		describe(&what, event);
		const char *const cells[] = { at, text_of(event, "caller"), text_of(event, "action"), text_of(event, "result"),
					      buffer_text(&what) };

		table_row(t, cells);
	}
	table_print(t, stdout);
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	struct query q = { .action = arguments_value(a, "action"), .caller = arguments_value(a, "caller"), .failed = arguments_has(a, "failed") };
	bool following = arguments_has(a, "follow");
	AUTO_JSON json_t *reply = NULL, *shown = NULL;
	AUTO_REQUEST struct request r = { 0 };
	const json_t *set;
	json_t *event;
	int64_t lines;
	size_t i;

	if (arguments_number(a, "lines", LINES_DEFAULT, 1, LINES_MAX, &lines, err) < 0)
		return -1;
	if (a->word_count && resolve(cli, a->words[0], &q, err) < 0)
		return -1;
	request_events(&r, &q);
	if (!q.failed)
		request_add_number(&r, "Newest", lines);
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	shown = json_array();
	set = json_object_get(reply, "eventSet");
	json_array_foreach(set, i, event)
		if (wanted(&q, event))
			json_array_append(shown, event);
	while (json_array_size(shown) > (size_t)lines)
		json_array_remove(shown, 0);
	if (cli->json && !following) {
		json_object_set(reply, "eventSet", shown);
		print_json(reply);
		return 0;
	}
	if (cli->json)
		json_array_foreach(shown, i, event) {
			json_dumpf(event, stdout, JSON_COMPACT);
			putchar('\n');
		}
	else if (following)
		json_array_foreach(shown, i, event)
			print_line(event);
	else if (json_array_size(shown))
		print_table(shown);
	else
		printf("Nothing of that kind has been done.\n");
	fflush(stdout);
	return following ? follow_events(cli, &q, number_of(reply, "lastSequence"), err) : 0;
}

const struct verb verb_events = {
	.name = "events",
	.group = "The region",
	.synopsis = "[NAME]",
	.summary = "Who changed what, when, and how it ended.",
	.details = "Every call that changed something or tried to, the newest last: the time, the user on this\n"
		   "machine, the action, its result (ok or EC2's error code), its parameters, and the ids of what it\n"
		   "named or made. NAME, or the id of anything, shows that resource's alone. User data and other\n"
		   "secrets are not kept. The newest 10,000 are; --json --follow prints one object a line.",
	.flags = flags,
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
