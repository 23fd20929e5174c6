/* The first half of `up`: region, image, security group, launch, boot. */
#include <string.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/image_pull.h"
#include "cli/instance.h"
#include "cli/launch.h"
#include "cli/probe.h"
#include "cli/progress.h"
#include "cli/rule.h"
#include "cli/up.h"

#define WIZARD_PREFIX "launch-wizard-"
#define WIZARD_MAX 10000
#define SSH_PORT 22
#define USER_DATA_DJANGO "cloud-init/django.yaml"
#define STOP_WAIT_MS 120000

int up_region(struct up *u, struct error *err)
{
	AUTO_JSON json_t *status = NULL;
	bool tcg;

	up_phase(u, "region");
	status = client_get(u->cli, "DescribeRegionStatus", err);
	if (!status)
		return -1;
	if (strncmp(text_of(status, "libvirtUri"), "test:", 5) == 0)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The region runs libvirt's test driver (setting libvirt_uri), whose instances have no guest to bring up.");
	tcg = strcmp(text_of(status, "accelerator"), "tcg") == 0;
	up_say(u, "%s on this machine, %s: %s", text_of(status, "region"), tcg ? "guests emulated in software (TCG)" : "KVM",
	       text_of(status, "acceleratorReason"));
	return 0;
}

static int describe(struct up *u, struct error *err)
{
	json_t *now = instance_get(u->cli, u->id, err);

	if (!now)
		return -1;
	json_decref(u->instance);
	u->instance = now;
	instance_label(u->label, now);
	snprintf(u->address, sizeof u->address, "%s", text_of(now, "ipAddress"));
	snprintf(u->url, sizeof u->url, "http://%s:%d/", u->address, DJANGO_PORT);
	return 0;
}

static void remember_group(struct up *u, const json_t *group)
{
	snprintf(u->group_id, sizeof u->group_id, "%s", text_of(group, "groupId"));
	snprintf(u->group_name, sizeof u->group_name, "%s", text_of(group, "groupName"));
}

int up_find(struct up *u, struct error *err)
{
	AUTO_JSON json_t *all = instances_all(u->cli, err);
	struct error several = { 0 };
	const json_t *found;

	if (!all)
		return -1;
	found = instance_named(all, u->name, &several);
	if (several.kind != ERROR_NONE) {
		if (err)
			*err = several;
		return -1;
	}
	if (!found)
		return 0;
	u->existing = true;
	snprintf(u->id, sizeof u->id, "%s", instance_id(found));
	remember_group(u, json_array_get(json_object_get(found, "groupSet"), 0));
	return describe(u, err);
}

int up_image(struct up *u, struct error *err)
{
	up_phase(u, "image");
	u->image = image_for_launch(u->cli, arguments_value(u->a, "image"), err);
	if (!u->image)
		return -1;
	up_say(u, "%s (%s)", text_of(u->image, "name"), text_of(u->image, "imageId"));
	return 0;
}

void up_wizard_name(char out[64], const json_t *groups)
{
	for (int n = 1; n <= WIZARD_MAX; n++) {
		const json_t *group;
		size_t i;
		bool taken = false;

		snprintf(out, 64, WIZARD_PREFIX "%d", n);
		json_array_foreach(groups, i, group)
			taken |= strcmp(text_of(group, "groupName"), out) == 0;
		if (!taken)
			return;
	}
}

int up_group(struct up *u, struct error *err)
{
	AUTO_JSON json_t *all = NULL, *made = NULL, *allowed = NULL;
	AUTO_REQUEST struct request create, allow;
	const struct rule ssh = { "tcp", SSH_PORT, SSH_PORT };
	char description[128], now[TIME_ISO_MAX];

	request_init(&create, "CreateSecurityGroup");
	request_init(&allow, "AuthorizeSecurityGroupIngress");
	up_phase(u, "firewall");
	all = client_get(u->cli, "DescribeSecurityGroups", err);
	if (!all)
		return -1;
	up_wizard_name(u->group_name, json_object_get(all, "securityGroupInfo"));
	time_iso(now, time_wall_ms());
	snprintf(description, sizeof description, "%.64s created %s", u->group_name, now);
	request_add(&create, "GroupName", u->group_name);
	request_add(&create, "GroupDescription", description);
	made = client_call(u->cli, &create, 0, err);
	if (!made)
		return -1;
	snprintf(u->group_id, sizeof u->group_id, "%s", text_of(made, "groupId"));
	u->group_made = true;
	request_add(&allow, "GroupId", u->group_id);
	if (rule_request(u->cli, &allow, &ssh, "0.0.0.0/0", err) < 0)
		return -1;
	allowed = client_call(u->cli, &allow, 0, err);
	if (!allowed)
		return -1;
	up_say(u, "security group %s (%s): inbound SSH from 0.0.0.0/0 and nothing else", u->group_name, u->group_id);
	return 0;
}

