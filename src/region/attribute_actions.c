/* DescribeInstanceAttribute and ModifyInstanceAttribute: docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "region/capacity.h"
#include "region/group.h"
#include "region/instance.h"
#include "region/run_instances.h"
#include "region/types.h"
#include "seed/seed.h"

static const struct param text_members[] = { TEXT("value"), PARAM_END };
static const struct param bool_members[] = { BOOLEAN("value"), PARAM_END };
static const struct param enabled_members[] = { BOOLEAN("enabled"), PARAM_END };
static const struct param group_members[] = { TEXT("groupId"), TEXT("groupName"), PARAM_END };
static const struct param product_members[] = { TEXT("productCode"), TEXT("type"), PARAM_END };
static const struct param describe_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL }, { "Attribute", PARAM_STRING, 0, NULL, true, "a member of the reply" }, PARAM_END
};
static const struct param describe_reply[] = {
	TEXT("instanceId"),
	STRUCTURE("instanceType", text_members),
	STRUCTURE("kernel", text_members),
	STRUCTURE("ramdisk", text_members),
	STRUCTURE("userData", text_members),
	STRUCTURE("disableApiTermination", bool_members),
	STRUCTURE("disableApiStop", bool_members),
	STRUCTURE("instanceInitiatedShutdownBehavior", text_members),
	STRUCTURE("rootDeviceName", text_members),
	LIST("blockDeviceMapping", instance_device_members),
	LIST("productCodes", product_members),
	STRUCTURE("sourceDestCheck", bool_members),
	LIST("groupSet", group_members),
	STRUCTURE("ebsOptimized", bool_members),
	STRUCTURE("sriovNetSupport", text_members),
	STRUCTURE("enaSupport", bool_members),
	STRUCTURE("enclaveOptions", enabled_members),
	PARAM_END,
};

static bool one_of(const char *name, const char *const names[])
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

/* Under the lock. What DescribeInstances tells too is taken from there. */
static int put_attribute(struct region *r, json_t *out, const struct instance *i, const char *name, struct error *err)
{
	static const char *const values[] = { "instanceType", "rootDeviceName", "sourceDestCheck", "ebsOptimized", NULL };
	static const char *const lists[] = { "groupSet", "blockDeviceMapping", NULL };
	static const char *const nothing[] = { "kernel", "ramdisk", "sriovNetSupport", NULL }; /* as EC2's for hardware virtualization */
	json_t *whole;

	if (one_of(name, values) || one_of(name, lists)) {
		whole = json_object();
		instance_reply(r, whole, i);
		if (one_of(name, lists))
			json_object_set(out, name, json_object_get(whole, name));
		else if (json_object_get(whole, name))
			json_object_set(put_structure(out, name), "value", json_object_get(whole, name));
		else
			put_structure(out, name);
		json_decref(whole);
	} else if (one_of(name, nothing)) {
		put_structure(out, name);
	} else if (strcmp(name, "userData") == 0) {
		put_text(put_structure(out, name), "value", i->user_data);
	} else if (strcmp(name, "disableApiTermination") == 0) {
		put_bool(put_structure(out, name), "value", i->disable_termination);
	} else if (strcmp(name, "disableApiStop") == 0) {
		put_bool(put_structure(out, name), "value", i->disable_stop);
	} else if (strcmp(name, "instanceInitiatedShutdownBehavior") == 0) {
		put_text(put_structure(out, name), "value", "stop");
	} else if (strcmp(name, "enaSupport") == 0) {
		put_bool(put_structure(out, name), "value", false);
	} else if (strcmp(name, "enclaveOptions") == 0) {
		put_bool(put_structure(out, name), "enabled", false);
	} else if (strcmp(name, "productCodes") == 0) {
		put_list(out, name);
	} else {
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%.64s) for parameter attribute is invalid. Unknown attribute.", name);
	}
	return 0;
}

static int describe_attribute(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const struct instance *i;
	int rc = -1;

	(void)caller;
	region_lock(r);
	i = instance_find(r, in_text(in, "InstanceId"), err);
	if (i) {
		put_text(out, "instanceId", i->o.id);
		rc = put_attribute(r, out, i, in_text(in, "Attribute"), err);
	}
	region_unlock(r);
	return rc;
}

