#include "compute/console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#define READ_CHUNK 16384

/* One followed log. Kept in a list: a region has tens of them. */
struct log_follow {
	struct log_follow *next;
	char *id, *path;
	const char *name;    /* the last part of path */
	int directory;       /* inotify's watch of the directory, shared by the logs in it */
	int64_t offset;
	struct console_parser parser;
	bool fresh;          /* not read yet */
	bool removed;
};

struct console_watch {
	void (*step)(void *arg, const char *id, const struct boot_step *s);
	void *arg;
	int inotify, wake;
	pthread_t thread;
	pthread_mutex_t lock; /* guards the list */
	pthread_cond_t idle;
	struct log_follow *logs, *reading; /* reading: in the callback's hands now */
	bool stop;
};

struct telling {
	struct console_watch *w;
	struct log_follow *f;
};

static void tell(void *arg, const struct boot_step *s)
{
	const struct telling *t = arg;
	bool removed;

	pthread_mutex_lock(&t->w->lock);
	removed = t->f->removed;
	pthread_mutex_unlock(&t->w->lock);
	if (!removed)
		t->w->step(t->w->arg, t->f->id, s);
}

static void follow_free(struct log_follow *f)
{
	free(f->id);
	free(f->path);
	free(f);
}

/* Called without the lock; f is kept by w->reading. */
static void read_on(struct console_watch *w, struct log_follow *f)
{
	AUTO_CLOSE int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct telling t = { w, f };
	struct stat st;
	char chunk[READ_CHUNK];
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_size < f->offset) {
		f->offset = 0;
		console_parser_init(&f->parser);
	}
	while ((n = pread(fd, chunk, sizeof chunk, f->offset)) > 0) {
		f->offset += n;
		console_feed(&f->parser, chunk, (size_t)n, tell, &t);
	}
}

static void unlink_follow(struct console_watch *w, const struct log_follow *f)
{
	for (struct log_follow **p = &w->logs; *p; p = &(*p)->next)
		if (*p == f) {
			*p = f->next;
			return;
		}
}

/* The lock is held. inotify has one watch a directory: it goes with the last log in it. */
static void drop_directory(struct console_watch *w, int directory)
{
	for (const struct log_follow *f = w->logs; f; f = f->next)
		if (f->directory == directory)
			return;
	inotify_rm_watch(w->inotify, directory);
}

/* Lock held on entry and exit, not while reading. */
static void read_one(struct console_watch *w, struct log_follow *f)
{
	f->fresh = false;
	w->reading = f;
	pthread_mutex_unlock(&w->lock);
	read_on(w, f);
	pthread_mutex_lock(&w->lock);
	w->reading = NULL;
	if (f->removed)
		follow_free(f);
	pthread_cond_broadcast(&w->idle);
}

static void read_fresh(struct console_watch *w)
{
	bool again = true;

	pthread_mutex_lock(&w->lock);
	while (again && !w->stop) {
		again = false;
		for (struct log_follow *f = w->logs; f; f = f->next)
			if (f->fresh) {
				read_one(w, f); /* the list may have changed */
				again = true;
				break;
			}
	}
	pthread_mutex_unlock(&w->lock);
}

static void mark(struct console_watch *w, const struct inotify_event *e)
{
	pthread_mutex_lock(&w->lock);
	for (struct log_follow *f = w->logs; f; f = f->next)
		if ((e->mask & IN_Q_OVERFLOW) ||
		    (f->directory == e->wd && e->len && strcmp(f->name, e->name) == 0))
			f->fresh = true;
	pthread_mutex_unlock(&w->lock);
}

static void take_events(struct console_watch *w)
{
	char raw[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(w->inotify, raw, sizeof raw);

	for (ssize_t at = 0; at < n;) {
		struct inotify_event e;
		const struct inotify_event *whole = (const struct inotify_event *)(const void *)(raw + at);

		memcpy(&e, raw + at, sizeof e);
		mark(w, whole);
		at += (ssize_t)(sizeof e + e.len);
	}
}

static void *run(void *arg)
{
	struct console_watch *w = arg;
	struct pollfd fds[2] = { { w->inotify, POLLIN, 0 }, { w->wake, POLLIN, 0 } };

	for (;;) {
		uint64_t count;
		bool stop;

		pthread_mutex_lock(&w->lock);
		stop = w->stop;
		pthread_mutex_unlock(&w->lock);
		if (stop)
			return NULL;
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			log_error("console: the logs can't be followed any more: %m");
			return NULL;
		}
		if ((fds[1].revents & POLLIN) && read(w->wake, &count, sizeof count) < 0 && errno != EAGAIN)
			log_warn("console: the waking event can't be read: %m");
		if (fds[0].revents & POLLIN)
			take_events(w);
		read_fresh(w);
	}
}

