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
	KEY(public_cidr, "the pool of public IPv4 addresses"),
	KEY(public_bridge, "the host's bridge to the internet gateways"),
	KEY(host_ports, "the TCP and UDP ports of the host's own public address that guests may reach; verify listens at one of them"),
	KEY(uplink, "the guests' way to the real internet: auto or none"),
	KEY(libvirt_uri, "libvirt's connection; empty for the embedded QEMU driver, test:///default for no guests"),
	KEY(accelerator, "auto, kvm or tcg"),
	KEY(image_mirror, "a school's copy of the image server; empty for the vendor's"),
	KEY(log_level, "error, warn, info or debug"),
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
		{ "region", "ap-northeast-2" },     { "account_id", "000000000000" }, { "public_cidr", "203.0.113.0/24" },
		{ "public_bridge", "vpclab0" },     { "uplink", "auto" },           { "accelerator", "auto" },
		{ "host_ports", "61800-61899" },    { "log_level", "info" },
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

int config_check(const struct config *c, struct error *err)
{
	const char *dirs[] = { c->state_dir, c->run_dir, c->data_dir };
	const char *names[] = { "state_dir", "run_dir", "data_dir" };
	static const char *const uplinks[] = { "auto", "none", NULL };
	static const char *const accelerators[] = { "auto", "kvm", "tcg", NULL };
	struct cidr pool;
	enum log_level level;
	int first, last;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (dirs[i][0] != '/')
			return error_set(err, ERROR_USAGE, "The setting %s must be an absolute path, not %.64s.", names[i],
					 dirs[i]);
	if (cidr_parse(c->public_cidr, &pool, NULL, err) < 0)
		return error_prefix(err, "setting public_cidr");
	if (pool.prefix < 16 || pool.prefix > 28)
		return error_set(err, ERROR_USAGE, "The setting public_cidr must be between /16 and /28, not %s.",
				 c->public_cidr);
	if (!config_ports(c->host_ports, &first, &last))
		return error_set(err, ERROR_USAGE, "The setting host_ports must be a port or a range like 61800-61899, not %.64s.",
				 c->host_ports);
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