static const struct param text_value[] = { TEXT("Value"), PARAM_END };
static const struct param blob_value[] = { { "Value", PARAM_BLOB, 0, NULL, false, NULL }, PARAM_END };
static const struct param bool_value[] = { BOOLEAN("Value"), PARAM_END };
static const struct param ebs_members[] = { BOOLEAN("DeleteOnTermination"), TEXT("VolumeId"), PARAM_END };
static const struct param device_members[] = { TEXT("DeviceName"), STRUCTURE("Ebs", ebs_members), TEXT("NoDevice"), TEXT("VirtualName"), PARAM_END };
static const struct param modify_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL },
	{ "Attribute", PARAM_STRING, 0, NULL, false, "the older form: an attribute's name, its value in Value" },
	TEXT("Value"),
	{ "InstanceType", PARAM_STRUCTURE, 0, text_value, false, "while the instance is stopped" },
	{ "UserData", PARAM_STRUCTURE, 0, blob_value, false, "base64; while the instance is stopped" },
	{ "GroupId", PARAM_LIST, PARAM_STRING, NULL, false, "the groups instead of those that there are; in force when the call returns" },
	{ "SourceDestCheck", PARAM_STRUCTURE, 0, bool_value, false, "in force when the call returns" },
	STRUCTURE("DisableApiTermination", bool_value),
	STRUCTURE("DisableApiStop", bool_value),
	{ "InstanceInitiatedShutdownBehavior", PARAM_STRUCTURE, 0, text_value, false, "stop" },
	{ "EbsOptimized", PARAM_STRUCTURE, 0, bool_value, false, "false" },
	{ "EnaSupport", PARAM_STRUCTURE, 0, bool_value, false, "false" },
	{ "SriovNetSupport", PARAM_STRUCTURE, 0, text_value, false, "not built" },
	{ "Kernel", PARAM_STRUCTURE, 0, text_value, false, "not built" },
	{ "Ramdisk", PARAM_STRUCTURE, 0, text_value, false, "not built" },
	{ "BlockDeviceMapping", PARAM_LIST, PARAM_STRUCTURE, device_members, false, "not built" },
	PARAM_END,
};

static const struct {
	const char *attribute, *parameter;
	enum param_type type;
} attributes[] = {
	{ "instanceType", "InstanceType", PARAM_STRING },
	{ "userData", "UserData", PARAM_BLOB },
	{ "groupSet", "GroupId", PARAM_LIST },
	{ "sourceDestCheck", "SourceDestCheck", PARAM_BOOLEAN },
	{ "disableApiTermination", "DisableApiTermination", PARAM_BOOLEAN },
	{ "disableApiStop", "DisableApiStop", PARAM_BOOLEAN },
	{ "instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior", PARAM_STRING },
	{ "ebsOptimized", "EbsOptimized", PARAM_BOOLEAN },
	{ "enaSupport", "EnaSupport", PARAM_BOOLEAN },
	{ "sriovNetSupport", "SriovNetSupport", PARAM_STRING },
	{ "kernel", "Kernel", PARAM_STRING },
	{ "ramdisk", "Ramdisk", PARAM_STRING },
	{ "blockDeviceMapping", "BlockDeviceMapping", PARAM_LIST },
};

/* The one attribute of a call: its parameter's name, and its value, a new reference. */
struct wanted {
	const char *parameter;
	json_t *value;
};

static int bad_value(const char *value, const char *attribute, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Value (%.64s) for parameter %s is invalid.", value, attribute);
}

/* Attribute=NAME with Value=TEXT (groupSet and blockDeviceMapping with their own lists). */
static int older_form(const json_t *in, struct wanted *w, struct error *err)
{
	const char *name = in_text(in, "Attribute"), *value = in_text(in, "Value");
	size_t k = 0;

	while (k < ARRAY_SIZE(attributes) && strcmp(attributes[k].attribute, name) != 0)
		k++;
	if (k == ARRAY_SIZE(attributes))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%.64s) for parameter attribute is invalid. Unknown attribute, or one that can't be modified.", name);
	if (attributes[k].type == PARAM_LIST) {
		if (!json_object_get(in, attributes[k].parameter))
			return error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter %s.1",
					      attributes[k].parameter);
		return 0; /* found by its own parameter */
	}
	if (!value)
		return error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter Value");
	if (attributes[k].type == PARAM_BOOLEAN && strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
		return bad_value(value, name, err);
	w->parameter = attributes[k].parameter;
	w->value = attributes[k].type == PARAM_BOOLEAN ? json_boolean(strcasecmp(value, "true") == 0) : json_string(value);
	return w->value ? 0 : bad_value(value, name, err);
}

