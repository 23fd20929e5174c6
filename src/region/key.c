#include "region/key.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/cleanup.h"

#define RSA_WORD "ssh-rsa"
#define ED25519_WORD "ssh-ed25519"
#define ED25519_LEN 32
#define DER_MAX 8192
#define RFC4716_BEGIN "---- BEGIN SSH2 PUBLIC KEY ----"
#define RFC4716_END "---- END SSH2 PUBLIC KEY ----"
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END "-----END PUBLIC KEY-----"
#define PKCS1_BEGIN "-----BEGIN RSA PRIVATE KEY-----"
#define PKCS1_END "-----END RSA PRIVATE KEY-----"

enum { DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_SEQUENCE = 0x30 };

/* SEQUENCE { OID 1.2.840.113549.1.1.1 rsaEncryption, NULL } */
static const unsigned char rsa_algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
/* SEQUENCE { OID 1.3.101.112 Ed25519 } */
static const unsigned char ed25519_algorithm[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };

struct span {
	const unsigned char *p;
	size_t len;
};

static int bad_format(const char *why, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "InvalidKey.Format",
			      "Key is not in valid OpenSSH public key format: %s; send the line of a .pub file of an RSA key (1024, 2048 or 4096 bits) or an ed25519 key.",
			      why);
}

/* The next string of SSH's wire format, cut off s. */
static bool take_string(struct span *s, struct span *ret)
{
	size_t n;

	if (s->len < 4)
		return false;
	n = (size_t)s->p[0] << 24 | (size_t)s->p[1] << 16 | (size_t)s->p[2] << 8 | s->p[3];
	if (n > s->len - 4)
		return false;
	*ret = (struct span){ s->p + 4, n };
	s->p += 4 + n;
	s->len -= 4 + n;
	return true;
}

/* The next element of DER with that tag, cut off s. Lengths as DER has them: definite, at most three bytes here. */
static bool take_der(struct span *s, unsigned tag, struct span *ret)
{
	size_t n, head = 2;

	if (s->len < 2 || s->p[0] != tag)
		return false;
	n = s->p[1];
	if (n & 0x80) {
		size_t digits = n & 0x7f;

		if (digits < 1 || digits > 3 || s->len < 2 + digits)
			return false;
		n = 0;
		for (size_t i = 0; i < digits; i++)
			n = n << 8 | s->p[2 + i];
		head += digits;
	}
	if (n > s->len - head)
		return false;
	*ret = (struct span){ s->p + head, n };
	s->p += head + n;
	s->len -= head + n;
	return true;
}

static bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

/* A positive number without superfluous zeros in front, as mpint and DER's INTEGER both have it. */
static bool positive(struct span s)
{
	if (s.len == 0 || s.p[0] & 0x80)
		return false;
	return s.p[0] != 0 || (s.len > 1 && s.p[1] & 0x80);
}

static unsigned bits_of(struct span s)
{
	unsigned bits;

	if (s.p[0] == 0) {
		s.p++;
		s.len--;
	}
	bits = (unsigned)s.len * 8;
	for (unsigned mask = 0x80; mask && !(s.p[0] & mask); mask >>= 1)
		bits--;
	return bits;
}

/* What the blob holds, checked in every byte. */
static int blob_check(struct public_key *k, struct error *err)
{
	struct span s = { k->blob, k->blob_len }, word, e, n;

	if (!take_string(&s, &word))
		return bad_format("its base64 holds no key", err);
	if (span_is(word, ED25519_WORD)) {
		if (!take_string(&s, &n) || n.len != ED25519_LEN || s.len)
			return bad_format("an ed25519 key has 32 bytes", err);
		k->type = "ed25519";
		k->word = ED25519_WORD;
		k->bits = 256;
		return 0;
	}
	if (!span_is(word, RSA_WORD))
		return bad_format("it is of another type", err);
	if (!take_string(&s, &e) || !take_string(&s, &n) || s.len || !positive(e) || !positive(n))
		return bad_format("its numbers can't be read", err);
	k->type = "rsa";
	k->word = RSA_WORD;
	k->bits = bits_of(n);
	if (k->bits != 1024 && k->bits != 2048 && k->bits != 4096)
		return bad_format("the RSA key's length is not 1024, 2048 or 4096 bits", err);
	return 0;
}

static bool add_string(struct public_key *k, const void *data, size_t len)
{
	unsigned char *to = k->blob + k->blob_len;

	if (len + 4 > sizeof k->blob - k->blob_len)
		return false;
	to[0] = to[1] = 0;
	to[2] = (unsigned char)(len >> 8);
	to[3] = (unsigned char)len;
	memcpy(to + 4, data, len);
	k->blob_len += len + 4;
	return true;
}

