#include "image/sums.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_bytes(data, size), sum[SHA256_TEXT_MAX];
	struct error err = { 0 };

	if (sums_find(sum, text, size, "a.img", &err) == 0)
		MUST(strlen(sum) == 64 && strspn(sum, "0123456789abcdef") == 64);
	else
		MUST(err.kind && *err.message);
	free(text);
	return 0;
}
