/* Growing text with a maximum stated at birth. A buffer that overflowed or ran out of memory stays failed:
 * build everything, then ask once with buffer_failed(). Escaping belongs here, never to the callers. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct buffer {
	char *data; /* always NUL-terminated once anything was added, may be NULL before */
	size_t len, cap, max;
	bool failed;
};

#define BUFFER_INIT(maximum) { NULL, 0, 0, (maximum), false }

void buffer_done(struct buffer *b);
#define AUTO_BUFFER CLEANUP(buffer_done)

void buffer_add(struct buffer *b, const char *text);
void buffer_add_len(struct buffer *b, const void *data, size_t len);
void buffer_addf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buffer_addv(struct buffer *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Escapes & < > " ' and drops (as U+FFFD) what XML 1.0 can't carry. */
void buffer_add_xml(struct buffer *b, const char *text);
/* application/x-www-form-urlencoded as RFC 3986 has it: only unreserved characters stay. */
void buffer_add_url(struct buffer *b, const char *text);
/* One word of a POSIX shell command line, quoted where it needs to be. */
void buffer_add_shell(struct buffer *b, const char *text);

static inline bool buffer_failed(const struct buffer *b)
{
	return b->failed;
}

/* The text, never NULL; "" for an empty buffer. */
const char *buffer_text(const struct buffer *b);
/* Gives the text to the caller, who frees it; NULL with err set where the buffer had failed. */
char *buffer_take(struct buffer *b, struct error *err);
void buffer_reset(struct buffer *b);
