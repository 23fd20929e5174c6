/* `vpclab help`, `version` and `reference`. */
#include <string.h>

#include "cli/about.h"
#include "cli/completion.h"
#include "cli/verb.h"

#ifndef VPCLAB_VERSION
#define VPCLAB_VERSION "unknown"
#endif

static int print_buffer(struct buffer *b, struct error *err)
{
	if (buffer_failed(b))
		return error_set(err, ERROR_INTERNAL, "The help is longer than %u bytes.", HELP_MAX);
	fputs(buffer_text(b), stdout);
	return 0;
}

int about_help(const struct verb *v, struct error *err)
{
	AUTO_BUFFER struct buffer text = BUFFER_INIT(HELP_MAX);

	if (v)
		help_verb(&text, v);
	else
		help_overview(&text);
	return print_buffer(&text, err);
}

int about_version(void)
{
	printf("vpclab %s\n", VPCLAB_VERSION);
	return 0;
}

static int run_help(struct cli *cli, const struct arguments *a, struct error *err)
{
	const struct verb *v = NULL;

	(void)cli;
	if (a->word_count) {
		v = verb_find_or_guess(a->words[0], err);
		if (!v)
			return -1;
	}
	return about_help(v, err);
}

const struct verb verb_help = {
	.name = "help",
	.group = "The region",
	.synopsis = "[VERB]",
	.summary = "This list, or help for one verb.",
	.min_words = 0,
	.max_words = 1,
	.run = run_help,
};

static int run_version(struct cli *cli, const struct arguments *a, struct error *err)
{
	(void)a;
	(void)err;
	if (cli->json)
		printf("{ \"version\": \"%s\" }\n", VPCLAB_VERSION);
	else
		about_version();
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.group = "The region",
	.synopsis = "",
	.summary = "Print the version.",
	.run = run_version,
};

static void settings_reference(struct buffer *out)
{
	struct config defaults;

	config_defaults(&defaults);
	buffer_add(out, "# Settings\n\n<!-- Made by `vpclab reference settings` from the table of settings; do not edit. -->\n\n"
			"| setting | default | meaning |\n|---|---|---|\n");
	for (size_t i = 0; i < config_keys_count; i++) {
		const char *value = (const char *)&defaults + config_keys[i].offset;

		buffer_addf(out, "| `%s` | %s%s%s | %s |\n", config_keys[i].name, *value ? "`" : "", *value ? value : "empty",
			    *value ? "`" : "", config_keys[i].what);
	}
}

static void manual(struct buffer *out)
{
	manual_page(out, VPCLAB_VERSION);
}

static int run_reference(struct cli *cli, const struct arguments *a, struct error *err)
{
	const struct {
		const char *name;
		void (*print)(struct buffer *out);
	} pages[] = {
		{ "verbs", help_reference },	 { "actions", cli->actions_reference }, { "settings", settings_reference },
		{ "bash", completion_bash },	 { "zsh", completion_zsh },		{ "fish", completion_fish },
		{ "man", manual },
	};
	AUTO_BUFFER struct buffer text = BUFFER_INIT(HELP_MAX);

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (strcmp(a->words[0], pages[i].name) != 0)
			continue;
		pages[i].print(&text);
		return print_buffer(&text, err);
	}
	return error_set(err, ERROR_USAGE,
			 "There is no reference of %.32s; there is one of verbs, of actions and of settings, and bash, zsh, fish and man.",
			 a->words[0]);
}

/* For docs/ and for `make install`, so not in the list of help. */
const struct verb verb_reference = {
	.name = "reference",
	.synopsis = "verbs|actions|settings|bash|zsh|fish|man",
	.summary = "Print a page of the reference, a shell's completion or the manual page.",
	.min_words = 1,
	.max_words = 1,
	.run = run_reference,
};
