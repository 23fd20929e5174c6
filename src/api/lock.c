#include "api/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/time.h"

#define LOCK_RETRY_MS 20

/* The one before us may have removed the file between our open and our flock: then we hold a lock that nobody sees. */
static bool still_there(const char *path, int fd)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

static int taken(const char *dir, int fd, struct error *err)
{
	char pid[16];
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

	pid[n > 0 ? n : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return error_set(err, ERROR_ENVIRONMENT,
			 "A daemon (pid %s) already serves %s: end it by `vpclab down`, or choose other directories.",
			 *pid ? pid : "unknown", dir);
}

int daemon_lock(const char *path, const char *dir, const char *socket, int64_t deadline, struct error *err)
{
	/* flock has no timed form: look again */
	const struct timespec pause = { .tv_nsec = LOCK_RETRY_MS * 1000000L };

	for (;;) {
		AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

		if (fd < 0)
			return error_set_errno(err, errno, "The lock %s can't be opened", path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK)
				return error_set_errno(err, errno, "%s can't be locked", path);
			if (deadline_passed(deadline) || (socket && file_exists(socket)))
				return taken(dir, fd, err);
			nanosleep(&pause, NULL);
			continue;
		}
		if (!still_there(path, fd))
			continue;
		if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
			return error_set_errno(err, errno, "%s can't be written", path);
		return TAKE_FD(fd);
	}
}

void daemon_unlock(const char *path, int fd)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}
