/* RunInstances: docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html */
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "region/capacity.h"
#include "region/instance.h"
#include "region/key_pair.h"
#include "region/reply.h"
#include "region/run_instances.h"
#include "region/types.h"
#include "seed/seed.h"

#define TYPE_DEFAULT "t2.small" /* the lecture's; EC2's own default, m1.small, isn't built */
#define ROOT_GIB_DEFAULT 8
#define ROOT_GIB_MAX 16384
#define COUNT_MAX 100

static const struct param placement_members[] = { TEXT("AvailabilityZone"), TEXT("Tenancy"), TEXT("GroupName"), PARAM_END };
static const struct param ebs_members[] = {
	INTEGER("VolumeSize"), TEXT("VolumeType"), BOOLEAN("DeleteOnTermination"), BOOLEAN("Encrypted"), TEXT("SnapshotId"),
	INTEGER("Iops"), INTEGER("Throughput"), PARAM_END
};
static const struct param device_members[] = { TEXT("DeviceName"), STRUCTURE("Ebs", ebs_members), TEXT("NoDevice"), TEXT("VirtualName"), PARAM_END };
static const struct param interface_members[] = {
	INTEGER("DeviceIndex"), BOOLEAN("AssociatePublicIpAddress"), TEXT("SubnetId"), TEXTS("SecurityGroupId"),
	TEXT("PrivateIpAddress"), TEXT("Description"), BOOLEAN("DeleteOnTermination"), TEXT("NetworkInterfaceId"), PARAM_END
};
static const struct param monitoring_members[] = { BOOLEAN("Enabled"), PARAM_END };
static const struct param metadata_members[] = {
	TEXT("HttpTokens"), INTEGER("HttpPutResponseHopLimit"), TEXT("HttpEndpoint"), TEXT("HttpProtocolIpv6"), TEXT("InstanceMetadataTags"), PARAM_END
};
static const struct param hibernation_members[] = { BOOLEAN("Configured"), PARAM_END };
static const struct param credit_members[] = { TEXT("CpuCredits"), PARAM_END };

const struct param run_params[] = {
	{ "ImageId", PARAM_STRING, 0, NULL, true, "an image of DescribeImages" },
	{ "MinCount", PARAM_INTEGER, 0, NULL, true, NULL },
	{ "MaxCount", PARAM_INTEGER, 0, NULL, true, NULL },
	{ "InstanceType", PARAM_STRING, 0, NULL, false, "t2.small when absent" },
	{ "KeyName", PARAM_STRING, 0, NULL, false, "a key pair of DescribeKeyPairs; its public key goes to the guest's default user" },
	TEXTS("SecurityGroupId"),
	TEXTS("SecurityGroup"),
	TEXT("SubnetId"),
	STRUCTURE("Placement", placement_members),
	TEXT("PrivateIpAddress"),
	{ "UserData", PARAM_BLOB, 0, NULL, false, "base64; 16 KiB at most before encoding" },
	{ "BlockDeviceMapping", PARAM_LIST, PARAM_STRUCTURE, device_members, false, "the root device's size only" },
	{ "NetworkInterface", PARAM_LIST, PARAM_STRUCTURE, interface_members, false, "one, of device index 0" },
	PARAM_TAG_SPECIFICATIONS,
	TEXT("ClientToken"),
	BOOLEAN("DisableApiTermination"),
	BOOLEAN("DisableApiStop"),
	{ "InstanceInitiatedShutdownBehavior", PARAM_STRING, 0, NULL, false, "stop" },
	{ "Monitoring", PARAM_STRUCTURE, 0, monitoring_members, false, "Enabled=false" },
	{ "EbsOptimized", PARAM_BOOLEAN, 0, NULL, false, "false" },
	{ "MetadataOptions", PARAM_STRUCTURE, 0, metadata_members, false, "not built yet" },
	{ "HibernationOptions", PARAM_STRUCTURE, 0, hibernation_members, false, "Configured=false" },
	{ "CreditSpecification", PARAM_STRUCTURE, 0, credit_members, false, "accepted; CPU credits are not metered" },
	PARAM_END,
};

