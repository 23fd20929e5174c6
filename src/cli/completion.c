#include "cli/completion.h"

#include <ctype.h>
#include <string.h>

const char *completion_of_flag(const struct flag *f)
{
	static const struct {
		const char *arg, *kind;
	} kinds[] = { { "FILE", "files" },   { "DIR", "dirs" },	    { "IMAGE", "images" }, { "TYPE", "types" },
		      { "GROUP", "groups" }, { "NAME", "names" } };

	for (size_t i = 0; f->arg && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(f->arg, kinds[i].arg) == 0)
			return kinds[i].kind;
	return "";
}

/* The length of the synopsis's leading choices ("ls|pull|build" or "verbs | actions"), 0 where it has none. */
static size_t choices_length(const char *synopsis)
{
	size_t len = strspn(synopsis, "abcdefghijklmnopqrstuvwxyz-| ");

	return memchr(synopsis, '|', len) ? len : 0;
}

void completion_words(struct buffer *out, const struct verb *v)
{
	size_t len = choices_length(v->synopsis);
	bool gap = false;

	for (size_t i = 0; i < len; i++) {
		if (v->synopsis[i] == '|' || v->synopsis[i] == ' ') {
			gap = true;
			continue;
		}
		buffer_add(out, gap && out->len ? " " : "");
		buffer_add_len(out, v->synopsis + i, 1);
		gap = false;
	}
}

static bool names_word(const char *token, size_t len, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= len; i++)
		if (memcmp(token + i, what, n) == 0 && (i == 0 || !isupper((unsigned char)token[i - 1])) &&
		    (i + n == len || !isupper((unsigned char)token[i + n])))
			return true;
	return false;
}

/* The synopsis's word i: "NAME", "[NAME | GROUP]", "NAME..." (which is all that follow too). */
static const char *token_at(const char *s, size_t i, size_t *ret_len)
{
	while (*s) {
		size_t len;

		s += strspn(s, " ");
		len = *s == '[' ? strcspn(s, "]") + 1 : strcspn(s, " ");
		if (len > strlen(s))
			len = strlen(s);
		if (i == 0 || (len > 3 && (memcmp(s + len - 3, "...", 3) == 0 || strstr(s, "...]") == s + len - 4))) {
			*ret_len = len;
			return s;
		}
		s += len;
		i--;
	}
	*ret_len = 0;
	return "";
}

const char *completion_of_word(const struct verb *v, size_t i)
{
	static const struct {
		const char *word, *kind;
	} kinds[] = { { "VERB", "verbs" }, { "PATH", "files" }, { "FILE", "files" }, { "NAME", "names" }, { "URL", "names" }, { "GROUP", "groups" } };
	size_t choices = choices_length(v->synopsis), len;
	const char *token;

	if (choices && i == 0)
		return "words";
	token = token_at(v->synopsis + choices, choices ? i - 1 : i, &len);
	/* behind a choice the name is of the verb's own things, not of an instance */
	if (choices)
		return strcmp(v->name, "image") == 0 && len ? "images" : "";
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (names_word(token, len, kinds[k].word))
			return kinds[k].kind;
	return "";
}

#define WORDS_SHOWN 4 /* words of a verb that are told one by one; later ones are as the last */

static void add_verbs(struct buffer *out)
{
	bool any = false;

	for (const struct verb *const *v = verbs; *v; v++) {
		if (!(*v)->group)
			continue;
		buffer_addf(out, "%s%s", any ? " " : "", (*v)->name);
		any = true;
	}
}

static void bash_flags(struct buffer *out, const struct flag *flags, bool first)
{
	for (const struct flag *f = flags; f && f->name; f++, first = false)
		buffer_addf(out, "%s--%s", first ? "" : " ", f->name);
}

static void bash_values(struct buffer *out, const char *verb, const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++)
		if (f->arg)
			buffer_addf(out, "\t%s:--%s) echo %s ;;\n", verb, f->name, *completion_of_flag(f) ? completion_of_flag(f) : "none");
}

