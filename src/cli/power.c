/* `vpclab stop`, `start`, `reboot` and `terminate`: an instance's life cycle. */
#include <string.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define WAIT_MS 180000 /* a guest's own shutdown, or its boot; scaled */
#define WAIT_MAX_S 86400

static const struct flag flags[] = {
	{ "all", NULL, "every instance" },
	{ "no-wait", NULL, "return when the region has accepted it, before it is done" },
	{ "timeout", "SECONDS", "wait at most so long for each (default 180, six times that without KVM)" },
	{ NULL, NULL, NULL },
};

struct change {
	const char *action, *doing; /* StopInstances, "stopping" */
	const char *end;            /* the state at the end */
	const char *from;           /* --all takes instances in this state; NULL: any that isn't gone */
};

/* The instances meant: a new array. */
static json_t *meant(struct cli *cli, const struct arguments *a, const struct change *c, struct error *err)
{
	AUTO_JSON json_t *all = NULL;
	AUTO_JSON json_t *list = json_array();
	const json_t *instance;
	size_t i;

	if (arguments_has(a, "all") == (a->word_count > 0)) {
		error_set(err, ERROR_USAGE, a->word_count ? "Give names or --all, not both." : "Name the instances, or give --all.");
		return NULL;
	}
	all = instances_all(cli, err);
	if (!all)
		return NULL;
	for (size_t k = 0; k < a->word_count; k++) {
		instance = instance_pick(all, a->words[k], err);
		if (!instance)
			return NULL;
		json_array_append(list, (json_t *)(uintptr_t)instance);
	}
	if (!a->word_count)
		json_array_foreach(all, i, instance)
			if (!instance_gone(instance) && (!c->from || strcmp(instance_state(instance), c->from) == 0))
				json_array_append(list, (json_t *)(uintptr_t)instance);
	return TAKE_PTR(list);
}

/* A reboot leaves the state at running, so its end is told by the guest being ready again. */
static int rebooted(void *arg, const json_t *reply, struct error *err)
{
	const int64_t *before = arg;
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(reply, "progressSet"), i, step) {
		if (number_of(step, "sequence") <= *before)
			continue;
		if (strcmp(text_of(step, "phase"), "ready") == 0)
			return 1;
		if (strcmp(text_of(step, "phase"), "failed") == 0)
			return error_set(err, ERROR_ENVIRONMENT, "The guest failed to boot again: %s.", text_of(step, "detail"));
		progress_live("rebooting: %s %s", text_of(step, "phase"), text_of(step, "detail"));
	}
	return 0;
}

static int wait_one(struct cli *cli, const json_t *instance, const struct change *c, int64_t before, int64_t timeout_ms,
		    struct error *err)
{
	char label[128];

	instance_label(label, instance);
	progress_live("%s %s", c->doing, label);
	if (strcmp(c->action, "RebootInstances") == 0) {
		struct follow f = {
			.id = instance_id(instance),
			.label = label,
			.awaited = "did not come back from its reboot",
			.after = before,
			.deadline = deadline_in(timeout_ms),
			.step = rebooted,
			.arg = &before,
		};

		return follow(cli, &f, err);
	}
	return instance_wait_state(cli, instance, c->end, timeout_ms, err);
}

/* What it is now, in a line. */
static int report(struct cli *cli, const json_t *was, struct error *err)
{
	AUTO_JSON json_t *now = instance_get(cli, instance_id(was), err);
	char label[128];

	if (!now)
		return -1;
	instance_label(label, was);
	printf("%s is %s%s%s\n", label, instance_state(now), *text_of(now, "ipAddress") ? ", public IPv4 address " : "",
	       text_of(now, "ipAddress"));
	return 0;
}

static int run_change(struct cli *cli, const struct arguments *a, const struct change *c, struct error *err)
{
	bool reboot = strcmp(c->action, "RebootInstances") == 0;
	AUTO_JSON json_t *list = NULL, *reply = NULL;
	AUTO_REQUEST struct request r;
	int64_t seconds, before[ARGUMENTS_MAX];
	const json_t *instance;
	size_t i;

	request_init(&r, c->action);
	if (arguments_number(a, "timeout", time_scaled(WAIT_MS) / 1000, 1, WAIT_MAX_S, &seconds, err) < 0)
		return -1;
	list = meant(cli, a, c, err);
	if (!list)
		return -1;
	if (!json_array_size(list)) {
		if (cli->json)
			printf("{}\n");
		else
			printf("There is no instance to be %s.\n", c->end ? c->end : "rebooted");
		return 0;
	}
	json_array_foreach(list, i, instance) {
		request_addf(&r, instance_id(instance), "InstanceId.%zu", i + 1);
		if (reboot && i < ARRAY_SIZE(before) && follow_last(cli, instance_id(instance), &before[i], err) < 0)
			return -1;
	}
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (!arguments_has(a, "no-wait") && !(reboot && !region_has_guests(cli))) {
		progress_on_interrupt("vpclab: interrupted; the region goes on %s, see `vpclab ls`.", c->doing);
		json_array_foreach(list, i, instance)
			if (wait_one(cli, instance, c, reboot && i < ARRAY_SIZE(before) ? before[i] : 0, seconds * 1000, err) < 0)
				return -1;
		progress_end();
	}
	if (cli->json) {
		print_json(reply);
		return 0;
	}
	json_array_foreach(list, i, instance)
		if (report(cli, instance, err) < 0)
			return -1;
	return 0;
}

static int run_stop(struct cli *cli, const struct arguments *a, struct error *err)
{
	const struct change c = { "StopInstances", "stopping", "stopped", "running" };

	return run_change(cli, a, &c, err);
}

static int run_start(struct cli *cli, const struct arguments *a, struct error *err)
{
	const struct change c = { "StartInstances", "starting", "running", "stopped" };

	return run_change(cli, a, &c, err);
}

static int run_reboot(struct cli *cli, const struct arguments *a, struct error *err)
{
	const struct change c = { "RebootInstances", "rebooting", NULL, "running" };

	return run_change(cli, a, &c, err);
}

static int run_terminate(struct cli *cli, const struct arguments *a, struct error *err)
{
	const struct change c = { "TerminateInstances", "terminating", "terminated", NULL };

	return run_change(cli, a, &c, err);
}

#define POWER_VERB(verb_name, text, more)                                                         \
	const struct verb verb_##verb_name = {                                                    \
		.name = #verb_name, .group = "Instances", .synopsis = "NAME...", .summary = text, \
		.details = more, .flags = flags, .min_words = 0, .max_words = -1, .run = run_##verb_name, \
	}

POWER_VERB(stop, "Stop instances; disks and private addresses stay.",
	   "The guest shuts itself down. Its public IPv4 address is released, as in EC2.");
POWER_VERB(start, "Start stopped instances.", "The public IPv4 address is a new one, the private one is kept.");
POWER_VERB(reboot, "Reboot instances; all their addresses stay.", NULL);
POWER_VERB(terminate, "Terminate instances; their disks go with them.", NULL);
