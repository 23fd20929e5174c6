#include "image/disk.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_bytes(data, size);
	struct error err = { 0 };
	struct disk_info info;

	if (disk_info_parse(&info, text, size, &err) == 0)
		MUST(memchr(info.format, '\0', sizeof info.format) && info.virtual_size >= 0 && info.actual_size >= 0);
	else
		MUST(err.kind && *err.message);
	free(text);
	return 0;
}
