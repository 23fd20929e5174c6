/* An object of the model as a JSON document and back: the store's format. Pure. */
#pragma once

#include "base/error.h"
#include "region/model.h"

/* JSON text, which the caller frees. */
char *document_write(const struct object *o, struct error *err);
/* Fills o (a fresh object of its kind) from text; members that are not there stay zero, so that older documents read. */
int document_read(struct object *o, const char *text, struct error *err);
