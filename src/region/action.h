/* One action of the region, as EC2 names it: what it takes, what it answers, who does it. The tables of actions
 * (instance_actions[] and so on) are the only description there is: the decoder, the validator, the serializers, the
 * reference in docs/ and the tests of live replies all read them. A handler sees neither XML, JSON text nor HTTP.
 *
 * Parameters arrive as a json_t object keyed by wire names, typed by the table:
 *   PARAM_STRING   json string (UTF-8, no NUL, at most PARAM_STRING_MAX bytes)
 *   PARAM_INTEGER  json integer        PARAM_BOOLEAN  json true/false
 *   PARAM_BLOB     json string, base64 as sent, checked to decode
 *   PARAM_LIST     json array in index order (EC2's flattened lists: X.1, X.2; clients number from 0 or 1)
 *   PARAM_STRUCTURE json object
 * A parameter that was not sent is absent. One that the table doesn't know is UnknownParameter.
 *
 * The reply is filled into a json_t object whose keys are EC2's XML element names, in EC2's order; an array becomes
 * <key><item>..</item></key>. requestId is the api room's to add; an action whose reply table is NULL answers <return>true</return>. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/id.h"

#define PARAM_STRING_MAX 32768
#define PARAM_BLOB_MAX (256u << 10) /* of base64 text; handlers have narrower limits of their own */
#define PARAM_LIST_MAX 1000
#define PARAM_DEPTH_MAX 6

enum param_type { PARAM_STRING, PARAM_INTEGER, PARAM_BOOLEAN, PARAM_BLOB, PARAM_TIMESTAMP, PARAM_LIST, PARAM_STRUCTURE };

/* A parameter or a reply member; tables end with a NULL name. */
struct param {
	const char *name;
	enum param_type type;
	enum param_type element;     /* of a PARAM_LIST */
	const struct param *members; /* of a structure, or of a list's structures */
	bool required;               /* missing: MissingParameter */
	const char *what;            /* one line for the reference; NULL where EC2's meaning holds */
};

/* Who asks. */
struct caller {
	uid_t uid;
	pid_t pid;
	char name[64];                  /* the user's login name on this machine */
	char request_id[UUID_TEXT_MAX];
	bool dry_run;                   /* DryRun=true was sent: see action_dry_run */
};

/* What a mutating handler calls when all is checked and nothing is changed yet: 0 to go on, -1 with DryRunOperation (412)
 * when the caller asked for a dry run. Handlers that change nothing need not: the dispatcher answers for them. */
int action_dry_run(const struct caller *caller, struct error *err);

struct region;

struct action {
	const char *name;
	const char *service;        /* "ec2", "ec2-instance-connect", or "vpclab" for the lab's own */
	const char *what;           /* one sentence for the reference */
	const struct param *params; /* NULL: none */
	const struct param *reply;  /* NULL: <return>true</return> */
	bool mutates;               /* goes to the event log; takes DryRun where EC2's does */
	int (*run)(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err);
};

/* Tables end with a NULL name. */
extern const struct action instance_actions[], image_actions[], network_actions[], group_actions[], tag_actions[],
	region_actions[], guest_actions[], type_actions[], event_actions[];
extern const struct action key_actions[], rule_actions[], attribute_actions[], status_actions[], interface_actions[], address_actions[];
