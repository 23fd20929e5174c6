#include "region/region.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "region/instance.h"
#include "region/store.h"
#include "region/watch.h"

void region_lock(struct region *r)
{
	pthread_mutex_lock(&r->lock);
}

void region_unlock(struct region *r)
{
	pthread_mutex_unlock(&r->lock);
}

void region_changed(struct region *r)
{
	pthread_cond_broadcast(&r->changed);
}

bool region_wait(struct region *r, int64_t deadline)
{
	struct timespec ts = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };

	if (deadline == DEADLINE_NEVER)
		return pthread_cond_wait(&r->changed, &r->lock) == 0;
	return pthread_cond_timedwait(&r->changed, &r->lock, &ts) == 0;
}

int region_commit(struct region *r, const struct change *changes, size_t count, struct error *err)
{
	int rc = model_commit(r->model, changes, count, err);

	region_changed(r);
	return rc;
}

int job_start(struct region *r, void (*fn)(struct region *r, void *arg), void *arg, struct error *err)
{
	return jobs_start(r->jobs, fn, arg, err);
}

static struct region *region_new(const struct config *config, struct error *err)
{
	struct region *r = calloc(1, sizeof *r);
	pthread_condattr_t attr;

	if (!r) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	r->jobs = jobs_new(r);
	if (!r->jobs) {
		free(r);
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	r->config = *config;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_init(&r->net_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	return r;
}

static int open_store(struct region *r, struct error *err)
{
	AUTO_FREE char *path = file_path(err, "%s/region.db", r->config.state_dir);

	if (!path || file_mkdirs(r->config.state_dir, 0711, err) < 0 || file_mkdirs(r->config.run_dir, 0755, err) < 0)
		return -1;
	r->store = store_open(path, err);
	r->model = r->store ? model_load(r->store, err) : NULL;
	if (!r->model)
		return -1;
	r->images = image_store_open(r->config.state_dir, r->config.data_dir, err);
	return r->images ? 0 : -1;
}

static int open_compute(struct region *r, struct error *err)
{
	AUTO_FREE char *root = file_path(err, "%s/libvirt", r->config.state_dir);
	struct compute_config c = {
		.uri = r->config.libvirt_uri,
		.root = root,
		.accelerator = r->config.accelerator,
		.on_end = instance_on_end,
		.on_reboot = instance_on_reboot,
		.arg = r,
	};
	const char *why;

	if (!root)
		return -1;
	r->compute = compute_open(&c, err);
	if (!r->compute)
		return -1;
	if (strcmp(compute_accelerator(r->compute, &why), "tcg") == 0 && !compute_is_test(r->compute))
		time_scale_set(TIME_SCALE_TCG);
	log_info("accelerator: %s (%s)", compute_accelerator(r->compute, NULL), why);
	if (compute_is_test(r->compute))
		return 0;
	r->consoles = console_watch_new(instance_on_console, r, err);
	return r->consoles ? 0 : -1;
}

/* What a former daemon left of terminated instances that are no longer shown. */
static void forget_terminated(struct region *r)
{
	for (size_t i = model_count(r->model, KIND_INSTANCE); i > 0; i--) {
		struct instance *one = model_at(r->model, KIND_INSTANCE, i - 1);
		struct change c = { &one->o, NULL };

		if (!instance_visible(one))
			model_commit(r->model, &c, 1, NULL);
	}
}

struct region *region_open(const struct config *config, struct error *err)
{
	struct region *r = region_new(config, err);

	if (!r)
		return NULL;
	if (open_store(r, err) < 0 || open_compute(r, err) < 0 || pool_open(r, err) < 0 || world_create(r, err) < 0)
		goto bad;
	forget_terminated(r);
	if (!compute_is_test(r->compute) && ca_open(r, err) < 0)
		goto bad;
	r->open = true;
	if (instance_reconcile(r, err) < 0)
		goto bad;
	if (!compute_is_test(r->compute) && !(r->watch = region_watch_new(r, err)))
		goto bad;
	region_watch_news(r->watch); /* of what reconciliation's jobs did meanwhile */
	return r;
bad:
	region_close(r);
	return NULL;
}

void region_interrupt(struct region *r)
{
	region_lock(r);
	r->closing = true;
	region_changed(r);
	region_unlock(r);
}

void region_close(struct region *r)
{
	if (!r)
		return;
	region_lock(r);
	r->closing = true;
	imports_cancel(r);
	for (size_t i = 0; r->model && i < model_count(r->model, KIND_INSTANCE); i++) {
		struct instance *one = model_at(r->model, KIND_INSTANCE, i);

		if (one->runtime)
			one->runtime->cancel = 1;
	}
	region_changed(r);
	region_unlock(r);
	jobs_close(r->jobs);
	region_watch_free(r->watch);
	console_watch_free(r->consoles);
	compute_close(r->compute);
	if (r->network)
		network_close(r->network);
	image_store_close(r->images);
	for (size_t i = 0; r->model && i < model_count(r->model, KIND_INSTANCE); i++)
		instance_runtime_free(((struct instance *)model_at(r->model, KIND_INSTANCE, i))->runtime);
	model_free(r->model);
	store_close(r->store);
	imports_free(r);
	jobs_free(r->jobs);
	free(r->ca_public_key);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->net_lock);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const struct config *region_config(const struct region *r)
{
	return &r->config;
}

bool region_stopped(const struct region *r, bool *ret_purge)
{
	*ret_purge = r->stop_purges;
	return r->stopped;
}

void region_on_stop(struct region *r, void (*on_stop)(void *arg), void *arg)
{
	r->on_stop_arg = arg;
	r->on_stop = on_stop;
}
