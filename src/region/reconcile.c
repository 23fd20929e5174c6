/* After a start of the daemon: what the one before left half done goes on, what runs is watched again, what is gone is marked so.
 * Nothing here undoes by itself: the jobs look what is there. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "region/instance.h"

int instance_watch_console(struct region *r, const struct instance *i, struct error *err)
{
	AUTO_FREE char *console = NULL;
	int64_t size;

	if (!r->consoles)
		return 0;
	console = file_path(err, "%s/instances/%s/console.log", r->config.state_dir, i->o.id);
	if (!console)
		return -1;
	/* a boot that went on while no daemon was there is read from its beginning again */
	size = i->ready ? file_size(console) : 0;
	return console_watch_add(r->consoles, i->o.id, console, size > 0 ? size : 0, err);
}

static int reconcile_running(struct region *r, struct instance *i, struct error *err)
{
	if (compute_state(r->compute, i->o.id) != MACHINE_ABSENT)
		return instance_watch_console(r, i, err);
	instance_unmake_machine(r, i);
	region_lock(r);
	if (instance_set_state(r, i, STATE_STOPPED, "Server.InternalError",
			       "The virtual machine was gone when the region started; start the instance again", err) < 0) {
		region_unlock(r);
		return -1;
	}
	region_unlock(r);
	return 0;
}

/* What a crash between two writes may leave: interfaces of instances that are terminated or unknown. */
static int forget_interfaces(struct region *r, struct error *err)
{
	int rc = 0;

	region_lock(r);
	for (size_t k = model_count(r->model, KIND_ENI); rc == 0 && k > 0; k--) {
		struct eni *e = model_at(r->model, KIND_ENI, k - 1);
		const struct instance *i = *e->instance_id ? model_find(r->model, KIND_INSTANCE, e->instance_id) : NULL;
		struct change gone = { &e->o, NULL };

		if (*e->instance_id && (!i || i->state == STATE_TERMINATED))
			rc = region_commit(r, &gone, 1, err);
	}
	region_unlock(r);
	return rc;
}

int instance_reconcile(struct region *r, struct error *err)
{
	size_t n = model_count(r->model, KIND_INSTANCE);
	AUTO_FREE struct instance **all = calloc(n ? n : 1, sizeof *all);
	struct error why = { 0 };
	char **machines;
	bool network = false;

	if (!all)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	for (size_t k = 0; k < n; k++) {
		all[k] = model_at(r->model, KIND_INSTANCE, k);
		network |= all[k]->state == STATE_RUNNING && compute_state(r->compute, all[k]->o.id) != MACHINE_ABSENT;
	}
	if (forget_interfaces(r, err) < 0)
		return -1;
	machines = compute_ids(r->compute, err);
	if (!machines)
		return -1;
	for (char **id = machines; *id; id++) {
		const struct instance *i = model_find(r->model, KIND_INSTANCE, *id);

		if (!i || i->state == STATE_TERMINATED || i->state == STATE_STOPPED) {
			log_warn("machine %s is not known to the region and is ended", *id);
			compute_destroy(r->compute, *id, NULL);
		}
	}
	compute_ids_free(machines);
	/* a network that can't be made now is no reason to leave the region without a daemon: the watcher tries again */
	if (network && view_apply_vpc(r, world_default_vpc(r)->o.id, &why) < 0)
		log_error("The network can't be made complete: %s", why.message);
	for (size_t k = 0; k < n; k++) {
		struct instance *i = all[k];
		int rc = 0;

		if (!instance_runtime(i))
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		if (i->state == STATE_RUNNING)
			rc = reconcile_running(r, i, err);
		else if (i->state == STATE_PENDING)
			rc = instance_job_launch(r, i->o.id, err);
		else if (i->state == STATE_STOPPING)
			rc = instance_job_stop(r, i->o.id, false, err);
		else if (i->state == STATE_SHUTTING_DOWN)
			rc = instance_job_terminate(r, i->o.id, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}
