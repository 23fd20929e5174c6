/* The catalogue: what images there are and where each comes from. One file images/NAME.image an image, lines
 * `key = value` and `#` comments (as in the configuration file). Knows nothing of what has been fetched. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/id.h"

#define IMAGE_NAME_MAX 64
#define IMAGE_TEXT_MAX 256
#define IMAGE_FILE_MAX (16u << 10)
#define IMAGE_CATALOGUE_MAX 64

struct image {
	char name[IMAGE_NAME_MAX];           /* ubuntu-22.04; letters, digits, '.' and '-' */
	char id[ID_MAX];                     /* ami-..., derived from the name, so the same on every machine */
	char description[IMAGE_TEXT_MAX];
	char os[IMAGE_TEXT_MAX];             /* "Ubuntu 22.04 LTS": what os-release in the guest is about */
	char architecture[IMAGE_NAME_MAX];   /* x86_64 */
	char default_user[IMAGE_NAME_MAX];   /* ubuntu */
	char root_device[IMAGE_NAME_MAX];    /* /dev/sda1: EC2's rootDeviceName */
	/* Fetched from a vendor's server: ... */
	char url[IMAGE_TEXT_MAX];            /* directory, ends in '/'; what --mirror replaces */
	char file[IMAGE_NAME_MAX];           /* in that directory */
	char sums[IMAGE_NAME_MAX];           /* SHA256SUMS */
	char signature[IMAGE_NAME_MAX];      /* SHA256SUMS.gpg, "" where the vendor signs nothing */
	char keyring[IMAGE_TEXT_MAX];        /* the vendor's key as this machine's package has it */
	char keyring_package[IMAGE_NAME_MAX];
	/* ... or built here. */
	char build[IMAGE_NAME_MAX];          /* script beside the .image file, "" when the image is fetched */
};

struct image_catalogue {
	struct image *images; /* sorted by name */
	size_t count;
};

/* Pure. `name` is the image's (the file's name without .image), `origin` is for messages. */
int image_parse(struct image *ret, const char *name, const char *text, size_t len, const char *origin,
		struct error *err);
/* Reads every *.image of dir (DATA_DIR/images). A broken file is an error: the catalogue is ours. */
int image_catalogue_load(struct image_catalogue *ret, const char *dir, struct error *err);
void image_catalogue_done(struct image_catalogue *c);
/* By name or ami id; NULL where there is none. */
const struct image *image_catalogue_find(const struct image_catalogue *c, const char *name_or_id);
