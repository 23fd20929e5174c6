#include "api/connections.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/log.h"
#include "base/time.h"

enum phase { RECEIVES, RUNS, ANSWERS };

struct connection {
	struct connections *of;
	struct connection *next, **link; /* link: what points to us */
	int fd;
	enum phase phase;
	int64_t deadline;
};

struct connections {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a call ended, or the reaper has a first deadline to watch, or is to end */
	pthread_t reaper;
	struct connection *first;
	unsigned in_phase[ANSWERS + 1];
	int64_t transfer_ms;
	bool reaper_waits; /* without a deadline */
	bool ends;
};

static void wait_until(struct connections *cs, int64_t deadline)
{
	const struct timespec at = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };

	if (deadline == DEADLINE_NEVER)
		pthread_cond_wait(&cs->changed, &cs->lock);
	else
		pthread_cond_timedwait(&cs->changed, &cs->lock, &at);
}

/* Shuts down what is late and returns the next deadline. The thread of such a connection then sees its end. */
static int64_t reap(struct connections *cs)
{
	int64_t now = time_mono_ms(), next = DEADLINE_NEVER;

	for (struct connection *c = cs->first; c; c = c->next) {
		if (c->deadline <= now) {
			log_debug("A client was too slow to %s: its connection is closed.",
				  c->phase == ANSWERS ? "read its answer" : "send its request");
			shutdown(c->fd, SHUT_RDWR);
			c->deadline = DEADLINE_NEVER;
		}
		if (c->deadline < next)
			next = c->deadline;
	}
	return next;
}

static void *reaper_main(void *arg)
{
	struct connections *cs = arg;

	pthread_mutex_lock(&cs->lock);
	while (!cs->ends) {
		int64_t next = reap(cs);

		cs->reaper_waits = next == DEADLINE_NEVER;
		wait_until(cs, next);
	}
	pthread_mutex_unlock(&cs->lock);
	return NULL;
}

struct connections *connections_new(int64_t transfer_ms, struct error *err)
{
	struct connections *cs = calloc(1, sizeof *cs);
	pthread_condattr_t attr;
	int failed;

	if (!cs) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out while the server started.");
		return NULL;
	}
	cs->transfer_ms = transfer_ms;
	pthread_mutex_init(&cs->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&cs->changed, &attr);
	pthread_condattr_destroy(&attr);
	failed = pthread_create(&cs->reaper, NULL, reaper_main, cs);
	if (failed) {
		error_set_errno(err, failed, "The server's thread can't be started");
		pthread_cond_destroy(&cs->changed);
		pthread_mutex_destroy(&cs->lock);
		free(cs);
		return NULL;
	}
	return cs;
}

void connections_free(struct connections *cs)
{
	if (!cs)
		return;
	pthread_mutex_lock(&cs->lock);
	cs->ends = true;
	pthread_cond_broadcast(&cs->changed);
	pthread_mutex_unlock(&cs->lock);
	pthread_join(cs->reaper, NULL);
	pthread_cond_destroy(&cs->changed);
	pthread_mutex_destroy(&cs->lock);
	free(cs);
}

/* With the lock held. Deadlines are all of the same length, so a new one is never the reaper's next unless it had none. */
static void enter(struct connection *c, enum phase phase)
{
	struct connections *cs = c->of;

	cs->in_phase[c->phase]--;
	c->phase = phase;
	cs->in_phase[phase]++;
	c->deadline = phase == RUNS ? DEADLINE_NEVER : deadline_in(cs->transfer_ms);
	if (phase == RECEIVES || cs->reaper_waits)
		pthread_cond_broadcast(&cs->changed);
}

struct connection *connection_add(struct connections *cs, int fd)
{
	struct connection *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->of = cs;
	c->fd = fd;
	pthread_mutex_lock(&cs->lock);
	c->next = cs->first;
	c->link = &cs->first;
	if (c->next)
		c->next->link = &c->next;
	cs->first = c;
	cs->in_phase[c->phase]++;
	enter(c, RECEIVES);
	pthread_mutex_unlock(&cs->lock);
	return c;
}

void connection_remove(struct connection *c)
{
	struct connections *cs = c->of;

	pthread_mutex_lock(&cs->lock);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	cs->in_phase[c->phase]--;
	pthread_cond_broadcast(&cs->changed);
	pthread_mutex_unlock(&cs->lock);
	free(c);
}

static void enter_locked(struct connection *c, enum phase phase)
{
	pthread_mutex_lock(&c->of->lock);
	enter(c, phase);
	pthread_mutex_unlock(&c->of->lock);
}

void connection_runs(struct connection *c)
{
	enter_locked(c, RUNS);
}

void connection_answers(struct connection *c)
{
	enter_locked(c, ANSWERS);
}

void connection_receives(struct connection *c)
{
	enter_locked(c, RECEIVES);
}

unsigned connections_wait(struct connections *cs, int64_t deadline)
{
	unsigned running;

	pthread_mutex_lock(&cs->lock);
	while (cs->in_phase[RUNS] + cs->in_phase[ANSWERS] > 0 && !deadline_passed(deadline))
		wait_until(cs, deadline);
	running = cs->in_phase[RUNS];
	pthread_mutex_unlock(&cs->lock);
	return running;
}
