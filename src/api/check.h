/* Whether a live reply keeps what its action's table promises. The server asks in the sanitizer build, so that an untruthful
 * table can't live long: the reference and every client trust it. */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "region/action.h"

/* Each member is in the table, with the type it has there, and what the table requires is there. The sentence names the
 * member: reservationSet[0].instancesSet[1].imageId. ERROR_INTERNAL. */
int api_reply_check(const struct action *a, const json_t *reply, struct error *err);
