/* The region's watch over the programs that serve its networks: dnsmasq and the uplink. They are nobody's children, so that
 * they outlive the daemon; a pidfd tells when one ends. Whoever ended it, network_check starts it again where it is needed. */
#include "region/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/time.h"

#define LOOK_MS 60000       /* without news: what has no process to watch, such as the machine's addresses */
#define AGAIN_FIRST_MS 1000 /* after a failure, or a program that ends again and again; doubled up to LOOK_MS */
#define STEADY_MS 10000     /* one that lived so long is not ending again and again */

struct region_watch {
	struct region *r;
	pthread_t thread;
	int news; /* eventfd: networks changed, or closing */
	atomic_bool closing;
};

/* Ids of the VPCs that have an interface in use; the caller frees. */
static char (*used_vpcs(struct region *r, size_t *ret_count))[ID_MAX]
{
	char (*ids)[ID_MAX];
	size_t n = 0;

	region_lock(r);
	ids = calloc(model_count(r->model, KIND_VPC) + 1, sizeof *ids);
	for (size_t i = 0; ids && i < model_count(r->model, KIND_VPC); i++) {
		const struct vpc *v = model_at(r->model, KIND_VPC, i);
		bool used = false;

		for (size_t k = 0; !used && k < model_count(r->model, KIND_ENI); k++) {
			const struct eni *e = model_at(r->model, KIND_ENI, k);

			used = e->attached && strcmp(e->vpc_id, v->o.id) == 0;
		}
		if (used)
			snprintf(ids[n++], ID_MAX, "%s", v->o.id);
	}
	region_unlock(r);
	*ret_count = ids ? n : 0;
	return ids;
}

/* Looks after every VPC in use. Returns false where something had to be mended, or could not be. */
static bool look_after(struct region *r)
{
	size_t count;
	AUTO_FREE char (*ids)[ID_MAX] = used_vpcs(r, &count);
	bool well = true;

	for (size_t i = 0; i < count; i++) {
		struct error err = { 0 };
		bool repaired = false;

		if (view_check(r, ids[i], &repaired, &err) < 0) {
			log_error("The network of %s can't be mended: %s", ids[i], err.message);
			well = false;
		} else if (repaired) {
			log_warn("A program that serves the network of %s (DHCP and DNS, or the way out) had ended and was started again.",
				 ids[i]);
			well = false;
		}
	}
	return well;
}

/* pidfds of everything to be watched after the first, which is ours. */
static struct pollfd *watched(struct region_watch *w, size_t *ret_count)
{
	size_t count, n = 0;
	AUTO_FREE char (*ids)[ID_MAX] = used_vpcs(w->r, &count);
	struct pollfd *fds = calloc(1 + 2 * count, sizeof *fds);

	if (!fds)
		return NULL;
	fds[n++] = (struct pollfd){ w->news, POLLIN, 0 };
	for (size_t i = 0; i < count; i++) {
		int pair[2];

		view_watch(w->r, ids[i], pair);
		for (int k = 0; k < 2; k++)
			if (pair[k] >= 0)
				fds[n++] = (struct pollfd){ pair[k], POLLIN, 0 };
	}
	*ret_count = n;
	return fds;
}

static void *watch_main(void *arg)
{
	struct region_watch *w = arg;
	int64_t pause = 0, mended = 0;

	while (!atomic_load(&w->closing)) {
		size_t n = 0;
		AUTO_FREE struct pollfd *fds = watched(w, &n);
		struct pollfd alone = { w->news, POLLIN, 0 };
		bool ended = false;
		eventfd_t value;

		/* after trouble nothing but closing is listened to for a while */
		if (fds)
			poll(pause ? &alone : fds, pause ? 1 : (nfds_t)n, (int)(pause ? pause : LOOK_MS));
		for (size_t i = 1; i < n; i++) {
			ended |= fds[i].revents != 0;
			close(fds[i].fd);
		}
		if ((fds && fds[0].revents) || alone.revents)
			(void)!eventfd_read(w->news, &value);
		if (atomic_load(&w->closing))
			break;
		if (!ended && !pause && fds && fds[0].revents) /* news only: other descriptors */
			continue;
		if (look_after(w->r)) {
			pause = 0;
			continue;
		}
		if (mended && time_mono_ms() - mended > STEADY_MS + pause)
			pause = 0;
		mended = time_mono_ms();
		pause = pause ? pause * 2 : AGAIN_FIRST_MS;
		if (pause > LOOK_MS)
			pause = LOOK_MS;
	}
	return NULL;
}

struct region_watch *region_watch_new(struct region *r, struct error *err)
{
	struct region_watch *w = calloc(1, sizeof *w);
	int failed;

	if (!w) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	w->r = r;
	w->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->news < 0) {
		error_set_errno(err, errno, "The region can't make an eventfd");
		free(w);
		return NULL;
	}
	failed = pthread_create(&w->thread, NULL, watch_main, w);
	if (!failed)
		return w;
	error_set_errno(err, failed, "A thread can't be started");
	close(w->news);
	free(w);
	return NULL;
}

void region_watch_news(struct region_watch *w)
{
	if (w)
		eventfd_write(w->news, 1);
}

void region_watch_free(struct region_watch *w)
{
	if (!w)
		return;
	atomic_store(&w->closing, true);
	eventfd_write(w->news, 1);
	pthread_join(w->thread, NULL);
	close(w->news);
	free(w);
}