/* What one call asks for, checked. */
struct launch {
	const struct image *image;
	const struct instance_type *type;
	const struct subnet *subnet;
	const struct key_pair *key; /* or NULL */
	char groups[GROUPS_PER_ENI_MAX][ID_MAX];
	int group_count, root_gib, count;
	uint32_t private_ip;
	bool public_ip;
	const char *user_data;
	char digest[72];
};

static int unsupported(const char *parameter, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "UnsupportedOperation", "The parameter %s is not built in this region.", parameter);
}

/* Parameters that are known but whose effect isn't built must not be taken silently. */
static int check_unbuilt(const json_t *in, struct error *err)
{
	const char *shutdown = in_text(in, "InstanceInitiatedShutdownBehavior");

	if (shutdown && strcmp(shutdown, "stop") != 0)
		return unsupported("InstanceInitiatedShutdownBehavior (other than stop)", err);
	if (in_bool(json_object_get(in, "Monitoring"), "Enabled", false))
		return unsupported("Monitoring.Enabled", err);
	if (in_bool(json_object_get(in, "HibernationOptions"), "Configured", false))
		return unsupported("HibernationOptions.Configured", err);
	if (in_bool(in, "EbsOptimized", false))
		return unsupported("EbsOptimized", err);
	if (json_object_size(json_object_get(in, "MetadataOptions")))
		return unsupported("MetadataOptions", err);
	return 0;
}

static int check_count(const json_t *in, struct launch *l, struct error *err)
{
	int64_t min = in_int(in, "MinCount", 0), max = in_int(in, "MaxCount", 0);

	if (min < 1 || max < 1)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%lld) for parameter %s is invalid. It must be greater than or equal to 1.",
				      (long long)(min < 1 ? min : max), min < 1 ? "minCount" : "maxCount");
	if (min > max)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "MinCount (%lld) must not be larger than MaxCount (%lld).", (long long)min, (long long)max);
	if (max > COUNT_MAX)
		return error_set_code(err, ERROR_USAGE, "InstanceLimitExceeded",
				      "You have requested more instances (%lld) than one call may launch (%d).", (long long)max, COUNT_MAX);
	l->count = (int)max;
	return 0;
}

static int check_user_data(const json_t *in, struct launch *l, struct error *err)
{
	AUTO_FREE char *raw = NULL;
	size_t len;

	l->user_data = in_text(in, "UserData");
	if (!l->user_data)
		return 0;
	raw = base64_decode(l->user_data, &len, NULL);
	if (!raw)
		return error_set_code(err, ERROR_USAGE, "InvalidUserData.Malformed",
				      "Invalid BASE64 encoding of user data; encode the file with base64.");
	return seed_user_data_check(len, err);
}

static int check_key(struct region *r, const json_t *in, struct launch *l, struct error *err)
{
	const char *name = in_text(in, "KeyName");

	l->key = name ? key_pair_named(r, name) : NULL;
	return name && !l->key ? key_pair_not_found(name, err) : 0;
}

static int check_device(const json_t *in, struct launch *l, struct error *err)
{
	const json_t *mappings = json_object_get(in, "BlockDeviceMapping"), *m;
	size_t i;

	l->root_gib = ROOT_GIB_DEFAULT;
	json_array_foreach(mappings, i, m)
	{
		const char *name = in_text(m, "DeviceName");
		const json_t *ebs = json_object_get(m, "Ebs");
		int64_t size = in_int(ebs, "VolumeSize", ROOT_GIB_DEFAULT);

		if (!name || strcmp(name, l->image->root_device) != 0)
			return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
					      "The block device %.32s is not built in this region; only the root device %s can be mapped.",
					      name ? name : "(no name)", l->image->root_device);
		if (in_text(m, "NoDevice") || in_text(m, "VirtualName") || in_text(ebs, "SnapshotId"))
			return unsupported("BlockDeviceMapping.NoDevice, VirtualName or Ebs.SnapshotId", err);
		if (in_bool(ebs, "Encrypted", false))
			return unsupported("BlockDeviceMapping.Ebs.Encrypted", err);
		if (!in_bool(ebs, "DeleteOnTermination", true))
			return unsupported("BlockDeviceMapping.Ebs.DeleteOnTermination=false", err);
		if (size < 1 || size > ROOT_GIB_MAX)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
					      "Invalid volume size %lld GiB; it must be 1 to %d.", (long long)size, ROOT_GIB_MAX);
		l->root_gib = (int)size;
	}
	return 0;
}

