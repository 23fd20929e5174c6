/* What `vpclab log` shows of a console: nothing that drives a terminal, however the bytes were cut. */
#include "cli/console_text.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer whole = BUFFER_INIT(1u << 20), pieces = BUFFER_INIT(1u << 20);
	struct console_filter f = { 0 }, g = { 0 };
	char *text = fuzz_bytes(data, size);
	size_t step = size ? data[0] % 5 + 1 : 1;
	const unsigned char *s;

	console_filter_add(&f, &whole, text, size);
	for (size_t at = 0; at < size; at += step)
		console_filter_add(&g, &pieces, text + at, size - at < step ? size - at : step);
	MUST(whole.len == pieces.len && strcmp(buffer_text(&whole), buffer_text(&pieces)) == 0);
	s = (const unsigned char *)buffer_text(&whole);
	MUST(strlen((const char *)s) == whole.len);
	for (; *s; s++) {
		MUST((*s >= 0x20 && *s != 0x7f) || *s == '\n' || *s == '\t');
		MUST(*s != 0xc2 || s[1] < 0x80 || s[1] > 0x9f);
	}
	MUST(console_tail(buffer_text(&whole), whole.len, 3) <= buffer_text(&whole) + whole.len);
	buffer_done(&whole);
	buffer_done(&pieces);
	free(text);
	return 0;
}
