/* The second half of `up`: Django listens, is dropped, is let in, answers. */
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/probe.h"
#include "cli/progress.h"
#include "cli/rule.h"
#include "cli/up.h"

#define LISTEN_SECONDS 1
#define STORY_SECONDS 5 /* a step that is told ends it sooner */
#define LISTEN_MARGIN_MS 30000
#define DROP_MS 4000        /* TCP's first retransmissions are within; nothing that passes takes so long to be accepted */
#define ANSWER_CONNECT_MS 4000
#define ANSWER_MS 20000     /* one request, scaled: the first makes Django load itself */
#define ANSWER_ALL_MS 60000 /* scaled */
#define RETRY_MS 500

/* Asks the region, which looks from the VPC's router, past the security groups. */
static int ask_listening(struct up *u, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "WaitListening");
	request_add(&r, "InstanceId", u->id);
	request_add_number(&r, "Port", DJANGO_PORT);
	request_add_number(&r, "WaitSeconds", LISTEN_SECONDS);
	reply = client_call(u->cli, &r, LISTEN_SECONDS * 1000 + time_scaled(LISTEN_MARGIN_MS), err);
	if (!reply)
		return -1;
	u->listening = json_is_true(json_object_get(reply, "listening"));
	return 0;
}

/* The guest's service says on the console what it does, long after cloud-init is done. */
static int tell_more(struct up *u, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	request_init(&r, "DescribeInstanceProgress");
	request_add(&r, "InstanceId", u->id);
	request_add_number(&r, "After", u->sequence);
	request_add_number(&r, "WaitSeconds", STORY_SECONDS);
	reply = client_call(u->cli, &r, STORY_SECONDS * 1000 + time_scaled(LISTEN_MARGIN_MS), err);
	return reply ? up_story(u, reply, false, err) : -1;
}

int up_listen(struct up *u, struct error *err)
{
	int64_t deadline = deadline_in(u->timeout_ms);

	if (!u->custom)
		progress_live("waiting until Django listens in the guest");
	for (;;) {
		if (ask_listening(u, err) < 0)
			return -1;
		if (u->listening || u->custom || deadline_passed(deadline))
			break;
		if (tell_more(u, err) < 0)
			return -1;
	}
	progress_live(NULL);
	up_phase(u, u->custom ? "service" : "django");
	if (u->listening)
		up_say(u, "listens on port %d in the guest", DJANGO_PORT);
	else if (u->custom)
		up_say(u, "nothing listens on port %d in the guest, so no port is opened", DJANGO_PORT);
	else
		return error_set(err, ERROR_TIMEOUT, "Nothing listens on port %d in %s%s.", DJANGO_PORT, u->label,
				 u->existing ? "; was it launched with the lecture's user data, by `vpclab up`?" : "");
	return 0;
}

static int already_open(struct up *u, bool *ret, struct error *err)
{
	AUTO_JSON json_t *groups = groups_describe(u->cli, json_object_get(u->instance, "groupSet"), err);

	if (!groups)
		return -1;
	*ret = rules_allow_tcp(groups, DJANGO_PORT);
	return 0;
}

int up_closed(struct up *u, struct error *err)
{
	struct probe p;
	char words[320];

	if (!u->address[0])
		return error_set(err, ERROR_ENVIRONMENT, "Instance %s has no public IPv4 address to be reached by.", u->label);
	if (already_open(u, &u->opened, err) < 0)
		return -1;
	if (u->opened)
		return 0;
	up_phase(u, "probe");
	progress_live("asking %s, which no rule allows yet", u->url);
	probe_http(u->address, DJANGO_PORT, DROP_MS, DROP_MS, &p);
	progress_live(NULL);
	probe_words(words, &p, DROP_MS);
	if (p.outcome == HTTP_TIMED_OUT) {
		up_say(u, "%s %s, for no inbound rule allows port %d", u->url, words, DJANGO_PORT);
		return 0;
	}
	if (p.outcome == HTTP_UNREACHABLE)
		return error_set(err, ERROR_ENVIRONMENT, "This machine has no way to %s: %s.", u->url, words);
	return error_set(err, ERROR_CHECK, "%s %s, though no inbound rule allows port %d: it should have been dropped.", u->url,
			 words, DJANGO_PORT);
}

int up_open(struct up *u, struct error *err)
{
	const struct rule rule = { "tcp", DJANGO_PORT, DJANGO_PORT };
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	up_phase(u, "firewall");
	if (u->opened) {
		up_say(u, "inbound TCP %d is open already in %s", DJANGO_PORT, u->group_name);
		return 0;
	}
	request_init(&r, "AuthorizeSecurityGroupIngress");
	request_add(&r, "GroupId", u->group_id);
	if (rule_request(u->cli, &r, &rule, "0.0.0.0/0", err) < 0)
		return -1;
	reply = client_call(u->cli, &r, 0, err);
	if (!reply)
		return -1;
	u->opened = true;
	up_say(u, "inbound TCP %d from 0.0.0.0/0 authorized in %s", DJANGO_PORT, u->group_name);
	return 0;
}

int up_answer(struct up *u, struct error *err)
{
	int64_t deadline = deadline_in(time_scaled(ANSWER_ALL_MS));
	struct probe p;
	char words[320];

	up_phase(u, "probe");
	progress_live("asking %s", u->url);
	for (;;) {
		probe_http(u->address, DJANGO_PORT, ANSWER_CONNECT_MS, time_scaled(ANSWER_MS), &p);
		if (p.outcome == HTTP_ANSWERED || deadline_passed(deadline))
			break;
		nanosleep(&(const struct timespec){ .tv_nsec = RETRY_MS * 1000000L }, NULL);
	}
	progress_live(NULL);
	probe_words(words, &p, ANSWER_CONNECT_MS);
	if (p.outcome == HTTP_ANSWERED && (u->custom || (p.status == 200 && p.django))) {
		up_say(u, "%s %s", u->url, words);
		return 0;
	}
	if (p.outcome == HTTP_ANSWERED && p.status == 400)
		return error_set(err, ERROR_CHECK, "%s answers 400: Django's ALLOWED_HOSTS lacks the public address.", u->url);
	if (p.outcome == HTTP_ANSWERED)
		return error_set(err, ERROR_CHECK, "%s %s, but not Django's start page.", u->url, words);
	return error_set(err, p.outcome == HTTP_TIMED_OUT ? ERROR_TIMEOUT : ERROR_CHECK, "%s: %s, though port %d is open.",
			 u->url, words, DJANGO_PORT);
}
