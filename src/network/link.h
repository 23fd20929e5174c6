/* Links, their addresses, neighbours and routes, through rtnetlink. A struct nl_sock belongs to the network namespace
 * its thread was in when it was opened and to one thread at a time; every function acts in that namespace. */
#pragma once

#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cidr.h"
#include "base/error.h"

struct nl_sock *link_open(struct error *err);
void link_socket_done(struct nl_sock **sk);
#define AUTO_LINK_SOCKET CLEANUP(link_socket_done)

/* What the kernel says of a link. */
struct link_info {
	int index;   /* 0: there is no such link */
	int master;  /* 0: none */
	int peer;    /* a veth's peer, by its index in the peer's namespace; else 0 */
	bool up;
	char kind[16];  /* "bridge", "veth", "tun"; "" where it has none */
	char alias[64];
	unsigned char mac[6];
};

int link_get(struct nl_sock *sk, const char *name, struct link_info *ret, struct error *err);
/* Calls fn for each link; a negative return ends it and is returned. */
int link_each(struct nl_sock *sk, int (*fn)(void *arg, const char *name, const struct link_info *info, struct error *err),
	      void *arg, struct error *err);

/* A bridge without STP and multicast snooping. mac is fixed, so that it doesn't follow its ports. */
int link_make_bridge(struct nl_sock *sk, const char *name, const unsigned char mac[6], const char *alias,
		     struct error *err);
/* name here, in bridge `master`; its peer, of the same name, in the namespace peer_ns. No IPv6 address of its own. */
int link_make_veth(struct nl_sock *sk, const char *name, int master, int peer_ns, struct error *err);
int link_delete(struct nl_sock *sk, const char *name, struct error *err); /* one that isn't there is success */
int link_up(struct nl_sock *sk, int index, const char *name, struct error *err);
int link_set_master(struct nl_sock *sk, int index, int master, const char *name, struct error *err);
/* A port that reaches the bridge itself alone: isolated, no learning, no flooding of unknown unicast or multicast. */
int link_isolate_port(struct nl_sock *sk, int index, const char *name, struct error *err);

struct link_address {
	uint32_t addr;
	unsigned prefix;
};

/* The link has exactly these IPv4 addresses afterwards (in the order given, where they are new). changed (may be NULL)
 * is called for each that came or went. */
int address_set(struct nl_sock *sk, int index, const char *name, const struct link_address *want, size_t count,
		void (*changed)(void *arg, uint32_t addr, bool came), void *arg, struct error *err);
/* Calls fn for each IPv4 address of the namespace. */
int address_each(struct nl_sock *sk, int (*fn)(void *arg, int index, uint32_t addr, unsigned prefix), void *arg,
		 struct error *err);

struct link_neighbour {
	int index;
	uint32_t addr;
	unsigned char mac[6];
};

/* The links have exactly these permanent IPv4 neighbours afterwards. */
int neighbour_set(struct nl_sock *sk, const struct link_neighbour *want, size_t count, struct error *err);
/* Forgets what is known of addr; nothing known is success. */
int neighbour_forget(struct nl_sock *sk, int index, uint32_t addr, struct error *err);
/* A bridge port's static forwarding entry. */
int neighbour_fdb(struct nl_sock *sk, int port, const unsigned char mac[6], struct error *err);
/* "These addresses are at my MAC": a gratuitous ARP for each, sent in the calling thread's namespace. */
int neighbour_announce(int index, const unsigned char mac[6], const uint32_t *addrs, size_t count, struct error *err);

bool mac_parse(const char *text, unsigned char out[6]);