void completion_bash(struct buffer *out)
{
	buffer_add(out, "# bash completion for vpclab. Made by `vpclab reference bash` from the table of verbs; do not edit.\n"
			"# shellcheck shell=bash\n\n_vpclab_flags() {\n\tcase $1 in\n");
	for (const struct verb *const *v = verbs; *v; v++) {
		if (!(*v)->group || !(*v)->flags)
			continue;
		buffer_addf(out, "\t%s) echo \"", (*v)->name);
		bash_flags(out, (*v)->flags, true);
		buffer_add(out, "\" ;;\n");
	}
	buffer_add(out, "\tesac\n\techo \"");
	bash_flags(out, global_flags, true);
	buffer_add(out, "\"\n}\n\n# VERB:FLAG -> what its value is; nothing for a switch\n_vpclab_value() {\n\tcase $1 in\n");
	for (const struct verb *const *v = verbs; *v; v++)
		if ((*v)->group)
			bash_values(out, (*v)->name, (*v)->flags);
	bash_values(out, "*", global_flags);
	buffer_add(out, "\tesac\n}\n\n# VERB:N -> what its word N is\n_vpclab_word() {\n\tcase $1 in\n");
	for (const struct verb *const *v = verbs; *v; v++) {
		AUTO_BUFFER struct buffer words = BUFFER_INIT(1024);

		if (!(*v)->group)
			continue;
		completion_words(&words, *v);
		for (size_t i = 0; i < WORDS_SHOWN; i++) {
			const char *kind = completion_of_word(*v, i);

			if (strcmp(kind, "words") == 0)
				buffer_addf(out, "\t%s:%zu) echo words %s ;;\n", (*v)->name, i, buffer_text(&words));
			else if (*kind && ((*v)->max_words < 0 || i < (size_t)(*v)->max_words))
				buffer_addf(out, "\t%s:%s) echo %s ;;\n", (*v)->name,
					    i + 1 == WORDS_SHOWN && (*v)->max_words < 0 ? "*" : (char[]){ (char)('0' + i), 0 }, kind);
		}
	}
	buffer_add(out, "\tesac\n}\n\n_vpclab() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb='' kind='' n=0 i word\n"
			"\tlocal -a options=()\n"
			"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			"\t\tword=${COMP_WORDS[i]}\n"
			"\t\tcase $word in\n"
			"\t\t--) [ -z \"$verb\" ] || return 0 ;;\n"
			"\t\t--*)\n"
			"\t\t\tkind=$(_vpclab_value \"$verb:$word\")\n"
			"\t\t\t[ -n \"$kind\" ] || continue\n"
			"\t\t\t[ \"${COMP_WORDS[i + 1]-}\" != = ] || ((i++))\n"
			"\t\t\t((++i < COMP_CWORD)) || break\n"
			"\t\t\tcase $word in --state-dir | --run-dir | --config) options+=(\"$word\" \"${COMP_WORDS[i]}\") ;; esac\n"
			"\t\t\tkind=''\n"
			"\t\t\t;;\n"
			"\t\t-*) ;;\n"
			"\t\t*) if [ -z \"$verb\" ]; then verb=$word; else ((++n)); fi ;;\n"
			"\t\tesac\n"
			"\tdone\n"
			"\t[ \"$cur\" != = ] || cur=''\n"
			"\tif [ -z \"$kind\" ]; then\n"
			"\t\tcase $cur in\n"
			"\t\t-*) mapfile -t COMPREPLY < <(compgen -W \"$(_vpclab_flags \"$verb\")\" -- \"$cur\"); return 0 ;;\n"
			"\t\tesac\n"
			"\t\tif [ -n \"$verb\" ]; then kind=$(_vpclab_word \"$verb:$n\"); else kind=verbs; fi\n"
			"\tfi\n"
			"\tcase $kind in\n"
			"\tverbs) word=\"");
	add_verbs(out);
	buffer_add(out, "\" ;;\n"
			"\twords\\ *) word=${kind#words } ;;\n"
			"\tfiles) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return 0 ;;\n"
			"\tdirs) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return 0 ;;\n"
			"\tnames | images | types | groups) word=$(\"${COMP_WORDS[0]}\" complete \"$kind\" \"${options[@]}\" 2>/dev/null) ;;\n"
			"\t*) return 0 ;;\n"
			"\tesac\n"
			"\tmapfile -t COMPREPLY < <(compgen -W \"$word\" -- \"$cur\")\n"
			"}\n\ncomplete -F _vpclab vpclab\n");
}

/* Text within a zsh specification '...[text]...': quotes, and what _arguments and _describe take for theirs. */
static void zsh_text(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buffer_add(out, "'\\''");
		else if (strchr("[]:\\", *text))
			buffer_addf(out, "\\%c", *text);
		else
			buffer_add_len(out, text, 1);
	}
}

static void zsh_action(struct buffer *out, const char *kind, const char *words)
{
	if (strcmp(kind, "files") == 0)
		buffer_add(out, "_files");
	else if (strcmp(kind, "dirs") == 0)
		buffer_add(out, "_files -/");
	else if (strcmp(kind, "words") == 0)
		buffer_addf(out, "(%s)", words);
	else if (strcmp(kind, "verbs") == 0)
		buffer_add(out, "_vpclab_verbs");
	else if (*kind)
		buffer_addf(out, "{_vpclab_list %s}", kind);
	else
		buffer_add(out, " ");
}

static void zsh_flags(struct buffer *out, const char *indent, const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++) {
		buffer_addf(out, "%s'*--%s%s[", indent, f->name, f->arg ? "=" : "");
		zsh_text(out, f->help);
		buffer_add(out, "]");
		if (f->arg) {
			buffer_addf(out, ":%s:", f->arg);
			zsh_action(out, completion_of_flag(f), "");
		}
		buffer_add(out, "'\n");
	}
}

