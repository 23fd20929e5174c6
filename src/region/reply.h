/* Pieces of replies, and what every Describe shares: filters by the reply's own members, pages. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "region/action.h"
#include "region/model.h"

void put_text(json_t *o, const char *key, const char *text); /* invalid UTF-8 becomes U+FFFD; NULL is left out */
void put_int(json_t *o, const char *key, int64_t value);
void put_bool(json_t *o, const char *key, bool value);
void put_time(json_t *o, const char *key, int64_t wall_ms);
void put_address(json_t *o, const char *key, uint32_t addr); /* 0 is left out */
void put_cidr(json_t *o, const char *key, struct cidr c);
void put_tags(json_t *o, const struct tags *t);
json_t *put_list(json_t *o, const char *key);      /* borrowed */
json_t *put_structure(json_t *o, const char *key); /* borrowed */
json_t *add_item(json_t *list);                    /* a new structure in the list, borrowed */

/* A filter's name and where its value is in an item of the reply: members joined by '/', lists are searched through. */
struct filter_path {
	const char *name, *path;
};

/* Takes items (a reference is stolen), keeps those that pass in's Filter list (ANDed; values ORed, with * and ?;
 * tag:KEY, tag-key, tag-value always work where items have a tagSet), cuts a page by MaxResults and NextToken, and sets out's set and
 * nextToken. InvalidParameterValue for an unknown filter. ids_given: MaxResults isn't allowed together with ids. */
int describe_finish(const json_t *in, json_t *out, const char *set, json_t *items, const struct filter_path *paths,
		    bool ids_given, struct error *err);
bool wildcard_match(const char *pattern, const char *text);

/* Parameters that several actions share. */
extern const struct param filter_members[], tag_members[], tag_specification_members[], tag_reply_members[];
#define PARAM_FILTERS { "Filter", PARAM_LIST, PARAM_STRUCTURE, filter_members, false, "conditions, all of which must hold" }
#define PARAM_PAGES                                                                                              \
	{ "MaxResults", PARAM_INTEGER, 0, NULL, false, "items a page, 5 to 1000" },                              \
	{ "NextToken", PARAM_STRING, 0, NULL, false, "where the last page ended" }
#define PARAM_TAG_SPECIFICATIONS \
	{ "TagSpecification", PARAM_LIST, PARAM_STRUCTURE, tag_specification_members, false, "tags for what is made" }
#define REPLY_TAGS { "tagSet", PARAM_LIST, PARAM_STRUCTURE, tag_reply_members, false, NULL }
#define TEXT(name) { name, PARAM_STRING, 0, NULL, false, NULL }
#define INTEGER(name) { name, PARAM_INTEGER, 0, NULL, false, NULL }
#define BOOLEAN(name) { name, PARAM_BOOLEAN, 0, NULL, false, NULL }
#define TIMESTAMP(name) { name, PARAM_TIMESTAMP, 0, NULL, false, NULL }
#define STRUCTURE(name, members) { name, PARAM_STRUCTURE, 0, members, false, NULL }
#define LIST(name, members) { name, PARAM_LIST, PARAM_STRUCTURE, members, false, NULL }
#define TEXTS(name) { name, PARAM_LIST, PARAM_STRING, NULL, false, NULL }
#define PARAM_END { NULL, 0, 0, NULL, false, NULL }

const char *in_text(const json_t *in, const char *key);
int64_t in_int(const json_t *in, const char *key, int64_t absent);
bool in_bool(const json_t *in, const char *key, bool absent);
/* Is text among the list's strings? A list that was not sent (NULL) holds nothing. */
bool in_list(const json_t *list, const char *text);

/* The tags of in's TagSpecification for resource_type, into ret (added to what is there). */
int in_tags(const json_t *in, const char *resource_type, struct tags *ret, struct error *err);
