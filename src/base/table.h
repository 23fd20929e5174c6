/* Tables for people, by libsmartcols. JSON has its own way: the reply tree itself. */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct table;

/* headings: NULL-terminated. Returns NULL only when memory ran out. */
struct table *table_new(const char *const headings[]);
/* One text a column, in order; NULL cells print empty. The texts are copied; control characters are shown, not obeyed. */
void table_row(struct table *t, const char *const cells[]);
/* Prints to out; a terminal narrower than the table makes the last column wrap. */
void table_print(struct table *t, FILE *out);
void table_free(struct table *t);
