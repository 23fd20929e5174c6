#include "base/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#ifndef VPCLAB_DATA_DIR
#define VPCLAB_DATA_DIR "/usr/local/share/vpclab"
#endif
#define CONFIG_DEFAULT_PATH "/etc/vpclab/vpclab.conf"

#define KEY(field, text) { #field, text, offsetof(struct config, field) }

const struct config_key config_keys[] = {
	KEY(state_dir, "where the region keeps its state, images and disks"),
	KEY(run_dir, "where the socket and the namespaces are"),
	KEY(data_dir, "where the image catalogue and the cloud-init templates are"),
	KEY(region, "the region's name"),
	KEY(account_id, "the account number, 12 digits"),
	KEY(public_cidr, "the pool of public IPv4 addresses; auto: 203.0.113.0/24, or another where this machine uses that"),
	KEY(public_bridge, "the host's bridge to the internet gateways"),
	KEY(host_ports, "the TCP and UDP ports of the host's own public address that guests may reach; verify listens at one of them"),
	KEY(uplink, "the guests' way to the real internet: auto or none"),
	KEY(libvirt_uri, "libvirt's connection; empty for the embedded QEMU driver, test:///default for no guests"),
	KEY(accelerator, "auto, kvm or tcg"),
	KEY(image_mirror, "a school's copy of the image server; empty for the vendor's"),
	KEY(log_level, "error, warn, info or debug"),
	KEY(quota_vcpus, "vCPUs of all instances that are pending or running"),
	KEY(quota_groups, "security groups"),
	KEY(quota_rules_per_group, "rules of a security group in each direction"),
	KEY(quota_addresses, "Elastic IP addresses"),
};
const size_t config_keys_count = ARRAY_SIZE(config_keys);

static char *field(struct config *c, const struct config_key *k)
{
	return (char *)c + k->offset;
}

void config_defaults(struct config *c)
{
	static const struct {
		const char *key, *value;
	} defaults[] = {
		{ "state_dir", "/var/lib/vpclab" }, { "run_dir", "/run/vpclab" },   { "data_dir", VPCLAB_DATA_DIR },
		{ "region", "ap-northeast-2" },     { "account_id", "000000000000" }, { "public_cidr", "auto" },
		{ "public_bridge", "vpclab0" },     { "uplink", "auto" },           { "accelerator", "auto" },
		{ "host_ports", "61800-61899" },    { "log_level", "info" },            { "quota_vcpus", "2000" },      { "quota_groups", "2500" },
		{ "quota_rules_per_group", "60" },  { "quota_addresses", "5" },
	};

	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		config_set(c, defaults[i].key, defaults[i].value, NULL);
}

int config_set(struct config *c, const char *key, const char *value, struct error *err)
{
	for (size_t i = 0; i < config_keys_count; i++) {
		if (strcmp(config_keys[i].name, key) != 0)
			continue;
		if (strlen(value) >= CONFIG_VALUE_MAX)
			return error_set(err, ERROR_USAGE, "The setting %s is longer than %d characters.", key,
					 CONFIG_VALUE_MAX - 1);
		snprintf(field(c, &config_keys[i]), CONFIG_VALUE_MAX, "%s", value);
		return 0;
	}
	return error_set(err, ERROR_USAGE, "There is no setting named %.64s; docs/reference.md lists them.", key);
}

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

int config_parse(struct config *c, const char *text, size_t len, const char *name, struct error *err)
{
	size_t pos = 0;
	int number = 0;

	while (pos < len) {
		const char *nl = memchr(text + pos, '\n', len - pos);
		size_t n = nl ? (size_t)(nl - text) - pos : len - pos;
		char line[CONFIG_VALUE_MAX * 2], *key, *eq;

		number++;
		if (n >= sizeof line)
			return error_set(err, ERROR_USAGE, "%s line %d is longer than %zu characters.", name, number,
					 sizeof line - 1);
		memcpy(line, text + pos, n);
		line[n] = '\0';
		pos += n + 1;
		key = trim(line);
		if (*key == '\0' || *key == '#')
			continue;
		eq = strchr(key, '=');
		if (!eq)
			return error_set(err, ERROR_USAGE, "%s line %d has no '=': %.64s", name, number, key);
		*eq = '\0';
		if (config_set(c, trim(key), trim(eq + 1), err) < 0)
			return error_prefix(err, "%s line %d", name, number);
	}
	return 0;
}

