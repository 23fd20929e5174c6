#include "region/job.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 64
#define STACK_BYTES (512u << 10)

struct job {
	struct job *next;
	void (*fn)(struct region *r, void *arg);
	void *arg;
};

struct jobs {
	struct region *region;
	pthread_mutex_t lock; /* the last of all locks */
	pthread_cond_t idle;
	struct job *first, **last; /* those that wait */
	unsigned threads;
	bool closing;
};

struct jobs *jobs_new(struct region *r)
{
	struct jobs *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->region = r;
	j->last = &j->first;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->idle, NULL);
	return j;
}

/* A thread does jobs until none waits. */
static void *work(void *arg)
{
	struct jobs *j = arg;
	struct job *one;

	pthread_mutex_lock(&j->lock);
	while ((one = j->first) != NULL) {
		j->first = one->next;
		if (!j->first)
			j->last = &j->first;
		pthread_mutex_unlock(&j->lock);
		one->fn(j->region, one->arg);
		free(one);
		pthread_mutex_lock(&j->lock);
	}
	if (--j->threads == 0)
		pthread_cond_broadcast(&j->idle);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* Under the lock. A thread more, where there may be one; without any at all the job can't be done. */
static int add_thread(struct jobs *j)
{
	pthread_attr_t attr;
	pthread_t thread;
	int failed;

	if (j->threads >= THREADS_MAX)
		return 0;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	failed = pthread_create(&thread, &attr, work, j);
	pthread_attr_destroy(&attr);
	if (!failed)
		j->threads++;
	return j->threads ? 0 : failed;
}

int jobs_start(struct jobs *j, void (*fn)(struct region *r, void *arg), void *arg, struct error *err)
{
	struct job *one = malloc(sizeof *one), **before;
	int failed = 0;

	if (!one)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	*one = (struct job){ NULL, fn, arg };
	pthread_mutex_lock(&j->lock);
	if (j->closing) {
		pthread_mutex_unlock(&j->lock);
		free(one);
		return error_set_code(err, ERROR_ENVIRONMENT, "Unavailable", "The region is ending; call again when it has started anew.");
	}
	before = j->last;
	*before = one;
	j->last = &one->next;
	failed = add_thread(j);
	if (failed) {
		*before = NULL;
		j->last = before;
	}
	pthread_mutex_unlock(&j->lock);
	if (!failed)
		return 0;
	free(one);
	return error_set_errno(err, failed, "A thread can't be started");
}

void jobs_close(struct jobs *j)
{
	pthread_mutex_lock(&j->lock);
	j->closing = true;
	while (j->threads)
		pthread_cond_wait(&j->idle, &j->lock);
	pthread_mutex_unlock(&j->lock);
}

void jobs_free(struct jobs *j)
{
	if (!j)
		return;
	pthread_cond_destroy(&j->idle);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
