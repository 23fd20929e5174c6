#include "image/catalogue.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_bytes(data, size);
	struct error err = { 0 };
	struct image image;

	if (image_parse(&image, "ubuntu-22.04", text, size, "ubuntu-22.04.image", &err) == 0) {
		MUST(strcmp(image.name, "ubuntu-22.04") == 0 && strncmp(image.id, "ami-", 4) == 0);
		MUST((*image.url && *image.file) || *image.build);
		/* these become names in a directory and of a script */
		MUST(!strchr(image.file, '/') && !strchr(image.sums, '/') && !strchr(image.build, '/'));
	} else {
		MUST(err.kind && *err.message);
	}
	free(text);
	return 0;
}
