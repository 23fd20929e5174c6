#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void buffer_done(struct buffer *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

static bool reserve(struct buffer *b, size_t more)
{
	size_t want, cap;
	char *data;

	if (b->failed)
		return false;
	if (more > b->max || b->len > b->max - more) {
		b->failed = true;
		return false;
	}
	want = b->len + more + 1;
	if (want <= b->cap)
		return true;
	cap = b->cap ? b->cap : 128;
	while (cap < want)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void buffer_add_len(struct buffer *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buffer_add(struct buffer *b, const char *text)
{
	buffer_add_len(b, text, strlen(text));
}

void buffer_addv(struct buffer *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void buffer_addf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buffer_addv(b, fmt, ap);
	va_end(ap);
}

/* The length of the UTF-8 sequence at the start of text that XML 1.0 can carry, 0 where there is none. */
static size_t xml_utf8(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = text_utf8_step(text, len);

	if (n == 1)
		return s[0] >= 0x20 || s[0] == '\t' || s[0] == '\n' || s[0] == '\r';
	/* U+FFFE and U+FFFF are well-formed UTF-8, but no characters of XML */
	if (n == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
		return 0;
	return n;
}

void buffer_add_xml(struct buffer *b, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t n = xml_utf8(text, len);

		if (!n) {
			buffer_add(b, "\xef\xbf\xbd");
			text++;
			len--;
			continue;
		}
		switch (*text) {
		case '&':
			buffer_add(b, "&amp;");
			break;
		case '<':
			buffer_add(b, "&lt;");
			break;
		case '>':
			buffer_add(b, "&gt;");
			break;
		case '"':
			buffer_add(b, "&quot;");
			break;
		case '\'':
			buffer_add(b, "&#39;");
			break;
		case '\r': /* a parser would fold it into a newline */
			buffer_add(b, "&#13;");
			break;
		default:
			buffer_add_len(b, text, n);
		}
		text += n;
		len -= n;
	}
}

void buffer_add_url(struct buffer *b, const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') ||
		    strchr("-_.~", *s))
			buffer_add_len(b, s, 1);
		else
			buffer_addf(b, "%%%02X", *s);
	}
}

void buffer_add_shell(struct buffer *b, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./=:@%+,";

	if (*text && strspn(text, plain) == strlen(text)) {
		buffer_add(b, text);
		return;
	}
	buffer_add(b, "'");
	for (; *text; text++) {
		if (*text == '\'')
			buffer_add(b, "'\\''");
		else
			buffer_add_len(b, text, 1);
	}
	buffer_add(b, "'");
}

const char *buffer_text(const struct buffer *b)
{
	return b->data ? b->data : "";
}

char *buffer_take(struct buffer *b, struct error *err)
{
	char *text;

	if (b->failed) {
		error_set(err, ERROR_ENVIRONMENT, "A text grew past its limit of %zu bytes or memory ran out.", b->max);
		return NULL;
	}
	text = b->data ? b->data : strdup("");
	b->data = NULL;
	b->len = b->cap = 0;
	if (!text)
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	return text;
}

void buffer_reset(struct buffer *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}
