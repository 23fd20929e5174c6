/* A check of the lab: one fact, what was seen, what to do about it. And reports of many, as text others read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define CHECKS_MAX 32
#define CHECK_SEEN_MAX 320

enum check_status { CHECK_PASS, CHECK_FAIL, CHECK_SKIP };

struct check {
	const char *id, *title; /* static */
	enum check_status status;
	char seen[CHECK_SEEN_MAX], advice[CHECK_SEEN_MAX];
	int64_t elapsed_ms;
};

struct checks {
	struct check items[CHECKS_MAX];
	size_t count;
	int64_t last; /* monotonic ms: when the last one ended */
};

void checks_init(struct checks *c);
void check_add(struct checks *c, const char *id, const char *title, enum check_status status, const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
bool checks_passed(const struct checks *c);
const char *check_status_name(enum check_status s);

/* Pure. TAP version 13, and JUnit's XML as CI systems read it. */
void report_tap(struct buffer *out, const struct checks *c);
void report_junit(struct buffer *out, const struct checks *c, const char *suite);
