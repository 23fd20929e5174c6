#include "cli/console_text.h"

static void take_text(struct console_filter *f, struct buffer *out, char c)
{
	bool held = f->held;

	f->held = false;
	if (held && (unsigned char)c >= 0x80 && (unsigned char)c <= 0x9f)
		return;
	if (held && (unsigned char)c >= 0xa0 && (unsigned char)c <= 0xbf) /* else it is no character; what comes later must not make it one */
		buffer_add_len(out, "\xc2", 1);
	if ((unsigned char)c == 0xc2)
		f->held = true;
	else if (c == 0x1b) {
		f->state = CONSOLE_ESCAPE;
	} else if (c == '\n' || c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f)) {
		buffer_add_len(out, &c, 1);
		f->line_pending = c != '\n';
	}
}

void console_filter_add(struct console_filter *f, struct buffer *out, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		switch (f->state) {
		case CONSOLE_TEXT:
			take_text(f, out, c);
			break;
		case CONSOLE_ESCAPE:
			/* ESC [ begins a control sequence; ESC ] P X ^ _ begin strings; ESC ( and the like take one more,
			 * which is harmless text at worst */
			if (c == '[')
				f->state = CONSOLE_CSI;
			else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
				f->state = CONSOLE_STRING;
			else
				f->state = CONSOLE_TEXT;
			break;
		case CONSOLE_CSI:
			if (c >= 0x40 && c <= 0x7e)
				f->state = CONSOLE_TEXT;
			else if (c == '\n') { /* not a sequence after all: don't lose the line */
				f->state = CONSOLE_TEXT;
				take_text(f, out, c);
			}
			break;
		case CONSOLE_STRING:
			if (c == 0x07 || c == '\n')
				f->state = CONSOLE_TEXT;
			else if (c == 0x1b)
				f->state = CONSOLE_STRING_ESCAPE;
			break;
		case CONSOLE_STRING_ESCAPE:
			f->state = c == '\\' ? CONSOLE_TEXT : CONSOLE_STRING;
			break;
		}
	}
}

const char *console_tail(const char *text, size_t len, size_t lines)
{
	size_t at = len;

	if (at && text[at - 1] == '\n')
		at--;
	while (at) {
		if (text[at - 1] == '\n' && lines-- <= 1)
			break;
		at--;
	}
	return text + at;
}
