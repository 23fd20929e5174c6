/* Templates of the seed's documents: @WORD@ is replaced by a value quoted for the language it stands in. Pure. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

struct template_word {
	const char *name;  /* INSTANCE_ID, written @INSTANCE_ID@ in the template */
	const char *value; /* NULL is the empty text */
};

/* Adds one quoted scalar: a YAML double-quoted string, a POSIX shell word. */
void template_quote_yaml(struct buffer *out, const char *text);

/* words ends with a NULL name. quote is template_quote_yaml or buffer_add_shell. */
int template_expand(struct buffer *out, const char *what, const char *text, const struct template_word *words,
		    void (*quote)(struct buffer *out, const char *value), struct error *err);
