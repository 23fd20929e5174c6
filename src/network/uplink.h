/* The way out to the real internet: pasta, or slirp4netns where passt isn't packaged, attached to one VPC's namespace. An
 * ordinary program of the machine makes the guests' connections, so the host needs no forwarding and no NAT. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define UPLINK_REASON_MAX ERROR_MESSAGE_MAX

struct uplink_place {
	const char *dir;   /* RUN/uplink; <vpc id>.process and .log in it */
	const char *netns; /* path of the VPC's namespace */
	const char *vpc_id;
};

/* Starts it unless it runs. Returns the program's name (static); NULL with the reason where there is no way out, which is
 * no error: guests are then without. */
const char *uplink_ensure(const struct uplink_place *p, char reason[UPLINK_REASON_MAX]);
bool uplink_alive(const struct uplink_place *p);
/* A descriptor that becomes readable when it ends; -1 where it doesn't run. */
int uplink_watch(const struct uplink_place *p);
int uplink_remove(const struct uplink_place *p, struct error *err);
/* Which program would be used: "pasta", "slirp4netns" or NULL. */
const char *uplink_program(void);
