/* Text that came from outside: UTF-8 that can be trusted, values that can be shown. Pure. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"

/* How long a shown value may be, its "..." and NUL included. */
#define TEXT_SHOWN_MAX 100

/* The value for use in a message: control characters and what is no UTF-8 become '?', the rest is cut off. Returns out. */
const char *text_show(char out[TEXT_SHOWN_MAX], const char *text, size_t len);
/* Adds text with U+FFFD in place of what is no UTF-8 (a message may have been cut inside a character). */
void text_add_utf8(struct buffer *b, const char *text);
