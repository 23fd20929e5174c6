/* What the parts of the image room share: the store's directory, its lock and the record beside an image.
 * Private to src/image. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "image/image.h"

struct image_store {
	char *dir;       /* STATE/images */
	char *data_dir;  /* DATA_DIR/images: scripts */
	struct image_catalogue catalogue;
};

#define IMAGE_OF "%s/%s.qcow2"
#define RECORD_OF "%s/%s.json"
#define PARTIAL_OF "%s/%s.partial"
#define LOCK_OF "%s/%s.lock"
#define LOG_OF "%s/%s.log"

struct record {
	char sha256[IMAGE_SHA256_MAX];
	char signature[IMAGE_NOTE_MAX];
	char os[IMAGE_TEXT_MAX]; /* what a local build turned out to be; "" for fetched images */
	int64_t bytes, virtual_size, since_ms;
	int64_t mtime_ns;
};

/* Pure. */
int record_parse(struct record *ret, const char *json, size_t len, struct error *err);
char *record_text(const struct record *r, struct error *err); /* the caller frees */

/* Takes the image's lock, telling the job what is waited for; returns the descriptor or -1. */
int store_lock(const struct image_store *s, const struct image *image, const struct image_job *job, struct error *err);
/* Is it there, and as its record says? Sets *ret_there; an altered one is an error. */
int store_look(const struct image_store *s, const struct image *image, bool *ret_there, struct record *ret,
	       struct error *err);
/* Puts a finished file in the image's place, with a record of it. r needs sha256, signature and os. */
int store_install(const struct image_store *s, const struct image *image, const char *file, struct record *r,
		  struct error *err);

/* Has the caller given up, or its time run out? Then -1 with err. */
int job_check(const struct image_job *job, struct error *err);
void job_tell(const struct image_job *job, const char *phase, const char *detail, int64_t done, int64_t total);
void job_notice(const struct image_job *job, const char *phase, const char *sentence);
/* A progress function for sums_file_sha256 and the like; arg is a struct job_bytes. */
struct job_bytes {
	const struct image_job *job;
	const char *phase;
};
int job_bytes(void *arg, int64_t done, int64_t total);
/* Replaces "cancelled" by a timeout where the deadline was the reason. Returns -1. */
int job_stopped(const struct image_job *job, struct error *err);
