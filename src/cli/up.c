/* `vpclab up`: the lecture's lab in one command. */
#include "cli/up.h"

#include <stdarg.h>
#include <string.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/console.h"
#include "cli/format.h"
#include "cli/image_pull.h"
#include "cli/instance.h"
#include "cli/launch.h"
#include "cli/probe.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define BOOT_MS 300000 /* launch to Django, generous; scaled */
#define TIMEOUT_MAX_S 86400
#define CONSOLE_LINES 15
#define LINE_INDENT 20 /* clock and phase */

static const struct flag flags[] = {
	{ "image", "IMAGE", "image by name or AMI id (default " IMAGE_DEFAULT ", or " IMAGE_FALLBACK " where that can't be had)" },
	{ "type", "TYPE", "instance type (default " TYPE_DEFAULT ")" },
	{ "zone", "ZONE", "Availability Zone, such as ap-northeast-2a, or a alone" },
	{ "key", "NAME", "key pair for ssh (default: none; see `vpclab key`)" },
	{ "user-data", "FILE", "your own user data, not the lecture's Django; - is standard input" },
	{ "timeout", "SECONDS", "wait at most so long for the guest (default 300, six times that without KVM)" },
	{ NULL, NULL, NULL },
};

static void end_phase(struct up *u)
{
	json_t *p;

	if (!u->phase[0])
		return;
	p = json_array_get(u->phases, json_array_size(u->phases) - 1);
	json_object_set_new(p, "durationMs", json_integer(time_mono_ms() - u->phase_started));
	u->phase[0] = '\0';
}

void up_phase(struct up *u, const char *phase)
{
	end_phase(u);
	snprintf(u->phase, sizeof u->phase, "%s", phase);
	u->phase_started = time_mono_ms();
	json_array_append_new(u->phases, json_pack("{s:s, s:I}", "phase", phase, "startedMs",
						   (json_int_t)(u->phase_started - u->started)));
}

void up_say(struct up *u, const char *fmt, ...)
{
	char line[PROGRESS_LINE_MAX], clock[FORMAT_MAX];
	json_t *p = json_array_get(u->phases, json_array_size(u->phases) - 1);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	format_clock(clock, time_mono_ms() - u->started);
	progress_say(LINE_INDENT, "%6s  %-10s  %s", clock, u->phase, line);
	json_object_set_new(p, "detail", json_stringn_nocheck(line, strlen(line)));
}

static void print_json_result(struct up *u, const struct error *err)
{
	AUTO_JSON json_t *out = json_object();
	const json_t *i = u->instance;

	json_object_set_new(out, "name", json_string(u->name));
	json_object_set_new(out, "outcome", json_string(err ? "failed" : "ready"));
	if (u->id[0])
		json_object_set_new(out, "instanceId", json_string(u->id));
	if (i) {
		json_object_set_new(out, "instanceState", json_string(instance_state(i)));
		json_object_set_new(out, "imageId", json_string(text_of(i, "imageId")));
		json_object_set_new(out, "instanceType", json_string(text_of(i, "instanceType")));
		json_object_set_new(out, "availabilityZone",
				    json_string(text_of(json_object_get(i, "placement"), "availabilityZone")));
		json_object_set_new(out, "privateIpAddress", json_string(text_of(i, "privateIpAddress")));
		json_object_set_new(out, "ipAddress", json_string(text_of(i, "ipAddress")));
	}
	if (u->group_id[0])
		json_object_set_new(out, "securityGroup",
				    json_pack("{s:s, s:s}", "groupId", u->group_id, "groupName", u->group_name));
	if (!err && u->opened)
		json_object_set_new(out, "url", json_string(u->url));
	if (err)
		json_object_set_new(out, "error", json_pack("{s:s, s:s, s:s, s:s}", "phase", u->phase, "kind",
							    error_kind_name(err->kind), "code", err->code, "message", err->message));
	end_phase(u);
	json_object_set_new(out, "elapsedMs", json_integer(time_mono_ms() - u->started));
	json_object_set(out, "phases", u->phases);
	print_json(out);
}

