#include "cli/verb.h"

#include <string.h>

#include "cli/suggest.h"

const struct verb *const verbs[] = {
	&verb_up,     &verb_verify,  &verb_why,    &verb_down,   &verb_launch,    &verb_ls,     &verb_show,   &verb_start, &verb_stop,
	&verb_reboot, &verb_terminate, &verb_allow, &verb_deny,      &verb_rules,  &verb_connect, &verb_exec, &verb_cp,  &verb_key, &verb_log,
	&verb_ip,     &verb_image,  &verb_events,  &verb_doctor,  &verb_daemon, &verb_help,      &verb_version, &verb_reference, &verb_complete, NULL,
};

const struct flag global_flags[] = {
	{ "config", "FILE", "read settings from FILE, not from /etc/vpclab/vpclab.conf" },
	{ "state-dir", "DIR", "where the region keeps its state, images and disks" },
	{ "run-dir", "DIR", "where the region's socket and namespaces are" },
	{ "data-dir", "DIR", "where the image catalogue and the cloud-init templates are" },
	{ "set", "KEY=VALUE", "any setting; may be given several times" },
	{ "json", NULL, "print the result as JSON" },
	{ "version", NULL, "print the version" },
	{ "help", NULL, "print help for the verb" },
	{ NULL, NULL, NULL },
};

const struct verb *verb_find(const char *name)
{
	for (const struct verb *const *v = verbs; *v; v++)
		if (strcmp((*v)->name, name) == 0)
			return *v;
	return NULL;
}

/* What people of other tools type; the same words that EC2's console and other command lines use. */
static const struct {
	const char *typed, *verb;
} habits[] = {
	{ "list", "ls" },	{ "ps", "ls" },	     { "instances", "ls" }, { "ssh", "connect" },  { "console", "log" },
	{ "logs", "log" },	{ "delete", "terminate" }, { "rm", "terminate" }, { "kill", "terminate" }, { "destroy", "down" },
	{ "run", "up" },	{ "create", "launch" }, { "open", "allow" },   { "close", "deny" },   { "describe", "show" },
	{ "images", "image" }, { "keys", "key" }, { "keypair", "key" }, { "address", "ip" }, { "addresses", "ip" }, { "eip", "ip" },
	{ "restart", "reboot" }, { "test", "verify" }, { "check", "verify" },
};

const struct verb *verb_find_or_guess(const char *name, struct error *err)
{
	const struct verb *v = verb_find(name);
	const char *names[64], *guess = NULL;
	size_t n = 0;

	if (v)
		return v;
	for (size_t i = 0; i < ARRAY_SIZE(habits) && !guess; i++)
		if (strcmp(habits[i].typed, name) == 0)
			guess = habits[i].verb;
	for (const struct verb *const *p = verbs; *p && n < ARRAY_SIZE(names) - 1; p++)
		if ((*p)->group)
			names[n++] = (*p)->name;
	names[n] = NULL;
	if (!guess)
		guess = suggest(name, names);
	if (guess)
		error_set(err, ERROR_USAGE, "There is no verb \"%.64s\"; did you mean \"%s\"?", name, guess);
	else
		error_set(err, ERROR_USAGE, "There is no verb \"%.64s\"; `vpclab help` lists them.", name);
	return NULL;
}
