#include "seed/seed.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "seed/template.h"

#define TEMPLATE_MAX (64u << 10)
#define DOCUMENT_MAX (128u << 10)
#define KEYS_MAX 64
#define HOSTNAME_MAX 256
#define ISO_DEADLINE_MS 60000

int seed_templates_load(struct seed_templates *ret, const char *data_dir, struct error *err)
{
	static const char *const names[] = { "meta-data.yaml", "network-config.yaml", "vendor-data.sh" };
	struct seed_templates t = { NULL, NULL, NULL };
	char **into[] = { &t.meta_data, &t.network_config, &t.vendor_data };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO_FREE char *path = file_path(err, "%s/cloud-init/%s", data_dir, names[i]);

		*into[i] = path ? file_read(path, TEMPLATE_MAX, NULL, err) : NULL;
		if (!*into[i]) {
			seed_templates_done(&t);
			return -1;
		}
	}
	*ret = t;
	return 0;
}

void seed_templates_done(struct seed_templates *t)
{
	free(t->meta_data);
	free(t->network_config);
	free(t->vendor_data);
	memset(t, 0, sizeof *t);
}

static int add_keys(struct buffer *out, const struct seed_spec *s, struct error *err)
{
	if (!s->ssh_keys || !s->ssh_keys[0])
		return 0;
	buffer_add(out, "public-keys:\n");
	for (size_t i = 0; s->ssh_keys[i]; i++) {
		const struct template_word words[] = { { "KEY", s->ssh_keys[i] }, { NULL, NULL } };

		if (i == KEYS_MAX)
			return error_set(err, ERROR_USAGE, "A launch can have at most %d public keys.", KEYS_MAX);
		if (template_expand(out, "public key", "- @KEY@\n", words, template_quote_yaml, err) < 0)
			return -1;
	}
	return 0;
}

int seed_meta_data(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err)
{
	char host[HOSTNAME_MAX];
	int n = snprintf(host, sizeof host, "%s%s%s", s->local_hostname, s->domain && *s->domain ? "." : "",
			 s->domain ? s->domain : "");
	const struct template_word words[] = {
		{ "INSTANCE_ID", s->instance_id },     { "LOCAL_HOSTNAME", host }, { "AMI_ID", s->ami_id },
		{ "INSTANCE_TYPE", s->instance_type }, { "ZONE", s->zone },	   { "REGION", s->region },
		{ NULL, NULL },
	};

	if (n < 0 || (size_t)n >= sizeof host)
		return error_set(err, ERROR_USAGE, "The host name %s.%s is longer than %d bytes.", s->local_hostname,
				 s->domain ? s->domain : "", HOSTNAME_MAX - 1);
	if (template_expand(out, "meta-data", t->meta_data, words, template_quote_yaml, err) < 0)
		return -1;
	if (s->public_ipv4) {
		const struct template_word ip[] = { { "PUBLIC_IPV4", s->public_ipv4 }, { NULL, NULL } };

		if (template_expand(out, "meta-data", "public-ipv4: @PUBLIC_IPV4@\n", ip, template_quote_yaml, err) < 0)
			return -1;
	}
	return add_keys(out, s, err);
}

int seed_network_config(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err)
{
	const struct template_word words[] = { { "MAC", s->mac }, { NULL, NULL } };

	return template_expand(out, "network-config", t->network_config, words, template_quote_yaml, err);
}

int seed_vendor_data(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err)
{
	const struct template_word words[] = { { "CA_PUBLIC_KEY", s->ca_public_key }, { NULL, NULL } };

	return template_expand(out, "vendor-data", t->vendor_data, words, buffer_add_shell, err);
}

int seed_user_data_check(size_t len, struct error *err)
{
	if (len <= USER_DATA_MAX)
		return 0;
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			      "User data is limited to %d bytes, and this has %zu; fetch the rest from the guest.", USER_DATA_MAX,
			      len);
}

