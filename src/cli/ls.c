/* `vpclab ls`: the instances, as EC2's list shows them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/table.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/verb.h"

#define WATCH_SECONDS 1

static const struct flag flags[] = {
	{ "all", NULL, "the terminated ones too, which EC2 shows for an hour" },
	{ "watch", NULL, "print the list again whenever it changes, until Ctrl-C" },
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

static int print_table(struct cli *cli, const json_t *reply, bool all, FILE *out, struct error *err)
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
	table_print(t, out);
	if (!shown)
		fprintf(out, "There are no instances; `vpclab up` launches one.\n");
	if (hidden && !shown)
		fprintf(out, "(%zu terminated: `vpclab ls --all`)\n", hidden);
	return 0;
}

/* The list as text, which the caller frees. */
static char *render(struct cli *cli, const json_t *reply, bool all, struct error *err)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int rc;

	if (!out) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	rc = print_table(cli, reply, all, out, err);
	fclose(out);
	if (rc == 0)
		return text;
	free(text);
	return NULL;
}

/* A terminal shows the present list in place of the former, with ages that go on; anything else gets a list for each change. */
static int watch(struct cli *cli, bool all, struct error *err)
{
	bool terminal = isatty(STDOUT_FILENO), first = true;
	char *former CLEANUP(cleanup_free) = NULL;

	for (;; first = false) {
		AUTO_JSON json_t *reply = client_get(cli, "DescribeInstances", err);
		AUTO_FREE char *seen = NULL, *text = NULL;

		if (!reply)
			return -1;
		json_object_del(reply, "requestId");
		text = render(cli, reply, all, err);
		if (!text)
			return -1;
		seen = terminal && !cli->json ? strdup(text) : json_dumps(reply, JSON_COMPACT);
		if (!seen)
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		if (!former || strcmp(seen, former) != 0) {
			if (cli->json)
				printf("%s\n", seen);
			else if (terminal)
				printf("\033[H\033[2J%s", text);
			else
				printf("%s%s", first ? "" : "\n", text);
			if (fflush(stdout) != 0)
				return 0; /* whoever read it has gone */
			free(former);
			former = TAKE_PTR(seen);
		}
		nanosleep(&(const struct timespec){ .tv_sec = WATCH_SECONDS }, NULL);
	}
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	bool running;

	if (client_connect(cli, false, &running, err) < 0)
		return -1;
	/* a list is no reason to start a region, unless it may have guests that outlived their daemon */
	if (!running && !arguments_has(a, "watch") && !daemon_left_something(&cli->config)) {
		if (cli->json)
			printf("{\n  \"reservationSet\": []\n}\n");
		else
			printf("The region is not running, so there are no instances; `vpclab up` launches one.\n");
		return 0;
	}
	if (arguments_has(a, "watch"))
		return watch(cli, arguments_has(a, "all"), err);
	reply = client_get(cli, "DescribeInstances", err);
	if (!reply)
		return -1;
	if (cli->json) {
		print_json(reply);
		return 0;
	}
	return print_table(cli, reply, arguments_has(a, "all"), stdout, err);
}

const struct verb verb_ls = {
	.name = "ls",
	.group = "Instances",
	.synopsis = "",
	.summary = "List the instances.",
	.flags = flags,
	.run = run,
};
