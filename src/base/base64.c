#include "base/base64.h"

#include <nettle/base64.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

char *base64_encode(const void *data, size_t len, struct error *err)
{
	char *text = malloc(BASE64_ENCODE_RAW_LENGTH(len) + 1);

	if (!text) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	base64_encode_raw(text, len, data);
	text[BASE64_ENCODE_RAW_LENGTH(len)] = '\0';
	return text;
}

char *base64_decode(const char *text, size_t *ret_len, struct error *err)
{
	size_t len = strlen(text), got = BASE64_DECODE_LENGTH(len);
	AUTO_FREE char *data = malloc(got + 1);
	struct base64_decode_ctx ctx;

	if (!data) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &got, (uint8_t *)data, len, text) || !base64_decode_final(&ctx)) {
		error_set(err, ERROR_USAGE, "The text is not valid base64.");
		return NULL;
	}
	data[got] = '\0';
	if (ret_len)
		*ret_len = got;
	return TAKE_PTR(data);
}
