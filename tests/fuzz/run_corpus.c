/* One fuzz target over its corpus, as a test of ring 1: inputs that once crashed stay tested, without clang. An input whose
 * target fails ends the program, and prove says which it was. */
#include <dirent.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "fuzz/fuzz.h"
#include "tap.h"

#define INPUT_MAX (1u << 20)

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int main(void)
{
	static const char dir[] = "tests/fuzz/corpus/" FUZZ_TARGET;
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, visible, alphasort);

	ok(n > 0, "%s has inputs", dir);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	ok(true, "nothing at all");
	for (int i = 0; i < n; i++) {
		char path[512];
		size_t len = 0;
		char *text;

		snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
		text = file_read(path, INPUT_MAX, &len, NULL);
		printf("# %s\n", entries[i]->d_name);
		fflush(stdout);
		if (text) {
			uint8_t *data = malloc(len ? len : 1); /* exactly as long, for the sanitizers */

			memcpy(data, text, len);
			LLVMFuzzerTestOneInput(data, len);
			free(data);
		}
		ok(text != NULL, "%s", entries[i]->d_name);
		free(text);
		free(entries[i]);
	}
	free(entries);
	return tap_done();
}
