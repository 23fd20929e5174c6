#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "api/lock.h"
#include "api/privilege.h"
#include "api/server.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

#define LOCK_WAIT_MS 15000 /* for a daemon that is just ending: its stop may take 10 s */
#define OPEN_FILES 8192 /* a connection, a tap and a console log each, with room */

struct daemon {
	const struct config *config;
	char *run_lock, *state_lock;
	int run_lock_fd, state_lock_fd;
	int signal_fd, stop_fd; /* stop_fd: an eventfd the region writes when StopRegion has done its work */
	struct region *region;
	struct api_server *server;
};

/* Threads inherit the mask, so none of them is ever interrupted; programs we start get a clean one from base/process. */
static int block_signals(struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? error_set_errno(err, errno, "The daemon can't watch for signals") : fd;
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= OPEN_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < OPEN_FILES ? limit.rlim_max : OPEN_FILES;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("The limit of open files can't be raised: %m");
}

/* From here on what the log (and any library) says goes to the file. */
static int redirect_log(const struct config *config, struct error *err)
{
	AUTO_FREE char *path = file_path(err, "%s/daemon.log", config->state_dir);
	AUTO_CLOSE int log_fd = -1, null_fd = -1;

	if (!path)
		return -1;
	log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (log_fd < 0 || fchmod(log_fd, 0600) < 0) /* an older one may be open to others */
		return error_set_errno(err, errno, "The log %s can't be written", path);
	null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
	    dup2(log_fd, STDERR_FILENO) < 0)
		return error_set_errno(err, errno, "The daemon's output can't go to %s", path);
	return 0;
}

static int take_locks(struct daemon *d, struct error *err)
{
	const struct config *config = d->config;
	char socket[sizeof((struct sockaddr_un *)0)->sun_path];

	if (config_socket_path(config, socket, sizeof socket, err) < 0)
		return -1;
	/* the guests' qemu, another user, must reach its disks below the state directory, but not list it */
	if (file_mkdirs(config->run_dir, 0755, err) < 0 || file_mkdirs(config->state_dir, 0711, err) < 0)
		return -1;
	d->run_lock = file_path(err, "%s/daemon.lock", config->run_dir);
	d->state_lock = file_path(err, "%s/daemon.lock", config->state_dir);
	if (!d->run_lock || !d->state_lock)
		return -1;
	d->run_lock_fd = daemon_lock(d->run_lock, config->run_dir, socket, deadline_in(LOCK_WAIT_MS), err);
	if (d->run_lock_fd < 0)
		return -1;
	if (strcmp(d->run_lock, d->state_lock) == 0)
		return 0;
	/* who shares our run_dir let go of this one first: another's daemon is not waited for */
	d->state_lock_fd = daemon_lock(d->state_lock, config->state_dir, NULL, time_mono_ms(), err);
	return d->state_lock_fd < 0 ? -1 : 0;
}

static void on_region_stop(void *arg)
{
	const struct daemon *d = arg;

	if (eventfd_write(d->stop_fd, 1) < 0)
		log_error("The daemon can't be told that the region stopped: %m");
}

static int open_all(struct daemon *d, bool foreground, struct error *err)
{
	enum log_level level;

	umask(022);
	if (privilege_reduce(err) < 0)
		return -1;
	if (log_level_parse(d->config->log_level, &level))
		log_set_level(level);
	d->signal_fd = block_signals(err);
	d->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (d->signal_fd < 0)
		return -1;
	if (d->stop_fd < 0)
		return error_set_errno(err, errno, "The daemon can't make an eventfd");
	if (take_locks(d, err) < 0 || (!foreground && redirect_log(d->config, err) < 0))
		return -1;
	raise_file_limit();
	d->region = region_open(d->config, err);
	if (!d->region)
		return -1;
	region_on_stop(d->region, on_region_stop, d);
	d->server = api_server_start(d->region, d->config, err);
	return d->server ? 0 : -1;
}

static void wait_for_end(const struct daemon *d)
{
	struct pollfd fds[] = { { .fd = d->signal_fd, .events = POLLIN }, { .fd = d->stop_fd, .events = POLLIN } };
	struct signalfd_siginfo info;

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	if (fds[0].revents && read(d->signal_fd, &info, sizeof info) == sizeof info)
		log_info("Signal %u from process %u: the daemon ends; guests go on running.", info.ssi_signo, info.ssi_pid);
	else
		log_info("The region was stopped: the daemon ends.");
}

/* Everything in the state directory but the directory itself, which may be a mount or another's. */
static void purge(const struct config *config)
{
	DIR *dir = opendir(config->state_dir);

	for (struct dirent *e; dir && (e = readdir(dir));) {
		struct error err = { 0 };
		AUTO_FREE char *path = NULL;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = file_path(&err, "%s/%s", config->state_dir, e->d_name);
		if (!path || file_remove_tree(path, &err) < 0)
			log_error("%s", err.message);
	}
	if (dir)
		closedir(dir);
}

static int close_all(struct daemon *d, struct error *err)
{
	bool stopped, purges = false;
	int r = 0;

	if (d->region)
		region_interrupt(d->region);
	if (api_server_stop(d->server) < 0) {
		/* what is written is written: the next start reconciles, as after a crash */
		r = error_set(err, ERROR_TIMEOUT, "A call was still under way when the daemon ended; see %s/daemon.log.",
			      d->config->state_dir);
	} else if (d->region) {
		stopped = region_stopped(d->region, &purges);
		region_close(d->region);
		if (stopped && purges)
			purge(d->config);
	}
	daemon_unlock(d->state_lock, d->state_lock_fd);
	daemon_unlock(d->run_lock, d->run_lock_fd);
	free(d->state_lock);
	free(d->run_lock);
	cleanup_close(&d->signal_fd);
	cleanup_close(&d->stop_fd);
	return r;
}

static void tell(int ready_fd, const char *text)
{
	size_t len = strlen(text);

	if (ready_fd < 0)
		return;
	if (write(ready_fd, text, len) != (ssize_t)len)
		log_warn("Whoever started the daemon is gone.");
	close(ready_fd);
}

int api_daemon_run(const struct config *config, bool foreground, int ready_fd, struct error *err)
{
	struct daemon d = { .config = config,
			    .run_lock_fd = -1,
			    .state_lock_fd = -1,
			    .signal_fd = -1,
			    .stop_fd = -1 };
	struct error e = { 0 };
	int r = open_all(&d, foreground, &e);

	if (r == 0) {
		tell(ready_fd, "1");
		log_info("The region %s is served at %s/api.sock by process %d.", config->region, config->run_dir,
			 (int)getpid());
		wait_for_end(&d);
	} else {
		tell(ready_fd, e.message);
		if (!foreground) /* else the caller says it on the same terminal */
			log_error("%s", e.message);
	}
	if (close_all(&d, r == 0 ? &e : NULL) < 0)
		r = -1;
	if (r < 0 && err)
		*err = e;
	return r;
}
