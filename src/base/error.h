/* The one error type: who fails fills it, who can do something about it reads it, main prints it once.
 *
 * Contract: a function that takes `struct error *err` returns 0 (or a pointer) on success and leaves err
 * alone; on failure it returns -1 (or NULL) and has filled err, unless err is NULL. A message is one whole
 * sentence: what was wrong, the offending value, what to do. Library code never prints it. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define ERROR_CODE_MAX 64
#define ERROR_MESSAGE_MAX 1024

/* What kind of failure it is; each maps to one exit code of the verbs (docs/reference.md). */
enum error_kind {
	ERROR_NONE = 0,
	ERROR_CHECK,       /* a check of the lab failed: exit 1 */
	ERROR_USAGE,       /* the caller asked for something that can't be: exit 2, HTTP 4xx */
	ERROR_ENVIRONMENT, /* this machine lacks or refuses something: exit 3, HTTP 5xx */
	ERROR_TIMEOUT,     /* a deadline passed: exit 4, HTTP 5xx */
	ERROR_INTERNAL,    /* a bug of ours: exit 3, HTTP 500 */
};

struct error {
	enum error_kind kind;
	int http_status;                 /* 0: derived from kind */
	char code[ERROR_CODE_MAX];       /* EC2's error code where EC2 has one, else "" */
	char message[ERROR_MESSAGE_MAX]; /* one sentence, cut at the buffer's end */
};

/* All of these return -1 so that `return error_set(err, ...)` reads well. err may be NULL. */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int error_set_code(struct error *err, enum error_kind kind, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Appends ": <strerror(errnum)>" to the sentence. ENOSPC, EPERM and the like become ERROR_ENVIRONMENT. */
int error_set_errno(struct error *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the message that is there. */
int error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int error_exit_code(const struct error *err);
int error_http_status(const struct error *err);
const char *error_kind_name(enum error_kind kind);
void error_clear(struct error *err);
