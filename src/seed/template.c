#include "seed/template.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

void template_quote_yaml(struct buffer *out, const char *text)
{
	buffer_add(out, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buffer_add(out, "\\");
		buffer_add_len(out, text, 1);
	}
	buffer_add(out, "\"");
}

/* The length of the @WORD@ at s, both signs included; 0 where there is none. */
static size_t word_length(const char *s)
{
	size_t n = 1;

	while (isupper((unsigned char)s[n]) || isdigit((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n > 1 && s[n] == '@' ? n + 1 : 0;
}

static int add_word(struct buffer *out, const char *what, const char *name, size_t len, const struct template_word *words,
		    void (*quote)(struct buffer *out, const char *value), struct error *err)
{
	for (const struct template_word *w = words; w->name; w++) {
		const char *value = w->value ? w->value : "";

		if (strlen(w->name) != len || memcmp(w->name, name, len) != 0)
			continue;
		if (!text_is_line(value))
			return error_set(err, ERROR_USAGE,
					 "The value of %s for the seed's %s holds a control character or is no UTF-8; it must be one line.",
					 w->name, what);
		quote(out, value);
		return 0;
	}
	return error_set(err, ERROR_INTERNAL, "The template %s names @%.*s@, which is unknown.", what, (int)len, name);
}

int template_expand(struct buffer *out, const char *what, const char *text, const struct template_word *words,
		    void (*quote)(struct buffer *out, const char *value), struct error *err)
{
	while (*text) {
		const char *at = strchr(text, '@');
		size_t len;

		if (!at) {
			buffer_add(out, text);
			break;
		}
		buffer_add_len(out, text, (size_t)(at - text));
		len = word_length(at);
		if (!len) {
			buffer_add(out, "@");
			text = at + 1;
			continue;
		}
		if (add_word(out, what, at + 1, len - 2, words, quote, err) < 0)
			return -1;
		text = at + len;
	}
	if (buffer_failed(out))
		return error_set(err, ERROR_ENVIRONMENT, "The seed's %s grew past %zu bytes or memory ran out.", what, out->max);
	return 0;
}