static void hint(const struct up *u, const char *command, const char *what)
{
	const char *name = strstr(command, "%s");
	int head = name ? (int)(name - command) : (int)strlen(command);
	char line[256];

	snprintf(line, sizeof line, "%.*s%s%s", head, command, name ? u->name : "", name ? name + 2 : "");
	printf("  %-28s %s\n", line, what);
}

static void print_summary(const struct up *u)
{
	if (u->opened)
		printf("\n%s: the instance %s runs %s, open to the world on port %d:\n\n    %s\n\n", u->name, u->id,
		       u->custom ? "your user data" : "Django", DJANGO_PORT, u->url);
	else
		printf("\n%s: the instance %s is ready%s%s.\n\n", u->name, u->id,
		       u->address[0] ? ", public IPv4 address " : "", u->address);
	hint(u, "vpclab connect %s", "a shell in the guest");
	hint(u, "vpclab verify %s", "check every fact of the lab");
	if (u->opened)
		hint(u, "vpclab deny %s 8000", "close the port again");
	hint(u, "vpclab log %s", "its serial console");
	hint(u, "vpclab terminate %s", "end the instance");
	hint(u, "vpclab down", "end everything");
}

/* What went wrong is printed by main; here what helps to see why. */
static void print_failure(struct up *u)
{
	progress_end();
	if (!u->id[0])
		return;
	console_show_tail(u->cli, u->id, CONSOLE_LINES);
	progress_say(0, "The instance %s is left as it is: `vpclab log %s`, `vpclab connect %s`, `vpclab terminate %s`.", u->label,
		     u->name, u->name, u->name);
}

static int steps(struct up *u, struct error *err)
{
	if (up_region(u, err) < 0 || up_find(u, err) < 0)
		return -1;
	if (!u->existing && (up_image(u, err) < 0 || up_group(u, err) < 0))
		return -1;
	if (up_launch(u, err) < 0 || up_boot(u, err) < 0 || up_listen(u, err) < 0)
		return -1;
	if (!u->listening)
		return 0;
	if (up_closed(u, err) < 0 || up_open(u, err) < 0 || up_answer(u, err) < 0)
		return -1;
	return 0;
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	struct up u = {
		.cli = cli,
		.a = a,
		.name = arguments_word(a, 0, NAME_DEFAULT),
		.custom = arguments_has(a, "user-data"),
		.started = time_mono_ms(),
	};
	struct error failed = { 0 };
	int64_t seconds;
	int rc;

	if (arguments_number(a, "timeout", time_scaled(BOOT_MS) / 1000, 1, TIMEOUT_MAX_S, &seconds, err) < 0)
		return -1;
	u.timeout_ms = seconds * 1000;
	u.phases = json_array();
	rc = steps(&u, &failed);
	progress_on_interrupt(NULL);
	if (rc < 0) {
		print_failure(&u);
		if (cli->json)
			print_json_result(&u, &failed);
		else if (u.phase[0] && strcmp(u.phase, "region") != 0)
			error_prefix(&failed, "%s", u.phase);
		if (err)
			*err = failed;
	} else {
		progress_end();
		if (cli->json)
			print_json_result(&u, NULL);
		else
			print_summary(&u);
	}
	json_decref(u.phases);
	json_decref(u.instance);
	json_decref(u.image);
	return rc;
}

const struct verb verb_up = {
	.name = "up",
	.group = "The lab",
	.synopsis = "[NAME]",
	.summary = "The whole lab: launch, Django, port 8000, its page.",
	.details = "Brings the image here, makes a security group that allows SSH as the console's wizard does,\n"
		   "launches a t2.small (NAME is web by default; with no key pair unless --key names one), follows\n"
		   "its boot, waits until Django listens in the guest, sees that the host's request to its public\n"
		   "address is dropped, authorizes port 8000 from 0.0.0.0/0, and sees Django's page. Run again it\n"
		   "carries on from wherever the instance is. With --user-data it is ready when cloud-init is done,\n"
		   "and the steps about port 8000 are taken only if something listens there.",
	.flags = flags,
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
