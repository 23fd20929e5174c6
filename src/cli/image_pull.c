#include "cli/image_pull.h"

#include <string.h>
#include <time.h>

#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/suggest.h"

#define POLL_MARGIN_MS 30000
#define IMAGE_INDENT 20 /* as far as the phases of `up` */

json_t *image_get(struct cli *cli, const char *name, struct error *err)
{
	AUTO_JSON json_t *reply = client_get(cli, "DescribeImages", err);
	AUTO_BUFFER struct buffer list = BUFFER_INIT(1024);
	const char *names[64], *guess;
	json_t *image;
	size_t i, n = 0;

	if (!reply)
		return NULL;
	json_array_foreach(json_object_get(reply, "imagesSet"), i, image) {
		if (strcmp(text_of(image, "name"), name) == 0 || strcmp(text_of(image, "imageId"), name) == 0)
			return json_incref(image);
		buffer_addf(&list, "%s%s", list.len ? ", " : "", text_of(image, "name"));
		if (n < ARRAY_SIZE(names) - 1)
			names[n++] = text_of(image, "name");
	}
	names[n] = NULL;
	guess = suggest(name, names);
	if (guess)
		error_set_code(err, ERROR_USAGE, "InvalidAMIID.NotFound",
			       "There is no image named %.64s; did you mean %s?", name, guess);
	else
		error_set_code(err, ERROR_USAGE, "InvalidAMIID.NotFound", "There is no image named %.64s; there is %s.", name,
			       n ? buffer_text(&list) : "none in the catalogue");
	return NULL;
}

bool image_is_local(const json_t *image)
{
	return strcmp(tag_of(image, "vpclab:local"), "available") == 0;
}

/* Shows one state of the task; last remembers what the last line said. */
static void show(const json_t *task, char last[160])
{
	const char *phase = text_of(task, "phase"), *detail = text_of(task, "detail");
	int64_t total = number_of(task, "bytesTotal"), done = number_of(task, "bytesDone");
	char line[160];

	if (total > 0 || done > 0) {
		snprintf(line, sizeof line, "%*s%.64s %.32s", IMAGE_INDENT, "", text_of(task, "name"), phase);
		progress_bytes(line, done, total);
		return;
	}
	snprintf(line, sizeof line, "%.64s: %.32s%s%.50s", text_of(task, "name"), *phase ? phase : "waiting", *detail ? ": " : "",
		 detail);
	if (*phase && strcmp(line, last) != 0) {
		progress_say(IMAGE_INDENT, "%*s%s", IMAGE_INDENT, "", line);
		snprintf(last, 160, "%s", line);
	}
	progress_live("%s", line);
}

int image_import(struct cli *cli, const json_t *image, const char *mirror, bool rebuild, bool *ret_unreachable,
		 json_t **ret_task, struct error *err)
{
	AUTO_JSON json_t *started = NULL;
	AUTO_REQUEST struct request begin;
	int64_t after = -1;
	char last[160] = "";

	if (ret_unreachable)
		*ret_unreachable = false;
	request_init(&begin, "ImportImage");
	request_add(&begin, "ImageId", text_of(image, "imageId"));
	if (mirror)
		request_add(&begin, "Mirror", mirror);
	if (rebuild)
		request_add(&begin, "Rebuild", "true");
	started = client_call(cli, &begin, 0, err);
	if (!started)
		return -1;
	progress_on_interrupt("vpclab: interrupted; the region goes on bringing %s here, and the same command takes it up again.",
			      text_of(image, "name"));
	for (;;) {
		json_t *reply CLEANUP(cleanup_json) = NULL;
		struct request r CLEANUP(request_done);
		json_t *task;
		int64_t asked = time_mono_ms(), sequence;
		const char *status;

		request_init(&r, "DescribeImportImageTasks");
		request_add(&r, "ImportTaskId.1", text_of(started, "importTaskId"));
		if (after >= 0) {
			request_add_number(&r, "After", after);
			request_add_number(&r, "WaitSeconds", POLL_WAIT_SECONDS);
		}
		reply = client_call(cli, &r, POLL_WAIT_SECONDS * 1000 + time_scaled(POLL_MARGIN_MS), err);
		if (!reply)
			return -1;
		task = json_array_get(json_object_get(reply, "importImageTaskSet"), 0);
		status = text_of(task, "status");
		sequence = number_of(task, "sequence");
		if (strcmp(status, "active") != 0) {
			progress_end();
			progress_on_interrupt(NULL);
			if (ret_task)
				*ret_task = json_incref(task);
			if (strcmp(status, "completed") == 0)
				return 0;
			if (ret_unreachable)
				*ret_unreachable = json_is_true(json_object_get(task, "unreachable"));
			return error_set(err, ERROR_ENVIRONMENT, "%s",
					 *text_of(task, "statusMessage") ? text_of(task, "statusMessage")
									 : "The image could not be brought here.");
		}
		show(task, last);
		if (after >= 0 && sequence <= after && time_mono_ms() - asked < 250)
			nanosleep(&(const struct timespec){ .tv_nsec = 250000000 }, NULL);
		after = sequence;
	}
}

json_t *image_for_launch(struct cli *cli, const char *wanted, struct error *err)
{
	AUTO_JSON json_t *image = image_get(cli, wanted ? wanted : IMAGE_DEFAULT, err);
	struct error why = { 0 };
	bool unreachable;

	if (!image)
		return NULL;
	if (image_is_local(image) || !region_has_guests(cli) || image_import(cli, image, NULL, false, &unreachable, NULL, &why) == 0)
		return TAKE_PTR(image);
	if (wanted || !unreachable) {
		if (err)
			*err = why;
		return NULL;
	}
	progress_say(IMAGE_INDENT, "%*s%s can't be had, so %s is taken, which is built on this machine: %s", IMAGE_INDENT, "",
		     IMAGE_DEFAULT, IMAGE_FALLBACK, why.message);
	json_decref(image);
	image = image_get(cli, IMAGE_FALLBACK, err);
	if (!image || (!image_is_local(image) && image_import(cli, image, NULL, false, NULL, NULL, err) < 0))
		return NULL;
	return TAKE_PTR(image);
}
