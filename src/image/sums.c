#include "image/sums.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define HEX_DIGITS (SHA256_DIGEST_SIZE * 2)
#define CHUNK (1u << 20)

/* The name of a line that is `HEX  NAME` or `HEX *NAME`; NULL for any other line. */
static const char *name_of(const char *line, size_t n, size_t *ret_len)
{
	if (n < HEX_DIGITS + 3)
		return NULL;
	for (size_t i = 0; i < HEX_DIGITS; i++)
		if (!isxdigit((unsigned char)line[i]))
			return NULL;
	if (line[HEX_DIGITS] != ' ' || (line[HEX_DIGITS + 1] != ' ' && line[HEX_DIGITS + 1] != '*'))
		return NULL;
	*ret_len = n - HEX_DIGITS - 2;
	return line + HEX_DIGITS + 2;
}

int sums_find(char ret[SHA256_TEXT_MAX], const char *text, size_t len, const char *file, struct error *err)
{
	char found[SHA256_TEXT_MAX] = "";

	for (size_t at = 0; at < len;) {
		const char *line = text + at, *nl = memchr(line, '\n', len - at), *name;
		size_t n = nl ? (size_t)(nl - line) : len - at, name_len;
		char sum[SHA256_TEXT_MAX];

		at += n + 1;
		if (n && line[n - 1] == '\r')
			n--;
		name = name_of(line, n, &name_len);
		if (!name || name_len != strlen(file) || memcmp(name, file, name_len) != 0)
			continue;
		for (size_t i = 0; i < HEX_DIGITS; i++)
			sum[i] = (char)tolower((unsigned char)line[i]);
		sum[HEX_DIGITS] = '\0';
		if (*found && strcmp(found, sum) != 0)
			return error_set(err, ERROR_ENVIRONMENT,
					 "The list of sums names %s twice with different sums; the server is broken.", file);
		memcpy(found, sum, sizeof found);
	}
	if (!*found)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The list of sums has no line for %s; the server doesn't have this image's layout.", file);
	memcpy(ret, found, sizeof found);
	return 0;
}

int sums_file_sha256(char ret[SHA256_TEXT_MAX], const char *path, int (*progress)(void *arg, int64_t done, int64_t total),
		     void *arg, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE uint8_t *chunk = NULL;
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	struct stat st;
	int64_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "%s can't be read", path);
	chunk = malloc(CHUNK);
	if (!chunk)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	sha256_init(&ctx);
	for (;;) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, errno, "%s can't be read", path);
		if (n == 0)
			break;
		sha256_update(&ctx, (size_t)n, chunk);
		done += n;
		if (progress && progress(arg, done, (int64_t)st.st_size))
			return error_set(err, ERROR_ENVIRONMENT, "The check of %s was cancelled.", path);
	}
	sha256_digest(&ctx, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(ret + i * 2, 3, "%02x", digest[i]);
	return 0;
}
