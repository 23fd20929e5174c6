#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/time.h"
#include "image/disk.h"
#include "image/sums.h"

#define RECORD_MAX (64u << 10)
#define NAMES_MAX 4096
#define LOCK_SLICE_MS 250 /* how often a waiting job looks at its cancel flag */
#define IMAGE_MODE 0644   /* QEMU runs as a user of its own and reads it */
#define DIR_MODE 0755

struct image_store *image_store_open(const char *state_dir, const char *data_dir, struct error *err)
{
	struct image_store *s = calloc(1, sizeof *s);

	if (!s) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	s->dir = file_path(err, "%s/images", state_dir);
	s->data_dir = file_path(err, "%s/images", data_dir);
	if (!s->dir || !s->data_dir || file_mkdirs(s->dir, DIR_MODE, err) < 0 ||
	    image_catalogue_load(&s->catalogue, s->data_dir, err) < 0) {
		image_store_close(s);
		return NULL;
	}
	return s;
}

void image_store_close(struct image_store *s)
{
	if (!s)
		return;
	image_catalogue_done(&s->catalogue);
	free(s->dir);
	free(s->data_dir);
	free(s);
}

const struct image_catalogue *image_store_catalogue(const struct image_store *s)
{
	return &s->catalogue;
}

const struct image *image_find(const struct image_store *s, const char *name_or_id, struct error *err)
{
	AUTO_BUFFER struct buffer names = BUFFER_INIT(NAMES_MAX);
	const struct image *image = image_catalogue_find(&s->catalogue, name_or_id);

	if (image)
		return image;
	for (size_t i = 0; i < s->catalogue.count; i++)
		buffer_addf(&names, "%s%s", i ? ", " : "", s->catalogue.images[i].name);
	error_set_code(err, ERROR_USAGE, "InvalidAMIID.NotFound", "The image id '[%.64s]' does not exist; there are %s.",
		       name_or_id, buffer_text(&names));
	return NULL;
}

const char *image_state_name(enum image_state state)
{
	switch (state) {
	case IMAGE_ABSENT:
		return "absent";
	case IMAGE_PARTIAL:
		return "partial";
	case IMAGE_AVAILABLE:
		break;
	}
	return "available";
}

int store_lock(const struct image_store *s, const struct image *image, const struct image_job *job, struct error *err)
{
	AUTO_FREE char *path = file_path(err, LOCK_OF, s->dir, image->name);
	AUTO_FREE char *partial = file_path(err, PARTIAL_OF, s->dir, image->name);
	int64_t slice = time_mono_ms();

	if (!path || !partial)
		return -1;
	for (;;) {
		struct error why = { 0 };
		int fd = file_lock(path, slice, &why);

		if (fd >= 0)
			return fd;
		if (why.kind != ERROR_TIMEOUT) {
			if (err)
				*err = why;
			return -1;
		}
		if (job_check(job, err) < 0)
			return -1;
		job_tell(job, "wait", "another process fetches or builds this image",
			 file_size(partial) > 0 ? file_size(partial) : 0, 0);
		slice = deadline_in(LOCK_SLICE_MS);
		if (job && job->deadline && job->deadline < slice)
			slice = job->deadline;
	}
}

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int record_read(const struct image_store *s, const struct image *image, struct record *ret, struct error *err)
{
	AUTO_FREE char *path = file_path(err, RECORD_OF, s->dir, image->name);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (!path)
		return -1;
	text = file_read(path, RECORD_MAX, &len, err);
	if (!text)
		return -1;
	if (record_parse(ret, text, len, err) < 0)
		return error_prefix(err, "%s can't be used", path);
	return 0;
}

int store_look(const struct image_store *s, const struct image *image, bool *ret_there, struct record *ret,
	       struct error *err)
{
	AUTO_FREE char *path = file_path(err, IMAGE_OF, s->dir, image->name);
	struct stat st;

	*ret_there = false;
	if (!path)
		return -1;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s can't be looked at", path);
	if (record_read(s, image, ret, err) < 0)
		return error_prefix(err, "The image %s has no usable record beside it (remove it and fetch it again)",
				    image->name);
	if (st.st_size != ret->bytes)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The image %s was %s: it has %lld bytes and should have %lld; remove it with `vpclab image rm %s` "
				 "and fetch it again.",
				 image->name, st.st_size < ret->bytes ? "truncated" : "altered", (long long)st.st_size,
				 (long long)ret->bytes, image->name);
	*ret_there = true;
	return 0;
}

/* store_look, and the time of last change too: a changed one is hashed, and its record mended where the sum is right
 * (a copied state directory, a touch). */
static int cheap_check(struct image_store *s, const struct image *image, bool *ret_there, struct record *ret,
		       struct error *err)
{
	AUTO_FREE char *path = file_path(err, IMAGE_OF, s->dir, image->name);
	struct stat st;

	if (!path || store_look(s, image, ret_there, ret, err) < 0)
		return -1;
	if (!*ret_there)
		return 0;
	if (stat(path, &st) < 0)
		return error_set_errno(err, errno, "%s can't be looked at", path);
	return mtime_ns(&st) == ret->mtime_ns ? 0 : image_verify(s, image->name, NULL, err);
}

static int record_write(const struct image_store *s, const struct image *image, const struct record *r,
			struct error *err)
{
	AUTO_FREE char *path = file_path(err, RECORD_OF, s->dir, image->name);
	AUTO_FREE char *text = record_text(r, err);

	if (!path || !text)
		return -1;
	return file_write_atomic(path, text, strlen(text), IMAGE_MODE, err);
}

