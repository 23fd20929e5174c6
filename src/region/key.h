/* SSH keys of key pairs: public keys as EC2 takes them, and EC2's fingerprints. Pure: no file, no program.
 * docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html (what may be imported), verify-keys.html (fingerprints). */
#pragma once

#include <stddef.h>

#include "base/error.h"

#define KEY_MATERIAL_MAX 16384   /* bytes of what is imported */
#define KEY_FINGERPRINT_MAX 64   /* the longest, SHA-1 in hex, has 59 characters */
#define KEY_BLOB_MAX 1024        /* an RSA key of 4096 bits has 535 */

struct public_key {
	const char *type;            /* "rsa" or "ed25519" */
	const char *word;            /* "ssh-rsa", "ssh-ed25519" */
	unsigned bits;               /* of the modulus; 256 for ed25519 */
	unsigned char blob[KEY_BLOB_MAX]; /* RFC 4253 section 6.6 */
	size_t blob_len;
};

/* An OpenSSH line, RFC 4716's form, or the DER of a SubjectPublicKeyInfo in base64 with or without PEM's lines. InvalidKey.Format for
 * anything else, and for what EC2 doesn't take: DSA, ECDSA, RSA of other than 1024, 2048 or 4096 bits. */
int public_key_parse(const char *text, size_t len, struct public_key *ret, struct error *err);
/* "ssh-ed25519 AAAA... COMMENT", which the caller frees. */
char *public_key_line(const struct public_key *k, const char *comment, struct error *err);
/* Of an imported key: RSA: MD5 of the DER of its SubjectPublicKeyInfo; ed25519: SHA-256 of the blob in base64. */
int public_key_fingerprint(const struct public_key *k, char ret[KEY_FINGERPRINT_MAX], struct error *err);
/* Of a created RSA key: SHA-1 of the DER of its PKCS#8. pem is PKCS#1's form, as CreateKeyPair answers it. */
int private_key_fingerprint(const char *pem, char ret[KEY_FINGERPRINT_MAX], struct error *err);
