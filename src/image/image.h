/* The image room: base images of guests, fetched from their vendor or built here, kept below STATE/images and never
 * written to once they are there (instances run on overlays, see disk.h).
 *
 * Beside NAME.qcow2 lie NAME.json (sum, size and time of last change as they were when it came: the cheap check of a
 * launch compares these), NAME.partial (an unfinished download), NAME.lock and NAME.log (the last build). One pull or
 * build of an image runs at a time on the machine, however many ask; the others wait and find it done.
 * Thread-safe: after image_store_open any thread may call anything. Nothing here knows of instances: whoever removes an
 * image looks first whether one runs on it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/catalogue.h"

#define IMAGE_DEFAULT "ubuntu-22.04"
#define IMAGE_FALLBACK "debian-12" /* what `up` takes where the default one's server can't be reached */
#define IMAGE_SHA256_MAX 65
#define IMAGE_NOTE_MAX 256

struct image_store;

/* Makes STATE/images if need be and loads the catalogue of DATA_DIR/images. */
struct image_store *image_store_open(const char *state_dir, const char *data_dir, struct error *err);
void image_store_close(struct image_store *s);
const struct image_catalogue *image_store_catalogue(const struct image_store *s);
/* By name or ami id. Unknown: NULL with InvalidAMIID.NotFound and the names that exist. */
const struct image *image_find(const struct image_store *s, const char *name_or_id, struct error *err);

enum image_state { IMAGE_ABSENT, IMAGE_PARTIAL, IMAGE_AVAILABLE };

struct image_info {
	const struct image *image;
	enum image_state state;
	int64_t bytes;                /* of the image, or of what has come so far */
	int64_t virtual_size;         /* bytes of the disk that a guest sees; 0 unless available */
	char sha256[IMAGE_SHA256_MAX];/* as recorded; "" unless available */
	char signature[IMAGE_NOTE_MAX];/* "good", "not checked: ...", "built here"; "" unless available */
	char os[IMAGE_TEXT_MAX];      /* what a guest of it runs: the entry's os, or what a local build turned out to be */
	int64_t since_ms;             /* wall clock of its arrival, 0 unless available */
};

/* The words absent, partial, available. */
const char *image_state_name(enum image_state state);
/* Where an image stands, by its record: quick, reads no image. */
int image_stat(struct image_store *s, const char *name, struct image_info *ret, struct error *err);
/* All of the catalogue, one entry each, in its order; the caller frees *ret. */
int image_ls(struct image_store *s, struct image_info **ret, size_t *ret_count, struct error *err);

/* What a long work tells while it goes on. Called on the caller's thread. */
struct image_progress {
	const char *phase;  /* "wait", "sums", "download", "check", "build" */
	const char *detail; /* build: the script's own phase; wait: for whom; a line for people when `notice` */
	bool notice;        /* detail is one whole sentence worth showing by itself */
	int64_t done, total;/* bytes, 0 where unknown */
};

struct image_job {
	void (*progress)(void *arg, const struct image_progress *p); /* may be NULL */
	void *arg;
	const volatile int *cancel;  /* when it becomes nonzero the work stops within a second; may be NULL */
	int64_t deadline;            /* monotonic ms, 0 or DEADLINE_NEVER: none */
	const char *mirror;          /* replaces the entry's url; NULL or "": the vendor's */
	bool *ret_unreachable;       /* set when the server could not be reached at all; may be NULL */
};

/* Fetches an image that is not there: resumes a partial one, checks SHA256SUMS' signature where keyring and gpgv are
 * installed (a notice says when it isn't), checks the sum, renames into place. An image that is there is success. A wrong
 * sum removes what came. */
int image_pull(struct image_store *s, const char *name, const struct image_job *job, struct error *err);
/* Builds an image with its script even if it is there already (then the old one is replaced by rename; overlays of
 * the old one would break, so the caller makes sure that there are none). */
int image_build(struct image_store *s, const char *name, const struct image_job *job, struct error *err);
/* Pull or build, as its entry says, unless it is there and passes the cheap check. */
int image_ensure(struct image_store *s, const char *name, const struct image_job *job, struct error *err);
/* The full check: hashes the file and compares with the record, and lets qemu-img look at it. */
int image_verify(struct image_store *s, const char *name, const struct image_job *job, struct error *err);
/* Removes the image, its record and a partial download. An absent one is success. */
int image_rm(struct image_store *s, const char *name, const struct image_job *job, struct error *err);
/* Path of an image that is there and passes the cheap check; the caller frees. */
char *image_path(struct image_store *s, const char *name, struct error *err);
