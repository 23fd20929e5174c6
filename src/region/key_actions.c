/* Key pairs: docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-key-pairs.html, and the API reference of each action. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/time.h"
#include "region/internal.h"
#include "region/key.h"
#include "region/key_pair.h"
#include "region/reply.h"

#define KEYS_PER_REGION_MAX 5000 /* EC2's default quota */
#define KEY_NAME_MAX 255
#define KEYGEN_MS 60000          /* RSA's primes take a while on a busy machine */
#define RSA_BITS "2048"          /* as EC2's */

struct key_pair *key_pair_named(struct region *r, const char *name)
{
	for (size_t i = 0; i < model_count(r->model, KIND_KEY); i++) {
		struct key_pair *k = model_at(r->model, KIND_KEY, i);

		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

int key_pair_not_found(const char *name, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "InvalidKeyPair.NotFound", "The key pair '%.64s' does not exist", name);
}

/* EC2: "up to 255 ASCII characters; can't include leading or trailing spaces". */
static int check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);
	bool good = len > 0 && len <= KEY_NAME_MAX && name[0] != ' ' && name[len - 1] != ' ';

	for (size_t i = 0; good && i < len; i++)
		good = name[i] >= 0x20 && name[i] < 0x7f;
	if (good)
		return 0;
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			      "Value (%.64s) for parameter KeyName is invalid. A name has 1 to %d printable ASCII characters, no spaces at its ends.",
			      name, KEY_NAME_MAX);
}

static int check_free(struct region *r, const char *name, struct error *err)
{
	if (key_pair_named(r, name))
		return error_set_code(err, ERROR_USAGE, "InvalidKeyPair.Duplicate", "The keypair already exists: '%.64s'", name);
	if (model_count(r->model, KIND_KEY) >= KEYS_PER_REGION_MAX)
		return error_set_code(err, ERROR_USAGE, "ResourceLimitExceeded", "The maximum number of key pairs has been reached: %d.",
				      KEYS_PER_REGION_MAX);
	return 0;
}

/* Under the lock: stores the pair and begins the reply. material: the private key, or NULL. */
static int store(struct region *r, const struct caller *caller, const json_t *in, json_t *out, const struct public_key *public,
		 const char *fingerprint, const char *material, struct error *err)
{
	const char *name = in_text(in, "KeyName");
	struct key_pair *k = model_new(KIND_KEY);
	struct change c = { NULL, k ? &k->o : NULL };

	if (!k)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	snprintf(k->name, sizeof k->name, "%s", name);
	snprintf(k->type, sizeof k->type, "%s", public->type);
	snprintf(k->fingerprint, sizeof k->fingerprint, "%s", fingerprint);
	k->create_time = time_wall_ms();
	k->public_key = public_key_line(public, name, err);
	if (!k->public_key || check_free(r, name, err) < 0 || in_tags(in, "key-pair", &k->o.tags, err) < 0 ||
	    action_dry_run(caller, err) < 0 || region_commit(r, &c, 1, err) < 0) {
		object_free(&k->o);
		return -1;
	}
	put_text(out, "keyName", k->name);
	put_text(out, "keyFingerprint", k->fingerprint);
	put_text(out, "keyMaterial", material);
	put_text(out, "keyPairId", k->o.id);
	put_tags(out, &k->o.tags);
	return 0;
}

static const struct param import_params[] = {
	{ "KeyName", PARAM_STRING, 0, NULL, true, NULL },
	{ "PublicKeyMaterial", PARAM_BLOB, 0, NULL, true, "base64 of OpenSSH's line, of RFC 4716's form, or of a DER key in base64" },
	PARAM_TAG_SPECIFICATIONS,
	PARAM_END,
};
static const struct param import_reply[] = { TEXT("keyName"), TEXT("keyFingerprint"), TEXT("keyPairId"), REPLY_TAGS, PARAM_END };

static int import_key(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	char fingerprint[KEY_FINGERPRINT_MAX];
	struct public_key public;
	AUTO_FREE char *text = NULL;
	size_t len;
	int rc;

	if (check_name(in_text(in, "KeyName"), err) < 0)
		return -1;
	text = base64_decode(in_text(in, "PublicKeyMaterial"), &len, err);
	if (!text || public_key_parse(text, len, &public, err) < 0 || public_key_fingerprint(&public, fingerprint, err) < 0)
		return -1;
	region_lock(r);
	rc = store(r, caller, in, out, &public, fingerprint, NULL, err);
	region_unlock(r);
	return rc;
}

