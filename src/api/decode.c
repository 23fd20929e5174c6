#include "api/decode.h"

#include <ctype.h>
#include <errno.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

#include "api/text.h"
#include "base/cleanup.h"
#include "base/text.h"

/* Sent by clients that sign; the unix socket knows its peer already. */
static const char *const signing_names[] = { "AWSAccessKeyId", "Expires",	   "SecurityToken", "Signature",
					     "SignatureMethod", "SignatureVersion", "Timestamp" };

/* One request on its way through the table: its pairs sorted by name, part by part, indices as numbers. */
struct walk {
	const struct query_pair **pairs;
	struct error *err;
};

static json_t *build_value(const struct walk *w, size_t lo, size_t hi, size_t off, enum param_type type,
			   const struct param *p);

static size_t segment_len(const char *text)
{
	return strcspn(text, ".");
}

static bool all_digits(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && isdigit((unsigned char)text[i]))
		i++;
	return len > 0 && i == len;
}

static int compare_pairs(const void *pa, const void *pb)
{
	const char *a = (*(const struct query_pair *const *)pa)->name, *b = (*(const struct query_pair *const *)pb)->name;

	for (;;) {
		size_t na = segment_len(a), nb = segment_len(b);
		int order;

		/* without leading zeros the longer number is the larger */
		if (na != nb && all_digits(a, na) && all_digits(b, nb))
			return na < nb ? -1 : 1;
		order = memcmp(a, b, na < nb ? na : nb);
		if (order != 0)
			return order;
		if (na != nb)
			return na < nb ? -1 : 1;
		a += na;
		b += nb;
		if (!*a || !*b)
			return !*a && !*b ? 0 : !*a ? -1 : 1;
		a++;
		b++;
	}
}

static void *out_of_memory(struct error *err)
{
	error_set(err, ERROR_ENVIRONMENT, "Memory ran out while a request was read.");
	return NULL;
}

static void *unknown(const struct walk *w, const struct query_pair *p)
{
	char shown[TEXT_SHOWN_MAX];

	error_set_code(w->err, ERROR_USAGE, "UnknownParameter", "The parameter %s is not recognized",
		       text_show(shown, p->name, p->name_len));
	return NULL;
}

static void *wrong(struct error *err, const struct query_pair *pair, const char *expected)
{
	char name[TEXT_SHOWN_MAX], value[TEXT_SHOWN_MAX];

	error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Invalid value '%s' for %s: %s.",
		       text_show(value, pair->value, pair->value_len), text_show(name, pair->name, pair->name_len),
		       expected);
	return NULL;
}

bool decode_is_timestamp(const char *text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	unsigned month, day, hour, minute, second;
	size_t i;

	for (i = 0; shape[i]; i++) {
		if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
			return false;
	}
	month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0');
	day = (unsigned)(text[8] - '0') * 10 + (unsigned)(text[9] - '0');
	hour = (unsigned)(text[11] - '0') * 10 + (unsigned)(text[12] - '0');
	minute = (unsigned)(text[14] - '0') * 10 + (unsigned)(text[15] - '0');
	second = (unsigned)(text[17] - '0') * 10 + (unsigned)(text[18] - '0');
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
		return false;
	text += i;
	if (*text == '.') {
		size_t digits = strspn(text + 1, "0123456789");

		if (digits < 1 || digits > 9)
			return false;
		text += digits + 1;
	}
	if (*text == '+' || *text == '-')
		return isdigit((unsigned char)text[1]) && isdigit((unsigned char)text[2]) && text[3] == ':' &&
		       isdigit((unsigned char)text[4]) && isdigit((unsigned char)text[5]) && !text[6];
	return strcmp(text, "Z") == 0;
}

static bool is_base64(const char *text, size_t len)
{
	struct base64_decode_ctx ctx;
	uint8_t out[BASE64_DECODE_LENGTH(1024)];
	size_t out_len;

	base64_decode_init(&ctx);
	while (len > 0) {
		size_t n = len < 1024 ? len : 1024;

		if (!base64_decode_update(&ctx, &out_len, out, n, text))
			return false;
		text += n;
		len -= n;
	}
	return base64_decode_final(&ctx);
}

static json_t *text_value(const struct query_pair *pair, size_t max, struct error *err)
{
	char name[TEXT_SHOWN_MAX];
	json_t *value;

	if (pair->value_len > max) {
		error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			       "The value of %s has %zu bytes, more than the %zu allowed.",
			       text_show(name, pair->name, pair->name_len), pair->value_len, max);
		return NULL;
	}
	if (memchr(pair->value, '\0', pair->value_len))
		return wrong(err, pair, "it has a NUL byte in it");
	for (size_t i = 0, n; i < pair->value_len; i += n) {
		n = text_utf8_step(pair->value + i, pair->value_len - i);
		if (n == 0)
			return wrong(err, pair, "it is not valid UTF-8");
	}
	value = json_stringn_nocheck(pair->value, pair->value_len);
	return value ? value : out_of_memory(err);
}

