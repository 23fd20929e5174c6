/* The jobs that move an instance from state to state. Theory of operation: an action writes the state that begins a move (pending,
 * stopping, shutting-down) to the store and starts the job; the job makes the world so and writes the state that ends it. A daemon
 * that dies between the two finds the beginning state in the store and starts the same job again: every step looks first what is
 * there already. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "image/disk.h"
#include "region/instance.h"
#include "region/types.h"
#include "seed/seed.h"

#define SHUTDOWN_MS 60000 /* then the plug is pulled, as EC2 does after its own patience */
#define REBOOT_MS 60000
#define STORE_AGAIN_MS 2000
#define GIB (1024ll * 1024 * 1024)

struct job {
	char id[ID_MAX];
	bool force;
};

static int start_job(struct region *r, const char *id, bool force, void (*fn)(struct region *r, void *arg), struct error *err)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	snprintf(j->id, sizeof j->id, "%s", id);
	j->force = force;
	if (job_start(r, fn, j, err) == 0)
		return 0;
	free(j);
	return -1;
}

/* The instance with its operation lock held; to be left with leave(). */
static struct instance *enter(struct region *r, const char *id)
{
	struct instance *i;
	struct instance_runtime *rt;

	region_lock(r);
	i = model_find(r->model, KIND_INSTANCE, id);
	rt = i ? instance_runtime(i) : NULL;
	region_unlock(r);
	if (!rt)
		return NULL;
	pthread_mutex_lock(&rt->op);
	return i;
}

static void leave(struct instance *i)
{
	pthread_mutex_unlock(&i->runtime->op);
}

static int state_of(struct region *r, const struct instance *i)
{
	int state;

	region_lock(r);
	state = i->state;
	region_unlock(r);
	return state;
}

static bool given_up(struct region *r, const struct instance *i)
{
	return i->runtime->cancel || r->closing;
}

static void image_step(void *arg, const struct image_progress *p)
{
	struct {
		struct region *r;
		const char *id;
		int64_t last;
	} *to = arg;
	int64_t now = time_mono_ms();

	if (!p->notice && now - to->last < 1000)
		return;
	to->last = now;
	if (p->total > 0)
		instance_progress(to->r, to->id, "image", "%s %lld of %lld MiB", p->phase, (long long)(p->done >> 20),
				  (long long)(p->total >> 20));
	else
		instance_progress(to->r, to->id, "image", "%s %s", p->phase, p->detail ? p->detail : "");
}

static int make_image(struct region *r, struct instance *i, struct error *err)
{
	AUTO_FREE char *path = NULL;
	struct {
		struct region *r;
		const char *id;
		int64_t last;
	} to = { r, i->o.id, 0 };
	struct image_job job = { .progress = image_step, .arg = &to, .cancel = &i->runtime->cancel, .mirror = r->config.image_mirror };

	if (!i->launched)
		return image_ensure(r->images, i->image_name, &job, err);
	/* a start has a disk on the image that was there: its user is told rather than another one built */
	path = image_path(r->images, i->image_name, err);
	return path ? 0 : -1;
}

/* A disk holds what differs from the very image that it was made on. Beside it stands that image's sum: an image that was
 * fetched again is the same, one that was built again is another. */
static int check_base(struct region *r, struct instance *i, const char *note, struct error *err)
{
	AUTO_FREE char *sum = NULL;
	struct image_info info;

	if (image_stat(r->images, i->image_name, &info, err) < 0)
		return -1;
	sum = file_read(note, IMAGE_SHA256_MAX, NULL, NULL);
	if (!sum || info.state != IMAGE_AVAILABLE || strcmp(sum, info.sha256) == 0)
		return 0;
	return error_set(err, ERROR_ENVIRONMENT,
			 "The image %s is another than the one that the disk of %s was made on, which is gone; terminate the instance and "
			 "launch a new one.",
			 i->image_name, i->o.id);
}

