/* A guest's serial console: what comes out doesn't depend on how the bytes were cut into reads. */
#include "compute/console.h"

#include "base/text.h"
#include "fuzz/fuzz.h"

struct steps {
	struct boot_step items[256];
	size_t count;
};

static void note(void *arg, const struct boot_step *s)
{
	struct steps *all = arg;

	MUST(s->phase > BOOT_NONE && s->phase <= BOOT_FAILED && memchr(s->detail, '\0', sizeof s->detail));
	MUST(text_is_line(s->detail)); /* shown in the user's terminal, sent as XML */
	if (all->count < 256)
		all->items[all->count] = *s;
	all->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct steps whole, pieces;
	char *text = fuzz_bytes(data, size);
	struct console_parser p;
	size_t step = size ? data[0] % 7 + 1 : 1;

	whole.count = pieces.count = 0;
	console_parser_init(&p);
	console_feed(&p, text, size, note, &whole);
	console_parser_init(&p);
	for (size_t at = 0; at < size; at += step)
		console_feed(&p, text + at, size - at < step ? size - at : step, note, &pieces);
	MUST(whole.count == pieces.count);
	for (size_t i = 0; i < whole.count && i < 256; i++)
		MUST(whole.items[i].phase == pieces.items[i].phase && strcmp(whole.items[i].detail, pieces.items[i].detail) == 0);
	free(text);
	return 0;
}
