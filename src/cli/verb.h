/* The one table of verbs: names, synopsis, flags, help and handler. Usage errors, `help`, `--help`, did-you-mean and
 * docs/verbs.md all come from it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "cli/arguments.h"
#include "cli/cli.h"

#define HELP_MAX (256u << 10)

/* Tables of flags end with a NULL name. */
struct flag {
	const char *name; /* without dashes */
	const char *arg;  /* what its value is called; NULL: a switch */
	const char *help;
};

struct verb {
	const char *name;
	const char *group;    /* heading in `vpclab help`; NULL: not listed */
	const char *synopsis; /* the words after the verb, without flags; "" for none */
	const char *summary;  /* one line */
	const char *details;  /* paragraphs, already wrapped; NULL for none */
	const struct flag *flags;
	int min_words, max_words; /* max -1: any number */
	bool greedy;              /* everything after min_words words is taken as it is, flags and all */
	/* Returns the exit status, or -1 with err. */
	int (*run)(struct cli *cli, const struct arguments *a, struct error *err);
};

/* NULL-terminated, in the order of help. */
extern const struct verb *const verbs[];
/* Flags that any verb takes. */
extern const struct flag global_flags[];

const struct verb *verb_find(const char *name);
/* NULL with a usage error that guesses what was meant. */
const struct verb *verb_find_or_guess(const char *name, struct error *err);

/* Texts made from the table. Pure. */
void help_overview(struct buffer *out);
void help_usage(struct buffer *out, const struct verb *v);
void help_verb(struct buffer *out, const struct verb *v);
void help_reference(struct buffer *out);

#define VERB(name) extern const struct verb verb_##name
VERB(up);
VERB(verify);
VERB(down);
VERB(why);
VERB(launch);
VERB(ls);
VERB(show);
VERB(stop);
VERB(start);
VERB(reboot);
VERB(terminate);
VERB(allow);
VERB(deny);
VERB(rules);
VERB(ip);
VERB(connect);
VERB(exec);
VERB(key);
VERB(cp);
VERB(log);
VERB(image);
VERB(events);
VERB(doctor);
VERB(daemon);
VERB(help);
VERB(version);
VERB(reference);
VERB(complete);
#undef VERB
