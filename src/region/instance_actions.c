/* What is asked of instances, beside launching them (run_instances.c) and talking to them (guest_actions.c). */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "region/capacity.h"
#include "region/guest.h"
#include "region/instance.h"
#include "region/reply.h"
#include "region/run_instances.h"
#include "region/types.h"

#define CONSOLE_TAIL_MAX (64u << 10) /* what EC2 keeps of a console's output */
#define IDS_MAX 1000

static const struct param ids_params[] = { { "InstanceId", PARAM_LIST, PARAM_STRING, NULL, true, NULL }, PARAM_END };
static const struct param state_members[] = { INTEGER("code"), TEXT("name"), PARAM_END };
static const struct param group_members[] = { TEXT("groupId"), TEXT("groupName"), PARAM_END };
static const struct param reservation_members[] = {
	TEXT("reservationId"), TEXT("ownerId"), LIST("groupSet", group_members), LIST("instancesSet", instance_reply_members), PARAM_END
};
static const struct param describe_params[] = { TEXTS("InstanceId"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param describe_reply[] = { LIST("reservationSet", reservation_members), TEXT("nextToken"), PARAM_END };

static const struct filter_path instance_filters[] = {
	{ "instance-id", "instanceId" },
	{ "image-id", "imageId" },
	{ "instance-state-name", "instanceState/name" },
	{ "instance-state-code", "instanceState/code" },
	{ "instance-type", "instanceType" },
	{ "availability-zone", "placement/availabilityZone" },
	{ "subnet-id", "subnetId" },
	{ "vpc-id", "vpcId" },
	{ "private-ip-address", "privateIpAddress" },
	{ "private-dns-name", "privateDnsName" },
	{ "ip-address", "ipAddress" },
	{ "dns-name", "dnsName" },
	{ "architecture", "architecture" },
	{ "client-token", "clientToken" },
	{ "hypervisor", "hypervisor" },
	{ "key-name", "keyName" },
	{ "launch-index", "amiLaunchIndex" },
	{ "launch-time", "launchTime" },
	{ "root-device-name", "rootDeviceName" },
	{ "root-device-type", "rootDeviceType" },
	{ "instance.group-id", "groupSet/groupId" },
	{ "instance.group-name", "groupSet/groupName" },
	{ "group-id", "groupSet/groupId" },
	{ "group-name", "groupSet/groupName" },
	{ "network-interface.group-id", "networkInterfaceSet/groupSet/groupId" },
	{ "network-interface.network-interface-id", "networkInterfaceSet/networkInterfaceId" },
	{ "network-interface.subnet-id", "networkInterfaceSet/subnetId" },
	{ "network-interface.vpc-id", "networkInterfaceSet/vpcId" },
	{ "network-interface.addresses.private-ip-address", "networkInterfaceSet/privateIpAddressesSet/privateIpAddress" },
	{ "network-interface.addresses.association.public-ip", "networkInterfaceSet/privateIpAddressesSet/association/publicIp" },
	{ "network-interface.addresses.association.ip-owner-id", "networkInterfaceSet/privateIpAddressesSet/association/ipOwnerId" },
	{ "network-interface.association.public-ip", "networkInterfaceSet/association/publicIp" },
	{ "network-interface.association.ip-owner-id", "networkInterfaceSet/association/ipOwnerId" },
	{ "block-device-mapping.volume-id", "blockDeviceMapping/ebs/volumeId" },
	{ "block-device-mapping.device-name", "blockDeviceMapping/deviceName" },
	{ "state-reason-code", "stateReason/code" },
	{ "tenancy", "placement/tenancy" },
	{ "virtualization-type", "virtualizationType" },
	{ "reservation-id", "reservationId" },
	{ NULL, NULL },
};

/* Filters look at instances; the reply groups what is left by reservation. */
static void group_by_reservation(struct region *r, json_t *flat, json_t *out)
{
	json_t *set = put_list(out, "reservationSet"), *item, *last = NULL;
	size_t i;

	json_array_foreach(flat, i, item)
	{
		const char *id = in_text(item, "reservationId");

		if (!last || strcmp(in_text(last, "reservationId"), id) != 0) {
			last = add_item(set);
			put_text(last, "reservationId", id);
			put_text(last, "ownerId", r->config.account_id);
			put_list(last, "groupSet");
			put_list(last, "instancesSet");
		}
		json_object_del(item, "reservationId");
		json_array_append(json_object_get(last, "instancesSet"), item);
	}
}

static int describe_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "InstanceId"), *v;
	json_t *items = json_array(), *flat, *token;
	size_t i;
	int rc = 0;

	(void)caller;
	region_lock(r);
	json_array_foreach(ids, i, v)
	{
		if (rc == 0 && !instance_find(r, json_string_value(v), err))
			rc = -1;
	}
	for (i = 0; rc == 0 && i < model_count(r->model, KIND_INSTANCE); i++) {
		const struct instance *one = model_at(r->model, KIND_INSTANCE, i);
		json_t *item;

		if (!instance_visible(one) || (ids && !in_list(ids, one->o.id)))
			continue;
		item = add_item(items);
		put_text(item, "reservationId", one->reservation_id);
		instance_reply(r, item, one);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	flat = json_object();
	rc = describe_finish(in, flat, "items", items, instance_filters, ids != NULL, err);
	if (rc == 0) {
		group_by_reservation(r, json_object_get(flat, "items"), out);
		token = json_object_get(flat, "nextToken");
		if (token)
			json_object_set(out, "nextToken", token);
	}
	json_decref(flat);
	return rc;
}

static const struct param change_members[] = {
	TEXT("instanceId"), STRUCTURE("currentState", state_members), STRUCTURE("previousState", state_members), PARAM_END
};
static const struct param change_reply[] = { LIST("instancesSet", change_members), PARAM_END };

static void put_state(json_t *o, const char *key, int state)
{
	json_t *s = put_structure(o, key);

	put_int(s, "code", state);
	put_text(s, "name", instance_state_name(state));
}

static void put_change(json_t *out, const char *id, int current, int previous)
{
	json_t *set = json_object_get(out, "instancesSet"), *item;

	if (!set)
		set = put_list(out, "instancesSet");
	item = add_item(set);
	put_text(item, "instanceId", id);
	put_state(item, "currentState", current);
	put_state(item, "previousState", previous);
}

/* All ids or none: found, and in a state that check allows. */
static int find_all(struct region *r, const json_t *in, struct instance *found[IDS_MAX], size_t *n,
		    int (*check)(const struct instance *i, struct error *err), struct error *err)
{
	const json_t *v;
	size_t i;

	*n = 0;
	json_array_foreach(json_object_get(in, "InstanceId"), i, v)
	{
		struct instance *one = instance_find(r, json_string_value(v), err);
		bool twice = false;

		if (!one || (check && check(one, err) < 0))
			return -1;
		for (size_t k = 0; k < *n; k++)
			twice |= found[k] == one;
		if (!twice && *n < IDS_MAX)
			found[(*n)++] = one;
	}
	return 0;
}

static int bad_state(const struct instance *i, const char *verb, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "IncorrectInstanceState",
			      "The instance '%s' is not in a state from which it can be %s: it is %s.", i->o.id, verb,
			      instance_state_name(i->state));
}