/* Nothing was launched into it, so it would only lie about. */
static void remove_group(struct up *u)
{
	AUTO_REQUEST struct request r;

	request_init(&r, "DeleteSecurityGroup");
	request_add(&r, "GroupId", u->group_id);
	json_decref(client_call(u->cli, &r, 0, NULL));
	u->group_id[0] = '\0';
}

static int launch_new(struct up *u, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	char django[CONFIG_VALUE_MAX + sizeof USER_DATA_DJANGO + 1];
	const char *data = arguments_value(u->a, "user-data");

	request_init(&r, "RunInstances");
	snprintf(django, sizeof django, "%s/%s", u->cli->config.data_dir, USER_DATA_DJANGO);
	launch_request(u->cli, u->a, &r, text_of(u->image, "imageId"), u->name);
	request_add(&r, "SecurityGroupId.1", u->group_id);
	request_add(&r, "MinCount", "1");
	request_add(&r, "MaxCount", "1");
	if (launch_user_data(&r, data ? data : django, err) == 0)
		reply = client_call(u->cli, &r, 0, err);
	if (!reply) {
		remove_group(u);
		return -1;
	}
	snprintf(u->id, sizeof u->id, "%s",
		 instance_id(json_array_get(json_object_get(reply, "instancesSet"), 0)));
	if (describe(u, err) < 0)
		return -1;
	up_say(u, "%s, %s in %s", u->id, text_of(u->instance, "instanceType"),
	       text_of(json_object_get(u->instance, "placement"), "availabilityZone"));
	return 0;
}

static int start_stopped(struct up *u, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "StartInstances");
	request_add(&r, "InstanceId.1", u->id);
	if (strcmp(instance_state(u->instance), "stopping") == 0 &&
	    instance_wait_state(u->cli, u->instance, "stopped", time_scaled(STOP_WAIT_MS), err) < 0)
		return -1;
	reply = client_call(u->cli, &r, 0, err);
	if (!reply)
		return -1;
	up_say(u, "%s was stopped and is started", u->label);
	return describe(u, err);
}

int up_launch(struct up *u, struct error *err)
{
	static const char *const fixed[] = { "image", "type", "zone", "key", "user-data" };
	const char *state;

	up_phase(u, "launch");
	if (!u->existing)
		return launch_new(u, err);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (arguments_has(u->a, fixed[i]))
			up_say(u, "--%s is for a new launch; %s exists and is kept as it is", fixed[i], u->label);
	state = instance_state(u->instance);
	if (strcmp(state, "stopped") == 0 || strcmp(state, "stopping") == 0)
		return start_stopped(u, err);
	up_say(u, "%s exists and is %s", u->label, state);
	return 0;
}

int up_story(struct up *u, const json_t *reply, bool quiet, struct error *err)
{
	const char *state = text_of(json_object_get(reply, "instanceState"), "name"), *failure = NULL;
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(reply, "progressSet"), i, step) {
		const char *phase = text_of(step, "phase"), *detail = text_of(step, "detail");

		if (number_of(step, "sequence") <= u->sequence)
			continue;
		u->sequence = number_of(step, "sequence");
		if (strcmp(phase, "failed") == 0)
			failure = detail;
		if (quiet)
			continue;
		if (strcmp(u->phase, phase) != 0)
			up_phase(u, phase);
		up_say(u, "%s", detail);
		progress_live("%s %s", phase, detail);
	}
	if (strcmp(state, "pending") != 0 && strcmp(state, "running") != 0)
		return instance_ended(u->cli, u->id, u->label, state, err);
	/* what failed before this run may have been mended since */
	if (!quiet && (failure || json_is_true(json_object_get(reply, "failed"))))
		return error_set(err, ERROR_ENVIRONMENT, "The guest failed: %s", failure ? failure : "its console says how.");
	return 0;
}

struct boot {
	struct up *u;
	bool quiet; /* what is told happened before this run */
};

static int boot_step(void *arg, const json_t *reply, struct error *err)
{
	struct boot *b = arg;

	if (up_story(b->u, reply, b->quiet, err) < 0)
		return -1;
	b->quiet = false;
	return json_is_true(json_object_get(reply, "ready"));
}

int up_boot(struct up *u, struct error *err)
{
	struct boot b = { .u = u };
	struct follow f = {
		.id = u->id,
		.label = u->label,
		.awaited = "did not get ready",
		.deadline = deadline_in(u->timeout_ms),
		.step = boot_step,
		.arg = &b,
	};

	if (u->existing) {
		/* an instance that is up needs no story of its boot */
		AUTO_JSON json_t *reply = NULL;
		AUTO_REQUEST struct request r;

		request_init(&r, "DescribeInstanceProgress");
		request_add(&r, "InstanceId", u->id);
		reply = client_call(u->cli, &r, 0, err);
		if (!reply)
			return -1;
		b.quiet = json_is_true(json_object_get(reply, "ready"));
	}
	progress_on_interrupt("vpclab: interrupted; %s goes on booting, and `vpclab up %s` takes it up again.", u->label, u->name);
	progress_live("booting %s", u->label);
	if (follow(u->cli, &f, err) < 0)
		return -1;
	return describe(u, err);
}
