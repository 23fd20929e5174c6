/* A command line taken apart by the table of verbs: flags, words, and what follows `--`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ARGUMENTS_MAX 1024
#define ARGUMENT_FLAGS_MAX 64

struct verb;

/* Everything points into argv. */
struct arguments {
	const struct verb *verb; /* NULL when none was given */
	bool help;               /* --help or -h */
	struct {
		const char *name, *value; /* value is "" for a switch */
	} flags[ARGUMENT_FLAGS_MAX];
	size_t flag_count;
	const char *words[ARGUMENTS_MAX];
	size_t word_count;
	const char *const *rest; /* a greedy verb's own command, NULL-terminated; NULL for none */
};

/* argv[0] is the program. Unknown verbs and flags, missing and superfluous values are ERROR_USAGE. Pure. */
int arguments_parse(struct arguments *ret, int argc, char **argv, struct error *err);
/* The flag's last value, or NULL. */
const char *arguments_value(const struct arguments *a, const char *flag);
static inline bool arguments_has(const struct arguments *a, const char *flag)
{
	return arguments_value(a, flag) != NULL;
}
/* The flag's value as a number within the bounds, fallback where it wasn't given. */
int arguments_number(const struct arguments *a, const char *flag, int64_t fallback, int64_t min, int64_t max,
		     int64_t *ret, struct error *err);
/* Word i or fallback. */
const char *arguments_word(const struct arguments *a, size_t i, const char *fallback);
/* A whole decimal number without sign or blanks. */
bool number_parse(const char *text, int64_t max, int64_t *ret);
