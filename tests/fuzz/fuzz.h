/* What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; it checks what its parser promises beside not
 * crashing, by MUST. Built by clang with libFuzzer (`make fuzz`), and by gcc with run_corpus.c as a test over its corpus. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                              \
	do {                                                                                         \
		if (!(condition)) {                                                                  \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);      \
			abort();                                                                     \
		}                                                                                    \
	} while (0)

/* The bytes as text of its own, so that a read past the end is seen. Caller frees. */
static inline char *__attribute__((unused)) fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* The same without a NUL behind it. Caller frees. */
static inline char *__attribute__((unused)) fuzz_bytes(const uint8_t *data, size_t size)
{
	char *bytes = calloc(1, size ? size : 1);

	MUST(bytes);
	if (size)
		memcpy(bytes, data, size);
	return bytes;
}

/* Decisions taken from the input, for targets whose input is not text. Zeros when it has ended. */
struct fuzz_source {
	const uint8_t *data;
	size_t size;
};

static inline unsigned __attribute__((unused)) fuzz_byte(struct fuzz_source *s)
{
	if (!s->size)
		return 0;
	s->size--;
	return *s->data++;
}

/* 0 to n-1 */
static inline unsigned __attribute__((unused)) fuzz_below(struct fuzz_source *s, unsigned n)
{
	unsigned v = fuzz_byte(s);

	if (n > 256)
		v = v << 8 | fuzz_byte(s);
	return v % n;
}

static inline uint32_t __attribute__((unused)) fuzz_u32(struct fuzz_source *s)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | fuzz_byte(s);
	return v;
}
