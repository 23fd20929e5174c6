#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/time.h"

#define CANCEL_LOOK_MS 200
#define STDERR_TAIL 300
#define KILL_GRACE_MS 5000

extern char **environ;

/* glibc before 2.36 has no wrappers for these */
static int pid_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int pid_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

void process_result_done(struct process_result *r)
{
	free(r->out);
	free(r->err_text);
	r->out = r->err_text = NULL;
}

char *process_find_program(const char *name)
{
	const char *path = getenv("PATH");
	AUTO_FREE char *all = NULL;
	char *save = NULL;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? strdup(name) : NULL;
	if (asprintf(&all, "%s:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "") < 0) {
		all = NULL;
		return NULL;
	}
	for (char *dir = strtok_r(all, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		char *full = file_path(NULL, "%s/%s", dir, name);

		if (full && access(full, X_OK) == 0)
			return full;
		free(full);
	}
	return NULL;
}

static const char *package_of(const char *program)
{
	static const struct {
		const char *program, *package;
	} known[] = {
		{ "cloud-localds", "cloud-image-utils" }, { "qemu-img", "qemu-utils" },
		{ "qemu-system-x86_64", "qemu-system-x86" }, { "dnsmasq", "dnsmasq-base" },
		{ "pasta", "passt" }, { "slirp4netns", "slirp4netns" }, { "mmdebstrap", "mmdebstrap" },
		{ "gpgv", "gpgv" }, { "ssh", "openssh-client" }, { "ssh-keygen", "openssh-client" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].program, program) == 0)
			return known[i].package;
	return NULL;
}

static int missing(const char *program, struct error *err)
{
	const char *package = package_of(program);

	if (package)
		return error_set(err, ERROR_ENVIRONMENT, "The program %s is missing; install it with: apt install %s",
				 program, package);
	return error_set(err, ERROR_ENVIRONMENT, "The program %s is missing.", program);
}

/* Between fork and exec only async-signal-safe calls: the parent has threads. */
struct child_plan {
	const char *path;
	char *const *argv;
	char *const *envp;
	const char *cwd;
	int netns_fd, in, out, errfd, status_fd, keep_fd;
	pid_t parent;
	bool session;
};

static void child_fail(const struct child_plan *p)
{
	int e = errno;

	if (write(p->status_fd, &e, sizeof e) < 0)
		_exit(126);
	_exit(127);
}

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* Ours are close-on-exec; those that we were started with may not be, and a daemon that kept a caller's pipe would hang its reader. */
static void leave_descriptors(int keep_fd)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
		for (int fd = 3; fd < 1024; fd++) /* a kernel before 5.11 */
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	if (keep_fd > 0)
		fcntl(keep_fd, F_SETFD, 0);
}

static void child(const struct child_plan *p)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (p->session)
		setsid();
	else
		setpgid(0, 0);
	/* a program that we wait for ends with us, even by SIGKILL: who comes after us may start the same work again */
	if (!p->session && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != p->parent))
		_exit(126);
	if (p->netns_fd >= 0 && setns(p->netns_fd, CLONE_NEWNET) < 0)
		child_fail(p);
	if (p->cwd && chdir(p->cwd) < 0)
		child_fail(p);
	if (dup2(p->in, 0) < 0 || dup2(p->out, 1) < 0 || dup2(p->errfd, 2) < 0)
		child_fail(p);
	leave_descriptors(p->keep_fd);
	execve(p->path, p->argv, p->envp);
	child_fail(p);
}

static char **environment(const char *const *extra)
{
	size_t n = 0, m = 0;
	char **env;

	while (environ && environ[n])
		n++;
	while (extra && extra[m])
		m++;
	env = calloc(n + m + 1, sizeof *env);
	if (!env)
		return NULL;
	/* the first of a name wins in glibc's getenv, so ours come first */
	for (size_t i = 0; i < m; i++)
		memcpy(&env[i], &extra[i], sizeof *env);
	for (size_t i = 0; i < n; i++)
		env[m + i] = environ[i];
	return env;
}

struct pipes {
	int in[2], out[2], err[2], status[2];
};

static void pipes_close(struct pipes *p)
{
	int *all[] = { p->in, p->out, p->err, p->status };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (int k = 0; k < 2; k++)
			if (all[i][k] >= 0)
				close(all[i][k]);
}

