#include "network/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#define OWN_NAMESPACE "/proc/thread-self/ns/net"

bool netns_exists(const char *path)
{
	struct statfs s;

	return statfs(path, &s) == 0 && s.f_type == NSFS_MAGIC;
}

bool netns_holds(const char *path, pid_t pid)
{
	struct stat bound, its;
	char own[64];

	snprintf(own, sizeof own, "/proc/%d/ns/net", (int)pid);
	return stat(path, &bound) == 0 && stat(own, &its) == 0 && bound.st_ino == its.st_ino && bound.st_dev == its.st_dev;
}

struct making {
	const char *path;
	int failed;
	const char *step;
};

/* A thread of its own: it ends in the new namespace, so nobody has to find the way back. */
static void *make(void *arg)
{
	struct making *m = arg;

	m->step = "made";
	if (unshare(CLONE_NEWNET) < 0) {
		m->failed = errno;
		return NULL;
	}
	m->step = "bound";
	if (mount(OWN_NAMESPACE, m->path, NULL, MS_BIND, NULL) < 0)
		m->failed = errno;
	return NULL;
}

int netns_make(const char *path, struct error *err)
{
	struct making m = { path, 0, "made" };
	AUTO_CLOSE int fd = -1;
	pthread_t thread;
	int failed;

	if (netns_exists(path))
		return 0;
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "%s, where a network namespace is to be bound, can't be made", path);
	failed = pthread_create(&thread, NULL, make, &m);
	if (failed)
		return error_set_errno(err, failed, "A thread can't be started");
	pthread_join(thread, NULL);
	if (m.failed) {
		unlink(path);
		return error_set_errno(err, m.failed, "The network namespace %s can't be %s", path, m.step);
	}
	return 0;
}

int netns_remove(const char *path, struct error *err)
{
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return error_set_errno(err, errno, "The network namespace %s can't be unbound", path);
	return file_unlink(path, err);
}

int netns_enter_fd(int ns, int *ret_back, struct error *err)
{
	int back = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);

	if (back < 0)
		return error_set_errno(err, errno, "This thread's own network namespace can't be opened");
	if (setns(ns, CLONE_NEWNET) < 0) {
		int e = errno;

		close(back);
		return error_set_errno(err, e, "A network namespace can't be entered");
	}
	*ret_back = back;
	return 0;
}

int netns_enter(const char *path, int *ret_back, struct error *err)
{
	AUTO_CLOSE int ns = open(path, O_RDONLY | O_CLOEXEC);

	if (ns < 0 || !netns_exists(path))
		return error_set_errno(err, ns < 0 ? errno : EINVAL, "The network namespace %s can't be opened", path);
	return netns_enter_fd(ns, ret_back, err);
}

void netns_leave(int back)
{
	if (setns(back, CLONE_NEWNET) < 0) {
		log_error("A thread can't return to its own network namespace: %m; stopping.");
		abort();
	}
	close(back);
}