static int can_start(const struct instance *i, struct error *err)
{
	if (i->state == STATE_STOPPED || i->state == STATE_RUNNING || i->state == STATE_PENDING)
		return 0;
	return bad_state(i, "started", err);
}

/* A start gives a new public address where the instance has one that isn't an Elastic IP; the private one stays. */
static int start_one(struct region *r, struct instance *i, struct error *err)
{
	const struct instance_type *type = instance_type_find(i->type, err);
	struct eni *eni = instance_eni(r, i), next_eni;
	struct instance next = *i;
	struct change changes[2] = { { &i->o, &next.o }, { NULL, NULL } };
	size_t n = 1;

	if (!type)
		return -1;
	next.state = STATE_PENDING;
	next.state_time = time_wall_ms();
	next.launch_time = time_whole_seconds(next.state_time);
	next.state_reason_code[0] = next.state_reason[0] = next.transition_reason[0] = '\0';
	next.ready = next.failed = false;
	if (eni && eni->wants_public_ip && !eni->public_ip) {
		next_eni = *eni;
		if (address_public(r, eni->former_public_ip, &next_eni.public_ip, err) < 0)
			return -1;
		changes[n++] = (struct change){ &eni->o, &next_eni.o };
	}
	if (capacity_check(r, type->name, type->memory_mib, err) < 0 || region_commit(r, changes, n, err) < 0)
		return -1;
	i->runtime->began = time_mono_ms();
	i->runtime->cancel = 0;
	i->runtime->count = 0;
	instance_progress_locked(r, i, "pending", "start");
	if (instance_job_launch(r, i->o.id, err) == 0)
		return 0;
	instance_set_state(r, i, STATE_STOPPED, "Server.InternalError", err ? err->message : "", NULL);
	return -1;
}

