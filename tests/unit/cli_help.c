/* The texts that are made from the table of verbs. */
#include "tap.h"

#include <ctype.h>

#include "base/buffer.h"
#include "cli/verb.h"

static bool too_wide(const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		if (strcspn(line, "\n") > 79)
			return true;
		if (!line[strcspn(line, "\n")])
			break;
	}
	return false;
}

static void check_verb(const struct verb *v)
{
	AUTO_BUFFER struct buffer text = BUFFER_INIT(HELP_MAX);
	char name[64];

	help_verb(&text, v);
	snprintf(name, sizeof name, "cli-help-%s.txt", v->name);
	golden(buffer_text(&text), name);
	ok(!too_wide(buffer_text(&text)), "help of %s fits a terminal", v->name);
	ok(v->run && v->summary && isupper((unsigned char)v->summary[0]) && v->summary[strlen(v->summary) - 1] == '.',
	   "%s has a handler and a sentence", v->name);
	ok(v->max_words < 0 || v->min_words <= v->max_words, "%s can be called at all", v->name);
	ok(verb_find(v->name) == v, "%s is found by its name", v->name);
}

int main(void)
{
	static const char *const asked[] = { "up",    "down", "verify", "launch", "ls",	     "show", "stop", "start", "reboot", "terminate",
					     "allow", "deny", "rules",	"connect", "exec",     "log",  "image", "doctor", "daemon", "help" };
	AUTO_BUFFER struct buffer overview = BUFFER_INIT(HELP_MAX), reference = BUFFER_INIT(HELP_MAX);

	for (const struct verb *const *v = verbs; *v; v++)
		check_verb(*v);
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		ok(verb_find(asked[i]) && verb_find(asked[i])->group, "%s is a verb that help lists", asked[i]);
	help_overview(&overview);
	golden(buffer_text(&overview), "cli-help-overview.txt");
	ok(!too_wide(buffer_text(&overview)), "the overview fits a terminal");
	ok(strstr(buffer_text(&overview), "reference verbs") == NULL, "what is for docs/ alone isn't listed");
	help_reference(&reference);
	golden(buffer_text(&reference), "cli-reference-verbs.md");
	return tap_done();
}