static const struct subnet *roomiest_default_subnet(struct region *r)
{
	const struct subnet *best = NULL;
	size_t best_used = 0;

	for (size_t i = 0; i < model_count(r->model, KIND_SUBNET); i++) {
		const struct subnet *s = model_at(r->model, KIND_SUBNET, i);
		size_t used = 0;

		if (!s->default_for_az)
			continue;
		for (size_t k = 0; k < model_count(r->model, KIND_ENI); k++)
			used += strcmp(((const struct eni *)model_at(r->model, KIND_ENI, k))->subnet_id, s->o.id) == 0;
		if (!best || used < best_used) {
			best = s;
			best_used = used;
		}
	}
	return best;
}

static int check_subnet(struct region *r, const json_t *in, const json_t *interface, struct launch *l, struct error *err)
{
	const char *id = in_text(interface ? interface : in, "SubnetId");
	const char *zone = in_text(json_object_get(in, "Placement"), "AvailabilityZone");
	const char *tenancy = in_text(json_object_get(in, "Placement"), "Tenancy");
	const char *placement_group = in_text(json_object_get(in, "Placement"), "GroupName");

	if ((tenancy && strcmp(tenancy, "default") != 0) || (placement_group && *placement_group))
		return unsupported("Placement.Tenancy or Placement.GroupName", err);
	if (interface && in_text(in, "SubnetId"))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "Network interfaces and an instance-level subnet ID may not be specified on the same request");
	if (id) {
		l->subnet = model_find(r->model, KIND_SUBNET, id);
		if (!l->subnet)
			return error_set_code(err, ERROR_USAGE, "InvalidSubnetID.NotFound", "The subnet ID '%.64s' does not exist", id);
		if (zone && strcmp(zone, l->subnet->zone) != 0)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
					      "Subnet %s is in the Availability Zone %s, not in %.64s.", id, l->subnet->zone, zone);
		return 0;
	}
	if (!zone) {
		l->subnet = roomiest_default_subnet(r);
		return l->subnet ? 0 : error_set_code(err, ERROR_USAGE, "MissingInput", "No subnets found for the default VPC.");
	}
	for (size_t i = 0; i < model_count(r->model, KIND_SUBNET); i++) {
		const struct subnet *s = model_at(r->model, KIND_SUBNET, i);

		if (s->default_for_az && strcmp(s->zone, zone) == 0)
			l->subnet = s;
	}
	if (l->subnet)
		return 0;
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			      "Invalid availability zone: [%.64s]; this region has %.60sa to %c.", zone, r->config.region,
			      'a' + CONFIG_ZONES - 1);
}

static int add_group(struct region *r, struct launch *l, const char *id, const char *name, struct error *err)
{
	const struct group *g = id ? model_find(r->model, KIND_GROUP, id) : NULL;

	if (id && !id_well_formed(id, "sg"))
		return error_set_code(err, ERROR_USAGE, "InvalidGroupId.Malformed", "Invalid id: \"%.64s\" (expecting \"sg-...\")", id);
	for (size_t i = 0; name && i < model_count(r->model, KIND_GROUP); i++) {
		const struct group *one = model_at(r->model, KIND_GROUP, i);

		if (strcmp(one->vpc_id, l->subnet->vpc_id) == 0 && strcmp(one->name, name) == 0)
			g = one;
	}
	if (!g || strcmp(g->vpc_id, l->subnet->vpc_id) != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidGroup.NotFound", "The security group '%.64s' does not exist",
				      id ? id : name);
	for (int k = 0; k < l->group_count; k++)
		if (strcmp(l->groups[k], g->o.id) == 0)
			return 0;
	if (l->group_count == GROUPS_PER_ENI_QUOTA)
		return error_set_code(err, ERROR_USAGE, "SecurityGroupsPerInstanceLimitExceeded",
				      "The maximum number of security groups per interface has been reached: %d.", GROUPS_PER_ENI_QUOTA);
	TEXT_COPY(l->groups[l->group_count], g->o.id);
	l->group_count++;
	return 0;
}

