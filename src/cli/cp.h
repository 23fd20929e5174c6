/* Where a word of `vpclab cp` points. */
#pragma once

#include <stddef.h>

#define COPY_NAME_MAX 256

/* "NAME:PATH" is in a guest: its name into name, and where PATH begins is returned. NULL for a path of this machine: one without a
 * colon, or with a slash before it. Pure. */
const char *copy_path_parse(const char *word, char name[COPY_NAME_MAX]);
