/* A URL as a person copied it from a browser. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct url_parts {
	char host[256], path[512];
	int64_t port;
};

/* Only http, which is what the lab speaks. Pure. */
int url_parse(const char *text, struct url_parts *ret, struct error *err);
