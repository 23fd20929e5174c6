/* `vpclab ls`: the instances, as EC2's list shows them. */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/verb.h"

static const struct flag flags[] = {
	{ "all", NULL, "the terminated ones too, which EC2 shows for an hour" },
	{ NULL, NULL, NULL },
};

static const char *image_name(const json_t *images, const char *id)
{
	const json_t *image;
	size_t i;

	json_array_foreach(images, i, image)
		if (strcmp(text_of(image, "imageId"), id) == 0)
			return text_of(image, "name");
	return id;
}

static int print_table(struct cli *cli, const json_t *reply, bool all, struct error *err)
{
	static const char *const headings[] = { "NAME", "INSTANCE ID", "STATE", "TYPE", "ZONE", "PUBLIC IPV4", "PRIVATE IPV4",
						"IMAGE", "LAUNCHED", NULL };
	AUTO_JSON json_t *images = client_get(cli, "DescribeImages", err);
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	size_t i, k, shown = 0, hidden = 0;
	const json_t *reservation, *instance;

	if (!images || !t)
		return -1;
	json_array_foreach(json_object_get(reply, "reservationSet"), i, reservation) {
		json_array_foreach(json_object_get(reservation, "instancesSet"), k, instance) {
			char age[FORMAT_MAX];

			if (!all && strcmp(instance_state(instance), "terminated") == 0) {
				hidden++;
				continue;
			}
			shown++;
			format_age(age, text_of(instance, "launchTime"), time_wall_ms());
			const char *const cells[] = {
				*tag_of(instance, "Name") ? tag_of(instance, "Name") : "-",
				instance_id(instance),
				instance_state(instance),
				text_of(instance, "instanceType"),
				text_of(json_object_get(instance, "placement"), "availabilityZone"),
				*text_of(instance, "ipAddress") ? text_of(instance, "ipAddress") : "-",
				*text_of(instance, "privateIpAddress") ? text_of(instance, "privateIpAddress") : "-",
				image_name(json_object_get(images, "imagesSet"), text_of(instance, "imageId")),
				age,
			};
			table_row(t, cells);
		}
	}
	table_print(t, stdout);
	if (!shown)
		printf("There are no instances; `vpclab up` launches one.\n");
	if (hidden && !shown)
		printf("(%zu terminated: `vpclab ls --all`)\n", hidden);
	return 0;
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	bool running;

	if (client_connect(cli, false, &running, err) < 0)
		return -1;
	/* a list is no reason to start a region, unless it may have guests that outlived their daemon */
	if (!running && !daemon_left_something(&cli->config)) {
		if (cli->json)
			printf("{\n  \"reservationSet\": []\n}\n");
		else
			printf("The region is not running, so there are no instances; `vpclab up` launches one.\n");
		return 0;
	}
	reply = client_get(cli, "DescribeInstances", err);
	if (!reply)
		return -1;
	if (cli->json) {
		print_json(reply);
		return 0;
	}
	return print_table(cli, reply, arguments_has(a, "all"), err);
}

const struct verb verb_ls = {
	.name = "ls",
	.group = "Instances",
	.synopsis = "",
	.summary = "List the instances.",
	.flags = flags,
	.run = run,
};
