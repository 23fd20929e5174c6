/* `vpclab up` in parts: what one run knows, and its steps in their order. Every step finds what an earlier run has
 * done already and carries on from there. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/cli.h"

struct up {
	struct cli *cli;
	const struct arguments *a;
	const char *name;
	bool custom;            /* --user-data: what the guest does is the user's, not the lecture's */
	bool existing;          /* an instance of that name was there */
	bool listening;         /* something accepts on the port in the guest */
	bool opened;            /* the port's rule is in force */
	int64_t started;        /* monotonic ms */
	int64_t timeout_ms;     /* for the boot, and for Django */
	char id[64], label[128];
	char address[64];       /* public IPv4, "" for none */
	char url[96];
	json_t *image;          /* NULL on an existing instance */
	json_t *instance;       /* as last described */
	char group_id[64], group_name[256];
	bool group_made;        /* by this run */
	int64_t sequence;       /* the last step of the guest's progress that was told */
	char phase[48];         /* the one under way */
	int64_t phase_started;
	json_t *phases;         /* for --json */
};

/* Begins a phase, ending the one before it. */
void up_phase(struct up *u, const char *phase);
/* Tells the steps of a DescribeInstanceProgress reply that were not told yet. A guest that failed or ended is an error;
 * quiet: only remembers them. */
int up_story(struct up *u, const json_t *reply, bool quiet, struct error *err);
/* A line under the present phase. */
void up_say(struct up *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int up_region(struct up *u, struct error *err);
int up_find(struct up *u, struct error *err);   /* an instance of that name? */
int up_image(struct up *u, struct error *err);
int up_group(struct up *u, struct error *err);  /* as the console's wizard makes one */
int up_launch(struct up *u, struct error *err);
int up_boot(struct up *u, struct error *err);   /* until the guest's user data is done */
int up_listen(struct up *u, struct error *err); /* Django accepts in the guest, seen past the firewall */
int up_closed(struct up *u, struct error *err); /* and yet the host's probe is dropped */
int up_open(struct up *u, struct error *err);   /* the inbound rule */
int up_answer(struct up *u, struct error *err); /* the host sees Django's page */

/* "launch-wizard-N", the first N free among the groups. Pure. */
void up_wizard_name(char out[64], const json_t *groups);