static json_t *integer_value(const struct query_pair *pair, struct error *err)
{
	const char *digits = pair->value + (pair->value[0] == '-' || pair->value[0] == '+');
	json_t *value;
	long long n;

	if (!all_digits(digits, pair->value_len - (size_t)(digits - pair->value)))
		return wrong(err, pair, "an integer is expected");
	errno = 0;
	n = strtoll(pair->value, NULL, 10);
	if (errno == ERANGE)
		return wrong(err, pair, "the integer is out of range");
	value = json_integer(n);
	return value ? value : out_of_memory(err);
}

static json_t *scalar(const struct query_pair *pair, enum param_type type, struct error *err)
{
	json_t *value;

	switch (type) {
	case PARAM_INTEGER:
		return integer_value(pair, err);
	case PARAM_BOOLEAN:
		if (pair->value_len == 4 && memcmp(pair->value, "true", 4) == 0)
			return json_true();
		if (pair->value_len == 5 && memcmp(pair->value, "false", 5) == 0)
			return json_false();
		return wrong(err, pair, "true or false is expected");
	case PARAM_BLOB:
		value = text_value(pair, PARAM_BLOB_MAX, err);
		if (value && !is_base64(pair->value, pair->value_len)) {
			json_decref(value);
			if (strcmp(pair->name, "UserData") == 0)
				error_set_code(err, ERROR_USAGE, "InvalidUserData.Malformed",
					       "Invalid BASE64 encoding of user data.");
			else
				wrong(err, pair, "base64 is expected");
			return NULL;
		}
		return value;
	case PARAM_TIMESTAMP:
		value = text_value(pair, PARAM_STRING_MAX, err);
		if (value && !decode_is_timestamp(pair->value)) {
			json_decref(value);
			wrong(err, pair, "a time such as 2026-11-22T10:14:57Z is expected");
			return NULL;
		}
		return value;
	case PARAM_STRING:
	case PARAM_LIST:
	case PARAM_STRUCTURE:
		break;
	}
	return text_value(pair, PARAM_STRING_MAX, err);
}

static const struct param *find_param(const struct param *members, const char *name, size_t len)
{
	for (const struct param *p = members; p && p->name; p++) {
		if (strncmp(p->name, name, len) == 0 && !p->name[len])
			return p;
	}
	return NULL;
}

/* The end of the run of pairs from lo on whose name has the same part at off. */
static size_t run_end(const struct walk *w, size_t lo, size_t hi, size_t off)
{
	const char *first = w->pairs[lo]->name + off;
	size_t len = segment_len(first), i = lo + 1;

	while (i < hi && segment_len(w->pairs[i]->name + off) == len && memcmp(w->pairs[i]->name + off, first, len) == 0)
		i++;
	return i;
}

