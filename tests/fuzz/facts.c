#include "lesson/django.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_bytes(data, size);
	const char *all;
	struct guest_facts g;

	guest_facts_parse(&g, text, size);
	all = (const char *)&g;
	for (size_t at = 0; at < sizeof g; at += FACT_MAX) {
		MUST(memchr(all + at, '\0', FACT_MAX));
		for (const char *c = all + at; *c; c++)
			MUST((unsigned char)*c >= 0x20 && *c != 0x7f); /* shown in the user's terminal */
	}
	free(text);
	return 0;
}
