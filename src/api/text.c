#include "api/text.h"

#include <string.h>

#include "base/text.h"

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
