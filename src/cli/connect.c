/* `vpclab connect` and `vpclab exec`: into a guest, as EC2 Instance Connect goes. */
#include <string.h>

#include "cli/client.h"
#include "cli/instance.h"
#include "cli/ssh.h"
#include "cli/verb.h"

static const struct flag flags[] = {
	{ "user", "USER", "the user in the guest (default: the image's, ubuntu)" },
	{ NULL, NULL, NULL },
};

static int run_connect(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *instance = instance_get_default(cli, a, err);

	return instance ? ssh_run(cli, instance, arguments_value(a, "user"), NULL, err) : -1;
}

const struct verb verb_connect = {
	.name = "connect",
	.group = "Inside a guest",
	.synopsis = "[NAME]",
	.summary = "A shell in the guest, as by EC2 Instance Connect.",
	.details = "A key is made for this one connection, signed by the region for 60 seconds, and forgotten\n"
		   "afterwards; no key pair is needed. The connection goes to the public IPv4 address, so port 22\n"
		   "must be open in the instance's security groups.",
	.flags = flags,
	.min_words = 0,
	.max_words = 1,
	.run = run_connect,
};

static int run_exec(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *instance = NULL;

	if (!a->rest)
		return error_set(err, ERROR_USAGE, "What is to be run is missing: vpclab exec NAME -- COMMAND [ARGUMENTS].");
	instance = instance_get(cli, a->words[0], err);
	return instance ? ssh_run(cli, instance, arguments_value(a, "user"), a->rest, err) : -1;
}

const struct verb verb_exec = {
	.name = "exec",
	.group = "Inside a guest",
	.synopsis = "NAME -- COMMAND [ARGUMENTS]",
	.summary = "Run a command in the guest; passes its exit status.",
	.details = "Standard input and output are the command's own. A single word is a line for the guest's\n"
		   "shell (`vpclab exec web -- 'cd /etc && ls'`); several words are passed as they are. The\n"
		   "connection is made as by `vpclab connect`.",
	.flags = flags,
	.min_words = 1,
	.max_words = 1,
	.greedy = true,
	.run = run_exec,
};
