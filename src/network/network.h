/* The network room: namespaces, links, firewall, DHCP/DNS, uplink. It knows nothing of instances or of the store:
 * the region hands it a struct net_vpc and it makes the kernel agree. Every call is idempotent: what is there
 * already and right stays, what is missing is made, what is in excess goes. Calls for one VPC are serialized by
 * the room itself; calls for different VPCs run side by side. Needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN). */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/process.h"
#include "network/vpc.h"

struct network;

#define RANGE_TAKEN_MAX 64

struct network_config {
	const char *run_dir;       /* namespaces are bound at RUN/netns/<vpc id>; dnsmasq's and pasta's files below RUN */
	const char *public_bridge; /* on the host */
	struct cidr public_pool;   /* its first address is the host's, on the bridge */
	bool uplink;               /* attach pasta (or slirp4netns) to each VPC */
	bool only_remove;          /* nothing is made on the host, so a range that is in use is no hindrance: for the remove calls alone */
	const char *dnsmasq_user;  /* NULL: "nobody" or dnsmasq, whichever exists */
};

/* Does a link other than the bridge use the range on this machine, by an address or a route? 1: yes, and ret_by has the words
 * ("eth1 has 203.0.113.7/24"); 0: no; -1: can't be said. Needs no privilege. */
int network_range_taken(const char *bridge, struct cidr range, char ret_by[RANGE_TAKEN_MAX], struct error *err);

/* Makes the host bridge with its one address (nothing else of the host changes). An address range that is in use on
 * the host by something else is ERROR_ENVIRONMENT naming both. */
struct network *network_open(const struct network_config *c, struct error *err);
/* Frees the handle; the networks stay. */
void network_close(struct network *n);

/* Makes or completes the VPC's namespace: router, gateway link, subnets' bridges, taps of the attached ENIs, DHCP/DNS,
 * uplink, firewall. After it returns packets obey the model. */
int network_apply_vpc(struct network *n, const struct net_vpc *vpc, struct error *err);
/* Only what a rule or membership change needs: the ruleset, replaced atomically; in force on return. Tracked flows
 * stay as EC2 has it (EC2.md section 5: untracked flows that the new rules don't allow are cut). */
int network_apply_rules(struct network *n, const struct net_vpc *vpc, struct error *err);
/* One ENI's tap made (persistent, owned by nobody in particular, usable by QEMU's user uid:gid) and plugged; addresses, DHCP
 * entry and rules in force before it returns. The ENI is in vpc->enis with attached set. */
int network_attach_eni(struct network *n, const struct net_vpc *vpc, const char *eni_id, unsigned uid, unsigned gid,
		       struct error *err);
/* The tap goes, and what named it. The ENI's attached is false in vpc, or it is no longer there. */
int network_detach_eni(struct network *n, const struct net_vpc *vpc, const char *tap, struct error *err);
/* Ends dnsmasq and pasta, removes links and namespace. A VPC that isn't there is success. */
int network_remove_vpc(struct network *n, const char *vpc_id, const char *igw, struct error *err);
/* Removes the host bridge (only if it is ours and empty). */
int network_remove_host(struct network *n, struct error *err);
/* Ends and removes every VPC of this run_dir whose id isn't among keep[]. For reconciling after a crash. */
int network_remove_strays(struct network *n, const char *const *keep, size_t keep_count, struct error *err);

/* Path of the namespace, to run a process in (struct process_options.netns). Caller frees. */
char *network_netns_path(const struct network *n, const char *vpc_id);
/* Runs fn on this thread inside the VPC's namespace and comes back; its return value is returned. The namespace can't be entered: -1 with err. */
int network_inside(struct network *n, const char *vpc_id, int (*fn)(void *arg, struct error *err), void *arg,
		   struct error *err);
/* Is the outside reached through an uplink, and by what: "pasta", "slirp4netns" or "none". Known for sure after the first
 * network_apply_vpc. */
const char *network_uplink_name(const struct network *n);
/* Why it is "none": a clause without full stop ("this machine has no default route"), "" where there is an uplink. */
void network_uplink_reason(struct network *n, char *out, size_t size);
/* Do the VPC's helpers (dnsmasq, the uplink) still live? Where one doesn't, network_apply_vpc's work is done again and
 * ret_repaired (may be NULL) set. Cheap; for calling now and then, and after network_watch's descriptor said so. */
int network_check(struct network *n, const struct net_vpc *vpc, bool *ret_repaired, struct error *err);
/* Descriptors that become readable when the VPC's dnsmasq (fds[0]) or uplink (fds[1]) ends; -1 where there is none. They are
 * the caller's to close. To be asked for anew after each network_apply_vpc or network_check. */
void network_watch(struct network *n, const char *vpc_id, int fds[2]);

/* Pure builders, golden tested. */
void ruleset_build(struct buffer *out, const struct net_vpc *vpc, bool uplink);
void dnsmasq_conf_build(struct buffer *out, const struct net_vpc *vpc, const char *dir, const char *user, const char *upstream);
void dnsmasq_hosts_build(struct buffer *dhcp_hosts, struct buffer *dns_hosts, const struct net_vpc *vpc);