int store_install(const struct image_store *s, const struct image *image, const char *file, struct record *r,
		  struct error *err)
{
	AUTO_FREE char *path = file_path(err, IMAGE_OF, s->dir, image->name);
	AUTO_CLOSE int fd = -1;
	struct disk_info info;
	struct stat st;

	if (!path || disk_check_base(file, err) < 0 || disk_info(file, &info, err) < 0)
		return -1;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, IMAGE_MODE) < 0 || fsync(fd) < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "%s can't be put in place", file);
	r->bytes = st.st_size;
	r->mtime_ns = mtime_ns(&st);
	r->virtual_size = info.virtual_size;
	r->since_ms = time_wall_ms();
	/* The record first: after a crash between the two there is an image without the old record's numbers at worst,
	 * never one that passes for checked and wasn't. */
	if (record_write(s, image, r, err) < 0)
		return -1;
	if (rename(file, path) < 0)
		return error_set_errno(err, errno, "%s can't be put in place", path);
	return 0;
}

static void stat_one(struct image_store *s, const struct image *image, struct image_info *ret)
{
	AUTO_FREE char *path = file_path(NULL, IMAGE_OF, s->dir, image->name);
	AUTO_FREE char *partial = file_path(NULL, PARTIAL_OF, s->dir, image->name);
	struct record r;

	memset(ret, 0, sizeof *ret);
	ret->image = image;
	snprintf(ret->os, sizeof ret->os, "%s", image->os);
	if (path && file_exists(path) && record_read(s, image, &r, NULL) == 0) {
		ret->state = IMAGE_AVAILABLE;
		ret->bytes = file_size(path);
		ret->virtual_size = r.virtual_size;
		ret->since_ms = r.since_ms;
		memcpy(ret->sha256, r.sha256, sizeof ret->sha256);
		memcpy(ret->signature, r.signature, sizeof ret->signature);
		if (*r.os)
			memcpy(ret->os, r.os, sizeof ret->os);
	} else if (partial && file_size(partial) > 0) {
		ret->state = IMAGE_PARTIAL;
		ret->bytes = file_size(partial);
	}
}

int image_stat(struct image_store *s, const char *name, struct image_info *ret, struct error *err)
{
	const struct image *image = image_find(s, name, err);

	if (!image)
		return -1;
	stat_one(s, image, ret);
	return 0;
}

int image_ls(struct image_store *s, struct image_info **ret, size_t *ret_count, struct error *err)
{
	struct image_info *all = calloc(s->catalogue.count, sizeof *all);

	if (!all)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	for (size_t i = 0; i < s->catalogue.count; i++)
		stat_one(s, &s->catalogue.images[i], &all[i]);
	*ret = all;
	*ret_count = s->catalogue.count;
	return 0;
}

char *image_path(struct image_store *s, const char *name, struct error *err)
{
	const struct image *image = image_find(s, name, err);
	struct record r;
	bool there;

	if (!image || cheap_check(s, image, &there, &r, err) < 0)
		return NULL;
	if (!there) {
		error_set(err, ERROR_ENVIRONMENT, "The image %s is not on this machine; get it with `vpclab image %s %s`.",
			  image->name, *image->build ? "build" : "pull", image->name);
		return NULL;
	}
	return file_path(err, IMAGE_OF, s->dir, image->name);
}

int image_verify(struct image_store *s, const char *name, const struct image_job *job, struct error *err)
{
	const struct image *image = image_find(s, name, err);
	AUTO_FREE char *path = image ? file_path(err, IMAGE_OF, s->dir, image->name) : NULL;
	struct job_bytes bytes = { job, "check" };
	char sum[SHA256_TEXT_MAX];
	struct record r;
	struct stat st;
	bool there;

	if (!path || store_look(s, image, &there, &r, err) < 0)
		return -1;
	if (!there)
		return error_set(err, ERROR_ENVIRONMENT, "The image %s is not on this machine, so there is nothing to verify.",
				 image->name);
	if (stat(path, &st) < 0)
		return error_set_errno(err, errno, "%s can't be looked at", path);
	if (sums_file_sha256(sum, path, job_bytes, &bytes, err) < 0)
		return job_stopped(job, err);
	if (strcmp(sum, r.sha256) != 0)
		return error_set(err, ERROR_CHECK,
				 "The image %s was altered: its SHA-256 is %s and should be %s; remove it with "
				 "`vpclab image rm %s` and fetch it again.",
				 image->name, sum, r.sha256, image->name);
	if (disk_check_base(path, err) < 0)
		return -1;
	if (mtime_ns(&st) == r.mtime_ns)
		return 0;
	r.mtime_ns = mtime_ns(&st);
	return record_write(s, image, &r, err);
}

int image_rm(struct image_store *s, const char *name, const struct image_job *job, struct error *err)
{
	static const char *const suffixes[] = { "qcow2", "json", "partial", "log" };
	const struct image *image = image_find(s, name, err);
	AUTO_CLOSE int lock = -1;

	if (!image)
		return -1;
	lock = store_lock(s, image, job, err);
	if (lock < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		AUTO_FREE char *path = file_path(err, "%s/%s.%s", s->dir, image->name, suffixes[i]);

		if (!path || file_unlink(path, err) < 0)
			return -1;
	}
	return 0;
}

int image_ensure(struct image_store *s, const char *name, const struct image_job *job, struct error *err)
{
	const struct image *image = image_find(s, name, err);
	struct record r;
	bool there;

	if (!image || cheap_check(s, image, &there, &r, err) < 0)
		return -1;
	if (there)
		return 0;
	return *image->build ? image_build(s, name, job, err) : image_pull(s, name, job, err);
}
