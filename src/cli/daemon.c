/* `vpclab daemon`: the region itself. The verbs start it when they need it. */
#include <string.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define FD_NUMBER_MAX 1023

static const struct flag flags[] = {
	{ "foreground", NULL, "stay in this terminal and log to it" },
	{ "ready-fd", "N", "write one byte to this descriptor when calls are answered (for the verbs and service managers)" },
	{ NULL, NULL, NULL },
};

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	bool foreground = arguments_has(a, "foreground"), running;
	AUTO_JSON json_t *status = NULL;
	int64_t fd;

	if (arguments_number(a, "ready-fd", -1, 0, FD_NUMBER_MAX, &fd, err) < 0)
		return -1;
	if (foreground || fd >= 0)
		return cli->daemon_run(&cli->config, foreground, (int)fd, err);
	if (client_connect(cli, false, &running, err) < 0 || client_connect(cli, true, NULL, err) < 0)
		return -1;
	status = client_get(cli, "DescribeRegionStatus", err);
	if (!status)
		return -1;
	if (cli->json)
		print_json(status);
	else
		printf("The region %s%s, process %lld.\n", text_of(status, "region"), running ? " was running already" : " is running",
		       (long long)number_of(status, "pid"));
	return 0;
}

const struct verb verb_daemon = {
	.name = "daemon",
	.group = "The region",
	.synopsis = "",
	.summary = "Run the region; other verbs start it when needed.",
	.details = "Guests go on running when the daemon ends and are found again by the next one; `vpclab down`\n"
		   "ends them. Its log is daemon.log in the state directory.",
	.flags = flags,
	.run = run,
};
