/* `vpclab log`: a guest's serial console. */
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/console.h"
#include "cli/console_text.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define OUTPUT_MAX (8u << 20)
#define FOLLOW_WAIT_SECONDS 20
#define POLL_MARGIN_MS 30000
#define LINES_MAX 100000

char *console_read(struct cli *cli, const char *id, int64_t offset, int64_t wait_s, size_t *ret_len, int64_t *ret_next,
		   struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "GetConsoleOutput");
	request_add(&r, "InstanceId", id);
	if (offset >= 0) {
		request_add_number(&r, "Offset", offset);
		request_add_number(&r, "WaitSeconds", wait_s);
	}
	reply = client_call(cli, &r, wait_s * 1000 + time_scaled(POLL_MARGIN_MS), err);
	if (!reply)
		return NULL;
	*ret_next = number_of(reply, "nextOffset");
	return base64_decode(text_of(reply, "output"), ret_len, err);
}

void console_show_tail(struct cli *cli, const char *id, size_t lines)
{
	AUTO_BUFFER struct buffer text = BUFFER_INIT(OUTPUT_MAX);
	struct console_filter filter = { 0 };
	size_t len = 0;
	int64_t next;
	AUTO_FREE char *data = console_read(cli, id, -1, 0, &len, &next, NULL);
	const char *line;

	if (!data)
		return;
	console_filter_add(&filter, &text, data, len);
	if (!text.len)
		return;
	progress_say(0, "The console's last lines:");
	for (line = console_tail(text.data, text.len, lines); *line;) {
		size_t n = strcspn(line, "\n");

		progress_say(4, "  | %.*s", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static const struct flag flags[] = {
	{ "follow", NULL, "go on printing what comes, until Ctrl-C or the instance's end" },
	{ "lines", "N", "the last N lines alone" },
	{ "raw", NULL, "the bytes as they came, escape sequences too" },
	{ NULL, NULL, NULL },
};

static int emit(struct console_filter *filter, bool raw, const char *data, size_t len, int64_t lines)
{
	AUTO_BUFFER struct buffer text = BUFFER_INIT(OUTPUT_MAX);
	const char *from;

	if (!raw) {
		console_filter_add(filter, &text, data, len);
		data = buffer_text(&text);
		len = text.len;
	}
	from = lines > 0 ? console_tail(data, len, (size_t)lines) : data;
	fwrite(from, 1, len - (size_t)(from - data), stdout);
	return fflush(stdout) == 0 ? 0 : -1;
}

static int follow_console(struct cli *cli, const char *id, int64_t next, struct console_filter *filter, bool raw,
			  struct error *err)
{
	for (;;) {
		size_t len = 0;
		int64_t asked = time_mono_ms();
		AUTO_FREE char *data = console_read(cli, id, next, FOLLOW_WAIT_SECONDS, &len, &next, err);

		if (!data)
			return -1;
		if (len && emit(filter, raw, data, len, 0) < 0)
			return 0; /* whoever read it has gone */
		if (!len && time_mono_ms() - asked < 1000) {
			AUTO_JSON json_t *instance = instance_get(cli, id, err);

			/* nothing to wait for: a console that ended */
			if (!instance || strcmp(instance_state(instance), "running") != 0)
				return instance ? 0 : -1;
			nanosleep(&(const struct timespec){ .tv_nsec = 500000000 }, NULL);
		}
	}
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *instance = NULL;
	struct console_filter filter = { 0 };
	bool raw = arguments_has(a, "raw");
	int64_t lines, next = 0;
	size_t len = 0;

	if (arguments_number(a, "lines", 0, 1, LINES_MAX, &lines, err) < 0)
		return -1;
	instance = instance_get_default(cli, a, err);
	if (!instance)
		return -1;
	if (cli->json) {
		AUTO_JSON json_t *reply = NULL;
		AUTO_REQUEST struct request r;

		request_init(&r, "GetConsoleOutput");
		request_add(&r, "InstanceId", instance_id(instance));
		reply = client_call(cli, &r, 0, err);
		if (!reply)
			return -1;
		print_json(reply);
		return 0;
	}
	AUTO_FREE char *data = console_read(cli, instance_id(instance), -1, 0, &len, &next, err);

	if (!data)
		return -1;
	emit(&filter, raw, data, len, lines);
	if (arguments_has(a, "follow"))
		return follow_console(cli, instance_id(instance), next, &filter, raw, err);
	if (filter.line_pending)
		putchar('\n');
	return 0;
}

const struct verb verb_log = {
	.name = "log",
	.group = "Inside a guest",
	.synopsis = "[NAME]",
	.summary = "The guest's serial console (EC2's system log).",
	.flags = flags,
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
