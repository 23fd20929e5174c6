/* Identifiers as EC2's look: a prefix and 17 hex digits from the kernel's random source; uuids for requests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ID_MAX 40 /* the longest, "vpc-cidr-assoc-" and 17 digits, with room */
#define ID_DIGITS 17
#define UUID_TEXT_MAX 37

/* prefix without dash: "i", "sg", "eni", "vpc", "subnet", "ami"... */
void id_new(char out[ID_MAX], const char *prefix);
/* PREFIX-8 or 17 lower-case hex digits, as EC2 accepts them. */
bool id_well_formed(const char *text, const char *prefix);
void uuid_new(char out[UUID_TEXT_MAX]);
void random_bytes(void *out, size_t len);
/* The same id for the same seed text, for what must be stable (image ids). */
void id_from_text(char out[ID_MAX], const char *prefix, const char *text);
