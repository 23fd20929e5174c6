#include "base/time.h"
#include "image/store.h"

static bool late(const struct image_job *job)
{
	return job && job->deadline && deadline_passed(job->deadline);
}

int job_check(const struct image_job *job, struct error *err)
{
	if (job && job->cancel && *job->cancel)
		return error_set(err, ERROR_ENVIRONMENT, "The work on the image was cancelled.");
	if (late(job))
		return error_set(err, ERROR_TIMEOUT, "The image was not ready in time.");
	return 0;
}

int job_stopped(const struct image_job *job, struct error *err)
{
	if (late(job))
		return error_set(err, ERROR_TIMEOUT, "The image was not ready in time; what came so far is kept.");
	return -1;
}

static void tell(const struct image_job *job, const struct image_progress *p)
{
	if (job && job->progress)
		job->progress(job->arg, p);
}

void job_tell(const struct image_job *job, const char *phase, const char *detail, int64_t done, int64_t total)
{
	tell(job, &(struct image_progress){ .phase = phase, .detail = detail, .done = done, .total = total });
}

void job_notice(const struct image_job *job, const char *phase, const char *sentence)
{
	tell(job, &(struct image_progress){ .phase = phase, .detail = sentence, .notice = true });
}

int job_bytes(void *arg, int64_t done, int64_t total)
{
	const struct job_bytes *b = arg;

	job_tell(b->job, b->phase, NULL, done, total);
	return job_check(b->job, NULL) < 0;
}
