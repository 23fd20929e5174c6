/* What a region is made of, in memory: typed objects found by id, each kept as one document in the store. Reading
 * and changing need the region's lock (region_lock in internal.h). A change is written to the store first, in one transaction
 * for everything that belongs together, and shows in memory only after that (model_commit). */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "base/error.h"
#include "base/id.h"

#define TAGS_PER_RESOURCE_MAX 50 /* EC2's limit */
#define TAG_KEY_MAX 127          /* characters */
#define TAG_VALUE_MAX 255
#define GROUPS_PER_ENI_MAX 16
#define WORD_MAX 64
#define SENTENCE_MAX 256

enum object_kind { KIND_VPC, KIND_SUBNET, KIND_GROUP, KIND_RULE, KIND_ENI, KIND_INSTANCE, KIND_KEY, KIND_ADDRESS, KIND_COUNT };

struct tag {
	char *key, *value;
};

struct tags {
	struct tag *items;
	size_t count;
};

/* The head of every object. */
struct object {
	enum object_kind kind;
	char id[ID_MAX];
	struct tags tags;
};

struct vpc {
	struct object o;
	struct cidr cidr;
	bool is_default;
	uint32_t igw_address;    /* the router's own address in the public pool */
	struct cidr public_pool; /* the range that it is of; pool.c chooses it */
};

struct subnet {
	struct object o;
	char vpc_id[ID_MAX], zone[WORD_MAX];
	struct cidr cidr;
	bool default_for_az, map_public_ip;
};

struct group {
	struct object o;
	char vpc_id[ID_MAX];
	char name[SENTENCE_MAX], description[SENTENCE_MAX];
};

struct rule {
	struct object o;
	char group_id[ID_MAX];
	bool egress;
	int protocol, from_port, to_port; /* protocol -1: all, ports -1 */
	struct cidr cidr;                 /* where peer_group_id is empty */
	char peer_group_id[ID_MAX];
	char description[SENTENCE_MAX];
};

struct eni {
	struct object o;
	char vpc_id[ID_MAX], subnet_id[ID_MAX], instance_id[ID_MAX], mac[WORD_MAX];
	char groups[GROUPS_PER_ENI_MAX][ID_MAX];
	int group_count;
	uint32_t private_ip, public_ip; /* public 0: none */
	uint32_t former_public_ip;      /* the last stop's: the next start gives another, as EC2's do */
	bool wants_public_ip;           /* gets one at each start */
	bool source_dest_check, attached;
	int64_t attach_time;
};

/* docs.aws.amazon.com, InstanceState */
enum instance_state {
	STATE_PENDING = 0,
	STATE_RUNNING = 16,
	STATE_SHUTTING_DOWN = 32,
	STATE_TERMINATED = 48,
	STATE_STOPPING = 64,
	STATE_STOPPED = 80,
};

struct instance_runtime;

struct instance {
	struct object o;
	char reservation_id[ID_MAX], image_id[ID_MAX], image_name[WORD_MAX], type[WORD_MAX], zone[WORD_MAX];
	char vpc_id[ID_MAX], subnet_id[ID_MAX], eni_id[ID_MAX], volume_id[ID_MAX], uuid[UUID_TEXT_MAX];
	char client_token[WORD_MAX + 1], request_digest[72];
	char state_reason_code[WORD_MAX], state_reason[SENTENCE_MAX * 2], transition_reason[SENTENCE_MAX];
	int state; /* enum instance_state */
	int launch_index, root_gib;
	int64_t launch_time, state_time; /* wall ms */
	bool ready;           /* its user data's readiness was seen on the console since it last started */
	bool failed;          /* its boot said that it failed */
	bool disable_termination;
	bool launched;        /* it ran once: its disk is worth keeping when a later start fails */
	char *user_data;      /* base64, or NULL */
	bool disable_stop;
	char key_name[SENTENCE_MAX]; /* of the launch; "" for none. The pair may be deleted since */
	char *public_key;     /* its OpenSSH line, or NULL */
	struct instance_runtime *runtime; /* not stored */
};

/* A key pair. The private half is nowhere but with whoever has it. */
struct key_pair {
	struct object o;
	char name[SENTENCE_MAX], type[WORD_MAX], fingerprint[WORD_MAX];
	char *public_key; /* OpenSSH's line, its comment the pair's name */
	int64_t create_time; /* wall ms */
};

/* An Elastic IP address. Whose interface it is stands here alone; while it is one's, that interface's public_ip is this address. */
struct address {
	struct object o; /* its allocation */
	uint32_t public_ip;
	char association_id[ID_MAX], eni_id[ID_MAX]; /* "" both: not associated */
};

/* One change of a transaction. live NULL: next is a new object, malloc'd, which the model owns after success.
 * next NULL: live is deleted. Both: *live becomes *next (a shallow copy made by the caller), pointers included. */
struct change {
	struct object *live;
	struct object *next;
};

struct model;
struct store;

struct model *model_load(struct store *s, struct error *err);
void model_free(struct model *m);
/* All or nothing. After a failure the memory is as it was and new objects still belong to the caller. */
int model_commit(struct model *m, const struct change *changes, size_t count, struct error *err);
void *model_find(const struct model *m, enum object_kind kind, const char *id);
/* In order of creation. Objects that were deleted stay allocated until model_free, so that a pointer held by a worker is never stale. */
size_t model_count(const struct model *m, enum object_kind kind);
void *model_at(const struct model *m, enum object_kind kind, size_t i);
/* A zeroed object of the kind with a fresh id. NULL only when memory ran out. */
void *model_new(enum object_kind kind);
void object_free(struct object *o);
/* "vpc", "subnet", ... : the id's prefix, and EC2's resource type ("instance", "security-group", ...). */
const char *kind_prefix(enum object_kind kind);
const char *kind_resource_type(enum object_kind kind);

/* The value of a tag, NULL where there is none. */
const char *tags_get(const struct tags *t, const char *key);
int tags_copy(struct tags *ret, const struct tags *from, struct error *err);
/* Adds or overwrites; TagLimitExceeded and InvalidParameterValue as EC2. */
int tags_set(struct tags *t, const char *key, const char *value, struct error *err);
/* Removes the tag of that key, where value is not NULL only if it has that value. */
void tags_remove(struct tags *t, const char *key, const char *value);
void tags_free(struct tags *t);

const char *instance_state_name(int state);
