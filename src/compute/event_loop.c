#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "compute/private.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;
static unsigned users;
static int wake_timer = -1;
static bool registered;
static atomic_bool stop;

static void quiet(void *arg, virErrorPtr e)
{
	(void)arg;
	(void)e; /* each caller takes its error into struct error */
}

static void wake(int timer, void *arg)
{
	(void)arg;
	virEventUpdateTimeout(timer, -1);
}

static void *run(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		if (virEventRunDefaultImpl() < 0)
			break;
	return NULL;
}

static int start(const char *log, struct error *err)
{
	sigset_t all, old;
	int e;

	if (!registered) {
		/* libvirt's errors and warnings go to standard error unless told; ours is for what we say */
		AUTO_FREE char *outputs = file_path(err, "3:file:%s", log);

		if (!outputs)
			return -1;
		setenv("LIBVIRT_LOG_OUTPUTS", outputs, 0);
		if (virInitialize() < 0)
			return compute_error(err, "libvirt can't be initialised");
		virSetErrorFunc(NULL, quiet);
		if (virEventRegisterDefaultImpl() < 0)
			return compute_error(err, "libvirt's event loop can't be set up");
		wake_timer = virEventAddTimeout(-1, wake, NULL, NULL);
		if (wake_timer < 0)
			return compute_error(err, "libvirt's event loop can't be set up");
		registered = true;
	}
	atomic_store(&stop, false);
	/* signals are for the program's own threads */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		return error_set_errno(err, e, "The thread of libvirt's events can't be started");
	return 0;
}

int event_loop_use(const char *log, struct error *err)
{
	int result = 0;

	pthread_mutex_lock(&lock);
	if (users == 0)
		result = start(log, err);
	if (result == 0)
		users++;
	pthread_mutex_unlock(&lock);
	return result;
}

void event_loop_release(void)
{
	pthread_mutex_lock(&lock);
	if (--users == 0) {
		atomic_store(&stop, true);
		virEventUpdateTimeout(wake_timer, 0);
		pthread_join(thread, NULL);
	}
	pthread_mutex_unlock(&lock);
}
