/* Instances as the verbs see them: found by Name tag or id, and followed until they are where they should be. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/cli.h"

#define NAME_DEFAULT "web"

/* All instances, the terminated ones too: a new array of instance objects. */
json_t *instances_all(struct cli *cli, struct error *err);
/* The one that name means among all (borrowed): an id, or the Name tag of one that isn't terminated. An ambiguous name is
 * an error listing the ids, an unknown one lists what exists. Pure. */
const json_t *instance_pick(const json_t *all, const char *name, struct error *err);
/* A live instance of that Name tag, NULL for none (err untouched) or for several (err set). Pure. */
const json_t *instance_named(const json_t *all, const char *name, struct error *err);
/* instances_all and instance_pick; a new reference. */
json_t *instance_get(struct cli *cli, const char *name, struct error *err);
/* The same for a verb's optional NAME: without one NAME_DEFAULT, or the only live instance there is. */
json_t *instance_get_default(struct cli *cli, const struct arguments *a, struct error *err);

const char *instance_id(const json_t *instance);
/* "pending", "running"... */
const char *instance_state(const json_t *instance);
bool instance_gone(const json_t *instance); /* shutting-down or terminated */
/* "web (i-...)", or the id alone. */
void instance_label(char out[128], const json_t *instance);

/* Following DescribeInstanceProgress by long polls. */
struct follow {
	const char *id;
	const char *label;  /* for sentences: "web (i-...)" */
	const char *awaited;/* for the timeout's sentence: "Instance web did not ... " is followed by this */
	int64_t after;      /* last sequence seen; updated */
	int64_t deadline;
	/* Called with each answer: 1 done, 0 go on, -1 failed with err. */
	int (*step)(void *arg, const json_t *reply, struct error *err);
	void *arg;
};
int follow(struct cli *cli, struct follow *f, struct error *err);
/* The last sequence that there is now. */
int follow_last(struct cli *cli, const char *id, int64_t *ret, struct error *err);
/* Until the instance's state is wanted; a state from which it can't get there is an error with EC2's reason. */
int instance_wait_state(struct cli *cli, const json_t *instance, const char *wanted, int64_t timeout_ms,
			struct error *err);
/* What the instance's own ending says: stateReason's message. */
int instance_ended(struct cli *cli, const char *id, const char *label, const char *state, struct error *err);
