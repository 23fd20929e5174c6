/* A machine's life on libvirt's own test driver, through the same calls that the region makes. */
#include <pthread.h>
#include <time.h>

#include "base/id.h"
#include "compute/compute.h"
#include "tap.h"

#define WAIT_S 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static char last_end[64];
static int last_why = -1;

static void on_end(void *arg, const char *id, enum machine_end why)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	snprintf(last_end, sizeof last_end, "%s", id);
	last_why = (int)why;
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
}

static void ended(const char *id, enum machine_end why, const char *what)
{
	struct timespec until;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&lock);
	while (strcmp(last_end, id) != 0 && !late)
		late = pthread_cond_timedwait(&news, &lock, &until);
	ok(strcmp(last_end, id) == 0 && last_why == (int)why, "%s", what);
	last_end[0] = '\0';
	pthread_mutex_unlock(&lock);
}

static int start(struct compute *c, const char *id, struct error *err)
{
	char uuid[UUID_TEXT_MAX];
	struct machine_spec s = { .id = id, .uuid = uuid, .vcpus = 1, .memory_mib = 2048 };

	uuid_new(uuid);
	return compute_start(c, &s, NULL, err);
}

int main(void)
{
	static const char one[] = "i-0123456789abcdef0", two[] = "i-0123456789abcdef1";
	const struct compute_config config = { .uri = "test:///default", .accelerator = "tcg", .on_end = on_end };
	struct error err = { 0 };
	struct compute *c = compute_open(&config, &err);
	unsigned uid, gid;
	char **ids;

	if (!ok(c != NULL, "libvirt's test driver opens: %s", err.message))
		return tap_done();
	ok(compute_is_test(c), "it is the test driver");
	is_str(compute_accelerator(c, NULL), "tcg", "the accelerator is the one asked for");
	is_int(compute_qemu_user(c, &uid, &gid, &err), 0, "it has a user");
	ids = compute_ids(c, &err);
	ok(ids && !ids[0], "the driver's own machine is none of ours");
	compute_ids_free(ids);
	is_int(compute_state(c, one), MACHINE_ABSENT, "a machine that was not started is absent");
	is_int(compute_state(c, "test"), MACHINE_ABSENT, "and so is a stranger");
	ok(compute_shutdown(c, "test", &err) < 0, "a stranger is not shut down");
	is_int(compute_destroy(c, "test", &err), 0, "ending a stranger is ending nothing");
	is_int(start(c, one, &err), 0, "a machine starts");
	is_int(start(c, two, &err), 0, "so does another");
	ok(start(c, one, &err) < 0 && strstr(err.message, one), "not twice: %s", err.message);
	ok(start(c, "web", &err) < 0, "a name that is no instance's is refused");
	is_int(compute_state(c, one), MACHINE_RUNNING, "it runs");
	ids = compute_ids(c, &err);
	ok(ids && ids[0] && ids[1] && !ids[2], "both are listed");
	compute_ids_free(ids);
	is_int(compute_reboot(c, one, &err), 0, "it reboots");
	is_int(compute_reset(c, one, &err), 0, "it resets");
	is_int(compute_state(c, one), MACHINE_RUNNING, "it runs after that");
	is_int(compute_pid(c, one), 0, "it has no process");
	is_int(compute_shutdown(c, one, &err), 0, "it is shut down");
	ended(one, MACHINE_END_SHUTDOWN, "its end is told as a shutdown");
	is_int(compute_state(c, one), MACHINE_ABSENT, "it is gone");
	is_int(start(c, one, &err), 0, "it starts again");
	is_int(compute_destroy(c, one, &err), 0, "it is ended");
	ended(one, MACHINE_END_DESTROYED, "its end is told as ours");
	is_int(compute_destroy(c, one, &err), 0, "ending it again is fine");
	ok(compute_shutdown(c, one, &err) < 0 && strstr(err.message, "not running"), "shutting it down is not: %s", err.message);
	compute_close(c);
	c = compute_open(&config, &err);
	ok(c != NULL, "the driver opens again in the same process");
	compute_close(c);
	ok(!compute_open(&(struct compute_config){ .uri = "nonsense:///x" }, &err), "an unknown URI is an error: %s",
	   err.message);
	return tap_done();
}
