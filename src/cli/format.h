/* Numbers as people read them. Pure. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/table.h"

#define FORMAT_MAX 32

/* "0.4 s", "12 s", "3 min 05 s", "2 h 04 min", "5 d 3 h". */
void format_duration(char out[FORMAT_MAX], int64_t ms);
/* A clock: "0:07", "12:34", "1:02:03". */
void format_clock(char out[FORMAT_MAX], int64_t ms);
/* "17 B", "1.5 MiB", "612 MiB". */
void format_bytes(char out[FORMAT_MAX], int64_t bytes);
/* How long ago EC2's timestamp was, "" where it can't be read. */
void format_age(char out[FORMAT_MAX], const char *iso, int64_t now_wall_ms);

/* Members of reply trees: "" or 0 where absent or of another type, so that printing needs no checks. */
const char *text_of(const json_t *object, const char *key);
int64_t number_of(const json_t *object, const char *key);
/* The Name tag's value, "" without one. */
const char *tag_of(const json_t *resource, const char *key);
/* Prints a tree on standard output, for --json. */
void print_json(const json_t *tree);

static inline void cleanup_table(struct table **t)
{
	table_free(*t);
}