static int start_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct instance *found[IDS_MAX];
	unsigned vcpus = 0;
	size_t n;
	int rc;

	if (!caller->dry_run && pool_settle(r, err) < 0)
		return -1;
	region_lock(r);
	rc = find_all(r, in, found, &n, can_start, err);
	for (size_t k = 0; rc == 0 && k < n; k++) {
		const struct instance_type *type = instance_type_find(found[k]->type, err);

		rc = type ? 0 : -1;
		vcpus += type && found[k]->state == STATE_STOPPED ? type->vcpus : 0;
	}
	if (rc == 0 && vcpus > quota_vcpus_left(r))
		rc = quota_vcpus_exceeded(r, err);
	if (rc == 0)
		rc = action_dry_run(caller, err);
	for (size_t k = 0; rc == 0 && k < n; k++) {
		int before = found[k]->state;

		if (before == STATE_STOPPED)
			rc = instance_runtime(found[k]) ? start_one(r, found[k], err) : -1;
		put_change(out, found[k]->o.id, found[k]->state, before);
	}
	region_unlock(r);
	return rc;
}

static const struct param stop_params[] = {
	{ "InstanceId", PARAM_LIST, PARAM_STRING, NULL, true, NULL },
	{ "Force", PARAM_BOOLEAN, 0, NULL, false, "cut the power at once" },
	{ "Hibernate", PARAM_BOOLEAN, 0, NULL, false, "false" },
	PARAM_END,
};

static int can_stop(const struct instance *i, struct error *err)
{
	if (i->disable_stop && i->state == STATE_RUNNING)
		return error_set_code(err, ERROR_USAGE, "OperationNotPermitted",
				      "The instance '%s' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
				      i->o.id);
	if (i->state == STATE_RUNNING || i->state == STATE_STOPPING || i->state == STATE_STOPPED)
		return 0;
	return bad_state(i, "stopped", err);
}

static int begin_move(struct region *r, struct instance *i, enum instance_state state, struct error *err)
{
	struct instance next = *i;
	struct change c = { &i->o, &next.o };
	char when[TIME_ISO_MAX];

	/* EC2's: "User initiated (2026-11-22 10:14:57 GMT)" */
	time_iso(when, time_wall_ms());
	when[10] = ' ';
	snprintf(next.transition_reason, sizeof next.transition_reason, "User initiated (%.19s GMT)", when);
	next.state = (int)state;
	next.state_time = time_wall_ms();
	snprintf(next.state_reason_code, sizeof next.state_reason_code, "Client.UserInitiatedShutdown");
	snprintf(next.state_reason, sizeof next.state_reason, "Client.UserInitiatedShutdown: User initiated shutdown");
	next.ready = next.failed = false;
	if (region_commit(r, &c, 1, err) < 0)
		return -1;
	instance_progress_locked(r, i, instance_state_name((int)state), "");
	return 0;
}

static int stop_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct instance *found[IDS_MAX];
	bool force = in_bool(in, "Force", false);
	size_t n;
	int rc;

	if (in_bool(in, "Hibernate", false))
		return error_set_code(err, ERROR_USAGE, "UnsupportedHibernationConfiguration",
				      "The parameter Hibernate is not built in this region.");
	region_lock(r);
	rc = find_all(r, in, found, &n, can_stop, err);
	if (rc == 0)
		rc = action_dry_run(caller, err);
	for (size_t k = 0; rc == 0 && k < n; k++) {
		int before = found[k]->state;

		if (before == STATE_RUNNING) {
			rc = instance_runtime(found[k]) ? begin_move(r, found[k], STATE_STOPPING, err) : -1;
			if (rc == 0) {
				found[k]->runtime->force = force;
				rc = instance_job_stop(r, found[k]->o.id, force, err);
				if (rc < 0) /* it runs on */
					instance_set_state(r, found[k], STATE_RUNNING, "", "", NULL);
			}
		} else if (before == STATE_STOPPING && force && instance_runtime(found[k])) {
			found[k]->runtime->force = true;
			region_changed(r);
		}
		put_change(out, found[k]->o.id, found[k]->state, before);
	}
	region_unlock(r);
	return rc;
}

