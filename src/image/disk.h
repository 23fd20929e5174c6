/* Disks of instances: qcow2 overlays on a base image, made and looked at by qemu-img. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define DISK_FORMAT_MAX 32

struct disk_info {
	char format[DISK_FORMAT_MAX]; /* qcow2 */
	int64_t virtual_size;         /* bytes a guest sees */
	int64_t actual_size;          /* bytes taken on the host */
	bool has_backing;
};

/* Pure: what `qemu-img info --output=json` printed. */
int disk_info_parse(struct disk_info *ret, const char *json, size_t len, struct error *err);
int disk_info(const char *path, struct disk_info *ret, struct error *err);
/* Makes path (which must not exist) as a qcow2 overlay of `size` bytes on base, mode 0600. A size below the base's
 * is InvalidBlockDeviceMapping, as in EC2. */
int disk_create_overlay(const char *path, const char *base, int64_t size, struct error *err);
/* Is this a whole qcow2 that stands by itself? Finds truncation and broken tables; reads metadata only. */
int disk_check_base(const char *path, struct error *err);
/* unlink; a missing one is success. */
int disk_remove(const char *path, struct error *err);
