/* Every text about the verbs, printed from their table. */
#include <string.h>

#include "cli/verb.h"

#define COLUMN 26 /* where the right side of a list begins */
#define WIDTH 79
#define USAGE_INDENT 15

static const char *const groups[] = { "The lab", "Instances", "Security groups", "Addresses", "Inside a guest", "Images",
				      "The region", NULL };

/* Words of text from column on, broken before WIDTH and indented to it; two newlines part paragraphs. */
static void wrap(struct buffer *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t word = strcspn(text, " \n"), gap = strspn(text + word, " \n");
		bool paragraph = gap >= 2 && memcmp(text + word, "\n\n", 2) == 0;

		if (at > column && at + 1 + word > WIDTH) {
			buffer_addf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			buffer_add(out, " ");
			at++;
		}
		buffer_add_len(out, text, word);
		at += word;
		text += word + gap;
		if (paragraph) {
			buffer_addf(out, "\n\n%*s", (int)column, "");
			at = column;
		}
	}
	buffer_add(out, "\n");
}

/* "  left   right", with the right side wrapped at WIDTH and indented below itself. */
static void entry(struct buffer *out, const char *left, const char *right)
{
	size_t column = 2 + strlen(left);

	buffer_addf(out, "  %s", left);
	if (column + 2 > COLUMN) {
		buffer_add(out, "\n");
		column = 0;
	}
	buffer_addf(out, "%*s", (int)(COLUMN - column), "");
	wrap(out, right, COLUMN);
}

static void flag_entry(struct buffer *out, const struct flag *f)
{
	char left[64];

	snprintf(left, sizeof left, "--%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
	entry(out, left, f->help);
}

void help_overview(struct buffer *out)
{
	buffer_add(out, "vpclab: an AWS region on one machine.\n\nusage: vpclab VERB [WORDS] [--FLAGS]\n");
	for (const char *const *g = groups; *g; g++) {
		buffer_addf(out, "\n%s\n", *g);
		for (const struct verb *const *v = verbs; *v; v++) {
			char left[96];

			if (!(*v)->group || strcmp((*v)->group, *g) != 0)
				continue;
			snprintf(left, sizeof left, "%s%s%s", (*v)->name, *(*v)->synopsis ? " " : "", (*v)->synopsis);
			entry(out, left, (*v)->summary);
		}
	}
	buffer_add(out, "\nFlags of every verb\n");
	for (const struct flag *f = global_flags; f->name; f++)
		flag_entry(out, f);
	buffer_add(out, "\n");
	wrap(out, "NAME is an instance's Name tag or its id. Exit codes: 0 ok, 1 a check failed, 2 usage, 3 environment, 4 timeout. "
		  "`vpclab help VERB` tells more of a verb.", 0);
}

/* Starts a new line where the word doesn't fit. */
static void usage_word(struct buffer *out, size_t *column, const char *word)
{
	if (*column + 1 + strlen(word) > WIDTH) {
		buffer_addf(out, "\n%*s", USAGE_INDENT - 1, "");
		*column = USAGE_INDENT - 1;
	}
	buffer_add(out, " ");
	buffer_add(out, word);
	*column += 1 + strlen(word);
}

void help_usage(struct buffer *out, const struct verb *v)
{
	size_t column = strlen("usage: vpclab ") + strlen(v->name);

	buffer_addf(out, "usage: vpclab %s", v->name);
	/* behind a command of its own a flag would be the command's */
	if (*v->synopsis && !v->greedy)
		usage_word(out, &column, v->synopsis);
	for (const struct flag *f = v->flags; f && f->name; f++) {
		char word[64];

		snprintf(word, sizeof word, "[--%s%s%s]", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
		usage_word(out, &column, word);
	}
	if (v->greedy)
		usage_word(out, &column, v->synopsis);
	buffer_add(out, "\n");
}

void help_verb(struct buffer *out, const struct verb *v)
{
	help_usage(out, v);
	buffer_add(out, "\n");
	wrap(out, v->summary, 0);
	if (v->details) {
		buffer_add(out, "\n");
		wrap(out, v->details, 0);
	}
	if (v->flags && v->flags->name) {
		buffer_add(out, "\nFlags\n");
		for (const struct flag *f = v->flags; f->name; f++)
			flag_entry(out, f);
	}
	buffer_add(out, "\nFlags of every verb: `vpclab help`.\n");
}

/* Text for a Markdown table's cell. */
static void cell(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|' || *text == '<' || *text == '*' || *text == '_')
			buffer_add(out, "\\");
		buffer_add_len(out, text, 1);
	}
}

static void reference_flags(struct buffer *out, const struct flag *flags)
{
	buffer_add(out, "\n| flag | meaning |\n|---|---|\n");
	for (const struct flag *f = flags; f->name; f++) {
		buffer_addf(out, "| `--%s%s%s` | ", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
		cell(out, f->help);
		buffer_add(out, " |\n");
	}
}

void help_reference(struct buffer *out)
{
	buffer_add(out, "# Verbs\n\n<!-- Made by `vpclab reference verbs` from the table of verbs; do not edit. -->\n\n"
			"`NAME` is an instance's Name tag or its id. Exit codes: 0 ok, 1 a check failed, 2 usage,\n"
			"3 environment, 4 timeout.\n\n## Flags of every verb\n");
	reference_flags(out, global_flags);
	for (const char *const *g = groups; *g; g++) {
		buffer_addf(out, "\n## %s\n", *g);
		for (const struct verb *const *p = verbs; *p; p++) {
			const struct verb *v = *p;

			if (!v->group || strcmp(v->group, *g) != 0)
				continue;
			buffer_addf(out, "\n### vpclab %s%s%s\n\n%s\n", v->name, *v->synopsis ? " " : "", v->synopsis,
				    v->summary);
			if (v->details) {
				buffer_add(out, "\n");
				wrap(out, v->details, 0);
			}
			if (v->flags && v->flags->name)
				reference_flags(out, v->flags);
		}
	}
}
