#include "api/dispatch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/check.h"
#include "api/decode.h"
#include "api/query.h"
#include "api/serialize.h"
#include "api/text.h"
#include "base/buffer.h"
#include "base/log.h"
#include "base/time.h"

static void cleanup_json(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON CLEANUP(cleanup_json)

const struct action *api_table_find(const struct action *const *tables, const char *name)
{
	for (; *tables; tables++) {
		for (const struct action *a = *tables; a->name; a++) {
			if (strcmp(a->name, name) == 0)
				return a;
		}
	}
	return NULL;
}

static void finish(struct buffer *b, bool json, int status, struct api_answer *ret)
{
	ret->status = status;
	ret->content_type = json ? "application/json" : "text/xml;charset=UTF-8";
	ret->len = b->len;
	ret->body = buffer_take(b, NULL);
	if (!ret->body) {
		ret->status = 500;
		ret->len = 0;
	}
}

void api_answer_error(const char *request_id, bool json, const struct error *e, struct api_answer *ret)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(SERIALIZE_MAX);

	if (json)
		serialize_error_json(&out, request_id, e);
	else
		serialize_error_xml(&out, request_id, e);
	finish(&out, json, serialize_error_status(e), ret);
}

/* An untruthful table, or a handler that overlooks DryRun, must not get past the tests that run in this flavour. */
#ifdef __SANITIZE_ADDRESS__
#define CHECK_REPLIES true
#else
#define CHECK_REPLIES false
#endif

static void check_outcome(const struct action *a, const struct caller *caller, const json_t *reply)
{
	struct error e = { 0 };

	if (a->mutates && caller->dry_run)
		error_set(&e, ERROR_INTERNAL, "%s went on although DryRun was set.", a->name);
	else if (!CHECK_REPLIES || api_reply_check(a, reply, &e) == 0)
		return;
	log_error("%s", e.message);
	if (CHECK_REPLIES)
		abort();
}

static json_t *run(const struct action *a, struct api_request *req, const json_t *in, struct error *err)
{
	AUTO_JSON json_t *out = NULL;

	if (!in)
		return NULL;
	out = json_object();
	if (!out) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out before %s could run.", a->name);
		return NULL;
	}
	if (a->run(req->region, &req->caller, in, out, err) < 0)
		return NULL;
	/* a call that changes nothing may run to its end: so it has been checked whole */
	if (!a->mutates && action_dry_run(&req->caller, err) < 0)
		return NULL;
	check_outcome(a, &req->caller, out);
	return TAKE_PTR(out);
}

static void log_outcome(const struct action *a, const struct api_request *req, const struct error *e, int64_t ms)
{
	enum log_level level = a->mutates ? LOG_INFO : LOG_DEBUG;
	char message[ERROR_MESSAGE_MAX];

	if (e && serialize_error_status(e) >= 500)
		level = LOG_WARN;
	/* what the caller sent may be in the sentence, and must not make lines of its own */
	snprintf(message, sizeof message, "%s", e ? e->message : "");
	for (char *c = message; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	if (e)
		log_at(level, "%s by %s (pid %d), request %s: %s after %" PRId64 " ms: %s", a->name, req->caller.name,
		       (int)req->caller.pid, req->caller.request_id, serialize_error_code(e), ms, message);
	else
		log_at(level, "%s by %s (pid %d), request %s: done in %" PRId64 " ms", a->name, req->caller.name,
		       (int)req->caller.pid, req->caller.request_id, ms);
}

/* Everything up to the reply tree, which the caller releases; NULL with err. ret_action is set as soon as it is known. */
static json_t *call(struct api_request *req, const struct action **ret_action, struct error *err)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	struct decode_common common = { 0 };
	char shown[TEXT_SHOWN_MAX];
	int parsed = query_parse(&q, req->query, req->query_len, err);
	AUTO_JSON json_t *in = NULL;
	json_t *reply;
	int64_t start, took;

	if (parsed == 0)
		parsed = query_parse(&q, req->body, req->body_len, err);
	if (parsed == 0)
		parsed = decode_common(&q, &common, err);
	req->json |= common.json;
	if (parsed < 0)
		return NULL;
	*ret_action = api_table_find(req->tables, common.action->value);
	if (!*ret_action || strlen(common.action->value) != common.action->value_len) {
		*ret_action = NULL;
		error_set_code(err, ERROR_USAGE, "InvalidAction", "The action %s is not valid for this web service.",
			       text_show(shown, common.action->value, common.action->value_len));
		return NULL;
	}
	req->caller.dry_run = common.dry_run;
	start = time_mono_ms();
	in = decode_params(*ret_action, &q, err);
	reply = run(*ret_action, req, in, err);
	took = time_mono_ms() - start;
	log_outcome(*ret_action, req, reply ? NULL : err, took);
	if ((*ret_action)->mutates && req->record)
		req->record(req->region, *ret_action, &req->caller, in, reply, reply ? NULL : err, took);
	return reply;
}

void api_dispatch(struct api_request *req, struct api_answer *ret)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(SERIALIZE_MAX);
	const struct action *a = NULL;
	struct error e = { 0 };
	AUTO_JSON json_t *reply = call(req, &a, &e);
	const json_t *shown = a && a->reply ? reply : NULL;

	if (!reply) {
		api_answer_error(req->caller.request_id, req->json, &e, ret);
		return;
	}
	if (req->json)
		serialize_reply_json(&out, req->caller.request_id, shown);
	else
		serialize_reply_xml(&out, a->name, req->caller.request_id, shown);
	if (buffer_failed(&out)) {
		error_set(&e, ERROR_INTERNAL, "The reply of %s could not be written: it is too large or not text.", a->name);
		log_error("%s", e.message);
		api_answer_error(req->caller.request_id, req->json, &e, ret);
		return;
	}
	finish(&out, req->json, 200, ret);
}
