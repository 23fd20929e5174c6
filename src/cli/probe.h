/* The host's own look at a guest's web server, by libcurl from this machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/http.h"

#define DJANGO_PORT 8000
/* What the start page of a fresh Django project says, all versions since 2.0. */
#define DJANGO_WORDS "The install worked successfully"

struct probe {
	enum http_outcome outcome;
	int status;
	bool django;      /* the body is Django's start page */
	char detail[256]; /* libcurl's words */
};

/* One GET of http://ADDRESS:PORT/. Never fails: the outcome is the result. */
void probe_http(const char *address, int port, int64_t connect_ms, int64_t whole_ms, struct probe *ret);
/* One sentence of what was seen. */
void probe_words(char out[320], const struct probe *p, int64_t connect_ms);