static int make_disk(struct region *r, struct instance *i, const char *dir, struct error *err)
{
	AUTO_FREE char *disk = file_path(err, "%s/disk.qcow2", dir);
	AUTO_FREE char *fresh = file_path(err, "%s/disk.qcow2.new", dir);
	AUTO_FREE char *note = file_path(err, "%s/disk.base", dir);
	AUTO_FREE char *base = NULL;
	struct image_info info;

	if (!disk || !fresh || !note)
		return -1;
	if (file_exists(disk))
		return check_base(r, i, note, err);
	base = image_path(r->images, i->image_name, err);
	if (!base || image_stat(r->images, i->image_name, &info, err) < 0 ||
	    file_write_atomic(note, info.sha256, strlen(info.sha256), 0600, err) < 0)
		return -1;
	instance_progress(r, i->o.id, "disk", "root volume of %d GiB on %s", i->root_gib, i->image_name);
	if (disk_remove(fresh, err) < 0 || disk_create_overlay(fresh, base, i->root_gib * GIB, err) < 0)
		return -1;
	if (rename(fresh, disk) < 0)
		return error_set(err, ERROR_ENVIRONMENT, "The disk of %s can't be put in place.", i->o.id);
	return 0;
}

static int make_seed(struct region *r, struct instance *i, const char *dir, struct error *err)
{
	AUTO_FREE char *path = file_path(err, "%s/seed.iso", dir);
	AUTO_FREE char *user_data = NULL;
	const struct image *image = image_find(r->images, i->image_name, err);
	char host[SENTENCE_MAX], public_ip[IPV4_TEXT_MAX] = "", mac[WORD_MAX], *domain;
	const char *keys[] = { i->public_key, NULL };
	struct eni *eni;
	struct seed_spec s = {
		.data_dir = r->config.data_dir,
		.instance_id = i->o.id,
		.ca_public_key = r->ca_public_key,
		.ssh_keys = keys,
		.region = r->config.region,
		.zone = i->zone,
		.instance_type = i->type,
		.ami_id = i->image_id,
	};

	if (!path || !image)
		return -1;
	region_lock(r);
	eni = instance_eni(r, i);
	if (eni) {
		address_private_dns(r, eni->private_ip, host);
		if (eni->public_ip)
			ipv4_format(public_ip, eni->public_ip);
		snprintf(mac, sizeof mac, "%s", eni->mac);
	}
	region_unlock(r);
	if (!eni)
		return error_set(err, ERROR_INTERNAL, "Instance %s has no network interface.", i->o.id);
	domain = strchr(host, '.');
	*domain++ = '\0';
	s.local_hostname = host;
	s.domain = domain;
	s.mac = mac;
	s.default_user = image->default_user;
	s.public_ipv4 = *public_ip ? public_ip : NULL;
	if (i->user_data) {
		user_data = base64_decode(i->user_data, &s.user_data_len, err);
		if (!user_data)
			return -1;
	}
	s.user_data = user_data;
	instance_progress(r, i->o.id, "seed", "NoCloud seed for %s", host);
	return seed_write(path, &s, err);
}

static int set_attached(struct region *r, struct instance *i, bool attached, struct error *err)
{
	struct eni *eni, next;
	struct change c;
	bool leased;
	int rc = 0;

	region_lock(r);
	eni = instance_eni(r, i);
	/* a public address that is not an Elastic IP goes with the stop */
	leased = eni && eni->wants_public_ip && eni->public_ip && !address_of_eni(r, eni->o.id);
	if (eni && (eni->attached != attached || (!attached && leased))) {
		next = *eni;
		next.attached = attached;
		if (!attached && leased) {
			next.former_public_ip = next.public_ip;
			next.public_ip = 0;
		}
		c = (struct change){ &eni->o, &next.o };
		rc = region_commit(r, &c, 1, err);
	}
	region_unlock(r);
	return rc;
}