static int can_reboot(const struct instance *i, struct error *err)
{
	return i->state == STATE_RUNNING ? 0 : bad_state(i, "rebooted", err);
}

static int reboot_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct instance *found[IDS_MAX];
	size_t n;
	int rc;

	region_lock(r);
	rc = find_all(r, in, found, &n, can_reboot, err);
	if (rc == 0)
		rc = action_dry_run(caller, err);
	for (size_t k = 0; rc == 0 && k < n; k++)
		rc = instance_job_reboot(r, found[k]->o.id, err);
	region_unlock(r);
	if (rc == 0)
		put_bool(out, "return", true);
	return rc;
}

static int can_terminate(const struct instance *i, struct error *err)
{
	if (!i->disable_termination || i->state == STATE_TERMINATED)
		return 0;
	return error_set_code(err, ERROR_USAGE, "OperationNotPermitted",
			      "The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
			      i->o.id);
}

int instance_terminate(struct region *r, struct instance *i, struct error *err)
{
	struct instance before;
	struct change back;
	struct error why = { 0 };

	if (i->state == STATE_TERMINATED || i->state == STATE_SHUTTING_DOWN)
		return 0;
	if (!instance_runtime(i))
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	i->runtime->cancel = 1;
	before = *i;
	if (begin_move(r, i, STATE_SHUTTING_DOWN, err) < 0)
		return -1;
	if (instance_job_terminate(r, i->o.id, err) == 0)
		return 0;
	back = (struct change){ &i->o, &before.o };
	if (region_commit(r, &back, 1, &why) < 0)
		log_error("instance %s: %s", i->o.id, why.message);
	return -1;
}

static int terminate_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct instance *found[IDS_MAX];
	size_t n;
	int rc;

	region_lock(r);
	rc = find_all(r, in, found, &n, can_terminate, err);
	if (rc == 0)
		rc = action_dry_run(caller, err);
	for (size_t k = 0; rc == 0 && k < n; k++) {
		int before = found[k]->state;

		rc = instance_terminate(r, found[k], err);
		put_change(out, found[k]->o.id, found[k]->state, before);
	}
	region_unlock(r);
	return rc;
}

static const struct param return_reply[] = { BOOLEAN("return"), PARAM_END };

static const struct param console_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL },
	{ "Latest", PARAM_BOOLEAN, 0, NULL, false, "the output is always the latest" },
	{ "Offset", PARAM_INTEGER, 0, NULL, false, "the lab's own: bytes to leave out at the log's beginning" },
	{ "WaitSeconds", PARAM_INTEGER, 0, NULL, false, "the lab's own: wait so long (60 at most) for output beyond Offset" },
	PARAM_END,
};
static const struct param console_reply[] = { TEXT("instanceId"), TIMESTAMP("timestamp"), TEXT("output"), INTEGER("nextOffset"), PARAM_END };

/* At most CONSOLE_TAIL_MAX bytes of the file from offset on (negative: its end). */
static char *read_console(const char *path, int64_t offset, size_t *ret_len, int64_t *ret_next, struct error *err)
{
	AUTO_FCLOSE FILE *f = fopen(path, "re");
	int64_t size = f ? file_size(path) : 0;
	char *data = malloc(CONSOLE_TAIL_MAX + 1);

	*ret_len = 0;
	if (!data) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	if (offset < 0)
		offset = size > (int64_t)CONSOLE_TAIL_MAX ? size - (int64_t)CONSOLE_TAIL_MAX : 0;
	if (f && fseeko(f, offset, SEEK_SET) == 0)
		*ret_len = fread(data, 1, CONSOLE_TAIL_MAX, f);
	*ret_next = offset + (int64_t)*ret_len;
	return data;
}

