/* Bringing an image here: downloads and local builds, followed with a bar or lines. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "cli/cli.h"

#define IMAGE_DEFAULT "ubuntu-22.04"  /* the lecture's */
#define IMAGE_FALLBACK "debian-12"    /* built on this machine, from its own package sources */

/* One image by name or ami id; a new reference. Unknown: a sentence with what there is. */
json_t *image_get(struct cli *cli, const char *name, struct error *err);
bool image_is_local(const json_t *image);
/* Imports and follows to the end. mirror may be NULL. ret_unreachable (may be NULL): the server could not be reached.
 * ret_task (may be NULL) gets the task's last state, a new reference. */
int image_import(struct cli *cli, const json_t *image, const char *mirror, bool rebuild, bool *ret_unreachable,
		 json_t **ret_task, struct error *err);
/* The image for a launch, here when it returns: wanted, or where that is NULL the default one, or where its server can't be
 * reached the fallback (said in one line). A new reference. */
json_t *image_for_launch(struct cli *cli, const char *wanted, struct error *err);
