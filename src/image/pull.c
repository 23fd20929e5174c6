/* Fetching an image from its vendor's server or a mirror of it. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/http.h"
#include "base/process.h"
#include "base/time.h"
#include "image/store.h"
#include "image/sums.h"

#define IMAGE_BYTES_MAX (32LL << 30)
#define SIGNATURE_MAX (64 << 10)
#define STALL_MS 60000
#define CONNECT_MS 15000
#define GPGV_TIMEOUT_MS 60000
#define SPACE_SPARE (256LL << 20) /* left free on the disk after a download */

struct pull {
	const struct image_store *s;
	const struct image *image;
	const struct image_job *job;
	char *partial, *sums, *signature; /* files in the store */
	const char *phase;
	bool no_space;
	int64_t had, need; /* bytes of the partial file at the start; bytes that are missing on the disk */
};

static void pull_done(struct pull *p)
{
	if (p->sums)
		file_unlink(p->sums, NULL);
	if (p->signature)
		file_unlink(p->signature, NULL);
	free(p->partial);
	free(p->sums);
	free(p->signature);
}

static char *url_of(const struct pull *p, const char *file, struct error *err)
{
	const char *base = p->job && p->job->mirror && *p->job->mirror ? p->job->mirror : p->image->url;
	size_t n = strlen(base);

	return file_path(err, "%s%s%s", base, n && base[n - 1] == '/' ? "" : "/", file);
}

/* Told by libcurl, several times a second even when nothing comes. */
static int on_bytes(void *arg, int64_t done, int64_t total)
{
	struct pull *p = arg;
	int64_t space;

	job_tell(p->job, p->phase, NULL, done, total);
	if (job_check(p->job, NULL) < 0)
		return 1;
	if (total <= 0 || p->need > 0)
		return 0;
	/* once, as soon as the size is known: better now than after an hour of download */
	p->need = total - done;
	space = file_space(p->s->dir);
	p->no_space = space >= 0 && space < p->need + SPACE_SPARE;
	return p->no_space;
}

static int fetch(struct pull *p, const char *phase, const char *file, const char *path, int64_t max, struct error *err)
{
	AUTO_FREE char *url = url_of(p, file, err);
	struct http_download d = { .url = url, .path = path, .low_speed_ms = STALL_MS, .connect_timeout_ms = CONNECT_MS,
				   .progress = on_bytes, .arg = p, .max_bytes = max };

	if (!url || job_check(p->job, err) < 0)
		return -1;
	p->phase = phase;
	p->need = 0;
	p->no_space = false;
	if (http_fetch_file(&d, p->job ? p->job->ret_unreachable : NULL, err) == 0)
		return 0;
	if (file_size(path) == 0)
		file_unlink(path, NULL);
	if (p->no_space)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The image %s needs %lld MB more on the disk of %s and %lld MB are free; make room and try again.",
				 p->image->name, (long long)((p->need + SPACE_SPARE) >> 20), p->s->dir,
				 (long long)(file_space(p->s->dir) >> 20));
	return job_stopped(p->job, err);
}

static int fetch_small(struct pull *p, const char *file, const char *path, int64_t max, struct error *err)
{
	if (file_unlink(path, err) < 0) /* what an earlier try left is not resumed: it may have changed */
		return -1;
	return fetch(p, "sums", file, path, max, err);
}