static int open_output(const struct process_options *opt, struct error *err)
{
	const char *path = opt && opt->output_path ? opt->output_path : "/dev/null";
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set_errno(err, errno, "%s can't be opened for a program's output", path);
	return fd;
}

/* Reads the exec result that the child writes; EOF means that exec succeeded. */
static int exec_result(int fd, const char *program, struct error *err)
{
	int e;
	ssize_t n;

	do
		n = read(fd, &e, sizeof e);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	return error_set_errno(err, n == (ssize_t)sizeof e ? e : EIO, "%s can't be started", program);
}

struct feed {
	const char *data;
	size_t len, done;
};

static void emit_lines(struct buffer *line, const char *data, size_t n, const struct process_options *opt)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] != '\n') {
			buffer_add_len(line, data + i, 1);
			continue;
		}
		opt->on_line(opt->on_line_arg, buffer_text(line));
		buffer_reset(line);
	}
}

/* A program that reads no further is no reason to die of SIGPIPE. */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
	const struct timespec now = { 0, 0 };
	sigset_t broken, before;
	ssize_t n;
	int e;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken, &before);
	n = write(fd, data, len);
	e = errno;
	if (n < 0 && e == EPIPE)
		sigtimedwait(&broken, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = e;
	return n;
}

/* Moves data between the pipes and memory until both outputs have ended, the deadline passes or it is cancelled. */
static int pump(struct pipes *p, const struct process_options *opt, struct buffer *out, struct buffer *errb)
{
	struct feed feed = { opt ? opt->stdin_data : NULL, opt ? opt->stdin_len : 0, 0 };
	int64_t deadline = opt && opt->deadline ? opt->deadline : DEADLINE_NEVER;
	AUTO_BUFFER struct buffer line = BUFFER_INIT(64u << 10);
	char chunk[16384];

	while (p->out[0] >= 0 || p->err[0] >= 0) {
		struct pollfd fds[3] = {
			{ p->out[0], POLLIN, 0 },
			{ p->err[0], POLLIN, 0 },
			{ p->in[1], POLLOUT, 0 },
		};
		int wait = deadline_poll_ms(deadline);

		if (opt && opt->cancel) {
			if (*opt->cancel)
				return ECANCELED;
			if (wait < 0 || wait > CANCEL_LOOK_MS)
				wait = CANCEL_LOOK_MS;
		}
		if (poll(fds, 3, wait) < 0 && errno != EINTR)
			return errno;
		if (deadline_passed(deadline))
			return ETIMEDOUT;
		for (int i = 0; i < 2; i++) {
			int *fd = i == 0 ? &p->out[0] : &p->err[0];
			struct buffer *into = i == 0 ? out : errb;
			ssize_t n;

			if (*fd < 0 || !fds[i].revents)
				continue;
			n = read(*fd, chunk, sizeof chunk);
			if (n < 0 && (errno == EINTR || errno == EAGAIN))
				continue;
			if (n <= 0) {
				close(*fd);
				*fd = -1;
				continue;
			}
			if (i == 0 && opt && opt->on_line)
				emit_lines(&line, chunk, (size_t)n, opt);
			if (into->len + (size_t)n <= into->max) /* what is over the cap is read and dropped */
				buffer_add_len(into, chunk, (size_t)n);
		}
		if (p->in[1] >= 0 && fds[2].revents) {
			ssize_t n = 0;

			if (feed.done < feed.len)
				n = write_quietly(p->in[1], feed.data + feed.done, feed.len - feed.done);
			if (n > 0)
				feed.done += (size_t)n;
			if (feed.done == feed.len || (n < 0 && errno != EINTR && errno != EAGAIN)) {
				close(p->in[1]);
				p->in[1] = -1;
			}
		}
	}
	return 0;
}

