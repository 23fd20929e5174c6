/* dnsmasq's life in one VPC: configured, started, told of changes, ended. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "network/vpc.h"

struct dnsmasq_place {
	const char *dir;   /* RUN/dnsmasq/<vpc id> */
	const char *netns; /* path of the VPC's namespace */
	const char *user;  /* whom it runs as */
};

/* Makes its files agree with the model and it with its files; returns when it answers by them. upstream is the address
 * that other names are asked of, NULL: none. */
int dnsmasq_apply(const struct dnsmasq_place *p, const struct net_vpc *vpc, const char *upstream, struct error *err);
bool dnsmasq_alive(const struct dnsmasq_place *p);
/* A descriptor that becomes readable when it ends; -1 where it doesn't run. */
int dnsmasq_watch(const char *dir);
/* Ends it and removes its directory. */
int dnsmasq_remove(const char *dir, struct error *err);
