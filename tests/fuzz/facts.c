#include "lesson/django.h"

#include "base/text.h"
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
		MUST(text_is_line(all + at)); /* shown in the user's terminal */
	}
	free(text);
	return 0;
}
