/* DescribeInstanceStatus: docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html; and the account. */
#include <string.h>

#include "region/instance.h"
#include "region/reply.h"
#include "region/run_instances.h"

static const struct param state_members[] = { INTEGER("code"), TEXT("name"), PARAM_END };
static const struct param detail_members[] = { TEXT("name"), TEXT("status"), PARAM_END };
static const struct param summary_members[] = { TEXT("status"), LIST("details", detail_members), PARAM_END };
static const struct param status_members[] = {
	TEXT("instanceId"), TEXT("availabilityZone"), STRUCTURE("instanceState", state_members), STRUCTURE("systemStatus", summary_members),
	STRUCTURE("instanceStatus", summary_members), PARAM_END
};
static const struct param status_params[] = {
	TEXTS("InstanceId"), { "IncludeAllInstances", PARAM_BOOLEAN, 0, NULL, false, "those too that are not running" }, PARAM_FILTERS,
	PARAM_PAGES, PARAM_END
};
static const struct param status_reply[] = { LIST("instanceStatusSet", status_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path status_filters[] = {
	{ "availability-zone", "availabilityZone" },
	{ "instance-state-code", "instanceState/code" },
	{ "instance-state-name", "instanceState/name" },
	{ "instance-status.status", "instanceStatus/status" },
	{ "instance-status.reachability", "instanceStatus/details/status" },
	{ "system-status.status", "systemStatus/status" },
	{ "system-status.reachability", "systemStatus/details/status" },
	{ NULL, NULL },
};

/* reachability NULL: there is nothing to check. */
static void put_summary(json_t *item, const char *key, const char *status, const char *reachability)
{
	json_t *summary = put_structure(item, key), *detail;

	put_text(summary, "status", status);
	if (!reachability)
		return;
	detail = add_item(put_list(summary, "details"));
	put_text(detail, "name", "reachability");
	put_text(detail, "status", reachability);
}

/* EC2 asks its host and the guest's network; the region knows the machine itself and the guest's console. */
static void put_status(json_t *item, const struct instance *i)
{
	json_t *state;

	put_text(item, "instanceId", i->o.id);
	put_text(item, "availabilityZone", i->zone);
	state = put_structure(item, "instanceState");
	put_int(state, "code", i->state);
	put_text(state, "name", instance_state_name(i->state));
	if (i->state != STATE_RUNNING) {
		put_summary(item, "systemStatus", "not-applicable", NULL);
		put_summary(item, "instanceStatus", "not-applicable", NULL);
		return;
	}
	if (i->runtime && i->runtime->machine_gone) /* its end is being noticed */
		put_summary(item, "systemStatus", "impaired", "failed");
	else
		put_summary(item, "systemStatus", "ok", "passed");
	if (i->failed)
		put_summary(item, "instanceStatus", "impaired", "failed");
	else if (i->ready)
		put_summary(item, "instanceStatus", "ok", "passed");
	else
		put_summary(item, "instanceStatus", "initializing", "initializing");
}

static int describe_status(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "InstanceId"), *v;
	bool all = in_bool(in, "IncludeAllInstances", false);
	json_t *items = json_array();
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

		if ((all ? instance_visible(one) : one->state == STATE_RUNNING) && (!ids || in_list(ids, one->o.id)))
			put_status(add_item(items), one);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "instanceStatusSet", items, status_filters, ids != NULL, err);
}

static const struct param account_params[] = { TEXTS("AttributeName"), PARAM_END };
static const struct param account_value_members[] = { TEXT("attributeValue"), PARAM_END };
static const struct param account_members[] = { TEXT("attributeName"), LIST("attributeValueSet", account_value_members), PARAM_END };
static const struct param account_reply[] = { LIST("accountAttributeSet", account_members), PARAM_END };

static int describe_account(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *names = json_object_get(in, "AttributeName"), *v;
	char vpc_id[ID_MAX] = "none", instances[16], groups[16];
	const struct {
		const char *name, *value;
	} attributes[] = {
		{ "supported-platforms", "VPC" },
		{ "default-vpc", vpc_id },
		{ "max-instances", instances },
		{ "vpc-max-security-groups-per-interface", groups },
	};
	size_t i, n = sizeof attributes / sizeof attributes[0];
	const struct vpc *vpc;
	json_t *set;

	(void)caller;
	snprintf(instances, sizeof instances, "%d", RUN_STATES_QUOTA);
	snprintf(groups, sizeof groups, "%d", GROUPS_PER_ENI_QUOTA);
	region_lock(r);
	vpc = world_default_vpc(r);
	if (vpc)
		snprintf(vpc_id, sizeof vpc_id, "%s", vpc->o.id);
	region_unlock(r);
	json_array_foreach(names, i, v)
	{
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= strcmp(attributes[k].name, json_string_value(v)) == 0;
		if (!known)
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
					      "Value (%.64s) for parameter attributeName is invalid. This region has supported-platforms, default-vpc, max-instances and vpc-max-security-groups-per-interface.",
					      json_string_value(v));
	}
	set = put_list(out, "accountAttributeSet");
	for (i = 0; i < n; i++) {
		json_t *item;

		if (names && !in_list(names, attributes[i].name))
			continue;
		item = add_item(set);
		put_text(item, "attributeName", attributes[i].name);
		put_text(add_item(put_list(item, "attributeValueSet")), "attributeValue", attributes[i].value);
	}
	return 0;
}

const struct action status_actions[] = {
	{ "DescribeInstanceStatus", "ec2", "Whether machines run and their guests' boots came to their end.", status_params, status_reply, false,
	  describe_status },
	{ "DescribeAccountAttributes", "ec2", "Attributes of the account, quotas among them.", account_params, account_reply, false,
	  describe_account },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