/* EC2: one attribute a call. */
static int find_wanted(const json_t *in, struct wanted *w, struct error *err)
{
	if (in_text(in, "Attribute") && older_form(in, w, err) < 0)
		return -1;
	for (size_t k = 0; k < ARRAY_SIZE(attributes); k++) {
		json_t *v = json_object_get(in, attributes[k].parameter);

		if (!v)
			continue;
		if (w->parameter)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
					      "Fields for multiple attribute types specified: %s and %s; one call modifies one attribute.", w->parameter,
					      attributes[k].parameter);
		if (attributes[k].type != PARAM_LIST)
			v = json_object_get(v, "Value");
		if (!v)
			return error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter %s.Value",
					      attributes[k].parameter);
		w->parameter = attributes[k].parameter;
		w->value = json_incref(v);
	}
	return w->parameter ? 0 : error_set_code(err, ERROR_USAGE, "MissingParameter", "No attributes specified: name one to be modified.");
}

static int must_be_stopped(const struct instance *i, const char *what, struct error *err)
{
	if (i->state == STATE_STOPPED)
		return 0;
	return error_set_code(err, ERROR_USAGE, "IncorrectInstanceState",
			      "The instance '%s' is not in the 'stopped' state but %s; its %s can be modified only there.", i->o.id,
			      instance_state_name(i->state), what);
}

static int commit_instance(struct region *r, const struct caller *caller, struct instance *i, struct instance *next, struct error *err)
{
	struct change c = { &i->o, &next->o };

	return action_dry_run(caller, err) < 0 ? -1 : region_commit(r, &c, 1, err);
}

static int set_type(struct region *r, const struct caller *caller, struct instance *i, const char *name, struct error *err)
{
	const struct instance_type *type = instance_type_find(name, err);
	struct instance next = *i;

	if (!type || must_be_stopped(i, "type", err) < 0 || capacity_fits(type->name, type->memory_mib, err) < 0)
		return -1;
	snprintf(next.type, sizeof next.type, "%s", type->name);
	return commit_instance(r, caller, i, &next, err);
}

/* The guest finds it at its next start, in a seed made anew; cloud-init runs what is for each boot, as in EC2. */
static int set_user_data(struct region *r, const struct caller *caller, struct instance *i, const char *text, struct error *err)
{
	AUTO_FREE char *raw = NULL, *copy = NULL, *old = NULL;
	struct instance next = *i;
	size_t len;

	raw = base64_decode(text, &len, NULL);
	if (!raw)
		return error_set_code(err, ERROR_USAGE, "InvalidUserData.Malformed",
				      "Invalid BASE64 encoding of user data; encode the file with base64.");
	if (seed_user_data_check(len, err) < 0 || must_be_stopped(i, "user data", err) < 0)
		return -1;
	copy = len ? strdup(text) : NULL;
	if (len && !copy)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	next.user_data = copy;
	old = i->user_data;
	if (commit_instance(r, caller, i, &next, err) < 0) {
		old = NULL;
		return -1;
	}
	copy = NULL; /* the model's */
	return 0;
}

/* Of an interface, what ModifyInstanceAttribute changes. */
struct interface_edit {
	char eni_id[ID_MAX], vpc_id[ID_MAX];
	struct eni before;
	bool changed;
};

static int restore_interface(struct region *r, void *arg, struct error *err)
{
	const struct interface_edit *e = arg;
	struct eni *live = model_find(r->model, KIND_ENI, e->eni_id), next;
	struct change c = { live ? &live->o : NULL, &next.o };

	if (!live)
		return 0;
	next = *live;
	memcpy(next.groups, e->before.groups, sizeof next.groups);
	next.group_count = e->before.group_count;
	next.source_dest_check = e->before.source_dest_check;
	return region_commit(r, &c, 1, err);
}

