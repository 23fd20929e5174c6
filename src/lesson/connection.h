/* Why a connection from this machine to a port of an instance fails: the facts of each hop of its way, and the first one that is
 * broken, in a sentence with the command that mends it. */
#pragma once

#include <jansson.h>

#include "region/path.h"

#define HOPS_MAX 12
#define HOP_SEEN_MAX 400
#define HOP_LOG_MAX 2048

/* What the guest itself tells, from `key=value` lines; firewall and log may come several times and are lines then. */
struct guest_connection {
	char listen[512];   /* addresses that listen on the port: "0.0.0.0:8000 [::]:8000 " */
	char others[512];   /* all ports that something listens on */
	char address[512];  /* "172.31.4.7/20 " */
	char route[512];    /* `ip route get` of the host's address */
	char firewall[HOP_LOG_MAX];
	char load[64], active[64], sub[64], result[64], restarts[64]; /* django.service, systemd's words */
	char log[HOP_LOG_MAX];
};
/* Pure, for foreign bytes. */
void guest_connection_parse(struct guest_connection *ret, const char *text, size_t len);

struct connection_facts {
	char asked[64];                        /* the address that was asked for, "" where the instance was named */
	bool found, asked_is_public;           /* an instance has that address */
	char others[PATH_WORDS_MAX];           /* which addresses there are */
	struct instance_facts instance;
	unsigned port;
	char path[256];                        /* of the URL; "" where no HTTP is spoken on the port */
	bool admitted;                         /* by a rule */
	char rule[PATH_WORDS_MAX], groups[PATH_WORDS_MAX];
	bool tried;                            /* path_facts is there */
	struct path_facts way;
	bool http_tried, http_answered;
	int http_status;
	bool http_disallowed_host;             /* the page says that Django doesn't know the Host */
	char http_detail[256];
	bool inside_tried, inside;             /* guest is there */
	char inside_why[256];                  /* why it isn't */
	struct guest_connection guest;
};

enum hop_status { HOP_OK, HOP_BROKEN, HOP_UNKNOWN };

struct hop {
	const char *name; /* static */
	enum hop_status status;
	char seen[HOP_SEEN_MAX];
};

/* The hops in the order of the way, up to the broken one. */
struct connection {
	struct hop hops[HOPS_MAX];
	size_t count;
	const char *broken;           /* the hop's name, NULL where all are whole */
	char sentence[HOP_SEEN_MAX * 2], command[256], log[HOP_LOG_MAX];
};

/* Pure: the facts there are -> the broken hop. */
void connection_explain(const struct connection_facts *f, struct connection *ret);

/* Gathers facts until the broken hop is known. One of id and address. */
int connection_look(struct region *r, const char *id, const char *address, unsigned port, const char *path, int64_t deadline,
		    struct connection_facts *f, struct connection *ret, struct error *err);

struct caller;
int explain_connection(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err);
extern const struct param explain_params[], explain_reply[];
