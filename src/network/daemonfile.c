#include "network/daemonfile.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#define FILE_MAX 128
#define LOG_MAX (1u << 20)
#define GRACE_MS 3000
#define COMMAND_MAX (64u << 10)

bool daemonfile_alive(const char *path, struct process_id *ret)
{
	AUTO_FREE char *text = file_read(path, FILE_MAX, NULL, NULL);
	char *rest;
	long pid;

	memset(ret, 0, sizeof *ret);
	if (!text)
		return false;
	pid = strtol(text, &rest, 10);
	if (pid <= 0 || *rest != ' ')
		return false;
	ret->pid = (pid_t)pid;
	ret->start_time = strtoull(rest, NULL, 10);
	return process_alive(ret);
}

int daemonfile_write(const char *path, const struct process_id *id, struct error *err)
{
	char text[FILE_MAX];
	int n = snprintf(text, sizeof text, "%d %" PRIu64 "\n", (int)id->pid, id->start_time);

	return file_write_atomic(path, text, (size_t)n, 0644, err);
}

int daemonfile_end(const char *path, struct error *err)
{
	struct process_id id;

	if (daemonfile_alive(path, &id) && process_end(&id, GRACE_MS, err) < 0)
		return -1;
	return file_unlink(path, err);
}

static bool has_argument(const char *command, size_t len, const char *argument)
{
	for (const char *at = command; at < command + len; at += strlen(at) + 1)
		if (strcmp(at, argument) == 0)
			return true;
	return false;
}

int daemonfile_end_strays(const char *one, const char *other, struct error *err)
{
	DIR *proc = opendir("/proc");
	int rc = 0;

	for (struct dirent *e; proc && rc == 0 && (e = readdir(proc));) {
		AUTO_FREE char *path = NULL, *command = NULL;
		struct process_id id;
		char *rest;
		long pid = strtol(e->d_name, &rest, 10);
		size_t len;

		if (pid <= 0 || *rest || process_identify((pid_t)pid, &id) < 0)
			continue;
		path = file_path(NULL, "/proc/%ld/cmdline", pid);
		command = path ? file_read(path, COMMAND_MAX, &len, NULL) : NULL;
		if (!command || !has_argument(command, len, one) || !has_argument(command, len, other))
			continue;
		log_warn("Process %ld, which nobody had noted down, is ended: it serves %s.", pid, other);
		rc = process_end(&id, GRACE_MS, err);
	}
	if (proc)
		closedir(proc);
	return rc;
}

int daemonfile_watch(const struct process_id *id)
{
	int fd = (int)syscall(SYS_pidfd_open, id->pid, 0);

	if (fd >= 0 && !process_alive(id)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void daemonfile_last_words(const char *log, char *out, size_t size)
{
	AUTO_FREE char *text = file_read(log, LOG_MAX, NULL, NULL);
	size_t len = text ? strlen(text) : 0;
	const char *line;

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	line = len ? strrchr(text, '\n') : NULL;
	snprintf(out, size, "%s", !len ? "it said nothing" : line ? line + 1 : text);
}
