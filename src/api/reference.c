/* docs/actions.md from the tables: what a client may send and will get. */
#include <stdio.h>
#include <string.h>

#include "api/server.h"

#define PATH_MAX_SHOWN 256

static const struct {
	const char *service, *title, *what;
} services[] = {
	{ "ec2", "EC2",
	  "As in the API reference of Amazon EC2. Each also takes `DryRun`: all is checked, nothing is done, and what would "
	  "have succeeded answers the error `DryRunOperation`." },
	{ "ec2-instance-connect", "EC2 Instance Connect", "As in the API reference of EC2 Instance Connect." },
	{ "vpclab", "The lab's own", "What AWS has no action for, or does where a student can't see it." },
};

static const char *const type_names[] = {
	[PARAM_STRING] = "string",     [PARAM_INTEGER] = "integer", [PARAM_BOOLEAN] = "boolean",
	[PARAM_BLOB] = "base64",       [PARAM_TIMESTAMP] = "time",  [PARAM_LIST] = "list",
	[PARAM_STRUCTURE] = "structure",
};

/* One cell: a bar would end it. */
static void add_cell(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buffer_add(out, "\\");
		buffer_add_len(out, text, 1);
	}
}

static enum param_type value_type(const struct param *p)
{
	return p->type == PARAM_LIST ? p->element : p->type;
}

/* Structures get no line of their own unless there is something to say of them: their members' names tell. */
static void add_rows(struct buffer *out, const struct param *members, const char *prefix, bool parameters)
{
	char path[PATH_MAX_SHOWN];

	for (const struct param *p = members; p && p->name; p++) {
		enum param_type type = value_type(p);
		const char *list = p->type != PARAM_LIST ? "" : parameters ? ".N" : "[]";

		snprintf(path, sizeof path, "%s%s%s", prefix, p->name, list);
		if (type != PARAM_STRUCTURE || p->what || p->required) {
			buffer_addf(out, "| `%s` | %s | ", path, type_names[type]);
			if (parameters)
				buffer_addf(out, "%s | ", p->required ? "yes" : "");
			add_cell(out, p->what ? p->what : "");
			buffer_add(out, " |\n");
		}
		if (type == PARAM_STRUCTURE) {
			snprintf(path, sizeof path, "%s%s%s.", prefix, p->name, list);
			add_rows(out, p->members, path, parameters);
		}
	}
}

static void add_action(struct buffer *out, const struct action *a)
{
	buffer_addf(out, "### %s\n\n%s\n\n", a->name, a->what ? a->what : "");
	if (a->params && a->params->name) {
		buffer_add(out, "| Parameter | Type | Required | Meaning |\n|---|---|---|---|\n");
		add_rows(out, a->params, "", true);
	} else {
		buffer_add(out, "It takes no parameters.\n");
	}
	if (a->reply && a->reply->name) {
		buffer_add(out, "\n| Reply | Type | Meaning |\n|---|---|---|\n");
		add_rows(out, a->reply, "", false);
	} else {
		buffer_add(out, "\nIt answers `return`, which is true.\n");
	}
	buffer_add(out, "\n");
}

void api_reference_of(const struct action *const *tables, struct buffer *out)
{
	buffer_add(out, "# Actions\n\n"
			"Generated from the region's action tables; a change is made there.\n\n"
			"A call is `POST /` (a form) or `GET /?Action=...` on the region's unix socket. A list is sent flattened: "
			"`.N` stands for an index. Replies are EC2's XML, lists as `<item>` elements, or JSON of the same names "
			"where the request has `Accept: application/json`; each begins with `requestId`.\n");
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		bool titled = false;

		for (const struct action *const *t = tables; *t; t++) {
			for (const struct action *a = *t; a->name; a++) {
				if (strcmp(a->service, services[i].service) != 0)
					continue;
				if (!titled)
					buffer_addf(out, "\n## %s\n\n%s\n\n", services[i].title, services[i].what);
				titled = true;
				add_action(out, a);
			}
		}
	}
}
