#include "api/socket.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"

#define BACKLOG 1024
#define ACCOUNT_TEXT_MAX 16384 /* one entry of passwd or group; a large group is just not found */

static int remove_stale(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s can't be looked at", path);
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, ERROR_ENVIRONMENT,
				 "%s is in the way of the region's socket and is no socket itself; move it away.", path);
	if (unlink(path) < 0)
		return error_set_errno(err, errno, "The old socket %s can't be removed", path);
	return 0;
}

/* Only root may give a file to any group: elsewhere the socket stays the user's own. */
static int open_to_group(const char *path, struct error *err)
{
	char text[ACCOUNT_TEXT_MAX];
	struct group group, *found = NULL;

	if (geteuid() == 0 && getgrnam_r(SOCKET_GROUP, &group, text, sizeof text, &found) == 0 && found &&
	    chown(path, (uid_t)-1, found->gr_gid) < 0)
		return error_set_errno(err, errno, "%s can't be given to the group %s", path, SOCKET_GROUP);
	if (chmod(path, 0660) < 0)
		return error_set_errno(err, errno, "The mode of %s can't be set", path);
	return 0;
}

int socket_listen(const char *path, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = -1;

	if (strlen(path) >= sizeof address.sun_path)
		return error_set(err, ERROR_USAGE,
				 "The socket's path %s is longer than the %zu bytes the kernel takes; choose a shorter run_dir.",
				 path, sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (remove_stale(path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* the socket's own mode is what bind gives the file: nobody gets in before the group is set */
	if (fd < 0 || fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return error_set_errno(err, errno, "The region's socket %s can't be made", path);
	if (open_to_group(path, err) < 0) {
		unlink(path);
		return -1;
	}
	if (listen(fd, BACKLOG) < 0) {
		error_set_errno(err, errno, "The region can't listen on %s", path);
		unlink(path);
		return -1;
	}
	return TAKE_FD(fd);
}

int socket_peer(int fd, struct caller *ret)
{
	char text[ACCOUNT_TEXT_MAX];
	struct passwd account, *found = NULL;
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -1;
	ret->uid = cred.uid;
	ret->pid = cred.pid;
	if (getpwuid_r(cred.uid, &account, text, sizeof text, &found) == 0 && found)
		snprintf(ret->name, sizeof ret->name, "%s", found->pw_name);
	else
		snprintf(ret->name, sizeof ret->name, "uid-%u", cred.uid);
	return 0;
}
