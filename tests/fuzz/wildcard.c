/* Filters' patterns, in the first line, against text in the second: the C library's fnmatch agrees. */
#include <fnmatch.h>

#include "fuzz/fuzz.h"
#include "region/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pattern = fuzz_text(data, size), *text = strchr(pattern, '\n');
	size_t len, slashes = 0;

	if (text) {
		*text++ = '\0';
		len = strlen(pattern);
		while (slashes < len && pattern[len - 1 - slashes] == '\\')
			slashes++;
		/* brackets are nothing special to EC2; a lone backslash at the end is itself to us and nothing to fnmatch; and fnmatch is
		 * slow where there are many stars */
		if (!strchr(pattern, '[') && slashes % 2 == 0 && len < 64 && strlen(text) < 64)
			MUST(wildcard_match(pattern, text) == (fnmatch(pattern, text, 0) == 0));
		else
			wildcard_match(pattern, text);
	}
	free(pattern);
	return 0;
}
