#include "base/table.h"

#include <libsmartcols.h>
#include <stdlib.h>

struct table {
	struct libscols_table *tb;
	size_t columns;
};

struct table *table_new(const char *const headings[])
{
	struct table *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->tb = scols_new_table();
	if (!t->tb) {
		free(t);
		return NULL;
	}
	for (; headings[t->columns]; t->columns++)
		scols_table_new_column(t->tb, headings[t->columns], 0, 0);
	scols_table_set_column_separator(t->tb, "  ");
	return t;
}

void table_row(struct table *t, const char *const cells[])
{
	struct libscols_line *line = scols_table_new_line(t->tb, NULL);

	for (size_t i = 0; line && i < t->columns; i++)
		scols_line_set_data(line, i, cells[i] ? cells[i] : "");
}

void table_print(struct table *t, FILE *out)
{
	scols_table_set_stream(t->tb, out);
	if (scols_table_get_nlines(t->tb))
		scols_print_table(t->tb);
}

void table_free(struct table *t)
{
	if (!t)
		return;
	scols_unref_table(t->tb);
	free(t);
}
