#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/time.h"

#define REMOVE_DEPTH 32
#define LOCK_RETRY_MS 20

char *file_read(const char *path, size_t max, size_t *ret_len, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_FREE char *data = NULL;
	size_t len = 0, cap = 4096;

	if (fd < 0) {
		error_set_errno(err, errno, "%s can't be read", path);
		return NULL;
	}
	data = malloc(cap + 1);
	if (!data) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out while reading %s.", path);
		return NULL;
	}
	for (;;) {
		ssize_t n;

		if (len == cap) {
			char *more = realloc(data, cap * 2 + 1);

			if (!more) {
				error_set(err, ERROR_ENVIRONMENT, "Memory ran out while reading %s.", path);
				return NULL;
			}
			data = more;
			cap *= 2;
		}
		n = read(fd, data + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_set_errno(err, errno, "%s can't be read", path);
			return NULL;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max) {
			error_set(err, ERROR_USAGE, "%s is larger than the %zu bytes allowed here.", path, max);
			return NULL;
		}
	}
	data[len] = '\0';
	if (ret_len)
		*ret_len = len;
	return TAKE_PTR(data);
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct error *err)
{
	AUTO_FREE char *tmp = file_path(err, "%s.tmp.XXXXXX", path);
	AUTO_CLOSE int fd = -1;
	size_t done = 0;

	if (!tmp)
		return -1;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "%s can't be written", path);
	while (done < len) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		done += (size_t)n;
	}
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0)
		goto fail;
	return 0;
fail:
	error_set_errno(err, errno, "%s can't be written", path);
	unlink(tmp);
	return -1;
}

int file_mkdirs(const char *path, mode_t mode, struct error *err)
{
	AUTO_FREE char *copy = file_path(err, "%s", path);

	if (!copy)
		return -1;
	for (char *p = copy + 1;; p++) {
		if (*p && *p != '/')
			continue;
		bool last = !*p;

		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "The directory %s can't be made", copy);
		if (last)
			return 0;
		*p = '/';
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

int file_remove_tree(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s can't be removed", path);
	if (nftw(path, remove_one, REMOVE_DEPTH, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0)
		return error_set_errno(err, errno, "%s can't be removed", path);
	return 0;
}

int file_unlink(const char *path, struct error *err)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(err, errno, "%s can't be removed", path);
	return 0;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int64_t file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int64_t file_disk_usage(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_blocks * 512 : -1;
}

int64_t file_space(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 ? (int64_t)(v.f_bavail * v.f_frsize) : -1;
}

char *file_path(struct error *err, const char *fmt, ...)
{
	char *path = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&path, fmt, ap);
	va_end(ap);
	if (n < 0) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	return path;
}

int file_lock(const char *path, int64_t deadline, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set_errno(err, errno, "The lock %s can't be opened", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		/* flock has no timed form, and a signal for it would not be this thread's own: look again */
		const struct timespec pause = { .tv_nsec = LOCK_RETRY_MS * 1000000L };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set_errno(err, errno, "%s can't be locked", path);
		if (deadline_passed(deadline))
			return error_set(err, ERROR_TIMEOUT, "Another process keeps the lock %s; wait for it to end.",
					 path);
		nanosleep(&pause, NULL);
	}
	return TAKE_FD(fd);
}
