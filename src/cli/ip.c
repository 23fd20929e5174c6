/* `vpclab ip`: Elastic IP addresses. */
#include <string.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/suggest.h"
#include "cli/verb.h"

#define ALLOCATION_PREFIX "eipalloc-"

static const struct flag flags[] = {
	{ "name", "TEXT", "allocate: the address's Name tag" },
	{ "no-reassociation", NULL, "associate: fail where the address, or the instance, is associated already" },
	{ NULL, NULL, NULL },
};

static int print(struct cli *cli, const json_t *reply)
{
	if (cli->json)
		print_json(reply);
	return cli->json;
}

static int list(struct cli *cli, const struct arguments *a, struct error *err)
{
	static const char *const headings[] = { "NAME", "PUBLIC IPV4", "ALLOCATION ID", "INSTANCE", "PRIVATE IPV4", "ASSOCIATION ID", NULL };
	AUTO_JSON json_t *reply = client_get(cli, "DescribeAddresses", err), *all = NULL;
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const json_t *set, *one, *instance;
	size_t i;

	(void)a;
	if (!reply || !t)
		return -1;
	if (print(cli, reply))
		return 0;
	set = json_object_get(reply, "addressesSet");
	all = instances_all(cli, err);
	if (!all)
		return -1;
	json_array_foreach(set, i, one) {
		char label[128];

		instance = *text_of(one, "instanceId") ? instance_pick(all, text_of(one, "instanceId"), NULL) : NULL;
		snprintf(label, sizeof label, "%.127s", text_of(one, "instanceId"));
		if (instance)
			instance_label(label, instance);
		const char *const cells[] = { *tag_of(one, "Name") ? tag_of(one, "Name") : "-",
					      text_of(one, "publicIp"),
					      text_of(one, "allocationId"),
					      *label ? label : "-",
					      *text_of(one, "privateIpAddress") ? text_of(one, "privateIpAddress") : "-",
					      *text_of(one, "associationId") ? text_of(one, "associationId") : "-" };
		table_row(t, cells);
	}
	table_print(t, stdout);
	if (!json_array_size(set))
		printf("There are no Elastic IP addresses; `vpclab ip allocate` makes one.\n");
	return 0;
}

static int allocate(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *name = arguments_value(a, "name"), *wanted = arguments_word(a, 1, NULL);
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "AllocateAddress");
	request_add(&r, "Domain", "vpc");
	if (wanted)
		request_add(&r, "Address", wanted);
	if (name) {
		request_add(&r, "TagSpecification.1.ResourceType", "elastic-ip");
		request_add(&r, "TagSpecification.1.Tag.1.Key", "Name");
		request_add(&r, "TagSpecification.1.Tag.1.Value", name);
	}
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (!print(cli, reply))
		printf("Allocated %s (%s).\n", text_of(reply, "publicIp"), text_of(reply, "allocationId"));
	return 0;
}

/* The address as the user calls it, by allocation or by itself. */
static void add_address(struct request *r, const char *word)
{
	request_add(r, strncmp(word, ALLOCATION_PREFIX, strlen(ALLOCATION_PREFIX)) == 0 ? "AllocationId" : "PublicIp", word);
}

static int associate(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *instance = instance_get(cli, a->words[2], err);
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	char label[128];

	request_init(&r, "AssociateAddress");
	if (!instance)
		return -1;
	add_address(&r, a->words[1]);
	request_add(&r, "InstanceId", instance_id(instance));
	if (arguments_has(a, "no-reassociation"))
		request_add(&r, "AllowReassociation", "false");
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	instance_label(label, instance);
	if (!print(cli, reply))
		printf("Associated %s with %s (%s).\n", a->words[1], label, text_of(reply, "associationId"));
	return 0;
}

/* The one whose allocation id is given, for what DisassociateAddress doesn't take. */
static json_t *describe(struct cli *cli, const char *id, struct error *err)
{
	AUTO_REQUEST struct request r;

	request_init(&r, "DescribeAddresses");
	request_add(&r, "AllocationId.1", id);
	return client_call(cli, &r, 0, err);
}

static int disassociate(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *word = a->words[1];
	AUTO_JSON json_t *found = NULL, *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "DisassociateAddress");
	if (strncmp(word, ALLOCATION_PREFIX, strlen(ALLOCATION_PREFIX)) == 0) {
		found = describe(cli, word, err);
		if (!found)
			return -1;
		request_add(&r, "PublicIp", text_of(json_array_get(json_object_get(found, "addressesSet"), 0), "publicIp"));
	} else {
		request_add(&r, strncmp(word, "eipassoc-", 9) == 0 ? "AssociationId" : "PublicIp", word);
	}
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (!print(cli, reply))
		printf("%s is not associated any more.\n", word);
	return 0;
}

static int release(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "ReleaseAddress");
	add_address(&r, a->words[1]);
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (!print(cli, reply))
		printf("Released %s.\n", a->words[1]);
	return 0;
}

static const struct {
	const char *word, *synopsis;
	size_t min, max; /* words after it */
	int (*run)(struct cli *cli, const struct arguments *a, struct error *err);
} words[] = {
	{ "ls", "", 0, 0, list },
	{ "allocate", " [ADDRESS]", 0, 1, allocate },
	{ "associate", " ADDRESS NAME", 2, 2, associate },
	{ "disassociate", " ADDRESS", 1, 1, disassociate },
	{ "release", " ADDRESS", 1, 1, release },
};

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *word = arguments_word(a, 0, "ls"), *guess;
	const char *names[ARRAY_SIZE(words) + 1] = { NULL };
	size_t more = a->word_count ? a->word_count - 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		names[i] = words[i].word;
		if (strcmp(words[i].word, word) != 0)
			continue;
		if (more < words[i].min || more > words[i].max)
			return error_set(err, ERROR_USAGE, "It is `vpclab ip %s%s`, with %s words than that.", word, words[i].synopsis,
					 more < words[i].min ? "no fewer" : "no more");
		return words[i].run(cli, a, err);
	}
	guess = suggest(word, names);
	return error_set(err, ERROR_USAGE, "`vpclab ip` can't %.32s%s%s%s", word, guess ? "; did you mean " : "",
			 guess ? guess : "; it can ls, allocate, associate, disassociate and release", guess ? "?" : ".");
}

const struct verb verb_ip = {
	.name = "ip",
	.group = "Addresses",
	.synopsis = "ls|allocate|associate|disassociate|release [ADDRESS] [NAME]",
	.summary = "Elastic IP addresses: public addresses that stay.",
	.details = "allocate takes a public address that is yours until you release it; with ADDRESS a certain one of the region's range. "
		   "associate gives it to the instance NAME, whose own public address is released; the new one works when the verb returns, and "
		   "stays over stop and start. disassociate takes it back, and a running instance gets a public address of the pool again. "
		   "release needs an address that is not associated.\n\n"
		   "ADDRESS is the public address or its allocation id (eipalloc-...).\n\n"
		   "These are AllocateAddress, AssociateAddress, DisassociateAddress, ReleaseAddress and DescribeAddresses.",
	.flags = flags,
	.min_words = 0,
	.max_words = 3,
	.run = run,
};