static int make_machine(struct region *r, struct instance *i, const char *dir, struct error *err)
{
	const struct instance_type *type = instance_type_find(i->type, err);
	AUTO_FREE char *disk = file_path(err, "%s/disk.qcow2", dir);
	AUTO_FREE char *seed = file_path(err, "%s/seed.iso", dir);
	AUTO_FREE char *console = file_path(err, "%s/console.log", dir);
	AUTO_FREE char *netns = NULL, *base = NULL;
	char tap[LINK_NAME_MAX], mac[WORD_MAX];
	bool test = compute_is_test(r->compute);
	struct machine_spec spec;
	struct eni *eni;
	int64_t offset;

	if (!type || !disk || !seed || !console)
		return -1;
	if (!test) {
		base = image_path(r->images, i->image_name, err);
		if (!base)
			return -1;
	}
	view_tap_name(tap, i->eni_id);
	region_lock(r);
	eni = instance_eni(r, i);
	snprintf(mac, sizeof mac, "%s", eni ? eni->mac : "");
	region_unlock(r);
	spec = (struct machine_spec){
		.id = i->o.id,
		.uuid = i->uuid,
		.vcpus = type->vcpus,
		.memory_mib = type->memory_mib,
		.disk = disk,
		.base = base,
		.seed = seed,
		.console_log = console,
		.tap = tap,
		.mac = mac,
		.instance_type = i->type,
		.region = r->config.region,
		.kvm = strcmp(compute_accelerator(r->compute, NULL), "kvm") == 0,
	};
	if (!test) {
		netns = network_netns_path(r->network, i->vpc_id);
		offset = file_size(console);
		if (!netns || console_watch_add(r->consoles, i->o.id, console, offset > 0 ? offset : 0, err) < 0)
			return -1;
	}
	region_lock(r);
	i->runtime->machine_gone = false;
	region_unlock(r);
	instance_progress(r, i->o.id, "machine", "%u vCPU, %u MiB, %s", spec.vcpus, spec.memory_mib, spec.kvm ? "KVM" : "TCG");
	return compute_start(r->compute, &spec, netns, err);
}

/* A machine that a daemon before us started: its network is made complete and its console watched again. */
static int adopt(struct region *r, struct instance *i, struct error *err)
{
	region_lock(r);
	i->runtime->machine_gone = false;
	region_unlock(r);
	if (set_attached(r, i, true, err) < 0 || view_apply_vpc(r, i->vpc_id, err) < 0)
		return -1;
	return instance_watch_console(r, i, err);
}

static int launch_steps(struct region *r, struct instance *i, struct error *err)
{
	AUTO_FREE char *dir = instance_dir(r, i->o.id, err);
	bool test = compute_is_test(r->compute);

	if (!dir || file_mkdirs(dir, 0711, err) < 0)
		return -1;
	if (compute_state(r->compute, i->o.id) == MACHINE_RUNNING) /* a daemon before us got that far */
		return adopt(r, i, err);
	if (compute_destroy(r->compute, i->o.id, err) < 0) /* one that was never let run */
		return -1;
	if (!test && (make_image(r, i, err) < 0 || make_disk(r, i, dir, err) < 0 || make_seed(r, i, dir, err) < 0))
		return -1;
	if (given_up(r, i))
		return error_set(err, ERROR_ENVIRONMENT, "The launch was given up.");
	if (set_attached(r, i, true, err) < 0)
		return -1;
	instance_progress(r, i->o.id, "network", "interface %s", i->eni_id);
	if (view_attach(r, i->vpc_id, i->eni_id, err) < 0)
		return -1;
	return make_machine(r, i, dir, err);
}

/* Under the lock: the time until a store that could not be written is tried again. */
static void store_pause(struct region *r)
{
	const int64_t next = deadline_in(STORE_AGAIN_MS);

	while (!r->closing && region_wait(r, next))
		;
}

void instance_unmake_machine(struct region *r, struct instance *i)
{
	struct error err = { 0 };

	if (compute_destroy(r->compute, i->o.id, &err) < 0)
		log_error("instance %s: %s", i->o.id, err.message);
	if (r->consoles)
		console_watch_remove(r->consoles, i->o.id);
	while (set_attached(r, i, false, &err) < 0) {
		log_error("instance %s: %s", i->o.id, err.message);
		err = (struct error){ 0 };
		region_lock(r);
		store_pause(r);
		region_unlock(r);
		if (r->closing)
			return;
	}
	if (view_detach(r, i->vpc_id, i->eni_id, &err) < 0)
		log_error("instance %s: %s", i->o.id, err.message);
}

static void remove_disk(struct region *r, struct instance *i)
{
	struct error err = { 0 };
	AUTO_FREE char *dir = instance_dir(r, i->o.id, &err);

	if (dir && file_remove_tree(dir, &err) < 0)
		log_error("instance %s: %s", i->o.id, err.message);
}

