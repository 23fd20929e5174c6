/* What the files of the region room share. One lock guards the model; one condition tells everybody who waits that something
 * changed. Order of locks: an instance's operation lock, then the network lock, then the region's lock; the last is never held
 * while a program runs, a file is written or the kernel is changed. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "compute/compute.h"
#include "compute/console_log.h"
#include "image/image.h"
#include "network/network.h"
#include "region/job.h"
#include "region/model.h"
#include "region/region.h"

#define GUEST_USER "ubuntu"

struct import_task;
struct region_watch;

struct region {
	struct config config;
	struct cidr public_pool; /* written with net_lock and lock held, so either is enough to read it */
	struct store *store;
	struct model *model;
	struct compute *compute;
	struct console_watch *consoles; /* NULL with libvirt's test driver */
	struct image_store *images;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_mutex_t net_lock;
	struct network *network; /* made at first need, under net_lock; NULL with the test driver */
	struct region_watch *watch; /* of dnsmasq and uplinks; NULL with the test driver */

	struct jobs *jobs;
	bool open;       /* reconciliation has begun: events start jobs */
	bool closing;    /* no new jobs */
	bool stopped, stop_purges;
	void (*on_stop)(void *arg);
	void *on_stop_arg;

	struct import_task *imports;
	unsigned import_sequence;
	uint64_t events_recorded; /* by this daemon: tells who waits for the event log */
	char *ca_public_key;
};

void region_lock(struct region *r);
void region_unlock(struct region *r);
/* Under the lock: wakes everybody who waits for a change. */
void region_changed(struct region *r);
/* Under the lock: waits for the next change or the deadline; false when it passed. */
bool region_wait(struct region *r, int64_t deadline);
/* Under the lock: model_commit, then tells the waiters. */
int region_commit(struct region *r, const struct change *changes, size_t count, struct error *err);

/* jobs_start on the region's jobs. */
int job_start(struct region *r, void (*fn)(struct region *r, void *arg), void *arg, struct error *err);

/* pool.c: the range of public addresses. pool_open once at the start, before world_create; pool_settle before addresses are
 * given out: where public_cidr is auto, nothing has an address yet and the machine uses the range by now, another is taken.
 * Takes net_lock and the region's lock. ERROR_ENVIRONMENT where the range is taken and can't be another. */
int pool_open(struct region *r, struct error *err);
int pool_settle(struct region *r, struct error *err);

/* quota.c, under the lock: vCPUs that may run beside those that do; VcpuLimitExceeded. */
unsigned quota_vcpus_left(const struct region *r);
int quota_vcpus_exceeded(const struct region *r, struct error *err);

/* world.c: the default VPC and what belongs to it, made in an empty store. */
int world_create(struct region *r, struct error *err);
struct vpc *world_default_vpc(struct region *r);

/* address.c, under the lock. Free addresses, at random as EC2 does; InsufficientFreeAddressesInSubnet / InsufficientAddressCapacity. */
int address_private(struct region *r, const struct subnet *s, uint32_t wanted, uint32_t *ret, struct error *err);
/* Not `avoid`, unless it is the only one left. */
int address_public(struct region *r, uint32_t avoid, uint32_t *ret, struct error *err);
/* Does nothing of the region have this public address? */
bool address_public_free(const struct region *r, uint32_t addr);
/* The Elastic IP address of an interface, NULL for none. */
struct address *address_of_eni(const struct region *r, const char *eni_id);
void address_mac(struct region *r, char out[WORD_MAX]);
void address_private_dns(struct region *r, uint32_t addr, char out[SENTENCE_MAX]);
void address_public_dns(struct region *r, uint32_t addr, char out[SENTENCE_MAX]);

/* view.c: the network room's picture of a VPC, a deep copy. */
struct net_vpc *view_build(struct region *r, const char *vpc_id, struct error *err); /* takes the region's lock */
void view_free(struct net_vpc *v);
void view_tap_name(char out[LINK_NAME_MAX], const char *eni_id);
/* Makes the network where there is none yet and the VPC complete. Takes net_lock. With the test driver they do nothing. */
int view_apply_vpc(struct region *r, const char *vpc_id, struct error *err);
/* The same where the network is there already; else the first interface's attachment brings all. */
int view_apply_addresses(struct region *r, const char *vpc_id, struct error *err);
int view_apply_rules(struct region *r, const char *vpc_id, struct error *err);
int view_attach(struct region *r, const char *vpc_id, const char *eni_id, struct error *err);
int view_detach(struct region *r, const char *vpc_id, const char *eni_id, struct error *err);

/* network_check and network_watch; where the network was never needed all is well, and there is nothing to watch. */
int view_check(struct region *r, const char *vpc_id, bool *ret_repaired, struct error *err);
void view_watch(struct region *r, const char *vpc_id, int fds[2]);

int view_network_needed(struct region *r, struct error *err); /* under net_lock */
/* Every VPC's network goes, and the host's bridge. Takes net_lock. */
int view_network_remove(struct region *r, struct error *err);

/* image_actions.c, under the region's lock. */
void imports_cancel(struct region *r);
void imports_free(struct region *r);

/* ca.c: the region's SSH certificate authority. */
int ca_open(struct region *r, struct error *err);
/* Signs public_key (one OpenSSH line) for principal for seconds; the caller frees the certificate line. */
char *ca_sign(struct region *r, const char *public_key, const char *principal, const char *key_id, int seconds, struct error *err);