/* SubjectPublicKeyInfo: SEQUENCE { algorithm, BIT STRING }; RSA's bits are SEQUENCE { n, e }, ed25519's are the key. */
static bool from_der(struct span der, struct public_key *k)
{
	struct span info, bits, pair, n, e;
	bool rsa;

	if (!take_der(&der, DER_SEQUENCE, &info) || der.len)
		return false;
	rsa = info.len > sizeof rsa_algorithm && memcmp(info.p, rsa_algorithm, sizeof rsa_algorithm) == 0;
	if (!rsa && (info.len <= sizeof ed25519_algorithm || memcmp(info.p, ed25519_algorithm, sizeof ed25519_algorithm) != 0))
		return false;
	info.p += rsa ? sizeof rsa_algorithm : sizeof ed25519_algorithm;
	info.len -= rsa ? sizeof rsa_algorithm : sizeof ed25519_algorithm;
	if (!take_der(&info, DER_BIT_STRING, &bits) || info.len || bits.len < 1 || bits.p[0] != 0)
		return false;
	bits.p++;
	bits.len--;
	k->blob_len = 0;
	if (!rsa)
		return add_string(k, ED25519_WORD, strlen(ED25519_WORD)) && add_string(k, bits.p, bits.len);
	if (!take_der(&bits, DER_SEQUENCE, &pair) || bits.len || !take_der(&pair, DER_INTEGER, &n) || !take_der(&pair, DER_INTEGER, &e) ||
	    pair.len)
		return false;
	return add_string(k, RSA_WORD, strlen(RSA_WORD)) && add_string(k, e.p, e.len) && add_string(k, n.p, n.len);
}

/* A copy of what is between two marks; NULL where they are not there. */
static char *between(const char *text, const char *begin, const char *end)
{
	const char *from = strstr(text, begin), *to;

	if (!from)
		return NULL;
	from += strlen(begin);
	to = strstr(from, end);
	return to ? strndup(from, (size_t)(to - from)) : NULL;
}

/* RFC 4716's headers ("Comment: ...", with a backslash at the end of a line that goes on) are blanked. */
static void blank_headers(char *body)
{
	bool goes_on = false;

	while (*body) {
		size_t len = strcspn(body, "\n"), text = len;
		bool header = goes_on || memchr(body, ':', len);

		if (text && body[text - 1] == '\r')
			text--;
		goes_on = header && text && body[text - 1] == '\\';
		if (header)
			memset(body, ' ', len);
		body += len + (body[len] == '\n');
	}
}

static int blob_from_base64(const char *text, struct public_key *k, struct error *err)
{
	size_t len;
	AUTO_FREE char *raw = base64_decode(text, &len, NULL);

	if (!raw || len == 0 || len > sizeof k->blob)
		return bad_format("its base64 can't be read", err);
	memcpy(k->blob, raw, len);
	k->blob_len = len;
	return blob_check(k, err);
}

static int der_from_base64(const char *text, struct public_key *k, struct error *err)
{
	size_t len;
	AUTO_FREE char *raw = base64_decode(text, &len, NULL);

	if (!raw || !from_der((struct span){ (const unsigned char *)raw, len }, k))
		return bad_format("it is neither OpenSSH's line, nor RFC 4716's form, nor the DER of a public key in base64", err);
	return blob_check(k, err);
}

/* TYPE BASE64 [COMMENT], one line. */
static int from_line(const char *text, struct public_key *k, struct error *err)
{
	size_t word = strcspn(text, " \t"), len;
	const char *key = text + word + strspn(text + word, " \t"), *rest;
	AUTO_FREE char *base64 = NULL;

	len = strcspn(key, " \t\r\n");
	rest = key + len + strcspn(key + len, "\r\n");
	if (rest[strspn(rest, "\r\n \t")])
		return bad_format("it has more than one line", err);
	base64 = strndup(key, len);
	if (!base64)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (blob_from_base64(base64, k, err) < 0)
		return -1;
	if (strlen(k->word) != word || memcmp(k->word, text, word) != 0)
		return bad_format("its first word is not the type that its base64 holds", err);
	return 0;
}

int public_key_parse(const char *text, size_t len, struct public_key *ret, struct error *err)
{
	AUTO_FREE char *body = NULL;

	memset(ret, 0, sizeof *ret);
	if (len > KEY_MATERIAL_MAX || strlen(text) != len)
		return bad_format("it is too long or holds a zero byte", err);
	text += strspn(text, " \t\r\n");
	if (strstr(text, "PRIVATE KEY"))
		return bad_format("it is a private key, which should go nowhere", err);
	if (strncmp(text, "ssh-", 4) == 0 || strncmp(text, "ecdsa-", 6) == 0 || strncmp(text, "sk-", 3) == 0)
		return from_line(text, ret, err);
	body = between(text, RFC4716_BEGIN, RFC4716_END);
	if (body) {
		blank_headers(body);
		return blob_from_base64(body, ret, err);
	}
	body = between(text, PEM_BEGIN, PEM_END);
	return der_from_base64(body ? body : text, ret, err);
}

