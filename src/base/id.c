#include "base/id.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = getrandom((char *)out + done, len - done, 0);

		if (n < 0 && errno != EINTR)
			abort(); /* the kernel has a random source or nothing can be promised */
		if (n > 0)
			done += (size_t)n;
	}
}

static void from_bytes(char out[ID_MAX], const char *prefix, const uint8_t raw[9])
{
	char hex[19];

	for (int i = 0; i < 9; i++)
		snprintf(hex + i * 2, 3, "%02x", raw[i]);
	snprintf(out, ID_MAX, "%s-%.*s", prefix, ID_DIGITS, hex);
}

void id_new(char out[ID_MAX], const char *prefix)
{
	uint8_t raw[9];

	random_bytes(raw, sizeof raw);
	raw[0] &= 0x0f; /* EC2's begin with 0 */
	from_bytes(out, prefix, raw);
}

void id_from_text(char out[ID_MAX], const char *prefix, const char *text)
{
	struct sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&ctx);
	sha256_update(&ctx, strlen(text), (const uint8_t *)text);
	sha256_digest(&ctx, sizeof digest, digest);
	digest[0] &= 0x0f;
	from_bytes(out, prefix, digest);
}

bool id_well_formed(const char *text, const char *prefix)
{
	size_t n = strlen(prefix), digits;

	if (strncmp(text, prefix, n) != 0 || text[n] != '-')
		return false;
	digits = strlen(text + n + 1);
	return (digits == 8 || digits == ID_DIGITS) && strspn(text + n + 1, "0123456789abcdef") == digits;
}

void uuid_new(char out[UUID_TEXT_MAX])
{
	uint8_t b[16];

	random_bytes(b, sizeof b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, UUID_TEXT_MAX, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}
