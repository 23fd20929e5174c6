#include "compute/console.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

enum escape { ESCAPE_NONE, ESCAPE_STARTED, ESCAPE_ONE_MORE, ESCAPE_CSI, ESCAPE_STRING, ESCAPE_STRING_END };

/* What tells a step, in order: the first that fits the line wins. */
struct sign {
	const char *text;
	enum boot_phase phase;
	const char *detail; /* NULL: the line itself, from text on */
};

static const struct sign failures[] = {
	{ "Kernel panic - not syncing", BOOT_FAILED, NULL },
	{ "No bootable device", BOOT_FAILED, NULL },
	{ "grub rescue>", BOOT_FAILED, NULL },
	{ "does not exist.  Dropping to a shell!", BOOT_FAILED, "the root file system was not found" },
	{ "You are in emergency mode", BOOT_FAILED, NULL },
	{ "Failed to start cloud-", BOOT_FAILED, NULL },
	{ "Failed to start Initial cloud-init job", BOOT_FAILED, NULL },
	{ "Failed to start Apply the settings specified in cloud-config", BOOT_FAILED, NULL },
	{ "Failed to start Execute cloud user/final scripts", BOOT_FAILED, NULL },
	{ "Failed to start Cloud-init: ", BOOT_FAILED, NULL },
};

static const struct sign firmware[] = {
	{ "SeaBIOS (version", BOOT_FIRMWARE, "SeaBIOS" },
	{ "GNU GRUB", BOOT_FIRMWARE, "GRUB" },
	{ "Welcome to GRUB!", BOOT_FIRMWARE, "GRUB" },
	{ "GRUB loading", BOOT_FIRMWARE, "GRUB" },
};

/* cloud-init says `Cloud-init v. 22.4.2 running 'init-local' at ...` as each of its stages begins. */
static const struct sign stages[] = {
	{ " running 'init-local' at", BOOT_CLOUD_INIT, "local" },
	{ " running 'init' at", BOOT_CLOUD_INIT, "network" },
	{ " running 'modules:config' at", BOOT_CLOUD_INIT, "config" },
	{ " running 'modules:final' at", BOOT_CLOUD_INIT, "final" },
};

static const char *const names[] = {
	[BOOT_NONE] = "none",		  [BOOT_FIRMWARE] = "firmware",	  [BOOT_KERNEL] = "kernel",
	[BOOT_INIT] = "init",		  [BOOT_CLOUD_INIT] = "cloud-init", [BOOT_USER_DATA] = "user-data",
	[BOOT_READY] = "ready",		  [BOOT_FAILED] = "failed",
};

const char *boot_phase_name(enum boot_phase p)
{
	return (size_t)p < ARRAY_SIZE(names) ? names[p] : "unknown";
}

void console_parser_init(struct console_parser *p)
{
	memset(p, 0, sizeof *p);
}

struct sink {
	struct console_parser *p;
	void (*step)(void *arg, const struct boot_step *s);
	void *arg;
};

static void emit(const struct sink *k, enum boot_phase phase, const char *detail, size_t len)
{
	struct console_parser *p = k->p;
	struct boot_step s = { .phase = phase };

	while (len && (detail[len - 1] == ' ' || detail[len - 1] == '\t'))
		len--;
	snprintf(s.detail, sizeof s.detail, "%.*s", (int)(len < sizeof s.detail ? len : sizeof s.detail), detail);
	text_make_line(s.detail); /* it is shown in the user's terminal, and may have been cut inside a character */
	if (p->phase == phase && strcmp(p->detail, s.detail) == 0)
		return;
	p->phase = phase;
	memcpy(p->detail, s.detail, sizeof p->detail);
	if (k->step)
		k->step(k->arg, &s);
}

static const struct sign *sign_in(const char *line, const struct sign *signs, size_t n, const char **at)
{
	for (size_t i = 0; i < n; i++) {
		*at = strstr(line, signs[i].text);
		if (*at)
			return &signs[i];
	}
	return NULL;
}

static bool emit_sign(const struct sink *k, const char *line, const struct sign *signs, size_t n)
{
	const char *at, *detail;
	const struct sign *s = sign_in(line, signs, n, &at);

	if (!s)
		return false;
	detail = s->detail ? s->detail : at;
	emit(k, s->phase, detail, strlen(detail));
	return true;
}

/* `[    0.000000] ...` as printk stamps its lines; returns what follows, NULL where it is no such line. */
static const char *after_stamp(const char *line)
{
	const char *p = line;

	if (*p++ != '[')
		return NULL;
	p += strspn(p, " ");
	if (!strspn(p, "0123456789"))
		return NULL;
	p += strspn(p, "0123456789");
	if (*p++ != '.' || strspn(p, "0123456789") != 6 || p[6] != ']')
		return NULL;
	p += 7;
	return *p == ' ' ? p + 1 : p;
}

/* A new boot: what an earlier one had reached counts no more. */
static void boot_begins(struct console_parser *p)
{
	p->cloud_init_finished = false;
}

