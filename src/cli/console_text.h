/* A serial console's bytes made fit for a terminal: a guest must not be able to drive the user's. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"

enum console_state { CONSOLE_TEXT, CONSOLE_ESCAPE, CONSOLE_CSI, CONSOLE_STRING, CONSOLE_STRING_ESCAPE };

/* Remembers where in an escape sequence the last bytes ended. Zeroed at the start. */
struct console_filter {
	enum console_state state;
	bool held;         /* a 0xc2, which begins U+0080 to U+00BF: the first half of these are control characters too */
	bool line_pending; /* something stands on the present line */
};

/* Adds the printable text of data: escape sequences and control characters but newline and tab are dropped, runs of
 * carriage returns vanish. Pure. */
void console_filter_add(struct console_filter *f, struct buffer *out, const char *data, size_t len);
/* Where the last n lines of text begin. Pure. */
const char *console_tail(const char *text, size_t len, size_t lines);
