/* Starting the region's daemon from a verb: our own binary, detached, awaited through a pipe. Of two verbs that start
 * one at the same moment only one daemon gets the lock; the other verb waits for that one's socket. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/progress.h"

#define START_MS 60000 /* a first start probes QEMU's capabilities: 4 s by itself, much more on a busy machine; scaled */
#define SENTENCE_MAX 1024
#define LISTEN_LOOK_MS 200 /* between bind, which inotify tells, and listen, which nothing tells */
#define DAEMON_ARGS_MAX 64
#define END_MS 10000 /* a daemon that failed closes what it had opened */

int daemon_try(const char *socket_path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", socket_path);
	return connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0 ? errno : 0;
}

bool directory_has_entries(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir)))
		found = e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return found;
}

bool daemon_left_something(const struct config *config)
{
	AUTO_FREE char *instances = file_path(NULL, "%s/instances", config->state_dir);
	AUTO_FREE char *networks = file_path(NULL, "%s/netns", config->run_dir);

	return (instances && directory_has_entries(instances)) || (networks && directory_has_entries(networks));
}

/* Does some process hold the daemon's lock? */
static bool lock_held(const struct cli *cli)
{
	AUTO_FREE char *path = file_path(NULL, "%s/daemon.lock", cli->config.run_dir);
	AUTO_CLOSE int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* Waits until the daemon that another process started accepts connections, or has ended. */
static int await_other(const struct cli *cli, const char *socket_path, int64_t deadline, struct error *err)
{
	AUTO_CLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd p = { watch, POLLIN, 0 };
	char events[4096];

	if (watch >= 0)
		inotify_add_watch(watch, cli->config.run_dir, IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
	while (daemon_try(socket_path) != 0) {
		int left = deadline_poll_ms(deadline);

		if (left == 0)
			return error_set(err, ERROR_TIMEOUT,
					 "Another process is starting the region, but it does not answer on %s; see %s/daemon.log.",
					 socket_path, cli->config.state_dir);
		if (!lock_held(cli))
			return error_set(err, ERROR_ENVIRONMENT,
					 "The region that another process was starting has ended; see %s/daemon.log.",
					 cli->config.state_dir);
		if (poll(&p, 1, left < LISTEN_LOOK_MS ? left : LISTEN_LOOK_MS) > 0)
			while (read(watch, events, sizeof events) > 0)
				;
	}
	return 0;
}

/* Reads what the daemon says of its start: '1', or a sentence. Returns 1, 0 with the sentence, or -1 with err. */
static int await_ready(int fd, int64_t deadline, char sentence[SENTENCE_MAX], struct error *err)
{
	size_t len = 0;

	for (;;) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;
		int left = deadline_poll_ms(deadline), got = poll(&p, 1, left);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_set(err, ERROR_TIMEOUT, "The region's daemon did not become ready in %lld s.",
					 (long long)(time_scaled(START_MS) / 1000));
		n = read(fd, sentence + len, SENTENCE_MAX - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			len += (size_t)n;
		sentence[len] = '\0';
		if (sentence[0] == '1')
			return 1;
		if (n <= 0 || len == SENTENCE_MAX - 1)
			return 0;
	}
}

static char *own_path(struct error *err)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	/* the link still starts the program where its file has been replaced or removed */
	if (n <= 0 || (size_t)n >= sizeof path - 1)
		return file_path(err, "/proc/self/exe");
	path[n] = '\0';
	return file_path(err, "%s", access(path, X_OK) == 0 ? path : "/proc/self/exe");
}

/* What makes the daemon see the settings that we see: the configuration file and each flag of ours. The strings made
 * are kept in made[]. */
static int build_args(const struct cli *cli, const char *program, const char *fd, const char *args[DAEMON_ARGS_MAX],
		      char *made[DAEMON_ARGS_MAX], size_t *made_count, struct error *err)
{
	size_t n = 0;

	args[n++] = program;
	args[n++] = "daemon";
	args[n++] = "--ready-fd";
	args[n++] = fd;
	if (cli->config_path) {
		char *full = realpath(cli->config_path, NULL);

		if (!full)
			return error_set_errno(err, errno, "%s can't be read", cli->config_path);
		made[(*made_count)++] = full;
		args[n++] = "--config";
		args[n++] = full;
	}
	for (size_t i = 0; i < config_keys_count && n + 3 < DAEMON_ARGS_MAX; i++) {
		const char *now = (const char *)&cli->config + config_keys[i].offset;
		const char *found = (const char *)&cli->found + config_keys[i].offset;
		char *setting;

		if (strcmp(now, found) == 0)
			continue;
		setting = file_path(err, "%s=%s", config_keys[i].name, now);
		if (!setting)
			return -1;
		made[(*made_count)++] = setting;
		args[n++] = "--set";
		args[n++] = setting;
	}
	args[n] = NULL;
	return 0;
}

static int spawn(const struct cli *cli, int ready_fd, struct process_id *ret, struct error *err)
{
	AUTO_FREE char *program = own_path(err);
	const char *args[DAEMON_ARGS_MAX];
	char *made[DAEMON_ARGS_MAX], fd[16];
	size_t made_count = 0;
	const struct process_options opt = { .cwd = "/", .keep_fd = ready_fd };
	int rc = -1;

	snprintf(fd, sizeof fd, "%d", ready_fd);
	if (program && build_args(cli, program, fd, args, made, &made_count, err) == 0)
		rc = process_spawn(args, &opt, ret, err);
	while (made_count)
		free(made[--made_count]);
	return rc;
}

static void await_end(const struct process_id *daemon)
{
	AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, daemon->pid, 0);
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd >= 0 && process_alive(daemon))
		poll(&p, 1, END_MS);
}

int daemon_start(struct cli *cli, struct error *err)
{
	char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)], sentence[SENTENCE_MAX] = "";
	int64_t deadline = deadline_in(time_scaled(START_MS));
	AUTO_CLOSE int ours = -1, theirs = -1;
	struct process_id daemon;
	int fds[2], ready;

	if (config_socket_path(&cli->config, socket_path, sizeof socket_path, err) < 0)
		return -1;
	if (geteuid() != 0 && strncmp(cli->config.libvirt_uri, "test:", 5) != 0)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The region is not running and only root can start it, for it makes networks and machines; run "
				 "this with sudo.");
	if (lock_held(cli))
		return await_other(cli, socket_path, deadline, err);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "A pipe can't be made");
	ours = fds[0];
	theirs = fds[1];
	progress_live("starting the region");
	if (spawn(cli, theirs, &daemon, err) < 0)
		return -1;
	close(TAKE_FD(theirs));
	ready = await_ready(ours, deadline, sentence, err);
	progress_live(NULL);
	if (ready > 0)
		return 0;
	if (ready < 0) {
		process_end(&daemon, 10000, NULL);
		return error_prefix(err, "its log is %s/daemon.log", cli->config.state_dir);
	}
	/* ours tells its failure before it lets go of the lock, so its end comes first */
	await_end(&daemon);
	if (lock_held(cli)) /* another verb's daemon was quicker */
		return await_other(cli, socket_path, deadline, err);
	if (!sentence[0])
		return error_set(err, ERROR_ENVIRONMENT, "The region's daemon ended while starting; see %s/daemon.log.",
				 cli->config.state_dir);
	return error_set(err, ERROR_ENVIRONMENT, "%s", sentence);
}
