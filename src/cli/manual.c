/* vpclab(1), printed from the table of verbs. */
#include <string.h>

#include "base/config.h"
#include "cli/completion.h"

/* Text as man's macros take it: no line of it is a request, and a hyphen stays one that can be copied. Words that were wrapped
 * are joined again; two newlines part paragraphs. */
static void text_add(struct buffer *out, const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (text[0] == '\n' && text[1] == '\n') {
			buffer_add(out, "\n.sp\n");
			text++;
			begins = true;
			continue;
		}
		if (begins && (*text == '.' || *text == '\''))
			buffer_add(out, "\\&");
		begins = false;
		switch (*text) {
		case '\\':
			buffer_add(out, "\\e");
			break;
		case '-':
			buffer_add(out, "\\-");
			break;
		case '\n':
			buffer_add(out, " ");
			break;
		case '\'':
			buffer_add(out, "\\(aq");
			break;
		case '`':
			buffer_add(out, "\\(ga");
			break;
		case '"':
			buffer_add(out, "\\(dq");
			break;
		default:
			buffer_add_len(out, text, 1);
		}
	}
	buffer_add(out, "\n");
}

static void flags_add(struct buffer *out, const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++) {
		buffer_add(out, ".TP\n\\fB\\-\\-");
		for (const char *c = f->name; *c; c++)
			buffer_addf(out, "%s%c", *c == '-' ? "\\" : "", *c);
		buffer_addf(out, "\\fR%s%s%s\n", f->arg ? " \\fI" : "", f->arg ? f->arg : "", f->arg ? "\\fR" : "");
		text_add(out, f->help);
	}
}

static void verb_add(struct buffer *out, const struct verb *v)
{
	buffer_add(out, ".SS \"vpclab ");
	buffer_add(out, v->name);
	buffer_add(out, *v->synopsis ? " " : "");
	for (const char *c = v->synopsis; *c; c++)
		buffer_addf(out, "%s%c", *c == '-' ? "\\" : "", *c);
	buffer_add(out, "\"\n");
	text_add(out, v->summary);
	if (v->details) {
		buffer_add(out, ".sp\n");
		text_add(out, v->details);
	}
	flags_add(out, v->flags);
}

void manual_page(struct buffer *out, const char *version)
{
	struct config defaults;

	config_defaults(&defaults);
	buffer_addf(out, ".\\\" Made by `vpclab reference man` from the table of verbs; do not edit.\n.TH VPCLAB 1 \"\" \"vpclab %s\"\n"
			 ".SH NAME\nvpclab \\- an AWS region on one machine\n"
			 ".SH SYNOPSIS\n.B vpclab\n.I VERB\n.RI [ WORDS ]\n.RI [ \\-\\-FLAGS ]\n.SH DESCRIPTION\n",
		    version);
	text_add(out, "An EC2 region that runs on this machine: real guests in QEMU, a VPC with security groups, an internet gateway and "
		      "public addresses, and EC2's Query API on a unix socket. Run as `vpclab daemon` the program is the region; with any "
		      "other verb it is a client of the region, which it starts where none runs.\n\n"
		      "NAME is an instance's Name tag or its id.");
	buffer_add(out, ".SH VERBS\n");
	for (const struct verb *const *v = verbs; *v; v++)
		if ((*v)->group)
			verb_add(out, *v);
	buffer_add(out, ".SH FLAGS OF EVERY VERB\n");
	flags_add(out, global_flags);
	buffer_add(out, ".SH EXIT STATUS\n.TP\n0\nok\n.TP\n1\na check failed\n.TP\n2\nusage: the request can't be granted as it is\n"
			".TP\n3\nenvironment: this machine lacks or refuses something\n.TP\n4\ntimeout\n"
			".SH SETTINGS\n");
	text_add(out, "Lines KEY = VALUE of the configuration file; the environment's VPCLAB_KEY in capitals; --set KEY=VALUE. The later "
		      "of these wins.");
	for (size_t i = 0; i < config_keys_count; i++) {
		const char *value = (const char *)&defaults + config_keys[i].offset;

		buffer_addf(out, ".TP\n\\fB%s\\fR\n", config_keys[i].name);
		text_add(out, config_keys[i].what);
		if (*value) {
			buffer_add(out, "(default ");
			for (const char *c = value; *c; c++)
				buffer_addf(out, "%s%c", *c == '-' ? "\\" : "", *c);
			buffer_add(out, ")\n");
		}
	}
	buffer_add(out, ".SH FILES\n.TP\n.I /etc/vpclab/vpclab.conf\nsettings\n.TP\n.I /var/lib/vpclab\nstate: the store, images, disks, "
			"daemon.log\n.TP\n.I /run/vpclab/api.sock\nthe region\\(aqs API\n"
			".SH SEE ALSO\n.BR ssh (1),\n.BR qemu\\-system\\-x86_64 (1),\n.BR nft (8)\n");
}
