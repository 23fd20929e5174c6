/* Following an instance through its states by long polls of DescribeInstanceProgress. */
#include <poll.h>
#include <string.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"

#define POLL_MARGIN_MS 30000 /* of a long poll's answer, beyond what it was asked to wait; scaled */
#define ANSWER_PAUSE_MS 250  /* between answers that told nothing new and came at once */

static json_t *ask(struct cli *cli, const char *id, int64_t after, int64_t wait_s, struct error *err)
{
	AUTO_REQUEST struct request r;

	request_init(&r, "DescribeInstanceProgress");
	request_add(&r, "InstanceId", id);
	request_add_number(&r, "After", after);
	request_add_number(&r, "WaitSeconds", wait_s);
	return client_call(cli, &r, wait_s * 1000 + time_scaled(POLL_MARGIN_MS), err);
}

int follow_last(struct cli *cli, const char *id, int64_t *ret, struct error *err)
{
	AUTO_JSON json_t *reply = ask(cli, id, 0, 0, err);

	if (!reply)
		return -1;
	*ret = number_of(reply, "lastSequence");
	return 0;
}

int follow(struct cli *cli, struct follow *f, struct error *err)
{
	bool first = true;

	for (;;) {
		int64_t left = f->deadline == DEADLINE_NEVER ? INT64_MAX : f->deadline - time_mono_ms(), asked, last;
		int64_t wait = left > POLL_WAIT_SECONDS * 1000 ? POLL_WAIT_SECONDS : (left + 999) / 1000;
		json_t *reply CLEANUP(cleanup_json) = NULL;
		int done;

		if (left <= 0)
			return error_set(err, ERROR_TIMEOUT, "Instance %s %s in time.", f->label, f->awaited);
		asked = time_mono_ms();
		reply = ask(cli, f->id, f->after, first ? 0 : wait, err);
		if (!reply)
			return -1;
		done = f->step(f->arg, reply, err);
		if (done)
			return done < 0 ? -1 : 0;
		last = number_of(reply, "lastSequence");
		/* an ended instance has nothing to wait for and is answered at once */
		if (!first && last <= f->after && time_mono_ms() - asked < ANSWER_PAUSE_MS)
			poll(NULL, 0, ANSWER_PAUSE_MS);
		if (last > f->after)
			f->after = last;
		first = false;
	}
}

int instance_ended(struct cli *cli, const char *id, const char *label, const char *state, struct error *err)
{
	AUTO_JSON json_t *instance = instance_get(cli, id, NULL);
	const json_t *reason = json_object_get(instance, "stateReason");

	return error_set_code(err, ERROR_ENVIRONMENT, text_of(reason, "code"), "Instance %s is %s%s%s.", label, state,
			      *text_of(reason, "message") ? ": " : "", text_of(reason, "message"));
}

struct state_wait {
	struct cli *cli;
	const char *id, *label, *wanted;
};

static int state_step(void *arg, const json_t *reply, struct error *err)
{
	const struct state_wait *w = arg;
	const char *state = text_of(json_object_get(reply, "instanceState"), "name");

	if (strcmp(state, w->wanted) == 0)
		return 1;
	if (strcmp(state, "terminated") == 0 ||
	    (strcmp(w->wanted, "running") == 0 && (strcmp(state, "stopped") == 0 || strcmp(state, "shutting-down") == 0)))
		return instance_ended(w->cli, w->id, w->label, state, err);
	return 0;
}

int instance_wait_state(struct cli *cli, const json_t *instance, const char *wanted, int64_t timeout_ms,
			struct error *err)
{
	char label[128], awaited[64];
	struct state_wait w = { cli, instance_id(instance), label, wanted };
	struct follow f = {
		.id = instance_id(instance),
		.label = label,
		.awaited = awaited,
		.deadline = deadline_in(timeout_ms),
		.step = state_step,
		.arg = &w,
	};

	instance_label(label, instance);
	snprintf(awaited, sizeof awaited, "did not become %s", wanted);
	return follow(cli, &f, err);
}
