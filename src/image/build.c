/* Building an image on this machine, by the script that its entry names. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "image/store.h"
#include "image/sums.h"

#define BUILD_SPACE (4LL << 30) /* a tree, an ext4 and a qcow2 of 0.5 to 0.7 GB each, the packages, and some spare */
#define LOG_LINES 3
#define LOG_MAX (32u << 20)
#define PHASE "phase: "
#define OS "os: "

struct build {
	const struct image_job *job;
	struct record record;
	char phase[IMAGE_TEXT_MAX];
};

/* A line of the script's standard output. */
static void on_line(void *arg, const char *line)
{
	struct build *b = arg;

	if (strncmp(line, PHASE, strlen(PHASE)) == 0) {
		snprintf(b->phase, sizeof b->phase, "%s", line + strlen(PHASE));
		job_tell(b->job, "build", b->phase, 0, 0);
	} else if (strncmp(line, OS, strlen(OS)) == 0) {
		snprintf(b->record.os, sizeof b->record.os, "%s", line + strlen(OS));
	}
}

/* The last lines of the log, joined by "; ", for the end of a sentence. */
static void log_tail(const char *path, char *out, size_t size)
{
	size_t len = 0, at;
	AUTO_FREE char *text = file_read(path, LOG_MAX, &len, NULL);
	int lines = 0;

	snprintf(out, size, "it left no log");
	if (!text)
		return;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	for (at = len; at > 0; at--)
		if (text[at - 1] == '\n' && ++lines == LOG_LINES)
			break;
	for (char *p = text + at; *p; p++)
		if (*p == '\n')
			*p = ';';
	if (len)
		snprintf(out, size, "%s", text + at);
}

/* The script starts many programs. In a process namespace of their own they all end when it ends, is cancelled, or this
 * process is killed; and what they mount goes with them. They share the image's lock, so that whoever builds next waits
 * until the last of them is gone. */
static int run_script(struct build *b, int lock, const char *script, const char *output, const char *work, const char *log,
		      struct error *err)
{
	const char *const argv[] = { "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--", script,
				     "--output", output, "--work", work, NULL };
	const struct process_options opt = { .output_path = log, .on_line = on_line, .on_line_arg = b, .keep_fd = lock,
					     .deadline = b->job ? b->job->deadline : 0,
					     .cancel = b->job ? b->job->cancel : NULL };
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	char tail[512];

	if (process_run(argv, &opt, &r, err) < 0)
		return -1;
	if (r.status == 0)
		return 0;
	log_tail(log, tail, sizeof tail);
	return error_set(err, ERROR_ENVIRONMENT, "Building the image failed in its phase \"%s\" (all of it is in %s): %s",
			 *b->phase ? b->phase : "start", log, tail);
}

int image_build(struct image_store *s, const char *name, const struct image_job *job, struct error *err)
{
	const struct image *image = image_find(s, name, err);
	struct build b = { .job = job };
	struct job_bytes bytes = { job, "check" };
	AUTO_FREE char *script = NULL, *output = NULL, *work = NULL, *log = NULL;
	AUTO_CLOSE int lock = -1;
	struct record before, now;
	bool was_there, there;
	int64_t space;
	int rc;

	if (!image)
		return -1;
	if (!*image->build)
		return error_set(err, ERROR_USAGE, "The image %s is not built here but fetched: `vpclab image pull %s`.",
				 image->name, image->name);
	script = file_path(err, "%s/%s", s->data_dir, image->build);
	output = file_path(err, "%s/%s.building", s->dir, image->name);
	work = file_path(err, "%s/%s.work", s->dir, image->name);
	log = file_path(err, LOG_OF, s->dir, image->name);
	if (!script || !output || !work || !log)
		return -1;
	/* damage found here is no reason not to build anew */
	if (store_look(s, image, &was_there, &before, NULL) < 0)
		was_there = false;
	lock = store_lock(s, image, job, err);
	if (lock < 0)
		return -1;
	/* another's build ended while we waited for it: that is the one we wanted */
	if (store_look(s, image, &there, &now, NULL) == 0 && there && (!was_there || now.since_ms != before.since_ms))
		return 0;
	space = file_space(s->dir);
	if (space >= 0 && space < BUILD_SPACE)
		return error_set(err, ERROR_ENVIRONMENT,
				 "Building the image %s needs %lld MB on the disk of %s and %lld MB are free; make room and try again.",
				 image->name, BUILD_SPACE >> 20, s->dir, (long long)(space >> 20));
	/* what a killed build left; nobody else can be there, for the lock is ours */
	if (file_remove_tree(work, err) < 0 || file_unlink(output, err) < 0 || file_unlink(log, err) < 0 ||
	    file_mkdirs(work, 0755, err) < 0)
		return -1;
	rc = run_script(&b, lock, script, output, work, log, err);
	if (rc == 0)
		rc = sums_file_sha256(b.record.sha256, output, job_bytes, &bytes, err);
	if (rc == 0) {
		snprintf(b.record.signature, sizeof b.record.signature, "built here");
		rc = store_install(s, image, output, &b.record, err);
	}
	file_remove_tree(work, NULL);
	file_unlink(output, NULL);
	return rc;
}
