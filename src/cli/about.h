/* Help and version on standard output, for main too, where a flag asks for them. */
#pragma once

#include "base/error.h"

struct verb;

/* The overview for NULL. */
int about_help(const struct verb *v, struct error *err);
int about_version(void);