void completion_zsh(struct buffer *out)
{
	buffer_add(out, "#compdef vpclab\n# Made by `vpclab reference zsh` from the table of verbs; do not edit.\n\n"
			"_vpclab_list() {\n\tlocal -a found\n\tfound=(${(f)\"$($words_before[1] complete $1 2>/dev/null)\"})\n"
			"\tcompadd -a found\n}\n\n_vpclab_verbs() {\n\tlocal -a found\n\tfound=(\n");
	for (const struct verb *const *v = verbs; *v; v++) {
		if (!(*v)->group)
			continue;
		buffer_addf(out, "\t\t'%s:", (*v)->name);
		zsh_text(out, (*v)->summary);
		buffer_add(out, "'\n");
	}
	buffer_add(out, "\t)\n\t_describe -t verbs verb found\n}\n\n_vpclab() {\n\tlocal curcontext=$curcontext state line\n"
			"\tlocal -a words_before=($words) flags=(\n");
	zsh_flags(out, "\t\t", global_flags);
	buffer_add(out, "\t)\n\ttypeset -A opt_args\n\t_arguments -C $flags ':verb:_vpclab_verbs' '*::word:->words' && return\n"
			"\tcase $line[1] in\n");
	for (const struct verb *const *v = verbs; *v; v++) {
		AUTO_BUFFER struct buffer words = BUFFER_INIT(1024);

		if (!(*v)->group)
			continue;
		completion_words(&words, *v);
		buffer_addf(out, "\t%s)\n\t\tflags+=(\n", (*v)->name);
		zsh_flags(out, "\t\t\t", (*v)->flags);
		for (size_t i = 0; i < WORDS_SHOWN; i++) {
			const char *kind = completion_of_word(*v, i);
			bool rest = (*v)->max_words < 0 && i + 1 == WORDS_SHOWN;

			if (!*kind || ((*v)->max_words >= 0 && i >= (size_t)(*v)->max_words))
				continue;
			if (rest)
				buffer_add(out, "\t\t\t'*: :");
			else
				buffer_addf(out, "\t\t\t'%zu: :", i + 1);
			zsh_action(out, kind, buffer_text(&words));
			buffer_add(out, "'\n");
		}
		buffer_add(out, "\t\t)\n\t\t;;\n");
	}
	buffer_add(out, "\tesac\n\t_arguments $flags\n}\n\n_vpclab \"$@\"\n");
}

static void fish_text(struct buffer *out, const char *text)
{
	buffer_add(out, "'");
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buffer_add(out, "\\");
		buffer_add_len(out, text, 1);
	}
	buffer_add(out, "'");
}

static void fish_values(struct buffer *out, const char *kind, const char *words)
{
	if (strcmp(kind, "files") == 0)
		buffer_add(out, " -F");
	else if (strcmp(kind, "dirs") == 0)
		buffer_add(out, " -x -a '(__fish_complete_directories)'");
	else if (strcmp(kind, "words") == 0)
		buffer_addf(out, " -a '%s'", words);
	else if (strcmp(kind, "verbs") == 0) {
		buffer_add(out, " -a '");
		add_verbs(out);
		buffer_add(out, "'");
	} else if (*kind)
		buffer_addf(out, " -a '(vpclab complete %s 2>/dev/null)'", kind);
}

static void fish_flags(struct buffer *out, const char *condition, const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++) {
		const char *kind = completion_of_flag(f);

		buffer_addf(out, "complete -c vpclab%s -l %s", condition, f->name);
		if (f->arg) {
			buffer_add(out, strcmp(kind, "files") == 0 ? " -r" : strcmp(kind, "dirs") == 0 ? "" : " -x");
			fish_values(out, kind, "");
		}
		buffer_add(out, " -d ");
		fish_text(out, f->help);
		buffer_add(out, "\n");
	}
}

void completion_fish(struct buffer *out)
{
	buffer_add(out, "# fish completion for vpclab. Made by `vpclab reference fish` from the table of verbs; do not edit.\n\n"
			"complete -c vpclab -f\n");
	fish_flags(out, "", global_flags);
	for (const struct verb *const *v = verbs; *v; v++) {
		if (!(*v)->group)
			continue;
		buffer_addf(out, "complete -c vpclab -n __fish_use_subcommand -a %s -d ", (*v)->name);
		fish_text(out, (*v)->summary);
		buffer_add(out, "\n");
	}
	for (const struct verb *const *v = verbs; *v; v++) {
		AUTO_BUFFER struct buffer words = BUFFER_INIT(1024), condition = BUFFER_INIT(256);
		const char *kind;

		if (!(*v)->group)
			continue;
		completion_words(&words, *v);
		buffer_addf(&condition, " -n '__fish_seen_subcommand_from %s'", (*v)->name);
		fish_flags(out, buffer_text(&condition), (*v)->flags);
		kind = completion_of_word(*v, 0);
		if (strcmp(kind, "words") == 0) {
			buffer_addf(out, "complete -c vpclab -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s'",
				    (*v)->name, buffer_text(&words));
			fish_values(out, kind, buffer_text(&words));
			buffer_add(out, "\n");
			kind = completion_of_word(*v, 1);
			buffer_reset(&condition);
			buffer_addf(&condition, " -n '__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s'", (*v)->name,
				    buffer_text(&words));
		}
		if (!*kind)
			continue;
		buffer_addf(out, "complete -c vpclab%s", buffer_text(&condition));
		fish_values(out, kind, "");
		buffer_add(out, "\n");
	}
}
