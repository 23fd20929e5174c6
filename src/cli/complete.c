/* `vpclab complete`: what the shells' completion offers, a word a line. It starts nothing and complains of nothing: somebody is in
 * the middle of a line. */
#include <string.h>

#include "base/log.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/verb.h"

static void print_each(const json_t *set, const char *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach(set, i, item)
		if (*text_of(item, key))
			printf("%s\n", text_of(item, key));
}

static void print_names(struct cli *cli)
{
	AUTO_JSON json_t *all = instances_all(cli, NULL);
	const json_t *instance;
	size_t i;

	json_array_foreach(all, i, instance) {
		const char *name = tag_of(instance, "Name");

		/* a name that a shell would take apart is offered as its id */
		if (!instance_gone(instance))
			printf("%s\n", *name && !strpbrk(name, " \t\n'\"\\$`*?[]{}()<>|&;#~!") ? name : instance_id(instance));
	}
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	static const struct {
		const char *kind, *action, *set, *key;
	} kinds[] = {
		{ "images", "DescribeImages", "imagesSet", "name" },
		{ "types", "DescribeInstanceTypes", "instanceTypeSet", "instanceType" },
		{ "groups", "DescribeSecurityGroups", "securityGroupInfo", "groupName" },
	};
	bool running = false;

	if (client_connect(cli, false, &running, NULL) < 0 || !running)
		return 0;
	if (strcmp(a->words[0], "names") == 0) {
		print_names(cli);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		AUTO_JSON json_t *reply = NULL;

		if (strcmp(kinds[i].kind, a->words[0]) != 0)
			continue;
		reply = client_get(cli, kinds[i].action, NULL);
		print_each(json_object_get(reply, kinds[i].set), kinds[i].key);
		return 0;
	}
	return error_set(err, ERROR_USAGE, "There is nothing to complete of %.32s; there are names, images, types and groups.", a->words[0]);
}

const struct verb verb_complete = {
	.name = "complete",
	.synopsis = "names|images|types|groups",
	.summary = "List words for the shells' completion.",
	.min_words = 1,
	.max_words = 1,
	.run = run,
};
