#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "region/internal.h"

#define KEY_TEXT_MAX 16384
#define KEYGEN_MS 15000
#define CLOCK_SLACK_S 120 /* a guest's clock may be behind the host's just after boot */

static void trim_newline(char *s)
{
	s[strcspn(s, "\r\n")] = '\0';
}

int ca_open(struct region *r, struct error *err)
{
	AUTO_FREE char *dir = file_path(err, "%s/ca", r->config.state_dir);
	AUTO_FREE char *key = file_path(err, "%s/ca/ca", r->config.state_dir);
	AUTO_FREE char *pub = file_path(err, "%s/ca/ca.pub", r->config.state_dir);
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vpclab certificate authority", "-f", key, NULL };
	struct process_options opt = { .deadline = deadline_in(time_scaled(KEYGEN_MS)) };

	if (!dir || !key || !pub || file_mkdirs(dir, 0700, err) < 0)
		return -1;
	if (!file_exists(pub)) {
		/* a key without its public half is from a keygen that was cut off */
		if (file_unlink(key, err) < 0 || process_check(argv, &opt, err) < 0)
			return error_prefix(err, "The region's SSH certificate authority can't be made");
	}
	r->ca_public_key = file_read(pub, KEY_TEXT_MAX, NULL, err);
	if (!r->ca_public_key)
		return -1;
	trim_newline(r->ca_public_key);
	return 0;
}

static void remove_tree(char **path)
{
	if (*path)
		file_remove_tree(*path, NULL);
	free(*path);
}

char *ca_sign(struct region *r, const char *public_key, const char *principal, const char *key_id, int seconds, struct error *err)
{
	char template[] = "/tmp/vpclab-sign.XXXXXX", validity[64];
	char *dir CLEANUP(remove_tree) = NULL;
	AUTO_FREE char *key = file_path(err, "%s/ca/ca", r->config.state_dir);
	AUTO_FREE char *pub = NULL, *cert = NULL;
	struct process_options opt = { .deadline = deadline_in(time_scaled(KEYGEN_MS)) };
	char *text;

	if (!r->ca_public_key) {
		error_set_code(err, ERROR_USAGE, "UnsupportedOperation", "Instances of libvirt's test driver have no guest to log in to.");
		return NULL;
	}
	if (!key || !mkdtemp(template)) {
		error_set(err, ERROR_ENVIRONMENT, "A directory for signing a key can't be made below /tmp.");
		return NULL;
	}
	dir = strdup(template);
	pub = file_path(err, "%s/key.pub", template);
	cert = file_path(err, "%s/key-cert.pub", template);
	if (!dir || !pub || !cert || file_write_atomic(pub, public_key, strlen(public_key), 0600, err) < 0)
		return NULL;
	snprintf(validity, sizeof validity, "-%ds:+%ds", CLOCK_SLACK_S, seconds);
	{
		const char *argv[] = { "ssh-keygen", "-q", "-s", key, "-I", key_id, "-n", principal, "-V", validity, pub, NULL };

		if (process_check(argv, &opt, err) < 0) {
			error_set_code(err, ERROR_USAGE, "InvalidArgs",
				       "The SSH public key can't be signed; send one line as ssh-keygen writes it to a .pub file.");
			return NULL;
		}
	}
	text = file_read(cert, KEY_TEXT_MAX, NULL, err);
	if (text)
		trim_newline(text);
	return text;
}