static int add_group(struct region *r, struct eni *eni, const char *id, struct error *err)
{
	const struct group *g;

	if (!id_well_formed(id, "sg"))
		return error_set_code(err, ERROR_USAGE, "InvalidGroupId.Malformed", "Invalid id: \"%.64s\" (expecting \"sg-...\")", id);
	g = model_find(r->model, KIND_GROUP, id);
	if (!g || strcmp(g->vpc_id, eni->vpc_id) != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidGroup.NotFound", "The security group '%.64s' does not exist", id);
	for (int k = 0; k < eni->group_count; k++)
		if (strcmp(eni->groups[k], id) == 0)
			return 0;
	if (eni->group_count == GROUPS_PER_ENI_QUOTA)
		return error_set_code(err, ERROR_USAGE, "SecurityGroupsPerInterfaceLimitExceeded",
				      "The maximum number of security groups per interface has been reached: %d.", GROUPS_PER_ENI_QUOTA);
	TEXT_COPY(eni->groups[eni->group_count], id);
	eni->group_count++;
	return 0;
}

/* groups NULL: the check is set. */
static int set_interface(struct region *r, const struct caller *caller, struct instance *i, const json_t *groups, bool check,
			 struct interface_edit *e, struct error *err)
{
	struct eni *eni = instance_eni(r, i), next;
	struct change c = { NULL, &next.o };
	const json_t *v;
	size_t k;

	if (!eni || i->state == STATE_SHUTTING_DOWN)
		return error_set_code(err, ERROR_USAGE, "IncorrectInstanceState",
				      "The instance '%s' is %s; its network interface can't be modified any more.", i->o.id,
				      instance_state_name(i->state));
	next = *eni;
	if (groups) {
		next.group_count = 0;
		memset(next.groups, 0, sizeof next.groups);
		json_array_foreach(groups, k, v)
		{
			if (add_group(r, &next, json_string_value(v), err) < 0)
				return -1;
		}
	} else {
		next.source_dest_check = check;
	}
	e->before = *eni;
	TEXT_COPY(e->eni_id, eni->o.id);
	TEXT_COPY(e->vpc_id, eni->vpc_id);
	c.live = &eni->o;
	if (action_dry_run(caller, err) < 0 || region_commit(r, &c, 1, err) < 0)
		return -1;
	e->changed = true;
	return 0;
}

static int modify_locked(struct region *r, const struct caller *caller, const char *id, const struct wanted *w, struct interface_edit *e,
			 struct error *err)
{
	struct instance *i = instance_find(r, id, err), next;
	const char *p = w->parameter, *text = json_string_value(w->value);
	bool on = json_is_true(w->value);

	if (!i)
		return -1;
	next = *i;
	if (strcmp(p, "InstanceType") == 0)
		return set_type(r, caller, i, text, err);
	if (strcmp(p, "UserData") == 0)
		return set_user_data(r, caller, i, text, err);
	if (strcmp(p, "GroupId") == 0)
		return set_interface(r, caller, i, w->value, false, e, err);
	if (strcmp(p, "SourceDestCheck") == 0)
		return set_interface(r, caller, i, NULL, on, e, err);
	if (strcmp(p, "DisableApiTermination") == 0) {
		next.disable_termination = on;
		return commit_instance(r, caller, i, &next, err);
	}
	if (strcmp(p, "DisableApiStop") == 0) {
		next.disable_stop = on;
		return commit_instance(r, caller, i, &next, err);
	}
	/* what is known and not built is taken only where it says what is so anyhow */
	if (strcmp(p, "InstanceInitiatedShutdownBehavior") == 0 && strcmp(text, "stop") != 0 && strcmp(text, "terminate") != 0)
		return bad_value(text, "instanceInitiatedShutdownBehavior", err);
	if ((strcmp(p, "InstanceInitiatedShutdownBehavior") == 0 && strcmp(text, "stop") == 0) ||
	    ((strcmp(p, "EbsOptimized") == 0 || strcmp(p, "EnaSupport") == 0) && !on))
		return action_dry_run(caller, err);
	return error_set_code(err, ERROR_USAGE, "UnsupportedOperation", "The parameter %s is not built in this region%s.", p,
			      text ? " with this value" : "");
}

static int modify_attribute(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct interface_edit e = { .changed = false };
	struct wanted w = { NULL, NULL };
	int rc = find_wanted(in, &w, err);

	if (rc == 0) {
		region_lock(r);
		rc = modify_locked(r, caller, in_text(in, "InstanceId"), &w, &e, err);
		region_unlock(r);
	}
	json_decref(w.value);
	if (rc == 0 && e.changed)
		rc = group_enforce(r, e.vpc_id, restore_interface, &e, err);
	if (rc == 0)
		put_bool(out, "return", true);
	return rc;
}

static const struct param return_reply[] = { BOOLEAN("return"), PARAM_END };

const struct action attribute_actions[] = {
	{ "DescribeInstanceAttribute", "ec2", "One attribute of an instance.", describe_params, describe_reply, false, describe_attribute },
	{ "ModifyInstanceAttribute", "ec2", "Modifies one attribute of an instance.", modify_params, return_reply, true, modify_attribute },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
