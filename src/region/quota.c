/* Quotas that more than one action looks at. EC2 counts vCPUs of instances that are pending or running
 * (docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances.html, "On-Demand Instance quotas"). */
#include "region/internal.h"
#include "region/types.h"

unsigned quota_vcpus_left(const struct region *r)
{
	unsigned quota = config_number(r->config.quota_vcpus), used = 0;

	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++) {
		const struct instance *one = model_at(r->model, KIND_INSTANCE, i);
		const struct instance_type *type = instance_type_find(one->type, NULL);

		if (type && (one->state == STATE_PENDING || one->state == STATE_RUNNING))
			used += type->vcpus;
	}
	return used < quota ? quota - used : 0;
}

int quota_vcpus_exceeded(const struct region *r, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "VcpuLimitExceeded",
			      "You have requested more vCPU capacity than your current vCPU limit of %s allows for the instance bucket "
			      "that the specified instance type belongs to. Stop or terminate instances, or raise the setting quota_vcpus.",
			      r->config.quota_vcpus);
}
