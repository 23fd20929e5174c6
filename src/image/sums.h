/* Sums of files: the vendor's SHA256SUMS and the hash of a file on disk. Private to the image room. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SHA256_TEXT_MAX 65
#define SUMS_FILE_MAX (1u << 20)

/* Pure. Finds file's sum in a SHA256SUMS text (lines `HEX  NAME` or `HEX *NAME`), in lower case. Absent or listed
 * twice with different sums is an error. */
int sums_find(char ret[SHA256_TEXT_MAX], const char *text, size_t len, const char *file, struct error *err);

/* Hashes path. progress (may be NULL) hears of bytes done and the file's size, and stops the work by a nonzero value. */
int sums_file_sha256(char ret[SHA256_TEXT_MAX], const char *path, int (*progress)(void *arg, int64_t done, int64_t total),
		     void *arg, struct error *err);