static const struct param create_params[] = {
	{ "KeyName", PARAM_STRING, 0, NULL, true, NULL },
	{ "KeyType", PARAM_STRING, 0, NULL, false, "rsa (2048 bits; when absent) or ed25519" },
	{ "KeyFormat", PARAM_STRING, 0, NULL, false, "pem" },
	PARAM_TAG_SPECIFICATIONS,
	PARAM_END,
};
static const struct param create_reply[] = {
	TEXT("keyName"), TEXT("keyFingerprint"), { "keyMaterial", PARAM_STRING, 0, NULL, false, "the private key; it is kept nowhere else" },
	TEXT("keyPairId"), REPLY_TAGS, PARAM_END
};

static void remove_tree(char **path)
{
	if (*path)
		file_remove_tree(*path, NULL);
	free(*path);
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

/* A fresh pair. ssh-keygen writes it to a private directory in run_dir, which is gone again when this returns. */
static char *generate(struct region *r, bool rsa, struct public_key *public, struct error *err)
{
	char *dir CLEANUP(remove_tree) = NULL;
	char *private CLEANUP(wipe) = NULL;
	AUTO_FREE char *template = file_path(err, "%s/key-pair.XXXXXX", r->config.run_dir), *key = NULL, *pub = NULL, *line = NULL;
	const struct process_options opt = { .deadline = deadline_in(time_scaled(KEYGEN_MS)) };
	size_t len;

	if (!template)
		return NULL;
	if (!mkdtemp(template)) {
		error_set_errno(err, errno, "A directory for a key pair can't be made as %s", template);
		return NULL;
	}
	dir = TAKE_PTR(template);
	key = file_path(err, "%s/key", dir);
	pub = file_path(err, "%s/key.pub", dir);
	if (!key || !pub)
		return NULL;
	{
		/* PEM is PKCS#1 for RSA, as EC2's .pem files; for ed25519 there is OpenSSH's own form alone, as in EC2 */
		const char *const rsa_argv[] = { "ssh-keygen", "-q", "-t", "rsa", "-b", RSA_BITS, "-m", "PEM", "-N", "", "-C", "", "-f", key, NULL };
		const char *const ed25519_argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key, NULL };

		if (process_check(rsa ? rsa_argv : ed25519_argv, &opt, err) < 0)
			return NULL;
	}
	line = file_read(pub, KEY_MATERIAL_MAX, &len, err);
	if (!line || public_key_parse(line, len, public, err) < 0)
		return NULL;
	private = file_read(key, KEY_MATERIAL_MAX, NULL, err);
	return TAKE_PTR(private);
}

static int create_key(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *name = in_text(in, "KeyName"), *type = in_text(in, "KeyType"), *format = in_text(in, "KeyFormat");
	bool rsa = !type || strcmp(type, "rsa") == 0;
	char *private CLEANUP(wipe) = NULL;
	char fingerprint[KEY_FINGERPRINT_MAX];
	struct tags tags = { NULL, 0 };
	struct public_key public;
	int rc;

	if (check_name(name, err) < 0)
		return -1;
	if (!rsa && strcmp(type, "ed25519") != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%.64s) for parameter KeyType is invalid. It is rsa or ed25519.", type);
	if (format && strcmp(format, "ppk") == 0)
		return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
				      "The parameter KeyFormat=ppk is not built in this region; take pem and convert it with puttygen.");
	if (format && strcmp(format, "pem") != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Value (%.64s) for parameter KeyFormat is invalid. It is pem or ppk.", format);
	/* all that can be refused is, before ssh-keygen works; the lock isn't held while it does */
	region_lock(r);
	rc = check_free(r, name, err) < 0 || in_tags(in, "key-pair", &tags, err) < 0 || action_dry_run(caller, err) < 0 ? -1 : 0;
	region_unlock(r);
	tags_free(&tags);
	private = rc == 0 ? generate(r, rsa, &public, err) : NULL;
	if (!private || (rsa ? private_key_fingerprint(private, fingerprint, err) : public_key_fingerprint(&public, fingerprint, err)) < 0)
		return -1;
	region_lock(r);
	rc = store(r, caller, in, out, &public, fingerprint, private, err);
	region_unlock(r);
	return rc;
}

