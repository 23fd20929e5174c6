/* Names and ids to instances; error replies; security group names; console text. */
#include "tap.h"

#include "cli/client.h"
#include "cli/console_text.h"
#include "cli/doctor.h"
#include "cli/instance.h"
#include "cli/up.h"

static const char all_text[] =
	"[{'instanceId':'i-0aaaaaaaaaaaaaaa1','instanceState':{'code':16,'name':'running'},'tagSet':[{'key':'Name','value':'web'}]},"
	" {'instanceId':'i-0aaaaaaaaaaaaaaa2','instanceState':{'code':48,'name':'terminated'},'tagSet':[{'key':'Name','value':'web'}]},"
	" {'instanceId':'i-0aaaaaaaaaaaaaaa3','instanceState':{'code':80,'name':'stopped'},'tagSet':[{'key':'Name','value':'db'}]},"
	" {'instanceId':'i-0aaaaaaaaaaaaaaa4','instanceState':{'code':0,'name':'pending'},'tagSet':[{'key':'Name','value':'db'}]},"
	" {'instanceId':'i-0aaaaaaaaaaaaaaa5','instanceState':{'code':48,'name':'terminated'},'tagSet':[{'key':'Name','value':'old'}]},"
	" {'instanceId':'i-0aaaaaaaaaaaaaaa6','instanceState':{'code':16,'name':'running'}}]";

static json_t *quoted(const char *text)
{
	char *copy = strdup(text);
	json_t *tree;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	tree = json_loads(copy, 0, NULL);
	free(copy);
	return tree;
}

static void picks(const json_t *all, const char *name, const char *id)
{
	const json_t *found = instance_pick(all, name, NULL);

	is_str(found ? instance_id(found) : NULL, id, name);
}

static void refuses(const json_t *all, const char *name, const char *sentence)
{
	struct error err = { 0 };

	ok(instance_pick(all, name, &err) == NULL && err.kind == ERROR_USAGE, "%s is refused", name);
	is_str(err.message, sentence, "its sentence");
}

static void test_pick(void)
{
	AUTO_JSON json_t *all = quoted(all_text), *none = json_array();
	struct error err = { 0 };
	char label[128];

	picks(all, "web", "i-0aaaaaaaaaaaaaaa1");
	picks(all, "i-0aaaaaaaaaaaaaaa6", "i-0aaaaaaaaaaaaaaa6");
	picks(all, "i-0aaaaaaaaaaaaaaa5", "i-0aaaaaaaaaaaaaaa5");
	refuses(all, "db", "2 instances are named db; use an id: i-0aaaaaaaaaaaaaaa3, i-0aaaaaaaaaaaaaaa4.");
	refuses(all, "wbe", "There is no instance named wbe; did you mean web?");
	refuses(all, "old", "There is no instance named old; there is web, db, db, i-0aaaaaaaaaaaaaaa6.");
	refuses(none, "web", "There is no instance named web, nor any other that is not terminated; `vpclab up` launches one.");
	refuses(all, "i-0aaaaaaaaaaaaaaa9", "The instance ID 'i-0aaaaaaaaaaaaaaa9' does not exist");
	instance_pick(all, "i-0aaaaaaaaaaaaaaa9", &err);
	is_str(err.code, "InvalidInstanceID.NotFound", "with EC2's code");
	error_clear(&err);
	ok(instance_named(all, "nobody", &err) == NULL && err.kind == ERROR_NONE, "nobody of a name is no error");
	instance_label(label, json_array_get(all, 0));
	is_str(label, "web (i-0aaaaaaaaaaaaaaa1)", "a label");
	instance_label(label, json_array_get(all, 5));
	is_str(label, "i-0aaaaaaaaaaaaaaa6", "a label without a name");
}