int config_load(struct config *c, const char *explicit_path, struct error *err)
{
	const char *path = explicit_path ? explicit_path : getenv("VPCLAB_CONFIG");
	bool required = path != NULL;
	AUTO_FREE char *text = NULL;
	size_t len;

	config_defaults(c);
	if (!path)
		path = CONFIG_DEFAULT_PATH;
	if (required || file_exists(path)) {
		text = file_read(path, CONFIG_FILE_MAX, &len, err);
		if (!text || config_parse(c, text, len, path, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < config_keys_count; i++) {
		char name[64] = "VPCLAB_";
		const char *value;

		for (size_t k = 0; config_keys[i].name[k] && k + 8 < sizeof name; k++)
			name[7 + k] = (char)toupper((unsigned char)config_keys[i].name[k]);
		value = getenv(name);
		if (value && config_set(c, config_keys[i].name, value, err) < 0)
			return error_prefix(err, "environment variable %s", name);
	}
	return config_check(c, err);
}

static const char *port(const char *text, int *ret)
{
	size_t digits = strspn(text, "0123456789");

	*ret = digits <= 5 ? (int)strtol(text, NULL, 10) : 0;
	return *ret >= 1 && *ret <= 65535 ? text + digits : NULL;
}

bool config_ports(const char *text, int *ret_first, int *ret_last)
{
	const char *rest = port(text, ret_first);

	if (!rest)
		return false;
	*ret_last = *ret_first;
	if (*rest == '-')
		rest = port(rest + 1, ret_last);
	return rest && !*rest && *ret_first <= *ret_last;
}

static int check_word(const char *key, const char *value, const char *const *words, struct error *err)
{
	for (const char *const *w = words; *w; w++)
		if (strcmp(value, *w) == 0)
			return 0;
	return error_set(err, ERROR_USAGE, "The setting %s can't be %.64s; docs/reference.md lists its values.", key, value);
}

static int check_pool(const char *text, struct error *err)
{
	struct cidr pool;

	if (strcmp(text, "auto") == 0)
		return 0;
	if (cidr_parse(text, &pool, NULL, err) < 0)
		return error_prefix(err, "setting public_cidr");
	if (pool.prefix < 16 || pool.prefix > 28)
		return error_set(err, ERROR_USAGE, "The setting public_cidr must be between /16 and /28, not %s.", text);
	return 0;
}

static int check_quotas(const struct config *c, struct error *err)
{
	/* the upper bounds are what one VPC's network is built for (network/vpc.h) */
	const struct {
		const char *name, *value;
		unsigned max;
	} quotas[] = {
		{ "quota_vcpus", c->quota_vcpus, 100000 },
		{ "quota_groups", c->quota_groups, 2500 },
		{ "quota_rules_per_group", c->quota_rules_per_group, 1000 },
		{ "quota_addresses", c->quota_addresses, 4096 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(quotas); i++) {
		const char *v = quotas[i].value;

		if (!*v || strlen(v) > 6 || strspn(v, "0123456789") != strlen(v) || config_number(v) > quotas[i].max)
			return error_set(err, ERROR_USAGE, "The setting %s must be a whole number from 0 to %u, not %.64s.",
					 quotas[i].name, quotas[i].max, v);
	}
	return 0;
}

unsigned config_number(const char *value)
{
	return (unsigned)strtoul(value, NULL, 10);
}

#define BENCHMARK_NETS 256

bool config_public_candidate(unsigned i, struct cidr *ret)
{
	static const uint32_t documentation[] = { 0xcb007100, 0xc6336400, 0xc0000200 }; /* 203.0.113.0, 198.51.100.0, 192.0.2.0 */
	const unsigned n = ARRAY_SIZE(documentation);

	if (i >= n + BENCHMARK_NETS)
		return false;
	ret->addr = i < n ? documentation[i] : 0xc6120000 + ((i - n) << 8); /* 198.18.x.0 */
	ret->prefix = 24;
	return true;
}

int config_check(const struct config *c, struct error *err)
{
	const char *dirs[] = { c->state_dir, c->run_dir, c->data_dir };
	const char *names[] = { "state_dir", "run_dir", "data_dir" };
	static const char *const uplinks[] = { "auto", "none", NULL };
	static const char *const accelerators[] = { "auto", "kvm", "tcg", NULL };
	enum log_level level;
	int first, last;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (dirs[i][0] != '/')
			return error_set(err, ERROR_USAGE, "The setting %s must be an absolute path, not %.64s.", names[i],
					 dirs[i]);
	if (!config_ports(c->host_ports, &first, &last))
		return error_set(err, ERROR_USAGE, "The setting host_ports must be a port or a range like 61800-61899, not %.64s.",
				 c->host_ports);
	if (check_pool(c->public_cidr, err) < 0 || check_quotas(c, err) < 0)
		return -1;
	if (strlen(c->account_id) != 12 || strspn(c->account_id, "0123456789") != 12)
		return error_set(err, ERROR_USAGE, "The setting account_id must be 12 digits, not %.64s.", c->account_id);
	if (!*c->public_bridge || strlen(c->public_bridge) > 15 || strpbrk(c->public_bridge, "/ \t"))
		return error_set(err, ERROR_USAGE, "The setting public_bridge must be an interface name, not %.64s.",
				 c->public_bridge);
	if (!*c->region || strspn(c->region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(c->region))
		return error_set(err, ERROR_USAGE, "The setting region must look like ap-northeast-2, not %.64s.", c->region);
	if (!log_level_parse(c->log_level, &level))
		return error_set(err, ERROR_USAGE, "The setting log_level can't be %.64s; it is error, warn, info or debug.",
				 c->log_level);
	if (check_word("uplink", c->uplink, uplinks, err) < 0 ||
	    check_word("accelerator", c->accelerator, accelerators, err) < 0)
		return -1;
	return config_socket_path(c, socket, sizeof socket, err);
}

int config_socket_path(const struct config *c, char *out, size_t size, struct error *err)
{
	if (snprintf(out, size, "%s/api.sock", c->run_dir) >= (int)size)
		return error_set(err, ERROR_USAGE, "The setting run_dir is too long for a socket's path: %s.", c->run_dir);
	return 0;
}