/* Pairs lo..hi have the same name up to off, where a member's name begins. */
static json_t *build_structure(const struct walk *w, size_t lo, size_t hi, size_t off, const struct param *members)
{
	json_t *object = json_object();

	if (!object)
		return out_of_memory(w->err);
	for (size_t i = lo, end; i < hi; i = end) {
		const char *name = w->pairs[i]->name + off;
		size_t len = segment_len(name);
		const struct param *p = find_param(members, name, len);
		json_t *value;

		end = run_end(w, i, hi, off);
		value = p ? build_value(w, i, end, off + len, p->type, p) : unknown(w, w->pairs[i]);
		if (!value || json_object_set_new(object, p->name, value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	for (const struct param *p = members; p && p->name; p++) {
		if (!p->required || json_object_get(object, p->name))
			continue;
		error_set_code(w->err, ERROR_USAGE, "MissingParameter", "The request must contain the parameter %.*s%s",
			       (int)off, off > 0 ? w->pairs[lo]->name : "", p->name);
		json_decref(object);
		return NULL;
	}
	return object;
}

static bool index_ok(const char *text, size_t len)
{
	return len <= 9 && all_digits(text, len) && (len == 1 || text[0] != '0');
}

/* Pairs lo..hi have the same name up to off, the end of the list's own name. */
static json_t *build_list(const struct walk *w, size_t lo, size_t hi, size_t off, const struct param *p)
{
	json_t *list = json_array();

	if (!list)
		return out_of_memory(w->err);
	for (size_t i = lo, end; i < hi; i = end) {
		const char *index = w->pairs[i]->name + off + 1;
		json_t *value = NULL;
		size_t len;

		end = i;
		if (w->pairs[i]->name[off] != '.' || !index_ok(index, segment_len(index))) {
			unknown(w, w->pairs[i]);
		} else if (json_array_size(list) == PARAM_LIST_MAX) {
			error_set_code(w->err, ERROR_USAGE, "InvalidParameterValue",
				       "The list %s has more than %d members; send fewer at a time.", p->name,
				       PARAM_LIST_MAX);
		} else {
			len = segment_len(index);
			end = run_end(w, i, hi, off + 1);
			value = build_value(w, i, end, off + 1 + len, p->element, p);
		}
		if (!value || json_array_append_new(list, value) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Pairs lo..hi have the same name up to off, where it ends or goes on with a dot. */
static json_t *build_value(const struct walk *w, size_t lo, size_t hi, size_t off, enum param_type type,
			   const struct param *p)
{
	const struct query_pair *first = w->pairs[lo], *last = w->pairs[hi - 1];
	char shown[TEXT_SHOWN_MAX];

	if (type == PARAM_LIST)
		return build_list(w, lo, hi, off, p);
	if (type == PARAM_STRUCTURE)
		return first->name[off] == '.' ? build_structure(w, lo, hi, off + 1, p->members) : unknown(w, first);
	/* names that end here are sorted before those that go on */
	if (last->name[off] != '\0')
		return unknown(w, last);
	if (hi - lo > 1) {
		error_set_code(w->err, ERROR_USAGE, "InvalidParameterValue",
			       "The parameter %s was sent %zu times; send it once.",
			       text_show(shown, first->name, first->name_len), hi - lo);
		return NULL;
	}
	return scalar(first, type, w->err);
}

/* Parameters of every request that no handler sees; an action's own table goes first. */
static bool is_common(const struct action *a, const char *name)
{
	if (strcmp(name, "Action") == 0 || strcmp(name, "Version") == 0)
		return true;
	if (find_param(a->params, name, segment_len(name)))
		return false;
	if (strcmp(name, "DryRun") == 0)
		return strcmp(a->service, "ec2") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(signing_names); i++) {
		if (strcmp(name, signing_names[i]) == 0)
			return true;
	}
	return strcmp(name, "ContentType") == 0 || strncasecmp(name, "X-Amz-", 6) == 0;
}

json_t *decode_params(const struct action *a, const struct query *q, struct error *err)
{
	AUTO_FREE const struct query_pair **pairs = calloc(q->count + 1, sizeof *pairs);
	const struct walk w = { pairs, err };
	size_t n = 0;

	if (!pairs)
		return out_of_memory(err);
	for (size_t i = 0; i < q->count; i++) {
		if (!is_common(a, q->pairs[i].name))
			pairs[n++] = &q->pairs[i];
	}
	qsort(pairs, n, sizeof *pairs, compare_pairs);
	return build_structure(&w, 0, n, 0, a->params);
}

/* Clients name the API they were made for; all of EC2's dates are the same to us, but what is no date is a mistake. */
static bool is_date(const struct query_pair *p)
{
	return p->value_len == 10 && p->value[4] == '-' && p->value[7] == '-' && all_digits(p->value, 4) &&
	       all_digits(p->value + 5, 2) && all_digits(p->value + 8, 2);
}

int decode_common(const struct query *q, struct decode_common *ret, struct error *err)
{
	static const char *const once[] = { "Action", "Version", "DryRun" };
	const struct query_pair *version = query_find(q, "Version"), *dry_run = query_find(q, "DryRun"),
				*content_type = query_find(q, "ContentType");

	*ret = (struct decode_common){ .action = query_find(q, "Action") };
	ret->json = content_type && strcasestr(content_type->value, "json");
	if (!ret->action || ret->action->value_len == 0)
		return error_set_code(err, ERROR_USAGE, "MissingAction",
				      "The request is missing an Action parameter, such as Action=DescribeInstances.");
	for (size_t i = 0; i < ARRAY_SIZE(once); i++) {
		const struct query_pair *first = query_find(q, once[i]);

		for (size_t j = 0; first && j < q->count; j++) {
			if (&q->pairs[j] != first && strcmp(q->pairs[j].name, once[i]) == 0)
				return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
						      "The parameter %s was sent more than once; send it once.", once[i]);
		}
	}
	if (version && !is_date(version)) {
		wrong(err, version, "a date such as 2016-11-15 is expected");
		return -1;
	}
	if (dry_run) {
		json_t *value = scalar(dry_run, PARAM_BOOLEAN, err);

		if (!value)
			return -1;
		ret->dry_run = json_is_true(value);
	}
	return 0;
}