static int check_groups(struct region *r, const json_t *in, const json_t *interface, struct launch *l, struct error *err)
{
	const json_t *ids = json_object_get(interface ? interface : in, "SecurityGroupId");
	const json_t *names = json_object_get(in, "SecurityGroup"), *v;
	size_t i;

	if (interface && (names || json_object_get(in, "SecurityGroupId")))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "Network interfaces and instance-level security groups may not be specified on the same request");
	json_array_foreach(ids, i, v)
	{
		if (add_group(r, l, json_string_value(v), NULL, err) < 0)
			return -1;
	}
	json_array_foreach(names, i, v)
	{
		if (add_group(r, l, NULL, json_string_value(v), err) < 0)
			return -1;
	}
	return l->group_count ? 0 : add_group(r, l, NULL, "default", err);
}

static int check_network(struct region *r, const json_t *in, struct launch *l, struct error *err)
{
	const json_t *interfaces = json_object_get(in, "NetworkInterface"), *interface = json_array_get(interfaces, 0);
	const char *address;

	if (json_array_size(interfaces) > 1 || in_int(interface, "DeviceIndex", 0) != 0)
		return unsupported("NetworkInterface (more than one, or a device index other than 0)", err);
	if (in_text(interface, "NetworkInterfaceId"))
		return unsupported("NetworkInterface.NetworkInterfaceId", err);
	if (!in_bool(interface, "DeleteOnTermination", true))
		return unsupported("NetworkInterface.DeleteOnTermination=false", err);
	if (check_subnet(r, in, interface, l, err) < 0 || check_groups(r, in, interface, l, err) < 0)
		return -1;
	l->public_ip = in_bool(interface, "AssociatePublicIpAddress", l->subnet->map_public_ip);
	address = in_text(interface ? interface : in, "PrivateIpAddress");
	if (!address)
		return 0;
	if (!ipv4_parse(address, &l->private_ip))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Value (%.64s) for parameter privateIpAddress is invalid.",
				      address);
	if (l->count > 1)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "One private address can't be given to %d instances.", l->count);
	return address_private(r, l->subnet, l->private_ip, &l->private_ip, err);
}

static void digest(const json_t *in, char out[72])
{
	AUTO_FREE char *text = json_dumps(in, JSON_COMPACT | JSON_SORT_KEYS);
	struct sha256_ctx ctx;
	uint8_t hash[SHA256_DIGEST_SIZE];

	sha256_init(&ctx);
	if (text)
		sha256_update(&ctx, strlen(text), (const uint8_t *)text);
	sha256_digest(&ctx, sizeof hash, hash);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(out + i * 2, 3, "%02x", hash[i]);
}

static int check(struct region *r, const json_t *in, struct launch *l, struct error *err)
{
	const char *id = in_text(in, "ImageId"), *type = in_text(in, "InstanceType");
	size_t live = 0;
	unsigned fit;

	if (!id_well_formed(id, "ami"))
		return error_set_code(err, ERROR_USAGE, "InvalidAMIID.Malformed", "Invalid id: \"%.64s\" (expecting \"ami-...\")", id);
	l->image = image_find(r->images, id, NULL);
	if (!l->image)
		return error_set_code(err, ERROR_USAGE, "InvalidAMIID.NotFound", "The image id '[%.64s]' does not exist", id);
	l->type = instance_type_find(type ? type : TYPE_DEFAULT, err);
	if (!l->type || check_count(in, l, err) < 0 || check_unbuilt(in, err) < 0 || check_key(r, in, l, err) < 0 || check_user_data(in, l, err) < 0 ||
	    check_device(in, l, err) < 0 || check_network(r, in, l, err) < 0 ||
	    capacity_check(r, l->type->name, l->type->memory_mib, err) < 0)
		return -1;
	fit = quota_vcpus_left(r) / l->type->vcpus;
	if ((int64_t)fit < in_int(in, "MinCount", 1))
		return quota_vcpus_exceeded(r, err);
	if ((unsigned)l->count > fit) /* as many above MinCount as may run */
		l->count = (int)fit;
	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++)
		live += ((const struct instance *)model_at(r->model, KIND_INSTANCE, i))->state != STATE_TERMINATED;
	if (live + (size_t)l->count > RUN_STATES_QUOTA)
		return error_set_code(err, ERROR_USAGE, "InstanceLimitExceeded", "The region holds %zu instances; the most is %d.", live,
				      RUN_STATES_QUOTA);
	return 0;
}

