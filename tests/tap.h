/* TAP for the unit tests: ok(), is_str(), is_int(), golden(). Output is read by prove. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

static inline bool __attribute__((format(printf, 2, 3), unused)) ok(bool good, const char *fmt, ...)
{
	va_list ap;

	tap_count++;
	tap_failed += !good;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	return good;
}

static inline void tap_diag_lines(const char *label, const char *text)
{
	printf("# %s: ", label);
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n')
			printf("#   ");
	}
	putchar('\n');
}

static inline bool __attribute__((unused)) is_str(const char *got, const char *want, const char *what)
{
	bool good = got && want ? strcmp(got, want) == 0 : got == want;

	ok(good, "%s", what);
	if (!good) {
		tap_diag_lines("got", got ? got : "(null)");
		tap_diag_lines("want", want ? want : "(null)");
	}
	return good;
}

static inline bool __attribute__((unused)) is_int(long long got, long long want, const char *what)
{
	bool good = got == want;

	ok(good, "%s", what);
	if (!good)
		printf("# got %lld, want %lld\n", got, want);
	return good;
}

/* Compares text with the file tests/golden/NAME; GOLDEN_UPDATE=1 writes it. */
static inline bool __attribute__((unused)) golden(const char *text, const char *name)
{
	char path[512], *want = NULL;
	size_t len = 0;
	FILE *f;
	bool good;

	snprintf(path, sizeof path, "tests/golden/%s", name);
	if (getenv("GOLDEN_UPDATE")) {
		f = fopen(path, "w");
		if (f) {
			fputs(text, f);
			fclose(f);
		}
	}
	f = fopen(path, "r");
	if (f) {
		if (getdelim(&want, &len, '\0', f) < 0 && want)
			want[0] = '\0';
		fclose(f);
	}
	good = is_str(text, want, name);
	free(want);
	return good;
}

/* The last thing that main returns. */
static inline int __attribute__((unused)) tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}
