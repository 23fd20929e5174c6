/* What libvirt remembers of machines is below our root and outlives a restart of the host, where everybody else keeps it in a
 * place that doesn't. It would take a process that has got an old machine's number for that machine, and kill it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "compute/private.h"

#define PID_FILE_MAX 64
#define COMMAND_MAX (256u << 10)
#define SUFFIX ".pid"

/* Is the process another than the machine's QEMU? A process that is gone is no stranger: libvirt finds that out itself. */
static bool stranger(long pid, const char *name)
{
	AUTO_FREE char *path = file_path(NULL, "/proc/%ld/cmdline", pid);
	AUTO_FREE char *command = NULL, *guest = file_path(NULL, "guest=%s,", name);
	size_t len = 0;

	if (!path || !guest || !file_exists(path))
		return false;
	command = file_read(path, COMMAND_MAX, &len, NULL);
	return !command || !memmem(command, len, guest, strlen(guest));
}

static int forget(const char *dir, const char *name, struct error *err)
{
	static const char *const suffixes[] = { "xml", "pid" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		AUTO_FREE char *path = file_path(err, "%s/%s.%s", dir, name, suffixes[i]);

		if (!path || file_unlink(path, err) < 0)
			return -1;
	}
	return 0;
}

int compute_forget_stale(const char *root, struct error *err)
{
	AUTO_FREE char *dir = file_path(err, "%s/run/qemu", root);
	DIR *d = dir ? opendir(dir) : NULL;
	int rc = dir ? 0 : -1;

	for (struct dirent *e; d && rc == 0 && (e = readdir(d));) {
		size_t len = strlen(e->d_name), end = strlen(SUFFIX);
		AUTO_FREE char *path = NULL, *text = NULL, *name = NULL;
		long pid;

		if (len <= end || strcmp(e->d_name + len - end, SUFFIX) != 0)
			continue;
		name = strndup(e->d_name, len - end);
		path = file_path(err, "%s/%s", dir, e->d_name);
		text = path ? file_read(path, PID_FILE_MAX, NULL, NULL) : NULL;
		pid = text ? strtol(text, NULL, 10) : 0;
		if (!name || !path)
			rc = error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		else if (pid > 0 && stranger(pid, name)) {
			log_info("compute: process %ld is not the machine %s any more", pid, name);
			rc = forget(dir, name, err);
		}
	}
	if (d)
		closedir(d);
	return rc;
}