static void poke(struct console_watch *w)
{
	const uint64_t one = 1;

	if (write(w->wake, &one, sizeof one) < 0 && errno != EAGAIN)
		log_warn("console: the watch can't be woken: %m");
}

struct console_watch *console_watch_new(void (*step)(void *arg, const char *id, const struct boot_step *s), void *arg,
					struct error *err)
{
	struct console_watch *w = calloc(1, sizeof *w);
	sigset_t all, old;
	int e;

	if (!w) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	w->step = step;
	w->arg = arg;
	w->wake = -1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->idle, NULL);
	w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->inotify < 0) {
		error_set_errno(err, errno, "inotify, which follows the consoles' logs, can't be had");
		goto fail;
	}
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake < 0) {
		error_set_errno(err, errno, "An eventfd can't be had");
		goto fail;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e) {
		error_set_errno(err, e, "The thread that follows the consoles' logs can't be started");
		goto fail;
	}
	return w;
fail:
	if (w->inotify >= 0)
		close(w->inotify);
	if (w->wake >= 0)
		close(w->wake);
	free(w);
	return NULL;
}

int console_watch_add(struct console_watch *w, const char *id, const char *path, int64_t offset, struct error *err)
{
	struct log_follow *f = calloc(1, sizeof *f);
	AUTO_FREE char *directory = NULL;
	int result = -1;

	if (f) {
		f->id = strdup(id);
		f->path = strdup(path);
	}
	if (!f || !f->id || !f->path || !strrchr(f->path, '/')) {
		if (f)
			follow_free(f);
		return error_set(err, ERROR_INTERNAL, "The console log %s of %s can't be followed.", path, id);
	}
	f->name = strrchr(f->path, '/') + 1;
	f->offset = offset;
	f->fresh = true;
	console_parser_init(&f->parser);
	directory = file_path(err, "%.*s", (int)(f->name - f->path), f->path);
	if (!directory) {
		follow_free(f);
		return -1;
	}
	pthread_mutex_lock(&w->lock);
	for (const struct log_follow *g = w->logs; g; g = g->next)
		if (strcmp(g->id, id) == 0) {
			error_set(err, ERROR_INTERNAL, "The console of %s is followed already.", id);
			goto out;
		}
	f->directory = inotify_add_watch(w->inotify, directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
	if (f->directory < 0) {
		error_set_errno(err, errno, "The directory %s of a console log can't be followed", directory);
		goto out;
	}
	f->next = w->logs;
	w->logs = f;
	f = NULL;
	result = 0;
	poke(w);
out:
	pthread_mutex_unlock(&w->lock);
	if (f)
		follow_free(f);
	return result;
}

void console_watch_remove(struct console_watch *w, const char *id)
{
	pthread_mutex_lock(&w->lock);
	for (struct log_follow *f = w->logs; f; f = f->next) {
		if (strcmp(f->id, id) != 0)
			continue;
		unlink_follow(w, f);
		drop_directory(w, f->directory);
		if (w->reading != f) {
			follow_free(f);
		} else {
			f->removed = true; /* read_one frees it */
			while (w->reading == f && !pthread_equal(pthread_self(), w->thread))
				pthread_cond_wait(&w->idle, &w->lock);
		}
		break;
	}
	pthread_mutex_unlock(&w->lock);
}

void console_watch_free(struct console_watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_mutex_unlock(&w->lock);
	poke(w);
	pthread_join(w->thread, NULL);
	while (w->logs) {
		struct log_follow *f = w->logs;

		w->logs = f->next;
		follow_free(f);
	}
	close(w->inotify);
	close(w->wake);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->idle);
	free(w);
}
