/* Calls into libvirt that must be made from a thread with namespaces of its own. libvirt opens taps, asks QEMU what it can
 * do and starts QEMU from the calling thread, and what that thread sees is what they see; no other thread of the daemon is
 * ever inside. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "compute/private.h"

struct aside {
	const struct compute *c;
	const char *netns;
	int (*call)(void *arg, struct error *err);
	void *arg;
	struct error err;
	int result;
};

/* Puts a node that nobody can open over /dev/kvm, for this thread and what it starts. Where KVM is not to be used, libvirt
 * must not find it either: it asks QEMU as root whether KVM works, then looks whether QEMU's user may open /dev/kvm, and
 * where the answers differ (mode 0600) it throws its cache away and asks again, 15 times for one start at 4 s each. */
static void hide_kvm(const struct compute *c)
{
	AUTO_FREE char *nothing = file_path(NULL, "%s/no-kvm", c->config.root);

	if (!nothing || access("/dev/kvm", F_OK) < 0)
		return;
	if (mknod(nothing, S_IFCHR, makedev(1, 255)) < 0 && errno != EEXIST)
		log_warn("compute: the device node %s can't be made: %m", nothing);
	else if (unshare(CLONE_NEWNS) < 0 || mount("", "/", "none", MS_SLAVE | MS_REC, NULL) < 0 ||
		 mount(nothing, "/dev/kvm", "none", MS_BIND, NULL) < 0)
		log_warn("compute: /dev/kvm can't be hidden from QEMU, starts may be slow: %m");
}

static void *run(void *arg)
{
	struct aside *a = arg;

	a->result = -1;
	if (a->netns) {
		AUTO_CLOSE int fd = open(a->netns, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
			error_set_errno(&a->err, errno, "The network namespace %s can't be entered", a->netns);
			return NULL;
		}
	}
	if (a->c->embedded && strcmp(a->c->accelerator, "kvm") != 0)
		hide_kvm(a->c);
	a->result = a->call(a->arg, &a->err);
	return NULL;
}

int compute_aside(const struct compute *c, const char *netns, int (*call)(void *arg, struct error *err), void *arg,
		  struct error *err)
{
	struct aside a = { .c = c, .netns = netns, .call = call, .arg = arg };
	sigset_t all, old;
	pthread_t thread;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	e = pthread_create(&thread, NULL, run, &a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (e)
		return error_set_errno(err, e, "A thread for libvirt can't be had");
	pthread_join(thread, NULL);
	if (a.result < 0 && err)
		*err = a.err;
	return a.result;
}
