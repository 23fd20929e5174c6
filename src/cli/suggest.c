#include "cli/suggest.h"

#include <string.h>

#define WORD_MAX 63

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, three rows at a time. */
size_t suggest_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *now = rows[i % 3];
		const size_t *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(least(up[j], now[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], up2[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *suggest(const char *typed, const char *const *names)
{
	size_t len = strlen(typed), allowed = len <= 2 ? 1 : len <= 5 ? 2 : len / 3 + 1, best = allowed + 1;
	const char *found = NULL;

	if (len == 0)
		return NULL;
	for (; *names; names++) {
		size_t d = suggest_distance(typed, *names);

		/* a beginning of a name is near, however much is missing */
		if (len >= 2 && strncmp(typed, *names, len) == 0)
			d = least(d, 1);
		/* a guess that shares no letter is no guess */
		if (d >= len && d >= strlen(*names))
			continue;
		if (d < best) {
			best = d;
			found = *names;
		}
	}
	return found;
}
