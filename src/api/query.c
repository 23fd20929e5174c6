#include "api/query.h"

#include <stdlib.h>
#include <string.h>

#include "api/text.h"
#include "base/cleanup.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Undoes the encoding into out, which has room for len + 1 bytes; a broken escape is an error. */
static int unescape(const char *in, size_t len, char *out, size_t *ret_len, struct error *err)
{
	char shown[TEXT_SHOWN_MAX];
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (in[i] == '+') {
			out[used++] = ' ';
			continue;
		}
		if (in[i] != '%') {
			out[used++] = in[i];
			continue;
		}
		high = i + 1 < len ? hex(in[i + 1]) : -1;
		low = i + 2 < len ? hex(in[i + 2]) : -1;
		if (high < 0 || low < 0)
			return error_set_code(err, ERROR_USAGE, "MalformedQueryString",
					      "The query has a broken escape at '%s': after %% come two hexadecimal "
					      "digits, and %% itself is sent as %%25.",
					      text_show(shown, in + i, len - i));
		out[used++] = (char)(high << 4 | low);
		i += 2;
	}
	out[used] = '\0';
	*ret_len = used;
	return 0;
}

static int check_name(const struct query_pair *p, struct error *err)
{
	char shown[TEXT_SHOWN_MAX];
	size_t segments = 1;

	text_show(shown, p->name, p->name_len);
	if (p->name_len == 0)
		return error_set_code(err, ERROR_USAGE, "MalformedQueryString",
				      "The query has a value without a name: send Name=value pairs joined by '&'.");
	if (p->name_len > QUERY_NAME_MAX)
		return error_set_code(err, ERROR_USAGE, "MalformedQueryString",
				      "The parameter name '%s' is longer than %d bytes.", shown, QUERY_NAME_MAX);
	if (memchr(p->name, '\0', p->name_len))
		return error_set_code(err, ERROR_USAGE, "MalformedQueryString",
				      "The parameter name '%s' has a NUL byte in it.", shown);
	for (size_t i = 0; i < p->name_len; i++)
		segments += p->name[i] == '.';
	if (segments > QUERY_SEGMENTS_MAX)
		return error_set_code(err, ERROR_USAGE, "MalformedQueryString",
				      "The parameter name '%s' has more than %d parts.", shown, QUERY_SEGMENTS_MAX);
	return 0;
}

static struct query_pair *new_pair(struct query *q, struct error *err)
{
	if (q->count == QUERY_PAIRS_MAX) {
		error_set_code(err, ERROR_USAGE, "MalformedQueryString",
			       "The request has more than %d parameters; send fewer at a time.", QUERY_PAIRS_MAX);
		return NULL;
	}
	if (q->count == q->cap) {
		size_t cap = q->cap ? q->cap * 2 : 16;
		struct query_pair *more = reallocarray(q->pairs, cap, sizeof *more);

		if (!more) {
			error_set(err, ERROR_ENVIRONMENT, "Memory ran out while a request was read.");
			return NULL;
		}
		q->pairs = more;
		q->cap = cap;
	}
	return &q->pairs[q->count];
}

static int parse_pair(struct query *q, const char *text, size_t len, char **out, struct error *err)
{
	struct query_pair *p = new_pair(q, err);
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	char shown[TEXT_SHOWN_MAX];

	if (!p)
		return -1;
	p->name = *out;
	if (unescape(text, name_len, *out, &p->name_len, err) < 0)
		return -1;
	*out += p->name_len + 1;
	p->value = *out;
	if (unescape(equals ? equals + 1 : "", equals ? len - name_len - 1 : 0, *out, &p->value_len, err) < 0)
		return -1;
	*out += p->value_len + 1;
	if (check_name(p, err) < 0)
		return -1;
	if (p->value_len > QUERY_VALUE_MAX)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "The value of %s has %zu bytes, more than the %u allowed.",
				      text_show(shown, p->name, p->name_len), p->value_len, QUERY_VALUE_MAX);
	q->count++;
	return 0;
}

int query_parse(struct query *q, const char *text, size_t len, struct error *err)
{
	size_t parts = 1;
	char *out;

	if (len == 0)
		return 0;
	if (len > QUERY_BODY_MAX || q->text_count == QUERY_TEXTS_MAX)
		return error_set_code(err, ERROR_USAGE, "RequestEntityTooLarge",
				      "The request has %zu bytes, more than the %u allowed.", len, QUERY_BODY_MAX);
	for (size_t i = 0; i < len; i++)
		parts += text[i] == '&';
	/* decoding never grows a text; each pair wants two NULs, and brings at most one '=' for them */
	out = malloc(len + 2 * parts);
	if (!out)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out while a request was read.");
	q->texts[q->text_count++] = out;
	while (len > 0) {
		const char *end = memchr(text, '&', len);
		size_t part = end ? (size_t)(end - text) : len;

		if (part > 0 && parse_pair(q, text, part, &out, err) < 0)
			return -1;
		part += end != NULL;
		text += part;
		len -= part;
	}
	return 0;
}

void query_done(struct query *q)
{
	for (size_t i = 0; i < q->text_count; i++)
		free(q->texts[i]);
	free(q->pairs);
	memset(q, 0, sizeof *q);
}

const struct query_pair *query_find(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->count; i++) {
		if (strcmp(q->pairs[i].name, name) == 0)
			return &q->pairs[i];
	}
	return NULL;
}
