/* A reply tree with arbitrary strings, and an error with an arbitrary message, as XML and JSON: libxml2 and jansson read them
 * back, with the same text where XML can carry it. */
#include "api/serialize.h"

#include <libxml/parser.h>

#include "base/text.h"
#include "fuzz/fuzz.h"

#define ID "59dbff89-35bd-4eac-99ed-be587EXAMPLE"
#define DEPTH 6

static json_t *text_value(struct fuzz_source *s)
{
	size_t n = fuzz_below(s, 64);
	char *text;
	json_t *v;

	if (n > s->size)
		n = s->size;
	text = fuzz_text(s->data, n);
	s->data += n;
	s->size -= n;
	v = json_string(text); /* as put_text does: what isn't UTF-8 doesn't get into a reply */
	if (!v)
		v = json_string_nocheck(text);
	free(text);
	return v;
}

static json_t *value(struct fuzz_source *s, int depth)
{
	static const char *const names[] = { "instancesSet", "instanceId", "groupSet", "key", "value", "tagSet", "cidrIp" };
	unsigned what = fuzz_below(s, depth < DEPTH ? 8 : 5), n;
	json_t *v;

	switch (what) {
	case 0:
		return json_integer((json_int_t)(int32_t)fuzz_u32(s));
	case 1:
		return json_boolean(fuzz_byte(s) & 1);
	case 2:
		return json_null();
	case 5:
		v = json_array();
		for (n = fuzz_below(s, 5); n; n--)
			json_array_append_new(v, value(s, depth + 1));
		return v;
	case 6:
	case 7:
		v = json_object();
		for (n = fuzz_below(s, 5); n; n--)
			json_object_set_new(v, names[fuzz_below(s, 7)], value(s, depth + 1));
		return v;
	default:
		return text_value(s);
	}
}

static bool utf8(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t n = text_utf8_step(text, len);

		if (!n)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

/* Every character one that XML 1.0 has? */
static bool xml_can(const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s < 0x20 && *s != '\t' && *s != '\n' && *s != '\r')
			return false;
		if (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
			return false;
	}
	return utf8(text);
}

static const xmlNode *element_after(const xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

static const xmlNode *same(const xmlNode *n, const char *name, json_t *v)
{
	const xmlNode *child;
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_null(v))
		return n;
	n = element_after(n);
	MUST(n && strcmp((const char *)n->name, name) == 0);
	if (json_is_string(v)) {
		xmlChar *content = xmlNodeGetContent(n);

		if (xml_can(json_string_value(v)))
			MUST(strcmp((const char *)content, json_string_value(v)) == 0);
		xmlFree(content);
	}
	child = n->children;
	json_object_foreach(v, key, member)
		child = same(child, key, member);
	json_array_foreach(v, i, member)
		child = same(child, "item", member);
	if (json_is_object(v) || json_is_array(v))
		MUST(!element_after(child));
	return n->next;
}

static xmlDoc *read_back(const struct buffer *out)
{
	xmlDoc *doc;

	MUST(!buffer_failed(out));
	doc = xmlReadMemory(buffer_text(out), (int)out->len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
	MUST(doc);
	return doc;
}

static bool all_utf8(json_t *v)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_string(v))
		return utf8(json_string_value(v));
	json_object_foreach(v, key, member)
		if (!all_utf8(member))
			return false;
	json_array_foreach(v, i, member)
		if (!all_utf8(member))
			return false;
	return true;
}

static void reply(struct fuzz_source *s)
{
	struct buffer out = BUFFER_INIT(SERIALIZE_MAX);
	json_t *tree = json_object(), *back, *member;
	const xmlNode *n;
	const char *key;
	xmlDoc *doc;

	json_object_set_new(tree, "instancesSet", value(s, 0));
	json_object_set_new(tree, "nextToken", value(s, 0));
	serialize_reply_xml(&out, "DescribeInstances", ID, tree);
	doc = read_back(&out);
	n = xmlDocGetRootElement(doc)->children;
	n = element_after(n);
	MUST(n && strcmp((const char *)n->name, "requestId") == 0);
	n = n->next;
	json_object_foreach(tree, key, member)
		n = same(n, key, member);
	MUST(!element_after(n));
	xmlFreeDoc(doc);
	buffer_reset(&out);
	serialize_reply_json(&out, ID, tree);
	if (all_utf8(tree)) {
		MUST(!buffer_failed(&out));
		back = json_loads(buffer_text(&out), 0, NULL);
		MUST(back);
		json_object_del(back, "requestId");
		MUST(json_equal(back, tree));
		json_decref(back);
	}
	buffer_done(&out);
	json_decref(tree);
}

static void error(const uint8_t *data, size_t size)
{
	struct buffer out = BUFFER_INIT(SERIALIZE_MAX);
	char *text = fuzz_text(data, size);
	struct error err = { 0 };
	json_t *back;

	error_set_code(&err, ERROR_USAGE, "InvalidParameterValue", "%s", text);
	serialize_error_xml(&out, ID, &err);
	xmlFreeDoc(read_back(&out));
	buffer_reset(&out);
	serialize_error_json(&out, ID, &err);
	MUST(!buffer_failed(&out));
	back = json_loads(buffer_text(&out), 0, NULL);
	MUST(back);
	json_decref(back);
	buffer_done(&out);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_source s = { data, size };

	reply(&s);
	error(data, size);
	return 0;
}