/* Checks the signature of the sums where that can be done; note says how it went. */
static int check_signature(struct pull *p, char note[IMAGE_NOTE_MAX], struct error *err)
{
	const struct image *image = p->image;
	const char *const argv[] = { "gpgv", "--quiet", "--keyring", image->keyring, p->signature, p->sums, NULL };
	const struct process_options opt = { .deadline = deadline_in(time_scaled(GPGV_TIMEOUT_MS)),
					     .cancel = p->job ? p->job->cancel : NULL };
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	AUTO_FREE char *gpgv = process_find_program("gpgv");
	char sentence[IMAGE_NOTE_MAX + 128];

	*note = '\0';
	if (!*image->signature)
		snprintf(note, IMAGE_NOTE_MAX, "not checked: the vendor signs nothing");
	else if (!gpgv)
		snprintf(note, IMAGE_NOTE_MAX, "not checked: gpgv is not installed (apt install gpgv)");
	else if (!file_exists(image->keyring))
		snprintf(note, IMAGE_NOTE_MAX, "not checked: %.128s is not installed (package %s)", image->keyring,
			 image->keyring_package);
	if (*note) {
		snprintf(sentence, sizeof sentence, "The signature of %s was %s.", image->sums, note);
		job_notice(p->job, "sums", sentence);
		return 0;
	}
	if (fetch_small(p, image->signature, p->signature, SIGNATURE_MAX, err) < 0)
		return error_prefix(err, "The signature of %s can't be checked", image->sums);
	if (process_run(argv, &opt, &r, err) < 0)
		return -1;
	if (r.status != 0)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The signature of %s is not by the key in %s, so nothing from this server is taken; try another "
				 "mirror.",
				 image->sums, image->keyring);
	snprintf(note, IMAGE_NOTE_MAX, "good");
	return 0;
}

static int expected_sum(struct pull *p, struct record *r, struct error *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (fetch_small(p, p->image->sums, p->sums, SUMS_FILE_MAX, err) < 0 || check_signature(p, r->signature, err) < 0)
		return -1;
	text = file_read(p->sums, SUMS_FILE_MAX, &len, err);
	return text ? sums_find(r->sha256, text, len, p->image->file, err) : -1;
}

/* Fetches and hashes once. Returns 0 with *ret_good telling whether the sum is the expected one. */
static int fetch_image(struct pull *p, const struct record *r, bool *ret_good, char sum[SHA256_TEXT_MAX],
		       struct error *err)
{
	struct job_bytes bytes = { p->job, "check" };

	if (fetch(p, "download", p->image->file, p->partial, IMAGE_BYTES_MAX, err) < 0)
		return -1;
	if (sums_file_sha256(sum, p->partial, job_bytes, &bytes, err) < 0)
		return job_stopped(p->job, err);
	*ret_good = strcmp(sum, r->sha256) == 0;
	return *ret_good ? 0 : file_unlink(p->partial, err);
}

static int pull_locked(struct pull *p, struct error *err)
{
	struct record r;
	char sum[SHA256_TEXT_MAX];
	bool good = false, resumed = file_size(p->partial) > 0;

	memset(&r, 0, sizeof r);
	if (expected_sum(p, &r, err) < 0 || fetch_image(p, &r, &good, sum, err) < 0)
		return -1;
	if (!good && resumed) {
		/* The vendor put up a new image between the two halves: take the new one whole. */
		job_notice(p->job, "download",
			   "What was here from an earlier download is of another version, so it starts again.");
		if (fetch_image(p, &r, &good, sum, err) < 0)
			return -1;
	}
	if (!good)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The download of %s has SHA-256 %s and %s says %s, so it was thrown away; try again, or another "
				 "mirror.",
				 p->image->file, sum, p->image->sums, r.sha256);
	return store_install(p->s, p->image, p->partial, &r, err);
}

int image_pull(struct image_store *s, const char *name, const struct image_job *job, struct error *err)
{
	const struct image *image = image_find(s, name, err);
	struct pull p CLEANUP(pull_done) = { .s = s, .image = image, .job = job };
	AUTO_CLOSE int lock = -1;
	struct record r;
	bool there;

	if (!image)
		return -1;
	if (job && job->ret_unreachable)
		*job->ret_unreachable = false;
	if (*image->build)
		return error_set(err, ERROR_USAGE, "The image %s is not fetched but built here: `vpclab image build %s`.",
				 image->name, image->name);
	lock = store_lock(s, image, job, err);
	if (lock < 0 || store_look(s, image, &there, &r, err) < 0)
		return -1;
	if (there)
		return 0;
	p.partial = file_path(err, PARTIAL_OF, s->dir, image->name);
	p.sums = file_path(err, "%s/%s.sums", s->dir, image->name);
	p.signature = file_path(err, "%s/%s.sums.gpg", s->dir, image->name);
	if (!p.partial || !p.sums || !p.signature)
		return -1;
	return pull_locked(&p, err);
}
