/* `vpclab show`: all there is to know of one instance. */
#include <string.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/rule.h"
#include "cli/rules.h"
#include "cli/verb.h"

#define PROGRESS_SHOWN 12

static void fact(const char *name, const char *value)
{
	if (*value)
		printf("%-22s %s\n", name, value);
}

/* Its public address, where it is an Elastic IP address: these are the account's, the others Amazon's. */
static const char *elastic_ip(const json_t *instance)
{
	const json_t *a = json_object_get(json_array_get(json_object_get(instance, "networkInterfaceSet"), 0), "association");

	return strcmp(text_of(a, "ipOwnerId"), "amazon") == 0 ? "" : text_of(a, "publicIp");
}

static void print_facts(const json_t *instance, const json_t *image)
{
	const json_t *reason = json_object_get(instance, "stateReason"), *tag, *volume;
	char age[FORMAT_MAX], launched[96];
	size_t i;

	fact("Name", tag_of(instance, "Name"));
	fact("Instance ID", instance_id(instance));
	fact("Instance state", instance_state(instance));
	fact("State reason", text_of(reason, "message"));
	fact("Instance type", text_of(instance, "instanceType"));
	fact("Image", text_of(image, "name"));
	fact("AMI ID", text_of(instance, "imageId"));
	fact("Availability Zone", text_of(json_object_get(instance, "placement"), "availabilityZone"));
	fact("Public IPv4 address", text_of(instance, "ipAddress"));
	fact("Elastic IP address", elastic_ip(instance));
	fact("Private IPv4 address", text_of(instance, "privateIpAddress"));
	fact("Public IPv4 DNS", text_of(instance, "dnsName"));
	fact("Private DNS name", text_of(instance, "privateDnsName"));
	fact("VPC ID", text_of(instance, "vpcId"));
	fact("Subnet ID", text_of(instance, "subnetId"));
	fact("Key pair", text_of(instance, "keyName"));
	format_age(age, text_of(instance, "launchTime"), time_wall_ms());
	snprintf(launched, sizeof launched, "%.40s (%s)", text_of(instance, "launchTime"), age);
	fact("Launch time", launched);
	json_array_foreach(json_object_get(instance, "blockDeviceMapping"), i, volume)
		printf("%-22s %s %s\n", i ? "" : "Volumes", text_of(volume, "deviceName"),
		       text_of(json_object_get(volume, "ebs"), "volumeId"));
	json_array_foreach(json_object_get(instance, "tagSet"), i, tag)
		if (strcmp(text_of(tag, "key"), "Name") != 0)
			printf("%-22s %s = %s\n", "Tag", text_of(tag, "key"), text_of(tag, "value"));
}

static int print_progress(struct cli *cli, const char *id, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	const json_t *set, *step;
	size_t i, count;

	request_init(&r, "DescribeInstanceProgress");
	request_add(&r, "InstanceId", id);
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	set = json_object_get(reply, "progressSet");
	count = json_array_size(set);
	if (count)
		printf("\nProgress since the launch or start\n");
	json_array_foreach(set, i, step) {
		char clock[FORMAT_MAX];

		if (i + PROGRESS_SHOWN < count)
			continue;
		format_clock(clock, number_of(step, "elapsedMs"));
		printf("  %7s  %-11s %s\n", clock, text_of(step, "phase"), text_of(step, "detail"));
	}
	return 0;
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *instance = instance_get_default(cli, a, err);
	AUTO_JSON json_t *groups = NULL, *images = NULL;

	if (!instance)
		return -1;
	if (cli->json) {
		print_json(instance);
		return 0;
	}
	AUTO_REQUEST struct request r;

	request_init(&r, "DescribeImages");
	request_add(&r, "ImageId.1", text_of(instance, "imageId"));
	/* the image may have gone from the catalogue meanwhile: then its id says enough */
	images = client_call(cli, &r, 0, NULL);
	print_facts(instance, json_array_get(json_object_get(images, "imagesSet"), 0));
	if (json_array_size(json_object_get(instance, "groupSet"))) {
		groups = groups_describe(cli, json_object_get(instance, "groupSet"), err);
		if (!groups)
			return -1;
		printf("\nSecurity group rules\n");
		rules_print(groups);
	}
	return print_progress(cli, instance_id(instance), err);
}

const struct verb verb_show = {
	.name = "show",
	.group = "Instances",
	.synopsis = "[NAME]",
	.summary = "One instance in detail: facts, rules, progress.",
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
