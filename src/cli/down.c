/* `vpclab down`: the region ends and leaves nothing. */
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/verb.h"

#define STOP_MS 180000 /* guests shut down, networks go; scaled */
#define END_MS 30000   /* from the answer to the process's end; scaled */

static const struct flag flags[] = {
	{ "purge", NULL, "remove the images and all state too" },
	{ NULL, NULL, NULL },
};

/* Waits for the daemon's own end; the pidfd was opened while it was known to live. */
static int await_end(int pidfd, long long pid, struct error *err)
{
	struct pollfd p = { pidfd, POLLIN, 0 };
	int64_t deadline = deadline_in(time_scaled(END_MS));

	while (pidfd >= 0 && !(p.revents & POLLIN)) {
		if (deadline_passed(deadline))
			return error_set(err, ERROR_TIMEOUT, "Everything is gone, but the daemon (process %lld) did not end.", pid);
		poll(&p, 1, deadline_poll_ms(deadline));
	}
	return 0;
}

static int nothing(const struct cli *cli, bool purge)
{
	if (cli->json)
		printf("{\n  \"return\": true\n}\n");
	else if (purge)
		printf("The region is not running, and there is nothing of it to remove.\n");
	else
		printf("The region is not running, and nothing of it is left.\n");
	return 0;
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	bool purge = arguments_has(a, "purge"), running;
	AUTO_JSON json_t *status = NULL, *reply = NULL;
	AUTO_REQUEST struct request r;
	AUTO_CLOSE int pidfd = -1;
	long long count;

	request_init(&r, "StopRegion");
	if (purge)
		request_add(&r, "Purge", "true");
	if (client_connect(cli, false, &running, err) < 0)
		return -1;
	/* what outlived a daemon that was killed is only found and ended by another one */
	if (!running && !daemon_left_something(&cli->config) && !(purge && directory_has_entries(cli->config.state_dir)))
		return nothing(cli, purge);
	status = client_get(cli, "DescribeRegionStatus", err);
	if (!status)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number_of(status, "pid"), 0);
	count = (long long)number_of(status, "instances");
	progress_live("ending the region and %lld instance%s", count, count == 1 ? "" : "s");
	progress_on_interrupt("vpclab: interrupted; the region goes on ending.");
	reply = client_call(cli, &r, time_scaled(STOP_MS), err);
	if (!reply || await_end(pidfd, (long long)number_of(status, "pid"), err) < 0)
		return -1;
	progress_end();
	if (cli->json)
		print_json(reply);
	else
		printf("The region has ended: no instance, network or process of it is left%s.\n",
		       purge ? ", nor its images and state" : "");
	return 0;
}

const struct verb verb_down = {
	.name = "down",
	.group = "The lab",
	.synopsis = "",
	.summary = "Terminate all and end the region; nothing is left.",
	.details = "Images stay for the next time, unless --purge is given.",
	.flags = flags,
	.run = run,
};