/* One document below dir; returns its path, which the caller frees. */
static char *write_document(const char *dir, const char *name, const void *data, size_t len, struct error *err)
{
	AUTO_FREE char *path = file_path(err, "%s/%s", dir, name);

	if (!path || file_write_atomic(path, data, len, 0600, err) < 0)
		return NULL;
	return TAKE_PTR(path);
}

typedef int (*builder)(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err);

static char *build_document(const char *dir, const char *name, builder build, const struct seed_templates *t,
			    const struct seed_spec *s, struct error *err)
{
	AUTO_BUFFER struct buffer text = BUFFER_INIT(DOCUMENT_MAX);

	if (build(&text, t, s, err) < 0)
		return NULL;
	return write_document(dir, name, buffer_text(&text), text.len, err);
}

static int make_iso(const char *path, const char *dir, const struct seed_templates *t, const struct seed_spec *s,
		    struct error *err)
{
	AUTO_FREE char *meta = build_document(dir, "meta-data", seed_meta_data, t, s, err);
	AUTO_FREE char *network = meta ? build_document(dir, "network-config", seed_network_config, t, s, err) : NULL;
	AUTO_FREE char *vendor = network ? build_document(dir, "vendor-data", seed_vendor_data, t, s, err) : NULL;
	AUTO_FREE char *user = vendor ? write_document(dir, "user-data", s->user_data ? s->user_data : "",
						       s->user_data ? s->user_data_len : 0, err)
				      : NULL;
	AUTO_FREE char *iso = user ? file_path(err, "%s/seed.iso", dir) : NULL;
	const char *const argv[] = { "cloud-localds", "-V", vendor, "-N", network, iso, user, meta, NULL };
	/* its own temporary files hold the user data too */
	AUTO_FREE char *tmpdir = iso ? file_path(err, "TMPDIR=%s", dir) : NULL;
	const char *const env[] = { tmpdir, NULL };
	const struct process_options opt = { .env = env, .deadline = deadline_in(time_scaled(ISO_DEADLINE_MS)) };

	if (!tmpdir || process_check(argv, &opt, err) < 0)
		return -1;
	if (chmod(iso, 0600) < 0)
		return error_set_errno(err, errno, "The mode of %s can't be set", iso);
	if (rename(iso, path) < 0)
		return error_set_errno(err, errno, "The seed %s can't be put in place", path);
	return 0;
}

/* What a process that was killed left of its work on the same path: it holds the user data. */
static int remove_unfinished(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	AUTO_FREE char *parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	DIR *d = parent ? opendir(parent) : NULL;
	int result = 0;

	for (struct dirent *e; d && result == 0 && (e = readdir(d));) {
		AUTO_FREE char *full = NULL;
		size_t len = strlen(name);

		if (strncmp(e->d_name, name, len) != 0 || e->d_name[len] != '.')
			continue;
		full = file_path(err, "%s/%s", parent, e->d_name);
		result = full ? file_remove_tree(full, err) : -1;
	}
	if (d)
		closedir(d);
	return result;
}

int seed_write(const char *path, const struct seed_spec *s, struct error *err)
{
	struct seed_templates t CLEANUP(seed_templates_done) = { NULL, NULL, NULL };
	AUTO_FREE char *dir = NULL;
	struct error ignored;
	int result;

	if (seed_user_data_check(s->user_data ? s->user_data_len : 0, err) < 0 ||
	    seed_templates_load(&t, s->data_dir, err) < 0)
		return -1;
	dir = file_path(err, "%s.XXXXXX", path);
	if (!dir || remove_unfinished(path, err) < 0)
		return -1;
	if (!mkdtemp(dir))
		return error_set_errno(err, errno, "A directory for the seed can't be made as %s", dir);
	result = make_iso(path, dir, &t, s, err);
	file_remove_tree(dir, &ignored);
	return result;
}
