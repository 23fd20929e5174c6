/* `vpclab launch`: instances as RunInstances makes them, and nothing more. */
#include "cli/launch.h"

#include <string.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/format.h"
#include "cli/image_pull.h"
#include "cli/instance.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define USER_DATA_FILE_MAX (512u << 10) /* EC2's own limit of 16 KiB is the region's to enforce, with EC2's code */
#define RUNNING_MS 120000               /* from RunInstances to running: a disk, a seed, a machine; scaled */
#define COUNT_MAX 1000

static const struct flag flags[] = {
	{ "image", "IMAGE", "image by name or AMI id (default " IMAGE_DEFAULT ", see `vpclab image ls`)" },
	{ "type", "TYPE", "instance type (default " TYPE_DEFAULT ")" },
	{ "zone", "ZONE", "Availability Zone, such as ap-northeast-2a, or a alone" },
	{ "group", "GROUP", "security group by name or id (default: the VPC's default group); several with commas" },
	{ "key", "NAME", "key pair for ssh (default: none; see `vpclab key`)" },
	{ "user-data", "FILE", "user data for cloud-init; - is standard input" },
	{ "count", "N", "so many instances of the same name (default 1)" },
	{ "no-wait", NULL, "return at once, while they are pending" },
	{ NULL, NULL, NULL },
};

void launch_request(struct cli *cli, const struct arguments *a, struct request *r, const char *image_id, const char *name)
{
	const char *type = arguments_value(a, "type"), *zone = arguments_value(a, "zone");
	const char *key = arguments_value(a, "key");
	char full[CONFIG_VALUE_MAX + 8];

	request_add(r, "ImageId", image_id);
	request_add(r, "InstanceType", type ? type : TYPE_DEFAULT);
	if (key)
		request_add(r, "KeyName", key);
	if (zone) {
		snprintf(full, sizeof full, "%s%s", zone[0] && !zone[1] ? cli->config.region : "", zone);
		request_add(r, "Placement.AvailabilityZone", full);
	}
	if (name) {
		request_add(r, "TagSpecification.1.ResourceType", "instance");
		request_add(r, "TagSpecification.1.Tag.1.Key", "Name");
		request_add(r, "TagSpecification.1.Tag.1.Value", name);
	}
}

int launch_user_data(struct request *r, const char *path, struct error *err)
{
	size_t len = 0;
	AUTO_FREE char *text = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, USER_DATA_FILE_MAX, &len, err);
	AUTO_FREE char *encoded = text ? base64_encode(text, len, err) : NULL;

	if (!encoded) {
		if (err)
			err->kind = ERROR_USAGE;
		return error_prefix(err, "user data");
	}
	request_add(r, "UserData", encoded);
	return 0;
}

/* GROUP,GROUP... by name or id. */
static int add_groups(struct request *r, const char *list, struct error *err)
{
	AUTO_FREE char *copy = file_path(err, "%s", list);
	char *save = NULL;
	size_t ids = 0, names = 0;

	if (!copy)
		return -1;
	for (char *g = strtok_r(copy, ",", &save); g; g = strtok_r(NULL, ",", &save)) {
		if (strncmp(g, "sg-", 3) == 0)
			request_addf(r, g, "SecurityGroupId.%zu", ++ids);
		else
			request_addf(r, g, "SecurityGroup.%zu", ++names);
	}
	return 0;
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *name = arguments_word(a, 0, NULL), *data = arguments_value(a, "user-data"), *groups = arguments_value(a, "group");
	AUTO_JSON json_t *image = NULL, *reply = NULL;
	AUTO_REQUEST struct request r;
	const json_t *instance;
	int64_t count;
	size_t i;

	request_init(&r, "RunInstances");
	if (arguments_number(a, "count", 1, 1, COUNT_MAX, &count, err) < 0 || (data && launch_user_data(&r, data, err) < 0))
		return -1;
	image = image_for_launch(cli, arguments_value(a, "image"), err);
	if (!image)
		return -1;
	launch_request(cli, a, &r, text_of(image, "imageId"), name);
	if (groups && add_groups(&r, groups, err) < 0)
		return -1;
	request_add_number(&r, "MinCount", count);
	request_add_number(&r, "MaxCount", count);
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	progress_on_interrupt("vpclab: interrupted; the launch goes on, see `vpclab ls`.");
	json_array_foreach(json_object_get(reply, "instancesSet"), i, instance) {
		char label[128];

		instance_label(label, instance);
		progress_live("launching %s", label);
		if (!arguments_has(a, "no-wait") &&
		    instance_wait_state(cli, instance, "running", time_scaled(RUNNING_MS), err) < 0)
			return -1;
		progress_end();
		if (cli->json)
			continue;
		AUTO_JSON json_t *now = instance_get(cli, instance_id(instance), err);

		if (!now)
			return -1;
		printf("%s is %s%s%s\n", label, instance_state(now),
		       *text_of(now, "ipAddress") ? ", public IPv4 address " : "", text_of(now, "ipAddress"));
	}
	if (cli->json)
		print_json(reply);
	return 0;
}

const struct verb verb_launch = {
	.name = "launch",
	.group = "Instances",
	.synopsis = "[NAME]",
	.summary = "Launch an instance: RunInstances.",
	.details = "Nothing else is done: no security group is made and no port opened, and the guest is still\n"
		   "booting when the verb returns (`vpclab show NAME`, `vpclab log NAME --follow`).",
	.flags = flags,
	.min_words = 0,
	.max_words = 1,
	.run = run,
};
