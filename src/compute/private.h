/* What the files of the compute room share: the open connection. Nobody else includes it. */
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>

#include "compute/compute.h"
#include "compute/qemu_conf.h"

struct compute {
	struct compute_config config; /* the strings belong to us */
	virConnectPtr conn;
	bool test, embedded, kvm_demanded;
	const char *accelerator, *accelerator_why;
	struct qemu_conf qemu;
	int lifecycle_id, reboot_id; /* registered callbacks, -1 without */
	atomic_bool opened;          /* events before this are not told */
	pthread_mutex_t warm_lock;   /* held while the first machine of all is made */
	bool warm;
};

/* The event loop that libvirt's drivers live on: one thread a process, as long as anyone uses it. What libvirt has to say
 * besides its errors goes to the file log, the first caller's. */
int event_loop_use(const char *log, struct error *err);
void event_loop_release(void);

/* Fills err with "<sentence>: <libvirt's own words>." from this thread's last libvirt error; returns -1. */
int compute_error(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Calls from a thread of its own, inside the network namespace netns (NULL: ours), with /dev/kvm hidden unless used. */
int compute_aside(const struct compute *c, const char *netns, int (*call)(void *arg, struct error *err), void *arg,
		  struct error *err);
/* Before libvirt is opened: forgets machines of root whose pid belongs to another process now. */
int compute_forget_stale(const char *root, struct error *err);
/* Once the connection is open: ends the warm-up's machine that a killed process left. */
void compute_warm_up_clean(struct compute *c);
/* Before the first machine of this process in a namespace; once. */
void compute_warm_up(struct compute *c);
/* Ours by its name. */
bool compute_ours(const char *name);
/* Where the guest agent's channel of a machine listens; NULL with err only when memory ran out. Caller frees. */
char *compute_agent_socket(const struct compute *c, const char *id, struct error *err);

static inline void cleanup_domain(virDomainPtr *d)
{
	if (*d)
		virDomainFree(*d);
}
#define AUTO_DOMAIN __attribute__((cleanup(cleanup_domain)))