/* Under the lock: the state that ends a move. What was done is done: where the store can't be written (a full disk), the write
 * is tried again until it can, or the daemon ends and the next one does the job anew. */
static void settle_state(struct region *r, struct instance *i, enum instance_state state, const char *code, const char *reason)
{
	const int from = i->state;
	struct error err = { 0 };

	while (i->state == from && instance_set_state(r, i, state, code, reason, &err) < 0) {
		log_error("instance %s can't become %s yet: %s", i->o.id, instance_state_name((int)state), err.message);
		err = (struct error){ 0 };
		store_pause(r);
		if (r->closing)
			return;
	}
}

/* The last write of a termination: the interface is deleted with it, its addresses are free again; an Elastic IP address is
 * nobody's from here on. */
static void set_terminated(struct region *r, struct instance *i, const char *code, const char *reason)
{
	struct error err = { 0 };
	struct eni *eni;
	struct address *elastic, next;
	struct change c[2];

	region_lock(r);
	settle_state(r, i, STATE_TERMINATED, code, reason);
	eni = i->state == STATE_TERMINATED ? instance_eni(r, i) : NULL;
	elastic = eni ? address_of_eni(r, eni->o.id) : NULL;
	if (eni) {
		c[0] = (struct change){ &eni->o, NULL };
		if (elastic) {
			next = *elastic;
			next.association_id[0] = next.eni_id[0] = '\0';
			c[1] = (struct change){ &elastic->o, &next.o };
		}
		if (region_commit(r, c, elastic ? 2 : 1, &err) < 0) /* the next start forgets it */
			log_error("instance %s: %s", i->o.id, err.message);
	}
	region_unlock(r);
}

/* EC2's code for a launch that failed: its own where it has one for the reason. */
static const char *launch_code(const struct error *err)
{
	return strcmp(err->code, "InsufficientInstanceCapacity") == 0 ? "Server.InsufficientInstanceCapacity" : "Server.InternalError";
}

static void job_launch(struct region *r, void *arg)
{
	struct job *j = arg;
	struct instance *i = enter(r, j->id);
	struct error err = { 0 };
	bool first;

	free(j);
	if (!i)
		return;
	if (state_of(r, i) != STATE_PENDING || given_up(r, i))
		goto out;
	if (launch_steps(r, i, &err) == 0) {
		region_lock(r);
		if (i->state == STATE_PENDING)
			settle_state(r, i, STATE_RUNNING, "", "");
		region_unlock(r);
		goto out;
	}
	if (given_up(r, i) && state_of(r, i) != STATE_PENDING) /* its termination cleans up */
		goto out;
	if (r->closing) /* the next daemon goes on */
		goto out;
	log_error("instance %s can't be launched: %s", i->o.id, err.message);
	instance_unmake_machine(r, i);
	region_lock(r);
	first = !i->launched;
	region_unlock(r);
	if (first) {
		remove_disk(r, i);
		set_terminated(r, i, launch_code(&err), err.message);
	} else {
		region_lock(r);
		settle_state(r, i, STATE_STOPPED, launch_code(&err), err.message);
		region_unlock(r);
	}
out:
	leave(i);
}

static bool wait_gone(struct region *r, struct instance *i, int64_t deadline)
{
	bool gone;

	region_lock(r);
	while (!i->runtime->machine_gone && !i->runtime->force && !r->closing && i->state == STATE_STOPPING && region_wait(r, deadline))
		;
	gone = i->runtime->machine_gone;
	region_unlock(r);
	return gone;
}

