/* Did you mean: the nearest of some names. */
#pragma once

#include <stddef.h>

/* The one of names (NULL-terminated) that was most likely meant, or NULL when none is near. Pure. */
const char *suggest(const char *typed, const char *const *names);
/* How many letters must be added, dropped, changed or swapped with a neighbour. Texts beyond 63 bytes are cut. Pure. */
size_t suggest_distance(const char *a, const char *b);
