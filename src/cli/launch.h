/* RunInstances as the verbs send it. */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/client.h"

#define TYPE_DEFAULT "t2.small" /* the lecture's */

/* Adds what --type, --zone, --key and NAME say: instance type, zone ("a" alone too), Name tag, one network interface with a
 * public address as the default VPC's subnets give. */
void launch_request(struct cli *cli, const struct arguments *a, struct request *r, const char *image_id, const char *name);
/* Adds the file's text as UserData; "-" is standard input. */
int launch_user_data(struct request *r, const char *path, struct error *err);
