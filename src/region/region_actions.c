/* The region as a whole: the lab's own actions. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "region/instance.h"
#include "region/reply.h"

#define STOP_MS 120000
#define STOP_JOBS 64

static const struct param status_reply[] = {
	TEXT("version"), INTEGER("pid"), TEXT("region"), TEXT("accelerator"), TEXT("acceleratorReason"), TEXT("uplink"), TEXT("stateDir"),
	TEXT("runDir"), TEXT("libvirtUri"), INTEGER("instances"), TEXT("publicCidr"), PARAM_END
};

static int describe_status(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *why, *accelerator = compute_accelerator(r->compute, &why);
	size_t live = 0;

	(void)caller;
	(void)in;
	(void)err;
	region_lock(r);
	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++)
		live += ((const struct instance *)model_at(r->model, KIND_INSTANCE, i))->state != STATE_TERMINATED;
	region_unlock(r);
	put_text(out, "version", VPCLAB_VERSION);
	put_int(out, "pid", getpid());
	put_text(out, "region", r->config.region);
	put_text(out, "accelerator", accelerator);
	put_text(out, "acceleratorReason", why);
	put_text(out, "uplink", r->network ? network_uplink_name(r->network) : r->config.uplink);
	put_text(out, "stateDir", r->config.state_dir);
	put_text(out, "runDir", r->config.run_dir);
	put_text(out, "libvirtUri", r->config.libvirt_uri);
	put_int(out, "instances", (int64_t)live);
	put_text(out, "publicCidr", r->config.public_cidr);
	return 0;
}

static const struct param stop_params[] = { { "Purge", PARAM_BOOLEAN, 0, NULL, false, "images and state go too" }, PARAM_END };
static const struct param stop_reply[] = { BOOLEAN("return"), INTEGER("terminated"), PARAM_END };

static bool all_terminated(struct region *r)
{
	for (size_t i = 0; i < model_count(r->model, KIND_INSTANCE); i++)
		if (((const struct instance *)model_at(r->model, KIND_INSTANCE, i))->state != STATE_TERMINATED)
			return false;
	return true;
}

static int remove_networks(struct region *r, struct error *err)
{
	int rc = 0;

	pthread_mutex_lock(&r->net_lock);
	if (!compute_is_test(r->compute)) {
		if (!r->network && view_network_needed(r, err) < 0)
			rc = -1;
		else if (network_remove_strays(r->network, NULL, 0, err) < 0 || network_remove_host(r->network, err) < 0)
			rc = -1;
		if (r->network && rc == 0) {
			network_close(r->network);
			r->network = NULL;
		}
	}
	pthread_mutex_unlock(&r->net_lock);
	return rc;
}

static int stop_region(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int64_t deadline = deadline_in(time_scaled(STOP_MS));
	size_t count = 0;
	int rc = 0;

	if (action_dry_run(caller, err) < 0)
		return -1;
	region_lock(r);
	for (size_t i = 0; rc == 0 && i < model_count(r->model, KIND_INSTANCE); i++) {
		struct instance *one = model_at(r->model, KIND_INSTANCE, i);

		if (one->state == STATE_TERMINATED)
			continue;
		count++;
		/* workers are limited: some end before the next begin */
		while (atomic_load(&r->jobs) >= STOP_JOBS && region_wait(r, deadline))
			;
		rc = instance_terminate(r, one, err);
	}
	imports_cancel(r);
	while (rc == 0 && !all_terminated(r)) {
		if (!region_wait(r, deadline))
			rc = error_set(err, ERROR_TIMEOUT, "Some instances did not terminate in time; `vpclab ls` shows which, try again.");
	}
	region_unlock(r);
	if (rc < 0 || remove_networks(r, err) < 0)
		return -1;
	put_bool(out, "return", true);
	put_int(out, "terminated", (int64_t)count);
	region_lock(r);
	r->stopped = true;
	r->stop_purges = in_bool(in, "Purge", false);
	region_unlock(r);
	log_info("the region was stopped by %s%s", caller->name, r->stop_purges ? ", with purge" : "");
	if (r->on_stop)
		r->on_stop(r->on_stop_arg);
	return 0;
}

const struct action region_actions[] = {
	{ "DescribeRegionStatus", "vpclab", "What this region runs on (the lab's own).", NULL, status_reply, false, describe_status },
	{ "StopRegion", "vpclab", "Terminates every instance, removes every network, then ends the daemon (the lab's own).", stop_params,
	  stop_reply, true, stop_region },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