static bool kernel_line(const struct sink *k, const char *line)
{
	const char *words = after_stamp(line), *version;

	if (!words)
		return false;
	version = "Linux version ";
	if (strncmp(words, version, strlen(version)) == 0) {
		const char *release = words + strlen(version);
		char detail[CONSOLE_DETAIL_MAX];
		int n;

		boot_begins(k->p);
		n = snprintf(detail, sizeof detail, "Linux %.*s", (int)strcspn(release, " "), release);
		emit(k, BOOT_KERNEL, detail, n < (int)sizeof detail ? (size_t)n : sizeof detail - 1);
		return true;
	}
	/* a console that was plugged in late has missed the first lines */
	if (k->p->phase < BOOT_KERNEL) {
		emit(k, BOOT_KERNEL, "Linux", 5);
		return true;
	}
	return false;
}

/* `Welcome to Debian GNU/Linux 12 (bookworm)!`, or systemd's own line before it where there is one. */
static bool init_line(const struct sink *k, const char *line)
{
	static const char welcome[] = "Welcome to ";
	size_t n = strlen(line);

	if (k->p->phase > BOOT_INIT)
		return false;
	if (strncmp(line, welcome, sizeof welcome - 1) != 0 || line[n - 1] != '!')
		return false;
	emit(k, BOOT_INIT, line + sizeof welcome - 1, n - (sizeof welcome - 1) - 1);
	return true;
}

static bool lab_line(const struct sink *k, const char *line)
{
	static const char mark[] = "[vpclab] ";
	const char *at = strstr(line, mark);

	if (!at)
		return false;
	at += sizeof mark - 1;
	emit(k, strstr(at, "FAILED") ? BOOT_FAILED : BOOT_USER_DATA, at, strlen(at));
	return true;
}

static bool finished_line(const struct sink *k, const char *line)
{
	const char *at = strstr(line, "Cloud-init v. ");

	if (!at || !strstr(at, " finished at "))
		return false;
	k->p->cloud_init_finished = true;
	emit(k, BOOT_READY, at, strlen(at));
	return true;
}

static void whole_line(const struct sink *k)
{
	const char *line = k->p->line;

	if (!k->p->len)
		return;
	if (emit_sign(k, line, failures, ARRAY_SIZE(failures)))
		return;
	if (emit_sign(k, line, firmware, ARRAY_SIZE(firmware))) {
		boot_begins(k->p);
		return;
	}
	/* a line of cloud-init may come through the kernel's log, so it is looked for before that */
	if (finished_line(k, line) ||
	    (strstr(line, "Cloud-init v. ") && emit_sign(k, line, stages, ARRAY_SIZE(stages))) || lab_line(k, line))
		return;
	if (!init_line(k, line))
		kernel_line(k, line);
}

static void add_byte(struct console_parser *p, char c)
{
	/* the rest of an overlong line is dropped, its beginning still told */
	if (p->len + 1 >= sizeof p->line)
		return;
	p->line[p->len++] = c;
	p->line[p->len] = '\0';
}

/* True while c belongs to an escape sequence (ECMA-48, and the two-byte charset choices). */
static bool in_escape(struct console_parser *p, unsigned char c)
{
	switch ((enum escape)p->escape) {
	case ESCAPE_NONE:
		if (c != 0x1b)
			return false;
		p->escape = ESCAPE_STARTED;
		return true;
	case ESCAPE_STARTED:
		if (c == '[')
			p->escape = ESCAPE_CSI;
		else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
			p->escape = ESCAPE_STRING;
		else if (c == '(' || c == ')' || c == '*' || c == '+' || c == '#' || c == '%')
			p->escape = ESCAPE_ONE_MORE;
		else
			p->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_ONE_MORE:
		p->escape = ESCAPE_NONE;
		return true;
	case ESCAPE_CSI:
		if (c >= 0x40 && c <= 0x7e)
			p->escape = ESCAPE_NONE;
		else if (c < 0x20 || c > 0x7e) { /* broken off: what follows is text again */
			p->escape = ESCAPE_NONE;
			return c != '\n' && c != '\r';
		}
		return true;
	case ESCAPE_STRING:
		if (c == 0x07 || c == 0x9c)
			p->escape = ESCAPE_NONE;
		else if (c == 0x1b)
			p->escape = ESCAPE_STRING_END;
		else if (c == '\n') {
			p->escape = ESCAPE_NONE;
			return false;
		}
		return true;
	case ESCAPE_STRING_END:
		p->escape = ESCAPE_NONE;
		return true;
	}
	return false;
}

void console_feed(struct console_parser *p, const char *data, size_t len,
		  void (*step)(void *arg, const struct boot_step *s), void *arg)
{
	const struct sink k = { p, step, arg };

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (in_escape(p, c))
			continue;
		if (c == '\n' || c == '\r') {
			whole_line(&k);
			p->len = 0;
			p->line[0] = '\0';
		} else if (c == '\t' || c >= 0x20) {
			add_byte(p, (char)c);
		}
	}
}
