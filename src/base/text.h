/* Copying text into a place of fixed size. */
#pragma once

#include <string.h>

/* What doesn't fit is cut off; the result always ends. from must not overlap to. */
static inline void text_copy(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n >= size)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

/* The same for an array, whose size the compiler knows; a pointer doesn't compile. */
#define TEXT_COPY(to, from)                                                                                   \
	do {                                                                                                  \
		_Static_assert(!__builtin_types_compatible_p(__typeof__(to), __typeof__(&(to)[0])), "an array"); \
		text_copy(to, sizeof(to), from);                                                              \
	} while (0)
