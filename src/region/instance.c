#include "region/instance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

struct instance_runtime *instance_runtime(struct instance *i)
{
	if (!i->runtime) {
		i->runtime = calloc(1, sizeof *i->runtime);
		if (i->runtime) {
			pthread_mutex_init(&i->runtime->op, NULL);
			i->runtime->began = time_mono_ms();
		}
	}
	return i->runtime;
}

void instance_runtime_free(struct instance_runtime *rt)
{
	if (!rt)
		return;
	free(rt->entries);
	pthread_mutex_destroy(&rt->op);
	free(rt);
}

void instance_progress_locked(struct region *r, struct instance *i, const char *phase, const char *detail)
{
	struct instance_runtime *rt = instance_runtime(i);
	struct progress_entry *e;

	if (!rt)
		return;
	if (!rt->entries) {
		rt->entries = calloc(PROGRESS_ENTRIES_MAX, sizeof *rt->entries);
		if (!rt->entries)
			return;
	}
	if (rt->count == PROGRESS_ENTRIES_MAX) {
		memmove(rt->entries, rt->entries + 1, (PROGRESS_ENTRIES_MAX - 1) * sizeof *rt->entries);
		rt->count--;
	}
	e = &rt->entries[rt->count++];
	e->sequence = ++rt->sequence;
	e->wall_ms = time_wall_ms();
	e->elapsed_ms = time_mono_ms() - rt->began;
	snprintf(e->phase, sizeof e->phase, "%s", phase);
	snprintf(e->detail, sizeof e->detail, "%s", detail);
	region_changed(r);
}

void instance_progress(struct region *r, const char *id, const char *phase, const char *fmt, ...)
{
	char detail[PROGRESS_DETAIL_MAX];
	struct instance *i;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	region_lock(r);
	i = model_find(r->model, KIND_INSTANCE, id);
	if (i)
		instance_progress_locked(r, i, phase, detail);
	region_unlock(r);
}

char *instance_dir(struct region *r, const char *id, struct error *err)
{
	return file_path(err, "%s/instances/%s", r->config.state_dir, id);
}

struct eni *instance_eni(struct region *r, const struct instance *i)
{
	return *i->eni_id ? model_find(r->model, KIND_ENI, i->eni_id) : NULL;
}

bool instance_visible(const struct instance *i)
{
	return i->state != STATE_TERMINATED || time_wall_ms() - i->state_time < TERMINATED_VISIBLE_MS;
}

struct instance *instance_find(struct region *r, const char *id, struct error *err)
{
	struct instance *i;

	if (!id_well_formed(id, "i")) {
		error_set_code(err, ERROR_USAGE, "InvalidInstanceID.Malformed", "Invalid id: \"%.64s\"", id);
		return NULL;
	}
	i = model_find(r->model, KIND_INSTANCE, id);
	if (!i || !instance_visible(i)) {
		error_set_code(err, ERROR_USAGE, "InvalidInstanceID.NotFound", "The instance ID '%.64s' does not exist", id);
		return NULL;
	}
	return i;
}

int instance_set_state(struct region *r, struct instance *i, enum instance_state state, const char *reason_code, const char *reason,
		       struct error *err)
{
	struct instance next = *i;
	struct change c = { &i->o, &next.o };

	next.state = (int)state;
	next.state_time = time_wall_ms();
	snprintf(next.state_reason_code, sizeof next.state_reason_code, "%s", reason_code);
	if (*reason_code)
		snprintf(next.state_reason, sizeof next.state_reason, "%s: %.400s", reason_code, reason);
	else
		next.state_reason[0] = '\0';
	if (state == STATE_PENDING || state == STATE_RUNNING)
		next.transition_reason[0] = '\0';
	if (state == STATE_RUNNING)
		next.launched = true;
	else
		next.ready = next.failed = false;
	if (region_commit(r, &c, 1, err) < 0)
		return -1;
	log_info("instance %s is %s%s%s", i->o.id, instance_state_name((int)state), *reason_code ? ": " : "", next.state_reason);
	instance_progress_locked(r, i, instance_state_name((int)state), next.state_reason);
	return 0;
}

static void set_boot(struct region *r, struct instance *i, bool ready, bool failed)
{
	struct instance next = *i;
	struct change c = { &i->o, &next.o };
	struct error err = { 0 };

	if (i->ready == ready && i->failed == failed)
		return;
	next.ready = ready;
	next.failed = failed;
	if (region_commit(r, &c, 1, &err) < 0)
		log_error("instance %s: %s", i->o.id, err.message);
}

void instance_on_console(void *arg, const char *id, const struct boot_step *s)
{
	struct region *r = arg;
	struct instance *i;

	region_lock(r);
	i = model_find(r->model, KIND_INSTANCE, id);
	if (i && (i->state == STATE_PENDING || i->state == STATE_RUNNING)) {
		if (s->phase == BOOT_FIRMWARE || s->phase == BOOT_KERNEL) /* a new boot */
			set_boot(r, i, false, false);
		else if (s->phase == BOOT_READY)
			set_boot(r, i, true, i->failed);
		else if (s->phase == BOOT_FAILED)
			set_boot(r, i, i->ready, true);
		instance_progress_locked(r, i, boot_phase_name(s->phase), s->detail);
	}
	region_unlock(r);
}

void instance_on_reboot(void *arg, const char *id)
{
	struct region *r = arg;
	struct instance *i;

	region_lock(r);
	i = model_find(r->model, KIND_INSTANCE, id);
	if (i && instance_runtime(i)) {
		i->runtime->rebooted = true;
		set_boot(r, i, false, false);
		instance_progress_locked(r, i, "reboot", "");
	}
	region_unlock(r);
}
