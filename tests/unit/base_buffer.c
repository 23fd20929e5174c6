/* Growing text: its maximum, its escapings; base64; ids. */
#include "tap.h"

#include "base/base64.h"
#include "base/buffer.h"
#include "base/id.h"
#include "base/text.h"

static void escapes(void (*add)(struct buffer *b, const char *text), const char *text, const char *want, const char *what)
{
	AUTO_BUFFER struct buffer b = BUFFER_INIT(4096);

	add(&b, text);
	is_str(buffer_text(&b), want, what);
}

static void test_limits(void)
{
	AUTO_BUFFER struct buffer b = BUFFER_INIT(8);
	struct error err = { 0 };
	char *text;

	is_str(buffer_text(&b), "", "an empty buffer is an empty text");
	buffer_add(&b, "12345678");
	ok(!buffer_failed(&b), "a buffer holds its maximum");
	buffer_add(&b, "9");
	ok(buffer_failed(&b), "and not a byte more");
	is_str(buffer_text(&b), "12345678", "what was there stays");
	ok(buffer_take(&b, &err) == NULL && err.kind == ERROR_ENVIRONMENT, "a failed buffer is not taken");
	buffer_reset(&b);
	buffer_addf(&b, "%s-%d", "x", 12);
	text = buffer_take(&b, NULL);
	is_str(text, "x-12", "a reset buffer works again");
	free(text);
	is_str(buffer_text(&b), "", "what was taken is gone");
	text = buffer_take(&b, NULL);
	is_str(text, "", "an empty buffer gives an empty text");
	free(text);
	buffer_addf(&b, "%100s", "x");
	ok(buffer_failed(&b), "a format past the maximum fails");
}

static void test_escapes(void)
{
	escapes(buffer_add_xml, "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;", "XML: markup");
	escapes(buffer_add_xml, "웹 🦄\t\n", "웹 🦄\t\n", "XML: other scripts, tab, newline");
	escapes(buffer_add_xml, "a\rb", "a&#13;b", "XML: a carriage return is kept from the parser");
	escapes(buffer_add_xml, "\x01\x1b[31m", "\xef\xbf\xbd\xef\xbf\xbd[31m", "XML: control characters");
	escapes(buffer_add_xml, "\xff\xc0\x80z", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz", "XML: what is no UTF-8");
	escapes(buffer_add_xml, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "XML: a surrogate");
	escapes(buffer_add_xml, "\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "XML: U+FFFF");
	escapes(buffer_add_xml, "\xf0\x9f\xa6", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "XML: a sequence cut short at the end");
	escapes(buffer_add_url, "az-_.~ +/&=%웹", "az-_.~%20%2B%2F%26%3D%25%EC%9B%B9", "URL");
	escapes(buffer_add_shell, "plain-word_1.txt", "plain-word_1.txt", "shell: a plain word");
	escapes(buffer_add_shell, "", "''", "shell: an empty word");
	escapes(buffer_add_shell, "it's $HOME", "'it'\\''s $HOME'", "shell: a quote and a dollar");
}

static void test_base64(void)
{
	static const struct {
		const char *raw, *encoded;
	} pairs[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" } };
	static const char *const bad[] = { "Zg=", "Zg", "=Zg=", "Zm9v!", "Zg==Zg==", "Zm9v=", "웹", "Zm-v" };
	struct error err;
	size_t len;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		text = base64_encode(pairs[i].raw, strlen(pairs[i].raw), NULL);
		is_str(text, pairs[i].encoded, "base64 of RFC 4648's examples");
		free(text);
		text = base64_decode(pairs[i].encoded, &len, NULL);
		ok(text && len == strlen(pairs[i].raw) && memcmp(text, pairs[i].raw, len) == 0, "and back: %s", pairs[i].encoded);
		free(text);
	}
	text = base64_decode("Zm9v\r\nYm\tFy\n", &len, NULL);
	is_str(text, "foobar", "white space is skipped");
	free(text);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&err, 0, sizeof err);
		text = base64_decode(bad[i], &len, &err);
		ok(!text && err.kind == ERROR_USAGE, "'%s' is no base64", bad[i]);
		free(text);
	}
}

static void test_ids(void)
{
	char id[ID_MAX], other[ID_MAX], uuid[UUID_TEXT_MAX], small[4];

	id_new(id, "i");
	id_new(other, "i");
	ok(id_well_formed(id, "i") && strlen(id) == 19 && id[2] == '0', "an instance id: %s", id);
	ok(strcmp(id, other) != 0, "two ids differ");
	id_new(id, "vpc-cidr-assoc");
	ok(id_well_formed(id, "vpc-cidr-assoc"), "the longest prefix: %s", id);
	id_from_text(id, "ami", "debian-12");
	id_from_text(other, "ami", "debian-12");
	is_str(id, other, "the id of a text is always the same");
	ok(id_well_formed("i-12345678", "i"), "EC2's older ids of 8 digits");
	ok(!id_well_formed("i-1234567", "i") && !id_well_formed("i-123456789", "i"), "not 7, not 9");
	ok(!id_well_formed("i-1234567G", "i") && !id_well_formed("i-ABCDEF01", "i"), "no other letters");
	ok(!id_well_formed("sg-12345678", "s") && !id_well_formed("12345678", "i") && !id_well_formed("", "i"), "no other prefix");
	uuid_new(uuid);
	ok(strlen(uuid) == 36 && uuid[14] == '4' && strchr("89ab", uuid[19]), "a uuid of version 4: %s", uuid);
	TEXT_COPY(small, "abcdef");
	is_str(small, "abc", "a copy is cut at its place's size");
	TEXT_COPY(small, "");
	is_str(small, "", "an empty copy");
}

int main(void)
{
	test_limits();
	test_escapes();
	test_base64();
	test_ids();
	return tap_done();
}
