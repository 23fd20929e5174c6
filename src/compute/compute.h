/* The compute room: machines by libvirt's embedded QEMU driver (or any libvirt URI). Only this room sees libvirt.h.
 * Thread-safe: any thread may call. Domain names are instance ids; domains of other names are never touched. */
#pragma once

#include <stdbool.h>

#include "base/accelerator.h"
#include "base/error.h"
#include "compute/machine.h"

struct compute;

enum machine_state { MACHINE_ABSENT, MACHINE_RUNNING, MACHINE_PAUSED, MACHINE_STOPPING };

/* Why a machine ended, for EC2's stateReason. */
enum machine_end { MACHINE_END_SHUTDOWN /* the guest powered off */, MACHINE_END_DESTROYED /* by us */,
		   MACHINE_END_CRASHED /* QEMU died or was killed, guest panicked */ };

struct compute_config {
	const char *uri;        /* "" or NULL: qemu:///embed?root=ROOT */
	const char *root;       /* STATE/libvirt */
	const char *accelerator;/* auto | kvm | tcg */
	/* Called on the event thread whenever a machine of ours ended for whatever reason, never before compute_open has
	 * returned. Must not call back into compute. */
	void (*on_end)(void *arg, const char *id, enum machine_end why);
	/* Called when a guest rebooted, perhaps several times for one reboot. May be NULL. */
	void (*on_reboot)(void *arg, const char *id);
	void *arg;
};

/* Writes libvirt's qemu.conf below root, opens the connection, starts the event loop thread, finds machines again: when it
 * returns, the states of those that survived are true and those that ended meanwhile are absent. libvirt reads its
 * configuration once a process: one embedded root in a process's life. */
struct compute *compute_open(const struct compute_config *c, struct error *err);
void compute_close(struct compute *c); /* machines go on running */

/* The accelerator in use: "kvm" or "tcg"; ret_why is one sentence for people (static). See base/accelerator.h. */
const char *compute_accelerator(const struct compute *c, const char **ret_why);
/* True for the test driver: machines have no disks, console or network. */
bool compute_is_test(const struct compute *c);
/* The uid and gid that QEMU runs as (for the taps), and that disks must be readable to. */
int compute_qemu_user(const struct compute *c, unsigned *uid, unsigned *gid, struct error *err);

/* Starts spec's machine; netns is the path of the network namespace whose tap it uses (NULL: none, test driver). */
int compute_start(struct compute *c, const struct machine_spec *spec, const char *netns, struct error *err);
/* ACPI power button; returns at once. */
int compute_shutdown(struct compute *c, const char *id, struct error *err);
/* ACPI reboot where the guest obeys; returns at once. */
int compute_reboot(struct compute *c, const char *id, struct error *err);
/* Hard reset. */
int compute_reset(struct compute *c, const char *id, struct error *err);
/* Pulls the plug; returns when QEMU is gone. An absent machine is success. */
int compute_destroy(struct compute *c, const char *id, struct error *err);
enum machine_state compute_state(struct compute *c, const char *id);
/* Ids of all machines of ours that exist now; NULL-terminated, caller frees with compute_ids_free. */
char **compute_ids(struct compute *c, struct error *err);
void compute_ids_free(char **ids);
/* QEMU's pid, 0 if not running. */
int compute_pid(struct compute *c, const char *id);
