/* The store's documents: the first byte says of which kind. What is read is written and read again as the same. */
#include "region/document.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum object_kind kind = size ? data[0] % KIND_COUNT : KIND_VPC;
	char *text = fuzz_text(data + (size > 0), size - (size > 0)), *first, *second;
	struct object *o = model_new(kind), *copy;
	struct error err = { 0 };

	if (document_read(o, text, &err) == 0) {
		copy = model_new(kind);
		first = document_write(o, &err);
		MUST(first && document_read(copy, first, &err) == 0);
		second = document_write(copy, &err);
		MUST(second && strcmp(first, second) == 0);
		free(first);
		free(second);
		object_free(copy);
	} else {
		MUST(err.kind && *err.message);
	}
	object_free(o);
	free(text);
	return 0;
}
