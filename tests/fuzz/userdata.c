#include "base/base64.h"
#include "fuzz/fuzz.h"
#include "seed/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_bytes(data, size), *text = fuzz_text(data, size), *encoded, *back, why[64];
	struct error err = { 0 };
	size_t len = 0;

	if (seed_user_data_yaml_check(bytes, size, why, sizeof why))
		MUST(*why && memchr(why, '\0', sizeof why));
	encoded = base64_encode(bytes, size, &err);
	MUST(encoded);
	back = base64_decode(encoded, &len, &err);
	MUST(back && len == size && memcmp(back, bytes, size) == 0 && back[len] == '\0');
	free(back);
	back = base64_decode(text, &len, &err);
	MUST(back || err.kind == ERROR_USAGE);
	free(back);
	free(encoded);
	free(text);
	free(bytes);
	return 0;
}
