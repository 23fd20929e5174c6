/* Copying text into a place of fixed size; text that came from outside made fit to be shown and sent. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The length of the well-formed UTF-8 sequence at the start of text[0..len), 0 where there is none. */
size_t text_utf8_step(const char *text, size_t len);
/* Is it UTF-8 of one line, without control characters (C0, DEL, C1) and other line ends? */
bool text_is_line(const char *text);
/* Makes it so in place: such a character becomes a blank, a byte that is no UTF-8 a '?'. It never grows. */
void text_make_line(char *text);

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
