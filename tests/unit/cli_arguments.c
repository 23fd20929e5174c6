/* Command lines taken apart, and what is said of wrong ones. */
#include "tap.h"

#include "cli/arguments.h"
#include "cli/suggest.h"
#include "cli/verb.h"

#define PARSE(...) parse((char *[]){ (char *)(uintptr_t)"vpclab", __VA_ARGS__, NULL })
#define W(text) (char *)(uintptr_t)(text)

static struct arguments a;
static struct error err;

static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	error_clear(&err);
	return arguments_parse(&a, argc, argv, &err);
}

static void refused(int rc, const char *sentence, const char *what)
{
	ok(rc < 0 && err.kind == ERROR_USAGE, "%s is refused", what);
	is_str(err.message, sentence, what);
}

int main(void)
{
	int64_t n;

	is_int(PARSE(W("up"), W("shop"), W("--type"), W("t2.micro"), W("--json")), 0, "a verb, a word, flags");
	is_str(a.verb->name, "up", "the verb");
	is_str(arguments_word(&a, 0, "web"), "shop", "the word");
	is_str(arguments_word(&a, 1, "none"), "none", "a word that is not there");
	is_str(arguments_value(&a, "type"), "t2.micro", "a flag's value");
	ok(arguments_has(&a, "json"), "a switch of every verb");
	ok(!arguments_has(&a, "image"), "a flag that was not given");
	is_int(PARSE(W("--state-dir=/s"), W("ls"), W("--all"), W("--set"), W("a=b=c")), 0, "flags before the verb, with =");
	is_str(arguments_value(&a, "state-dir"), "/s", "a value after =");
	is_str(arguments_value(&a, "set"), "a=b=c", "a value with = in it");
	is_int(PARSE(W("up"), W("--image"), W("a"), W("--image"), W("b")), 0, "a flag twice");
	is_str(arguments_value(&a, "image"), "b", "the last one counts");

	is_int(PARSE(W("exec"), W("web"), W("--"), W("ls"), W("--all"), W("-l")), 0, "exec with --");
	is_str(a.rest[0], "ls", "the command");
	is_str(a.rest[1], "--all", "its flags are its own");
	is_int(PARSE(W("exec"), W("--user"), W("root"), W("web"), W("id"), W("--json")), 0, "exec without --");
	is_str(a.rest[1], "--json", "flags behind the command are its own");
	ok(!arguments_has(&a, "json"), "and not ours");
	is_int(PARSE(W("exec"), W("web"), W("--")), 0, "exec of nothing");
	ok(a.rest == NULL, "has no command");
	is_int(PARSE(W("stop"), W("--"), W("--odd-name")), 0, "-- ends the flags of other verbs");
	is_str(a.words[0], "--odd-name", "a word with dashes");

	is_int(PARSE(W("up"), W("--help")), 0, "help of a verb");
	ok(a.help, "is asked for");
	is_int(PARSE(W("allow"), W("-h")), 0, "help where words are missing");
	is_int(PARSE(W("--help")), 0, "help of all");
	ok(a.help && !a.verb, "has no verb");

	refused(PARSE(W("lunch")), "There is no verb \"lunch\"; did you mean \"launch\"?", "a misspelt verb");
	refused(PARSE(W("ssh")), "There is no verb \"ssh\"; did you mean \"connect\"?", "another tool's verb");
	refused(PARSE(W("xyzzy")), "There is no verb \"xyzzy\"; `vpclab help` lists them.", "nonsense");
	refused(PARSE(W("up"), W("--tipe"), W("t2.nano")), "There is no flag --tipe; did you mean --type?", "a misspelt flag");
	refused(PARSE(W("up"), W("--zzzzzz=1")), "There is no flag --zzzzzz; `vpclab help up` lists what there is.", "an unknown flag");
	refused(PARSE(W("ls"), W("--image"), W("x")), "There is no flag --image; `vpclab help ls` lists what there is.", "another verb's flag");
	refused(PARSE(W("up"), W("--image")), "The flag --image needs a value: --image IMAGE.", "a flag without its value");
	refused(PARSE(W("up"), W("--image"), W("--json")), "The flag --image needs a value: --image IMAGE.", "a flag before a flag");
	refused(PARSE(W("ls"), W("--all=yes")), "The flag --all takes no value.", "a switch with a value");
	refused(PARSE(W("ls"), W("web")), "\"web\" is one word too many: vpclab ls.", "a word too many");
	refused(PARSE(W("allow"), W("web")), "Too few words: vpclab allow NAME PORT.", "a word too few");
	refused(PARSE(W("-v")), "There is no flag -v; flags have two dashes.", "a short flag");

	PARSE(W("up"), W("--timeout"), W("30"));
	is_int(arguments_number(&a, "timeout", 7, 1, 100, &n, &err), 0, "a number");
	is_int(n, 30, "its value");
	PARSE(W("up"));
	is_int(arguments_number(&a, "timeout", 7, 1, 100, &n, &err), 0, "a number that was not given");
	is_int(n, 7, "is the fallback");
	static const char *const bad[] = { "0", "101", "-5", "1x", "", " 3", "99999999999999999999999" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		PARSE(W("up"), W("--timeout"), W(bad[i]));
		ok(arguments_number(&a, "timeout", 7, 1, 100, &n, &err) < 0, "no number in bounds: \"%s\"", bad[i]);
	}

	is_int((long long)suggest_distance("kitten", "sitting"), 3, "distance: three changes");
	is_int((long long)suggest_distance("terminaet", "terminate"), 1, "distance: neighbours swapped");
	is_int((long long)suggest_distance("", "abc"), 3, "distance: from nothing");
	is_int((long long)suggest_distance("abc", "abc"), 0, "distance: the same");
	static const char *const names[] = { "t2.small", "t2.medium", "t3.small", NULL };
	is_str(suggest("t2.smal", names), "t2.small", "the nearest of several");
	is_str(suggest("t2.me", names), "t2.medium", "a beginning");
	ok(suggest("banana", names) == NULL, "nothing near");
	ok(suggest("", names) == NULL, "nothing typed");
	return tap_done();
}
