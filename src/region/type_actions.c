/* DescribeInstanceTypes. */
#include <string.h>

#include "region/reply.h"
#include "region/types.h"

static const struct param types_params[] = { TEXTS("InstanceType"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param vcpu_members[] = { INTEGER("defaultVCpus"), INTEGER("defaultCores"), INTEGER("defaultThreadsPerCore"), PARAM_END };
static const struct param memory_members[] = { INTEGER("sizeInMiB"), PARAM_END };
static const struct param processor_members[] = { TEXTS("supportedArchitectures"), PARAM_END };
static const struct param network_members[] = { INTEGER("maximumNetworkInterfaces"), TEXT("networkPerformance"), BOOLEAN("ipv6Supported"), PARAM_END };
static const struct param type_members[] = {
	TEXT("instanceType"), BOOLEAN("currentGeneration"), BOOLEAN("freeTierEligible"), TEXTS("supportedUsageClasses"),
	TEXTS("supportedRootDeviceTypes"), TEXTS("supportedVirtualizationTypes"), BOOLEAN("bareMetal"), TEXT("hypervisor"),
	STRUCTURE("processorInfo", processor_members), STRUCTURE("vCpuInfo", vcpu_members), STRUCTURE("memoryInfo", memory_members),
	BOOLEAN("instanceStorageSupported"), STRUCTURE("networkInfo", network_members), BOOLEAN("hibernationSupported"),
	BOOLEAN("burstablePerformanceSupported"), BOOLEAN("dedicatedHostsSupported"), BOOLEAN("autoRecoverySupported"), PARAM_END
};
static const struct param types_reply[] = { LIST("instanceTypeSet", type_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path type_filters[] = {
	{ "instance-type", "instanceType" },
	{ "current-generation", "currentGeneration" },
	{ "free-tier-eligible", "freeTierEligible" },
	{ "bare-metal", "bareMetal" },
	{ "hypervisor", "hypervisor" },
	{ "memory-info.size-in-mib", "memoryInfo/sizeInMiB" },
	{ "vcpu-info.default-vcpus", "vCpuInfo/defaultVCpus" },
	{ "processor-info.supported-architecture", "processorInfo/supportedArchitectures" },
	{ "burstable-performance-supported", "burstablePerformanceSupported" },
	{ "supported-root-device-type", "supportedRootDeviceTypes" },
	{ "supported-virtualization-type", "supportedVirtualizationTypes" },
	{ NULL, NULL },
};

static void put_words(json_t *o, const char *key, const char *word)
{
	json_array_append_new(put_list(o, key), json_string(word));
}

static void type_reply(json_t *item, const struct instance_type *t)
{
	json_t *o;

	put_text(item, "instanceType", t->name);
	put_bool(item, "currentGeneration", t->current_generation);
	put_bool(item, "freeTierEligible", t->free_tier);
	put_words(item, "supportedUsageClasses", "on-demand");
	put_words(item, "supportedRootDeviceTypes", "ebs");
	put_words(item, "supportedVirtualizationTypes", "hvm");
	put_bool(item, "bareMetal", false);
	put_text(item, "hypervisor", strncmp(t->name, "t3", 2) == 0 ? "nitro" : "xen");
	put_words(put_structure(item, "processorInfo"), "supportedArchitectures", "x86_64");
	o = put_structure(item, "vCpuInfo");
	put_int(o, "defaultVCpus", t->vcpus);
	put_int(o, "defaultCores", t->vcpus);
	put_int(o, "defaultThreadsPerCore", 1);
	put_int(put_structure(item, "memoryInfo"), "sizeInMiB", t->memory_mib);
	put_bool(item, "instanceStorageSupported", false);
	o = put_structure(item, "networkInfo");
	put_int(o, "maximumNetworkInterfaces", 1);
	put_text(o, "networkPerformance", "Low to Moderate");
	put_bool(o, "ipv6Supported", false);
	put_bool(item, "hibernationSupported", false);
	put_bool(item, "burstablePerformanceSupported", true);
	put_bool(item, "dedicatedHostsSupported", false);
	put_bool(item, "autoRecoverySupported", false);
}

static int describe_types(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *names = json_object_get(in, "InstanceType"), *v;
	json_t *items;
	size_t i;

	(void)r;
	(void)caller;
	json_array_foreach(names, i, v)
	{
		if (!instance_type_find(json_string_value(v), NULL))
			return error_set_code(err, ERROR_USAGE, "InvalidInstanceType",
					      "The following supplied instance types do not exist: [%.64s]", json_string_value(v));
	}
	items = json_array();
	for (const struct instance_type *t = instance_types; t->name; t++)
		if (!names || in_list(names, t->name))
			type_reply(add_item(items), t);
	return describe_finish(in, out, "instanceTypeSet", items, type_filters, names != NULL, err);
}

const struct action type_actions[] = {
	{ "DescribeInstanceTypes", "ec2", "Lists the instance types.", types_params, types_reply, false, describe_types },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