static int get_console_output(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *id = in_text(in, "InstanceId");
	int64_t offset = in_int(in, "Offset", -1), next, wait = in_int(in, "WaitSeconds", 0), changed = 0;
	AUTO_FREE char *dir = NULL, *path = NULL, *data = NULL, *text = NULL;
	const struct instance *i;
	size_t len;

	(void)caller;
	if (wait < 0 || wait > LONG_POLL_MAX_S)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "WaitSeconds is 0 to %d, not %lld.", LONG_POLL_MAX_S,
				      (long long)wait);
	region_lock(r);
	i = instance_find(r, id, err);
	if (i)
		changed = i->state_time;
	region_unlock(r);
	dir = i ? instance_dir(r, id, err) : NULL;
	path = dir ? file_path(err, "%s/console.log", dir) : NULL;
	if (!path)
		return -1;
	if (wait && offset >= 0)
		guest_wait_growth(r, path, offset, deadline_in(wait * 1000));
	data = read_console(path, offset, &len, &next, err);
	text = data ? base64_encode(data, len, err) : NULL;
	if (!text)
		return -1;
	put_text(out, "instanceId", id);
	put_time(out, "timestamp", len ? time_wall_ms() : changed);
	put_text(out, "output", text);
	put_int(out, "nextOffset", next);
	return 0;
}

static const struct param progress_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL },
	{ "After", PARAM_INTEGER, 0, NULL, false, "entries after this sequence only" },
	{ "WaitSeconds", PARAM_INTEGER, 0, NULL, false, "wait so long (60 at most) for an entry after it" },
	PARAM_END,
};
static const struct param entry_members[] = {
	INTEGER("sequence"), TIMESTAMP("time"), INTEGER("elapsedMs"), TEXT("phase"), TEXT("detail"), PARAM_END
};
static const struct param progress_reply[] = {
	TEXT("instanceId"), STRUCTURE("instanceState", state_members), BOOLEAN("ready"), BOOLEAN("failed"), INTEGER("lastSequence"),
	LIST("progressSet", entry_members), PARAM_END
};

static int describe_progress(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int64_t after = in_int(in, "After", 0), wait = in_int(in, "WaitSeconds", 0);
	const struct instance_runtime *rt;
	struct instance *i;
	int64_t deadline;
	json_t *set;

	(void)caller;
	if (wait < 0 || wait > LONG_POLL_MAX_S)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "WaitSeconds is 0 to %d, not %lld.", LONG_POLL_MAX_S,
				      (long long)wait);
	deadline = deadline_in(wait * 1000);
	region_lock(r);
	i = instance_find(r, in_text(in, "InstanceId"), err);
	rt = i ? instance_runtime(i) : NULL;
	if (!rt) {
		region_unlock(r);
		return -1;
	}
	while (rt->sequence <= after && !r->closing && wait && region_wait(r, deadline))
		;
	put_text(out, "instanceId", i->o.id);
	put_state(out, "instanceState", i->state);
	put_bool(out, "ready", i->ready);
	put_bool(out, "failed", i->failed);
	put_int(out, "lastSequence", rt->sequence);
	set = put_list(out, "progressSet");
	for (size_t k = 0; k < rt->count; k++) {
		const struct progress_entry *e = &rt->entries[k];
		json_t *item;

		if (e->sequence <= after)
			continue;
		item = add_item(set);
		put_int(item, "sequence", e->sequence);
		put_time(item, "time", e->wall_ms);
		put_int(item, "elapsedMs", e->elapsed_ms);
		put_text(item, "phase", e->phase);
		put_text(item, "detail", e->detail);
	}
	region_unlock(r);
	return 0;
}

const struct action instance_actions[] = {
	{ "RunInstances", "ec2", "Launches instances: the reply says pending, the work goes on.", run_params, reservation_members, true,
	  run_instances },
	{ "DescribeInstances", "ec2", "Lists instances; terminated ones for an hour.", describe_params, describe_reply, false,
	  describe_instances },
	{ "StartInstances", "ec2", "Starts stopped instances; each gets a new public address, unless it has an Elastic IP address.", ids_params, change_reply, true,
	  start_instances },
	{ "StopInstances", "ec2", "Stops instances by the guest's power button.", stop_params, change_reply, true, stop_instances },
	{ "RebootInstances", "ec2", "Reboots instances; addresses stay.", ids_params, return_reply, true, reboot_instances },
	{ "TerminateInstances", "ec2", "Ends instances and deletes their root volumes.", ids_params, change_reply, true,
	  terminate_instances },
	{ "GetConsoleOutput", "ec2", "The serial console's output, base64.", console_params, console_reply, false, get_console_output },
	{ "DescribeInstanceProgress", "vpclab", "How far a launch is, as it happens (the lab's own).", progress_params, progress_reply, false,
	  describe_progress },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
