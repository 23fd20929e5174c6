#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "image/store.h"

static void cleanup_json(json_t **j)
{
	json_decref(*j);
}

static void text_of(const json_t *root, const char *key, char *out, size_t size)
{
	const char *value = json_string_value(json_object_get(root, key));

	snprintf(out, size, "%s", value ? value : "");
}

int record_parse(struct record *ret, const char *json, size_t len, struct error *err)
{
	json_error_t why;
	json_t *root CLEANUP(cleanup_json) = json_loadb(json, len, 0, &why);
	json_t *bytes = json_object_get(root, "bytes"), *mtime = json_object_get(root, "mtimeNs");

	memset(ret, 0, sizeof *ret);
	text_of(root, "sha256", ret->sha256, sizeof ret->sha256);
	if (!root || strlen(ret->sha256) != IMAGE_SHA256_MAX - 1 || !json_is_integer(bytes) || !json_is_integer(mtime))
		return error_set(err, ERROR_ENVIRONMENT, "it is not a record of an image: %s",
				 root ? "sha256, bytes or mtimeNs is missing" : why.text);
	text_of(root, "signature", ret->signature, sizeof ret->signature);
	text_of(root, "os", ret->os, sizeof ret->os);
	ret->bytes = json_integer_value(bytes);
	ret->mtime_ns = json_integer_value(mtime);
	ret->virtual_size = json_integer_value(json_object_get(root, "virtualSize"));
	ret->since_ms = json_integer_value(json_object_get(root, "sinceMs"));
	return 0;
}

char *record_text(const struct record *r, struct error *err)
{
	json_t *root CLEANUP(cleanup_json) =
		json_pack("{s:s, s:I, s:I, s:I, s:I, s:s, s:s}", "sha256", r->sha256, "bytes", (json_int_t)r->bytes,
			  "mtimeNs", (json_int_t)r->mtime_ns, "virtualSize", (json_int_t)r->virtual_size, "sinceMs",
			  (json_int_t)r->since_ms, "signature", r->signature, "os", r->os);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	if (!text)
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	return text;
}