static void job_stop(struct region *r, void *arg)
{
	struct job *j = arg;
	struct instance *i = enter(r, j->id);
	bool force = j->force;
	struct error err = { 0 };

	free(j);
	if (!i)
		return;
	if (state_of(r, i) != STATE_STOPPING)
		goto out;
	if (compute_state(r->compute, i->o.id) != MACHINE_ABSENT && !force) {
		if (compute_shutdown(r->compute, i->o.id, &err) < 0)
			log_warn("instance %s: %s", i->o.id, err.message);
		else if (!wait_gone(r, i, deadline_in(time_scaled(SHUTDOWN_MS))) && !r->closing && !i->runtime->force)
			instance_progress(r, i->o.id, "stopping", "the guest did not power off in time; its power is cut");
	}
	if (r->closing || state_of(r, i) != STATE_STOPPING)
		goto out;
	instance_unmake_machine(r, i);
	region_lock(r);
	settle_state(r, i, STATE_STOPPED, "Client.UserInitiatedShutdown", "User initiated shutdown");
	region_unlock(r);
out:
	leave(i);
}

static void job_terminate(struct region *r, void *arg)
{
	struct job *j = arg;
	struct instance *i = enter(r, j->id);

	free(j);
	if (!i)
		return;
	if (state_of(r, i) == STATE_SHUTTING_DOWN) {
		instance_unmake_machine(r, i);
		remove_disk(r, i);
		set_terminated(r, i, "Client.UserInitiatedShutdown", "User initiated shutdown");
	}
	leave(i);
}

static void job_reboot(struct region *r, void *arg)
{
	struct job *j = arg;
	struct instance *i = enter(r, j->id);
	struct error err = { 0 };
	int64_t deadline = deadline_in(time_scaled(REBOOT_MS));
	bool done;

	free(j);
	if (!i)
		return;
	if (state_of(r, i) != STATE_RUNNING)
		goto out;
	region_lock(r);
	i->runtime->rebooted = false;
	region_unlock(r);
	if (compute_reboot(r->compute, i->o.id, &err) < 0) {
		log_warn("instance %s: %s", i->o.id, err.message);
		goto out;
	}
	region_lock(r);
	while (!i->runtime->rebooted && !i->runtime->machine_gone && !r->closing && i->state == STATE_RUNNING && region_wait(r, deadline))
		;
	done = i->runtime->rebooted || i->runtime->machine_gone || r->closing || i->state != STATE_RUNNING;
	region_unlock(r);
	if (!done && compute_reset(r->compute, i->o.id, &err) < 0)
		log_warn("instance %s: %s", i->o.id, err.message);
out:
	leave(i);
}

/* A machine that ended without our asking: the guest powered itself off, or QEMU died. */
static void job_ended(struct region *r, void *arg)
{
	struct job *j = arg;
	struct instance *i = enter(r, j->id);
	bool crashed;

	free(j);
	if (!i)
		return;
	region_lock(r);
	crashed = i->runtime->end == MACHINE_END_CRASHED;
	region_unlock(r);
	if (state_of(r, i) == STATE_RUNNING && compute_state(r->compute, i->o.id) == MACHINE_ABSENT) {
		instance_unmake_machine(r, i);
		region_lock(r);
		if (crashed)
			settle_state(r, i, STATE_STOPPED, "Server.InternalError",
				     "The virtual machine ended unexpectedly; start the instance again");
		else
			settle_state(r, i, STATE_STOPPED, "Client.InstanceInitiatedShutdown", "Instance initiated shutdown");
		region_unlock(r);
	}
	leave(i);
}

void instance_on_end(void *arg, const char *id, enum machine_end why)
{
	struct region *r = arg;
	struct instance *i;
	bool ours = false;

	region_lock(r);
	i = model_find(r->model, KIND_INSTANCE, id);
	if (i && instance_runtime(i)) {
		i->runtime->machine_gone = true;
		i->runtime->end = why;
		ours = i->state == STATE_RUNNING || i->state == STATE_PENDING;
		region_changed(r);
	}
	region_unlock(r);
	if (ours && r->open && why != MACHINE_END_DESTROYED)
		start_job(r, id, false, job_ended, NULL);
}

int instance_job_launch(struct region *r, const char *id, struct error *err)
{
	return start_job(r, id, false, job_launch, err);
}

int instance_job_stop(struct region *r, const char *id, bool force, struct error *err)
{
	return start_job(r, id, force, job_stop, err);
}

int instance_job_terminate(struct region *r, const char *id, struct error *err)
{
	return start_job(r, id, false, job_terminate, err);
}

int instance_job_reboot(struct region *r, const char *id, struct error *err)
{
	return start_job(r, id, false, job_reboot, err);
}
