/* Base64 (RFC 4648 section 4), as EC2 has user data and console output. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* NUL-terminated text without line breaks; the caller frees. NULL when memory ran out. */
char *base64_encode(const void *data, size_t len, struct error *err);
/* Bytes, NUL-terminated beyond *ret_len (may be NULL); the caller frees. White space between digits is skipped. NULL
 * with ERROR_USAGE for anything that isn't base64. */
char *base64_decode(const char *text, size_t *ret_len, struct error *err);
