#include "api/text.h"

#include <stdint.h>
#include <string.h>

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

const char *text_show(char out[TEXT_SHOWN_MAX], const char *text, size_t len)
{
	size_t used = 0, i = 0;

	while (i < len) {
		size_t n = text_utf8_step(text + i, len - i);

		if (used + (n ? n : 1) > TEXT_SHOWN_MAX - sizeof "...")
			break;
		if (n == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			out[used++] = '?';
			i++;
			continue;
		}
		memcpy(out + used, text + i, n);
		used += n;
		i += n;
	}
	/* room for the dots was kept */
	memcpy(out + used, i < len ? "..." : "\0\0\0", sizeof "...");
	return out;
}

void text_add_utf8(struct buffer *b, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		size_t n = text_utf8_step(text, len);

		if (n == 0) {
			buffer_add(b, "\xef\xbf\xbd");
			n = 1;
		} else {
			buffer_add_len(b, text, n);
		}
		text += n;
		len -= n;
	}
}