static const struct param delete_params[] = { TEXT("KeyName"), TEXT("KeyPairId"), PARAM_END };
static const struct param delete_reply[] = { BOOLEAN("return"), TEXT("keyPairId"), PARAM_END };

static int delete_locked(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *name = in_text(in, "KeyName"), *id = in_text(in, "KeyPairId");
	struct key_pair *k = id ? model_find(r->model, KIND_KEY, id) : name ? key_pair_named(r, name) : NULL;
	struct change c = { k ? &k->o : NULL, NULL };

	if (!name && !id)
		return error_set_code(err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter KeyName or KeyPairId");
	if (name && id && k && strcmp(k->name, name) != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination", "The key pair %s is not named '%.64s' but '%.255s'.", id,
				      name, k->name);
	if (action_dry_run(caller, err) < 0 || (k && region_commit(r, &c, 1, err) < 0))
		return -1;
	put_bool(out, "return", true); /* of a pair that isn't there too, as EC2 answers */
	put_text(out, "keyPairId", k ? k->o.id : NULL);
	return 0;
}

static int delete_key(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int rc;

	region_lock(r);
	rc = delete_locked(r, caller, in, out, err);
	region_unlock(r);
	return rc;
}

static const struct param describe_params[] = {
	TEXTS("KeyName"), TEXTS("KeyPairId"), BOOLEAN("IncludePublicKey"), PARAM_FILTERS, PARAM_END
};
static const struct param key_members[] = {
	TEXT("keyPairId"), TEXT("keyFingerprint"), TEXT("keyName"), TEXT("keyType"), REPLY_TAGS,
	{ "publicKey", PARAM_STRING, 0, NULL, false, "with IncludePublicKey" }, TIMESTAMP("createTime"), PARAM_END
};
static const struct param describe_reply[] = { LIST("keySet", key_members), PARAM_END };
static const struct filter_path key_filters[] = {
	{ "key-pair-id", "keyPairId" }, { "fingerprint", "keyFingerprint" }, { "key-name", "keyName" }, { NULL, NULL }
};

static int check_found(struct region *r, const json_t *names, const json_t *ids, struct error *err)
{
	const json_t *v;
	size_t i;

	json_array_foreach(names, i, v)
	{
		if (!key_pair_named(r, json_string_value(v)))
			return key_pair_not_found(json_string_value(v), err);
	}
	json_array_foreach(ids, i, v)
	{
		if (!id_well_formed(json_string_value(v), "key"))
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Value (%.64s) for parameter KeyPairId is invalid; an id is \"key-...\".",
					      json_string_value(v));
		if (!model_find(r->model, KIND_KEY, json_string_value(v)))
			return key_pair_not_found(json_string_value(v), err);
	}
	return 0;
}

static int describe_keys(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *names = json_object_get(in, "KeyName"), *ids = json_object_get(in, "KeyPairId");
	bool whole = in_bool(in, "IncludePublicKey", false);
	json_t *items = json_array();
	int rc;

	(void)caller;
	region_lock(r);
	rc = check_found(r, names, ids, err);
	for (size_t i = 0; rc == 0 && i < model_count(r->model, KIND_KEY); i++) {
		const struct key_pair *k = model_at(r->model, KIND_KEY, i);
		json_t *item;

		if ((names || ids) && !in_list(names, k->name) && !in_list(ids, k->o.id))
			continue;
		item = add_item(items);
		put_text(item, "keyPairId", k->o.id);
		put_text(item, "keyFingerprint", k->fingerprint);
		put_text(item, "keyName", k->name);
		put_text(item, "keyType", k->type);
		put_tags(item, &k->o.tags);
		put_text(item, "publicKey", whole ? k->public_key : NULL);
		put_time(item, "createTime", k->create_time);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "keySet", items, key_filters, names || ids, err);
}

const struct action key_actions[] = {
	{ "CreateKeyPair", "ec2", "Makes a key pair; its private key is in the reply and nowhere else.", create_params, create_reply, true,
	  create_key },
	{ "ImportKeyPair", "ec2", "Makes a key pair of a public key.", import_params, import_reply, true, import_key },
	{ "DeleteKeyPair", "ec2", "Deletes a key pair; instances keep the public key that they were launched with.", delete_params, delete_reply,
	  true, delete_key },
	{ "DescribeKeyPairs", "ec2", "Lists key pairs.", describe_params, describe_reply, false, describe_keys },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
