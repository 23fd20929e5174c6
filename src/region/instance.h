/* Instances and their life cycle. The actions say what shall be; jobs on threads of their own make it so, one at a time for each
 * instance. States move as in docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html */
#pragma once

#include <jansson.h>

#include "region/action.h"
#include "region/internal.h"

#define PROGRESS_ENTRIES_MAX 512
#define PROGRESS_DETAIL_MAX 200
#define TERMINATED_VISIBLE_MS (60 * 60 * 1000)

/* One thing that happened on the way of a launch, a stop, a start. */
struct progress_entry {
	int64_t sequence, wall_ms, elapsed_ms; /* elapsed since the launch or start began */
	char phase[24], detail[PROGRESS_DETAIL_MAX];
};

struct instance_runtime {
	pthread_mutex_t op;    /* held by the one job under way */
	volatile int cancel;   /* a launch under way gives up: the instance is being terminated or the daemon ends */
	bool force;            /* a stop under way is to cut the power now */
	bool machine_gone;     /* QEMU ended, why is in end */
	enum machine_end end;
	bool rebooted;
	int64_t began;         /* monotonic ms */
	struct progress_entry *entries;
	size_t count;
	int64_t sequence;
};

/* Under the region's lock: the instance's runtime, made at first need; NULL only when memory ran out. */
struct instance_runtime *instance_runtime(struct instance *i);
void instance_runtime_free(struct instance_runtime *rt);
/* Takes the region's lock. */
void instance_progress(struct region *r, const char *id, const char *phase, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same under the lock. */
void instance_progress_locked(struct region *r, struct instance *i, const char *phase, const char *detail);
char *instance_dir(struct region *r, const char *id, struct error *err);
struct eni *instance_eni(struct region *r, const struct instance *i);
/* Under the lock. InvalidInstanceID.Malformed or .NotFound. Terminated instances are found while they are visible. */
struct instance *instance_find(struct region *r, const char *id, struct error *err);
bool instance_visible(const struct instance *i);
/* Under the lock: stores the new state with its reason ("" for none) and tells the waiters. */
int instance_set_state(struct region *r, struct instance *i, enum instance_state state, const char *reason_code, const char *reason,
		       struct error *err);

/* Under the lock: begins a termination where none is under way. */
int instance_terminate(struct region *r, struct instance *i, struct error *err);

/* Jobs; each takes a malloc'd copy of the id. */
int instance_job_launch(struct region *r, const char *id, struct error *err);
int instance_job_stop(struct region *r, const char *id, bool force, struct error *err);
int instance_job_terminate(struct region *r, const char *id, struct error *err);
int instance_job_reboot(struct region *r, const char *id, struct error *err);

/* What a machine held goes: itself, its console's watcher, its tap, its public address. Under its operation lock, or where no job
 * can run yet. */
void instance_unmake_machine(struct region *r, struct instance *i);
/* Reads the console of a machine that another daemon started. */
int instance_watch_console(struct region *r, const struct instance *i, struct error *err);

/* Callbacks of the compute room. */
void instance_on_end(void *arg, const char *id, enum machine_end why);
void instance_on_reboot(void *arg, const char *id);
void instance_on_console(void *arg, const char *id, const struct boot_step *s);

/* After a start of the daemon: what was half done goes on, what runs is watched again, what is gone is marked so. */
int instance_reconcile(struct region *r, struct error *err);

/* The item of instancesSet. Under the lock. */
void instance_reply(struct region *r, json_t *item, const struct instance *i);
/* groupSet (empty for NULL), and association where there is a public address. Under the lock. */
void eni_put_groups(struct region *r, json_t *o, const struct eni *eni);
void eni_put_association(struct region *r, json_t *o, const struct eni *eni);
void eni_put_private_addresses(struct region *r, json_t *o, const struct eni *eni);
extern const struct param instance_reply_members[], instance_device_members[], eni_association_members[];