char *public_key_line(const struct public_key *k, const char *comment, struct error *err)
{
	AUTO_FREE char *base64 = base64_encode(k->blob, k->blob_len, err);
	AUTO_BUFFER struct buffer line = BUFFER_INIT(KEY_MATERIAL_MAX);

	if (!base64)
		return NULL;
	buffer_addf(&line, "%s %s %s", k->word, base64, comment);
	return buffer_take(&line, err);
}

static void add_der_head(struct buffer *out, unsigned tag, size_t len)
{
	unsigned char head[4] = { (unsigned char)tag, 0x82, (unsigned char)(len >> 8), (unsigned char)len };

	if (len < 0x80) {
		head[1] = (unsigned char)len;
		buffer_add_len(out, head, 2);
	} else if (len < 0x100) {
		head[1] = 0x81;
		head[2] = (unsigned char)len;
		buffer_add_len(out, head, 3);
	} else {
		buffer_add_len(out, head, 4);
	}
}

static size_t der_size(size_t len)
{
	return len + (len < 0x80 ? 2 : len < 0x100 ? 3 : 4);
}

/* 12:34:... */
static void hex_colons(char *out, const uint8_t *digest, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + i * 3, 4, "%02x%s", digest[i], i + 1 < len ? ":" : "");
}

static int rsa_fingerprint(const struct public_key *k, char ret[KEY_FINGERPRINT_MAX], struct error *err)
{
	struct span s = { k->blob, k->blob_len }, word, e, n;
	AUTO_BUFFER struct buffer der = BUFFER_INIT(DER_MAX);
	uint8_t digest[MD5_DIGEST_SIZE];
	struct md5_ctx ctx;
	size_t pair, bits;

	if (!take_string(&s, &word) || !take_string(&s, &e) || !take_string(&s, &n))
		return error_set(err, ERROR_INTERNAL, "A public key was not checked.");
	pair = der_size(n.len) + der_size(e.len);
	bits = 1 + der_size(pair);
	add_der_head(&der, DER_SEQUENCE, sizeof rsa_algorithm + der_size(bits));
	buffer_add_len(&der, rsa_algorithm, sizeof rsa_algorithm);
	add_der_head(&der, DER_BIT_STRING, bits);
	buffer_add_len(&der, "", 1); /* no unused bits */
	add_der_head(&der, DER_SEQUENCE, pair);
	add_der_head(&der, DER_INTEGER, n.len);
	buffer_add_len(&der, n.p, n.len);
	add_der_head(&der, DER_INTEGER, e.len);
	buffer_add_len(&der, e.p, e.len);
	if (buffer_failed(&der))
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	md5_init(&ctx);
	md5_update(&ctx, der.len, (const uint8_t *)der.data);
	md5_digest(&ctx, sizeof digest, digest);
	hex_colons(ret, digest, sizeof digest);
	return 0;
}

int public_key_fingerprint(const struct public_key *k, char ret[KEY_FINGERPRINT_MAX], struct error *err)
{
	AUTO_FREE char *base64 = NULL;
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	if (strcmp(k->type, "rsa") == 0)
		return rsa_fingerprint(k, ret, err);
	sha256_init(&ctx);
	sha256_update(&ctx, k->blob_len, k->blob);
	sha256_digest(&ctx, sizeof digest, digest);
	base64 = base64_encode(digest, sizeof digest, err);
	if (!base64)
		return -1;
	snprintf(ret, KEY_FINGERPRINT_MAX, "%s", base64);
	return 0;
}

int private_key_fingerprint(const char *pem, char ret[KEY_FINGERPRINT_MAX], struct error *err)
{
	static const unsigned char version[] = { DER_INTEGER, 1, 0 };
	AUTO_FREE char *body = between(pem, PKCS1_BEGIN, PKCS1_END), *raw = NULL;
	AUTO_BUFFER struct buffer der = BUFFER_INIT(DER_MAX);
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx ctx;
	size_t len = 0;

	raw = body ? base64_decode(body, &len, NULL) : NULL;
	if (!raw)
		return error_set(err, ERROR_ENVIRONMENT, "ssh-keygen wrote no PEM file of an RSA key.");
	/* PKCS#8's wrapping: SEQUENCE { INTEGER 0, algorithm, OCTET STRING of PKCS#1 } */
	add_der_head(&der, DER_SEQUENCE, sizeof version + sizeof rsa_algorithm + der_size(len));
	buffer_add_len(&der, version, sizeof version);
	buffer_add_len(&der, rsa_algorithm, sizeof rsa_algorithm);
	add_der_head(&der, DER_OCTET_STRING, len);
	buffer_add_len(&der, raw, len);
	explicit_bzero(raw, len);
	explicit_bzero(body, strlen(body));
	if (!buffer_failed(&der)) {
		sha1_init(&ctx);
		sha1_update(&ctx, der.len, (const uint8_t *)der.data);
		sha1_digest(&ctx, sizeof digest, digest);
		hex_colons(ret, digest, sizeof digest);
	}
	if (der.data)
		explicit_bzero(der.data, der.cap);
	return buffer_failed(&der) ? error_set(err, ERROR_ENVIRONMENT, "Memory ran out.") : 0;
}