/* Waits for pid's end until the deadline (grandchildren may have closed the pipes early). */
static int reap(pid_t pid, int64_t deadline, int *status)
{
	AUTO_CLOSE int fd = pid_open(pid);
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd >= 0)
		while (poll(&p, 1, deadline_poll_ms(deadline)) < 0 && errno == EINTR)
			;
	if (fd >= 0 && !(p.revents & POLLIN))
		return ETIMEDOUT;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static int start(const char *const argv[], const struct process_options *opt, struct pipes *p, bool session, int out,
		 int errfd, pid_t *ret, struct error *err)
{
	AUTO_FREE char *path = process_find_program(argv[0]);
	AUTO_FREE char **env = environment(opt ? opt->env : NULL);
	AUTO_CLOSE int netns = -1, null = -1;
	struct child_plan plan;
	pid_t pid;

	if (!path)
		return missing(argv[0], err);
	if (!env)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (opt && opt->netns) {
		netns = open(opt->netns, O_RDONLY | O_CLOEXEC);
		if (netns < 0)
			return error_set_errno(err, errno, "The network namespace %s can't be opened", opt->netns);
	}
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (pipe2(p->status, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "A pipe can't be made");
	memset(&plan, 0, sizeof plan);
	plan.path = path;
	memcpy(&plan.argv, &argv, sizeof plan.argv);
	plan.envp = env;
	plan.cwd = opt ? opt->cwd : NULL;
	plan.netns_fd = netns;
	plan.in = p->in[0] >= 0 ? p->in[0] : null;
	plan.out = out;
	plan.errfd = errfd;
	plan.status_fd = p->status[1];
	plan.session = session;
	plan.parent = getpid();
	plan.keep_fd = opt ? opt->keep_fd : 0;
	pid = fork();
	if (pid < 0)
		return error_set_errno(err, errno, "%s can't be started", argv[0]);
	if (pid == 0) {
		if (session) { /* twice, so that it is nobody's child and needs no reaping by us */
			pid_t inner = fork();

			if (inner < 0)
				child_fail(&plan);
			if (inner > 0)
				_exit(0);
			inner = getpid();
			if (write(p->status[1], &(int){ -inner }, sizeof(int)) < 0)
				_exit(126);
		}
		child(&plan);
	}
	*ret = pid;
	close(p->status[1]);
	p->status[1] = -1;
	return 0;
}

int process_run(const char *const argv[], const struct process_options *opt, struct process_result *ret,
		struct error *err)
{
	struct pipes p CLEANUP(pipes_close) = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	AUTO_BUFFER struct buffer out = BUFFER_INIT(PROCESS_OUTPUT_MAX);
	AUTO_BUFFER struct buffer errb = BUFFER_INIT(PROCESS_OUTPUT_MAX);
	AUTO_CLOSE int file = -1;
	int status = 0, failed, ended;
	pid_t pid;

	memset(ret, 0, sizeof *ret);
	if (opt && opt->output_path) {
		file = open_output(opt, err);
		if (file < 0)
			return -1;
	}
	if (pipe2(p.out, O_CLOEXEC) < 0 || pipe2(p.err, O_CLOEXEC) < 0 ||
	    (opt && opt->stdin_data && pipe2(p.in, O_CLOEXEC) < 0))
		return error_set_errno(err, errno, "A pipe can't be made");
	if (p.in[1] >= 0)
		fcntl(p.in[1], F_SETFL, O_NONBLOCK);
	if (start(argv, opt, &p, false, file >= 0 && !(opt && opt->on_line) ? file : p.out[1],
		  file >= 0 ? file : p.err[1], &pid, err) < 0)
		return -1;
	close(p.out[1]);
	close(p.err[1]);
	p.out[1] = p.err[1] = -1;
	if (p.in[0] >= 0) {
		close(p.in[0]);
		p.in[0] = -1;
	}
	if (exec_result(p.status[0], argv[0], err) < 0) {
		reap(pid, DEADLINE_NEVER, &status);
		return -1;
	}
	failed = pump(&p, opt, &out, &errb);
	ended = failed ? failed : reap(pid, opt && opt->deadline ? opt->deadline : DEADLINE_NEVER, &status);
	if (ended) {
		kill(-pid, SIGKILL);
		reap(pid, DEADLINE_NEVER, &status);
		if (ended == ETIMEDOUT)
			return error_set(err, ERROR_TIMEOUT, "%s did not end before its deadline and was killed.", argv[0]);
		if (ended == ECANCELED)
			return error_set(err, ERROR_ENVIRONMENT, "%s was cancelled.", argv[0]);
		return error_set_errno(err, ended, "%s could not be followed", argv[0]);
	}
	ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	ret->out_len = out.len;
	ret->out = buffer_take(&out, err);
	ret->err_text = buffer_take(&errb, err);
	if (!ret->out || !ret->err_text) {
		process_result_done(ret);
		return -1;
	}
	return 0;
}

int process_check(const char *const argv[], const struct process_options *opt, struct error *err)
{
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	const char *tail;
	size_t len;

	if (process_run(argv, opt, &r, err) < 0)
		return -1;
	if (r.status == 0)
		return 0;
	len = strlen(r.err_text);
	while (len && (r.err_text[len - 1] == '\n' || r.err_text[len - 1] == ' '))
		r.err_text[--len] = '\0';
	tail = len > STDERR_TAIL ? r.err_text + len - STDERR_TAIL : r.err_text;
	if (!*tail)
		tail = opt && opt->output_path ? opt->output_path : "it said nothing";
	return error_set(err, ERROR_ENVIRONMENT, "%s failed with status %d: %s", argv[0], r.status, tail);
}

/* One look at a process, so that its parts belong together: its start time, and the letter of its state. */
static int look(pid_t pid, struct process_id *ret, char *ret_state)
{
	char path[64];
	AUTO_FREE char *stat = NULL;
	char *p;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	stat = file_read(path, 4096, NULL, NULL);
	if (!stat)
		return -1;
	/* the second field is the name in brackets and may hold anything; count from the last one */
	p = strrchr(stat, ')');
	if (!p || p[1] != ' ')
		return -1;
	*ret_state = p[2];
	p++;
	for (int field = 3; field < 22; field++) {
		p = strchr(p + 1, ' ');
		if (!p)
			return -1;
	}
	ret->pid = pid;
	ret->start_time = strtoull(p + 1, NULL, 10);
	return 0;
}

int process_identify(pid_t pid, struct process_id *ret)
{
	char state;

	return look(pid, ret, &state);
}

bool process_alive(const struct process_id *id)
{
	struct process_id now;
	char state;

	/* a zombie has ended, whoever is to reap it */
	return id->pid > 0 && look(id->pid, &now, &state) == 0 && now.start_time == id->start_time && state != 'Z' && state != 'X';
}

int process_spawn(const char *const argv[], const struct process_options *opt, struct process_id *ret,
		  struct error *err)
{
	struct pipes p CLEANUP(pipes_close) = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	AUTO_CLOSE int out = open_output(opt, err);
	int status, word = 0;
	pid_t outer;
	ssize_t n;

	if (out < 0)
		return -1;
	if (start(argv, opt, &p, true, out, out, &outer, err) < 0)
		return -1;
	/* the first word is the grandchild's pid, negated; a second one is exec's errno */
	n = read(p.status[0], &word, sizeof word);
	reap(outer, DEADLINE_NEVER, &status);
	if (n != (ssize_t)sizeof word || word >= 0)
		return error_set_errno(err, word > 0 ? word : EIO, "%s can't be started", argv[0]);
	if (exec_result(p.status[0], argv[0], err) < 0)
		return -1;
	if (process_identify(-word, ret) < 0)
		return error_set(err, ERROR_ENVIRONMENT, "%s ended at once; its output is in %s.", argv[0],
				 opt && opt->output_path ? opt->output_path : "/dev/null");
	return 0;
}

int process_signal(const struct process_id *id, int sig, struct error *err)
{
	AUTO_CLOSE int fd = pid_open(id->pid);

	if (fd < 0 || !process_alive(id)) /* opened first, asked second: the pidfd can't change hands */
		return 0;
	if (pid_signal(fd, sig) < 0 && errno != ESRCH)
		return error_set_errno(err, errno, "Process %d can't be signalled", (int)id->pid);
	return 0;
}

int process_end(const struct process_id *id, int grace_ms, struct error *err)
{
	const int signals[] = { SIGTERM, SIGKILL };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		AUTO_CLOSE int fd = pid_open(id->pid);
		struct pollfd p = { fd, POLLIN, 0 };
		int64_t deadline = deadline_in(i == 0 ? grace_ms : KILL_GRACE_MS);

		if (fd < 0 || !process_alive(id))
			return 0;
		if (pid_signal(fd, signals[i]) < 0 && errno != ESRCH)
			return error_set_errno(err, errno, "Process %d can't be signalled", (int)id->pid);
		while (poll(&p, 1, deadline_poll_ms(deadline)) < 0 && errno == EINTR)
			;
		if (p.revents & POLLIN)
			return 0;
	}
	return error_set(err, ERROR_TIMEOUT, "Process %d did not end, not even by SIGKILL.", (int)id->pid);
}
