/* Key pairs of the model, for those who launch with them. Under the region's lock. */
#pragma once

#include "region/internal.h"

/* NULL where there is none of that name. */
struct key_pair *key_pair_named(struct region *r, const char *name);
/* InvalidKeyPair.NotFound. */
int key_pair_not_found(const char *name, struct error *err);