static void reservation_reply(struct region *r, json_t *out, const char *reservation_id)
{
	json_t *set;

	put_text(out, "reservationId", reservation_id);
	put_text(out, "ownerId", r->config.account_id);
	put_list(out, "groupSet"); /* EC2-Classic's; empty in a VPC */
	set = put_list(out, "instancesSet");
	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++) {
		const struct instance *one = model_at(r->model, KIND_INSTANCE, i);

		if (strcmp(one->reservation_id, reservation_id) == 0)
			instance_reply(r, add_item(set), one);
	}
}

/* An earlier call with the same token: its reservation's id, or "" where there is none. */
static int find_token(struct region *r, const char *token, const char *request, char ret[ID_MAX], struct error *err)
{
	ret[0] = '\0';
	if (!token)
		return 0;
	if (!*token || strlen(token) > WORD_MAX)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "A client token has 1 to %d characters.", WORD_MAX);
	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++) {
		const struct instance *one = model_at(r->model, KIND_INSTANCE, i);

		if (strcmp(one->client_token, token) != 0)
			continue;
		if (strcmp(one->request_digest, request) != 0)
			return error_set_code(err, ERROR_USAGE, "IdempotentParameterMismatch",
					      "The client token %.64s was used with other parameters.", token);
		text_copy(ret, ID_MAX, one->reservation_id);
	}
	return 0;
}

static int fill_eni(struct region *r, struct eni *e, struct instance *i, const struct launch *l, struct error *err)
{
	TEXT_COPY(e->vpc_id, l->subnet->vpc_id);
	TEXT_COPY(e->subnet_id, l->subnet->o.id);
	TEXT_COPY(e->instance_id, i->o.id);
	memcpy(e->groups, l->groups, sizeof e->groups);
	e->group_count = l->group_count;
	e->source_dest_check = true;
	e->wants_public_ip = l->public_ip;
	e->attach_time = i->launch_time;
	address_mac(r, e->mac);
	if (address_private(r, l->subnet, l->private_ip, &e->private_ip, err) < 0)
		return -1;
	return l->public_ip ? address_public(r, 0, &e->public_ip, err) : 0;
}

static int fill(struct region *r, const json_t *in, struct instance *i, struct eni *e, const struct launch *l, int index,
		const char *reservation_id, struct error *err)
{
	const char *token = in_text(in, "ClientToken");

	TEXT_COPY(i->reservation_id, reservation_id);
	TEXT_COPY(i->image_id, l->image->id);
	snprintf(i->image_name, sizeof i->image_name, "%s", l->image->name);
	snprintf(i->type, sizeof i->type, "%s", l->type->name);
	TEXT_COPY(i->zone, l->subnet->zone);
	TEXT_COPY(i->vpc_id, l->subnet->vpc_id);
	TEXT_COPY(i->subnet_id, l->subnet->o.id);
	TEXT_COPY(i->eni_id, e->o.id);
	id_new(i->volume_id, "vol");
	/* cloud-init takes a product uuid that begins with ec2 for EC2's own metadata service */
	do
		uuid_new(i->uuid);
	while (strncmp(i->uuid, "ec2", 3) == 0);
	snprintf(i->client_token, sizeof i->client_token, "%s", token ? token : "");
	TEXT_COPY(i->request_digest, l->digest);
	i->state = STATE_PENDING;
	i->launch_index = index;
	i->root_gib = l->root_gib;
	i->state_time = time_wall_ms();
	i->launch_time = time_whole_seconds(i->state_time);
	i->disable_termination = in_bool(in, "DisableApiTermination", false);
	i->disable_stop = in_bool(in, "DisableApiStop", false);
	i->user_data = l->user_data ? strdup(l->user_data) : NULL;
	if (l->key) {
		TEXT_COPY(i->key_name, l->key->name);
		i->public_key = strdup(l->key->public_key);
		if (!i->public_key)
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	}
	if (in_tags(in, "instance", &i->o.tags, err) < 0)
		return -1;
	return fill_eni(r, e, i, l, err);
}

