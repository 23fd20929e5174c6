#include "cli/arguments.h"

#include <string.h>

#include "cli/suggest.h"
#include "cli/verb.h"

static const struct flag *find_in(const struct flag *flags, const char *name, size_t len)
{
	for (; flags && flags->name; flags++)
		if (strlen(flags->name) == len && memcmp(flags->name, name, len) == 0)
			return flags;
	return NULL;
}

static int unknown_flag(const struct verb *v, const char *name, struct error *err)
{
	const char *names[ARGUMENT_FLAGS_MAX * 2];
	const char *guess;
	size_t n = 0;
	char typed[64];

	for (const struct flag *f = v ? v->flags : NULL; f && f->name && n < ARRAY_SIZE(names) - 1; f++)
		names[n++] = f->name;
	for (const struct flag *f = global_flags; f->name && n < ARRAY_SIZE(names) - 1; f++)
		names[n++] = f->name;
	names[n] = NULL;
	snprintf(typed, sizeof typed, "%.*s", (int)strcspn(name, "="), name);
	guess = suggest(typed, names);
	if (guess)
		return error_set(err, ERROR_USAGE, "There is no flag --%s; did you mean --%s?", typed, guess);
	return error_set(err, ERROR_USAGE, "There is no flag --%s; `vpclab help%s%s` lists what there is.", typed,
			 v ? " " : "", v ? v->name : "");
}

/* Takes the flag at argv[*i], and its value. */
static int take_flag(struct arguments *a, int argc, char **argv, int *i, struct error *err)
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	const struct flag *f = a->verb ? find_in(a->verb->flags, name, len) : NULL;
	const char *value = eq ? eq + 1 : NULL;

	if (len == 4 && memcmp(name, "help", 4) == 0) {
		a->help = true;
		return 0;
	}
	if (!f)
		f = find_in(global_flags, name, len);
	if (!f)
		return unknown_flag(a->verb, name, err);
	if (!f->arg && value)
		return error_set(err, ERROR_USAGE, "The flag --%s takes no value.", f->name);
	if (f->arg && !value) {
		if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
			return error_set(err, ERROR_USAGE, "The flag --%s needs a value: --%s %s.", f->name, f->name, f->arg);
		value = argv[++*i];
	}
	if (a->flag_count == ARGUMENT_FLAGS_MAX)
		return error_set(err, ERROR_USAGE, "There are more than %d flags.", ARGUMENT_FLAGS_MAX);
	a->flags[a->flag_count].name = f->name;
	a->flags[a->flag_count++].value = value ? value : "";
	return 0;
}

static int check_words(const struct arguments *a, struct error *err)
{
	const struct verb *v = a->verb;

	if (!v || a->help)
		return 0;
	if ((int)a->word_count < v->min_words)
		return error_set(err, ERROR_USAGE, "Too few words: vpclab %s %s.", v->name, v->synopsis);
	if (v->max_words >= 0 && (int)a->word_count > v->max_words)
		return error_set(err, ERROR_USAGE, "\"%.64s\" is one word too many: vpclab %s%s%s.", a->words[v->max_words],
				 v->name, *v->synopsis ? " " : "", v->synopsis);
	return 0;
}

int arguments_parse(struct arguments *a, int argc, char **argv, struct error *err)
{
	memset(a, 0, sizeof *a);
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		bool full = a->verb && a->verb->greedy && (int)a->word_count >= a->verb->min_words;

		if (a->verb && strcmp(arg, "--") == 0) {
			/* what follows are words for most verbs, the command itself for exec */
			if (a->verb->greedy) {
				a->rest = i + 1 < argc ? (const char *const *)&argv[i + 1] : NULL;
				break;
			}
			for (i++; i < argc && a->word_count < ARGUMENTS_MAX; i++)
				a->words[a->word_count++] = argv[i];
			break;
		}
		if (strcmp(arg, "-h") == 0) {
			a->help = true;
		} else if (strncmp(arg, "--", 2) == 0 && arg[2]) {
			if (take_flag(a, argc, argv, &i, err) < 0)
				return -1;
		} else if (arg[0] == '-' && arg[1] && !a->verb) {
			return error_set(err, ERROR_USAGE, "There is no flag %.64s; flags have two dashes.", arg);
		} else if (!a->verb) {
			a->verb = verb_find_or_guess(arg, err);
			if (!a->verb)
				return -1;
		} else if (full) {
			a->rest = (const char *const *)&argv[i];
			break;
		} else if (a->word_count == ARGUMENTS_MAX) {
			return error_set(err, ERROR_USAGE, "There are more than %d words.", ARGUMENTS_MAX);
		} else {
			a->words[a->word_count++] = arg;
		}
	}
	return check_words(a, err);
}

const char *arguments_value(const struct arguments *a, const char *flag)
{
	for (size_t i = a->flag_count; i-- > 0;)
		if (strcmp(a->flags[i].name, flag) == 0)
			return a->flags[i].value;
	return NULL;
}

bool number_parse(const char *text, int64_t max, int64_t *ret)
{
	int64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (*text - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return true;
}

int arguments_number(const struct arguments *a, const char *flag, int64_t fallback, int64_t min, int64_t max,
		     int64_t *ret, struct error *err)
{
	const char *text = arguments_value(a, flag);

	*ret = fallback;
	if (!text)
		return 0;
	if (!number_parse(text, max, ret) || *ret < min)
		return error_set(err, ERROR_USAGE, "--%s must be a whole number from %lld to %lld, not %.32s.", flag,
				 (long long)min, (long long)max, text);
	return 0;
}

const char *arguments_word(const struct arguments *a, size_t i, const char *fallback)
{
	return i < a->word_count ? a->words[i] : fallback;
}
