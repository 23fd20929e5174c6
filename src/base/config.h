/* The settings of one region: built-in defaults < configuration file < environment < flags.
 * The file is /etc/vpclab/vpclab.conf, or --config / VPCLAB_CONFIG: lines `key = value`, `#` comments.
 * Environment: VPCLAB_<KEY IN CAPITALS>. Flags: --key-with-dashes VALUE (the few that main offers). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cidr.h"
#include "base/error.h"

#define CONFIG_VALUE_MAX 256
#define CONFIG_FILE_MAX (64u << 10)
#define CONFIG_ZONES 4

struct config {
	char state_dir[CONFIG_VALUE_MAX];     /* /var/lib/vpclab */
	char run_dir[CONFIG_VALUE_MAX];       /* /run/vpclab */
	char data_dir[CONFIG_VALUE_MAX];      /* images/ and cloud-init/ live here */
	char region[CONFIG_VALUE_MAX];        /* ap-northeast-2 */
	char account_id[CONFIG_VALUE_MAX];    /* 000000000000 */
	char public_cidr[CONFIG_VALUE_MAX];   /* auto, or the pool of public IPv4 addresses; .1 is the host's */
	char public_bridge[CONFIG_VALUE_MAX]; /* vpclab0 */
	char host_ports[CONFIG_VALUE_MAX];    /* 61800-61899: what guests may reach at the pool's first address */
	char uplink[CONFIG_VALUE_MAX];        /* auto | none: the guests' way out to the real internet */
	char libvirt_uri[CONFIG_VALUE_MAX];   /* "" = qemu:///embed?root=STATE/libvirt; test:///default = no guests */
	char accelerator[CONFIG_VALUE_MAX];   /* auto | kvm | tcg */
	char image_mirror[CONFIG_VALUE_MAX];  /* "" = the vendor's server */
	char log_level[CONFIG_VALUE_MAX];     /* info */
	/* quotas, whole numbers: config_number */
	char quota_vcpus[CONFIG_VALUE_MAX];           /* of instances that are pending or running */
	char quota_groups[CONFIG_VALUE_MAX];          /* security groups */
	char quota_rules_per_group[CONFIG_VALUE_MAX]; /* in each direction */
	char quota_addresses[CONFIG_VALUE_MAX];       /* Elastic IP addresses */
};

/* One key of the table, so that `--help`, docs and parsing share it. */
struct config_key {
	const char *name, *what;
	size_t offset;
};
extern const struct config_key config_keys[];
extern const size_t config_keys_count;

void config_defaults(struct config *c);
/* Applies the file's text. Unknown keys and overlong values are ERROR_USAGE naming line and key. Pure. */
int config_parse(struct config *c, const char *text, size_t len, const char *name, struct error *err);
int config_set(struct config *c, const char *key, const char *value, struct error *err);
/* Defaults, then file (explicit_path NULL: the default one, which may be absent), then environment; then checks the
 * values' sense (directories absolute, CIDR valid, uplink known...). Flags are config_set afterwards + config_check. */
int config_load(struct config *c, const char *explicit_path, struct error *err);
int config_check(const struct config *c, struct error *err);
/* A port or a range of ports, "8080" or "61800-61899"; false where text is neither. */
bool config_ports(const char *text, int *ret_first, int *ret_last);
/* A quota's value; config_check has seen that it is a number. */
unsigned config_number(const char *value);
/* What public_cidr = auto tries, best first: ranges that are for documentation (RFC 5737), then some that are for benchmarks
 * (RFC 2544), none of which the internet uses. False after the last. */
bool config_public_candidate(unsigned i, struct cidr *ret);
/* The API socket's path: run_dir/api.sock. */
int config_socket_path(const struct config *c, char *out, size_t size, struct error *err);