/* One instance and its interface, in one transaction. */
static struct instance *make_one(struct region *r, const json_t *in, const struct launch *l, int index, const char *reservation_id,
				 struct error *err)
{
	struct instance *i = model_new(KIND_INSTANCE);
	struct eni *e = model_new(KIND_ENI);
	struct change changes[2];

	if (!i || !e) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		goto bad;
	}
	if (fill(r, in, i, e, l, index, reservation_id, err) < 0)
		goto bad;
	changes[0] = (struct change){ NULL, &i->o };
	changes[1] = (struct change){ NULL, &e->o };
	if (region_commit(r, changes, 2, err) == 0)
		return i;
bad:
	object_free(i ? &i->o : NULL);
	object_free(e ? &e->o : NULL);
	return NULL;
}

/* An instance whose launch could not even begin: its interface goes, so that its addresses are free again. */
static void discard(struct region *r, struct instance *i, const char *why)
{
	struct eni *e = instance_eni(r, i);
	struct change gone = { e ? &e->o : NULL, NULL };
	struct error err = { 0 };

	if ((e && region_commit(r, &gone, 1, &err) < 0) ||
	    instance_set_state(r, i, STATE_TERMINATED, "Server.InternalError", why, &err) < 0)
		log_error("instance %s: %s", i->o.id, err.message);
}

static int run_locked(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct launch l = { 0 };
	char reservation_id[ID_MAX];
	int made = 0;

	digest(in, l.digest);
	if (find_token(r, in_text(in, "ClientToken"), l.digest, reservation_id, err) < 0)
		return -1;
	if (*reservation_id) {
		reservation_reply(r, out, reservation_id);
		return 0;
	}
	if (check(r, in, &l, err) < 0 || action_dry_run(caller, err) < 0)
		return -1;
	id_new(reservation_id, "r");
	for (; made < l.count; made++) {
		struct instance *i = make_one(r, in, &l, made, reservation_id, err);

		if (!i)
			break;
		instance_progress_locked(r, i, "pending", l.image->name);
		if (instance_job_launch(r, i->o.id, err) < 0) {
			discard(r, i, err ? err->message : "");
			break;
		}
	}
	if (made < in_int(in, "MinCount", 1)) { /* nothing half done: what was made of this call ends again */
		for (size_t k = 0; k < model_count(r->model, KIND_INSTANCE); k++) {
			struct instance *i = model_at(r->model, KIND_INSTANCE, k);

			if (strcmp(i->reservation_id, reservation_id) != 0 || i->state != STATE_PENDING)
				continue;
			if (instance_runtime(i))
				i->runtime->cancel = 1;
			instance_set_state(r, i, STATE_SHUTTING_DOWN, "Server.InternalError", "The launch as a whole failed", NULL);
			instance_job_terminate(r, i->o.id, NULL);
		}
		return -1;
	}
	error_clear(err);
	reservation_reply(r, out, reservation_id);
	return 0;
}

int run_instances(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int rc;

	if (!caller->dry_run && pool_settle(r, err) < 0)
		return -1;
	region_lock(r);
	rc = run_locked(r, caller, in, out, err);
	region_unlock(r);
	return rc;
}
