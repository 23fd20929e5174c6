/* A reply tree, or an error, as EC2's XML or as JSON of the same names. Pure. A failed buffer says that a reply was too large. */
#pragma once

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

#define SERIALIZE_MAX (64u << 20)
/* The slash at its end counts: some clients look elements up in this very namespace. */
#define SERIALIZE_EC2_NAMESPACE "http://ec2.amazonaws.com/doc/2016-11-15/"

/* reply NULL: <return>true</return>. */
void serialize_reply_xml(struct buffer *out, const char *action, const char *request_id, const json_t *reply);
void serialize_reply_json(struct buffer *out, const char *request_id, const json_t *reply);
void serialize_error_xml(struct buffer *out, const char *request_id, const struct error *e);
/* Also has Kind, error_kind_name()'s word, which the verbs make an exit code of. */
void serialize_error_json(struct buffer *out, const char *request_id, const struct error *e);
/* EC2's code for an error, also where who failed knew none; and its HTTP status. */
const char *serialize_error_code(const struct error *e);
int serialize_error_status(const struct error *e);
