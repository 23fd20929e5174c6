#include "region/capacity.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

/* A guest touches its memory little by little, so that a lab may hold more guests than memory; but one that boots a whole
 * Linux needs this much at once. */
#define BOOT_MIB 192
#define DISK_MIB 64 /* for its disk's beginning, and so that the region can go on writing */
#define MEMINFO_MAX (64u << 10)

static long long meminfo_mib(const char *meminfo, const char *key)
{
	const char *at = meminfo ? strstr(meminfo, key) : NULL;

	return at ? strtoll(at + strlen(key), NULL, 10) / 1024 : -1;
}

static int check_total(const char *meminfo, const char *type, unsigned memory_mib, struct error *err)
{
	long long total = meminfo_mib(meminfo, "MemTotal:");

	if (total < 0 || memory_mib <= total)
		return 0;
	return error_set_code(err, ERROR_ENVIRONMENT, "InsufficientInstanceCapacity",
			      "This machine has %lld MiB of memory, too little for %s's %u MiB; take a smaller type.", total, type,
			      memory_mib);
}

int capacity_fits(const char *type, unsigned memory_mib, struct error *err)
{
	AUTO_FREE char *meminfo = file_read("/proc/meminfo", MEMINFO_MAX, NULL, NULL);

	return check_total(meminfo, type, memory_mib, err);
}

int capacity_check(const struct region *r, const char *type, unsigned memory_mib, struct error *err)
{
	AUTO_FREE char *meminfo = file_read("/proc/meminfo", MEMINFO_MAX, NULL, NULL);
	long long free_mib = meminfo_mib(meminfo, "MemAvailable:");
	int64_t space = file_space(r->config.state_dir);

	if (check_total(meminfo, type, memory_mib, err) < 0)
		return -1;
	if (space >= 0 && space >> 20 < DISK_MIB)
		return error_set_code(err, ERROR_ENVIRONMENT, "InsufficientInstanceCapacity",
				      "The disk of %s has %lld MiB free, too little for another guest; make room or terminate instances.",
				      r->config.state_dir, (long long)(space >> 20));
	if (!compute_is_test(r->compute) && free_mib >= 0 && free_mib < BOOT_MIB)
		return error_set_code(err, ERROR_ENVIRONMENT, "InsufficientInstanceCapacity",
				      "This machine has %lld MiB of memory left, too little for another guest; stop instances or other "
				      "programs.",
				      free_mib);
	return 0;
}
