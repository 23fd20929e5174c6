#include "network/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define VALUE_MAX 64

int sysctl_set(const char *key, const char *value, bool optional, struct error *err)
{
	char path[256], now[VALUE_MAX];
	AUTO_CLOSE int in = -1;
	AUTO_CLOSE int out = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/sys/%s", key);
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0 && errno == ENOENT && optional)
		return 0;
	n = in < 0 ? -1 : read(in, now, sizeof now - 1);
	if (n > 0) {
		now[n] = '\0';
		now[strcspn(now, "\n")] = '\0';
		if (strcmp(now, value) == 0)
			return 0;
	}
	out = open(path, O_WRONLY | O_CLOEXEC);
	if (out < 0 || write(out, value, strlen(value)) < 0)
		return error_set_errno(err, errno, "%s can't be set to %s in the VPC's network namespace", path, value);
	return 0;
}