static void test_errors(void)
{
	struct error err = { 0 };

	client_error("{\"Errors\":[{\"Code\":\"InvalidPermission.Duplicate\",\"Message\":\"It exists.\"}],\"Kind\":\"usage\"}", 400, &err);
	is_str(err.code, "InvalidPermission.Duplicate", "EC2's code");
	is_str(err.message, "It exists.", "its sentence");
	is_int(error_exit_code(&err), 2, "usage exits with 2");
	client_error("{\"Errors\":[{\"Code\":\"X\",\"Message\":\"M\"}],\"Kind\":\"timeout\"}", 503, &err);
	is_int(error_exit_code(&err), 4, "timeout exits with 4");
	client_error("{\"Errors\":[{\"Code\":\"X\",\"Message\":\"M\"}],\"Kind\":\"check\"}", 400, &err);
	is_int(error_exit_code(&err), 1, "check exits with 1");
	client_error("{\"Errors\":[{\"Code\":\"X\",\"Message\":\"M\"}],\"Kind\":\"environment\"}", 500, &err);
	is_int(error_exit_code(&err), 3, "environment exits with 3");
	client_error("{\"Errors\":[{\"Code\":\"X\",\"Message\":\"M\"}]}", 400, &err);
	is_int(error_exit_code(&err), 2, "without a kind the status tells: 400");
	client_error("{\"Errors\":[{\"Code\":\"X\",\"Message\":\"M\"}]}", 500, &err);
	is_int(error_exit_code(&err), 3, "and 500");
	client_error("<html>", 502, &err);
	is_int(err.kind, ERROR_INTERNAL, "what is no error reply is a bug");
}

static void test_wizard(void)
{
	AUTO_JSON json_t *none = json_array();
	AUTO_JSON json_t *some = quoted("[{'groupName':'default'},{'groupName':'launch-wizard-1'},{'groupName':'launch-wizard-3'}]");
	char name[64];

	up_wizard_name(name, none);
	is_str(name, "launch-wizard-1", "the first");
	up_wizard_name(name, some);
	is_str(name, "launch-wizard-2", "the first that is free");
}

static void filtered(const char *bytes, const char *want)
{
	AUTO_BUFFER struct buffer whole = BUFFER_INIT(4096), pieces = BUFFER_INIT(4096);
	struct console_filter f = { 0 }, g = { 0 };

	console_filter_add(&f, &whole, bytes, strlen(bytes));
	is_str(buffer_text(&whole), want, "console text");
	for (size_t i = 0; bytes[i]; i++)
		console_filter_add(&g, &pieces, bytes + i, 1);
	is_str(buffer_text(&pieces), want, "the same a byte at a time");
}

static void test_console(void)
{
	const char *text = "one\ntwo\nthree\n";

	filtered("plain\r\nlines\tthere\n", "plain\nlines\tthere\n");
	filtered("\033[0;32m  OK  \033[0m Started", "  OK   Started");
	filtered("\033c\033[2J\033[1;1Hcleared", "cleared");
	filtered("\033]0;evil title\007seen", "seen");
	filtered("\033]52;c;ZXZpbA==\033\\seen", "seen");
	filtered("\033P1$r\033\\seen", "seen");
	filtered("\033[12\nnot lost", "\nnot lost");
	filtered("a\b\v\f\177b", "ab");
	filtered("caf\303\251", "caf\303\251");
	is_str(console_tail(text, strlen(text), 2), "two\nthree\n", "the last two lines");
	is_str(console_tail(text, strlen(text), 9), text, "more lines than there are");
	is_str(console_tail("a\nb", 3, 1), "b", "an unfinished line");
	is_str(console_tail("", 0, 5), "", "nothing");
}

static void test_capabilities(void)
{
	const unsigned long long both = (1ull << 12) | (1ull << 21);

	ok(doctor_has_capabilities("Name:\tx\nCapEff:\t000001ffffffffff\nX:\n", both), "root has all");
	ok(!doctor_has_capabilities("Name:\tx\nCapEff:\t0000000000001000\n", both), "one of two is not all");
	ok(!doctor_has_capabilities("Name:\tx\nCapPrm:\t000001ffffffffff\n", both), "permitted is not effective");
}

int main(void)
{
	test_pick();
	test_errors();
	test_wizard();
	test_console();
	test_capabilities();
	return tap_done();
}
