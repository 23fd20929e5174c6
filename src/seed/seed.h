/* The seed: cloud-init documents from the templates in cloud-init/ and the launch's user data, as a NoCloud ISO. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

#define USER_DATA_MAX 16384 /* bytes, before base64: EC2's own limit (docs.aws.amazon.com, instance user data) */

struct seed_spec {
	const char *data_dir;      /* has cloud-init/ */
	const char *instance_id;
	const char *local_hostname;/* ip-172-31-0-10 */
	const char *domain;        /* ap-northeast-2.compute.internal */
	const char *mac;
	const char *default_user;  /* of the image: ubuntu */
	const char *ca_public_key; /* OpenSSH one-line key of the region's certificate authority */
	const char *const *ssh_keys; /* NULL-terminated public keys of the key pair, or NULL */
	const char *public_ipv4;   /* may be NULL; told in meta-data */
	const char *region, *zone, *instance_type, *ami_id;
	const void *user_data;     /* raw bytes as decoded, or NULL */
	size_t user_data_len;
};

/* The templates' text, from data_dir/cloud-init. Each @WORD@ in them becomes one value, quoted for where it stands. */
struct seed_templates {
	char *meta_data, *network_config, *vendor_data;
};
int seed_templates_load(struct seed_templates *ret, const char *data_dir, struct error *err);
void seed_templates_done(struct seed_templates *t);

/* Pure builders (golden tested). Fail with ERROR_INTERNAL where a template names an unknown word, with ERROR_USAGE where a
 * value has a control character. Public keys are appended to meta-data by the builder, for their number varies. */
int seed_meta_data(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err);
int seed_network_config(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err);
int seed_vendor_data(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err);

/* Writes the four documents to a private directory beside path, runs cloud-localds, renames the ISO to path (0600; libvirt
 * gives it to QEMU's user at the start). User data goes in byte for byte, an absent one as an empty document; over
 * USER_DATA_MAX it is ERROR_USAGE with EC2's code and words ("User data is limited to 16384 bytes", InvalidParameterValue). */
int seed_write(const char *path, const struct seed_spec *s, struct error *err);
/* The same check alone, for RunInstances before anything is made. */
int seed_user_data_check(size_t len, struct error *err);

/* Whether user data that says it is a cloud-config can be read as YAML: 0 where it can or is something else (a script,
 * multipart, gzip, nothing); 1 where it can't, and then why gets the parser's words, line and column counted from 1.
 * EC2 accepts broken YAML, and so does the region: this is for verify. */
int seed_user_data_yaml_check(const void *data, size_t len, char *why, size_t why_size);
