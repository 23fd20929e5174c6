#include "base/text.h"

#include <stdint.h>

size_t text_utf8_step(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c;
	size_t n;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
		c = s[0] & 0x1fu;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		c = s[0] & 0x0fu;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		c = s[0] & 0x07u;
	} else {
		return 0;
	}
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	/* overlong forms, surrogates, past the last code point */
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

/* What a terminal could take for a command: C0, DEL, and C1 (U+0080 to U+009F), of which U+009B is as good as ESC [. And what a
 * reader takes for a line's end, though it is none to us: U+0085, U+2028, U+2029. */
static bool commands(const unsigned char *s, size_t n)
{
	return (n == 1 && (s[0] < 0x20 || s[0] == 0x7f)) || (n == 2 && s[0] == 0xc2 && s[1] <= 0x9f) ||
	       (n == 3 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9));
}

bool text_is_line(const char *text)
{
	size_t len = strlen(text), n;

	for (; len; text += n, len -= n) {
		n = text_utf8_step(text, len);
		if (n == 0 || commands((const unsigned char *)text, n))
			return false;
	}
	return true;
}

void text_make_line(char *text)
{
	size_t len = strlen(text), n;
	char *to = text;

	for (; len; text += n, len -= n) {
		n = text_utf8_step(text, len);
		if (n && !commands((const unsigned char *)text, n)) {
			memmove(to, text, n);
			to += n;
		} else {
			bool bad = n == 0;

			n += bad;
			*to++ = bad ? '?' : ' ';
		}
	}
	*to = '\0';
}
