/* Running programs: output, input, status, deadline, cancel; daemons and their ends. Files: atomic writes, locks, trees. */
#include "tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"

static char dir[] = "/tmp/vpclab-process.XXXXXX";

#define SH(script) (const char *const[]){ "sh", "-c", script, NULL }

static void test_run(void)
{
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	const struct process_options in = { .stdin_data = "from here", .stdin_len = 9 };
	const struct process_options env = { .env = (const char *const[]){ "COLOUR=green $HOME", NULL }, .cwd = "/" };
	struct error err = { 0 };
	char *big;

	ok(process_run(SH("echo out; echo err >&2; exit 3"), NULL, &r, &err) == 0, "a program runs: %s", err.message);
	ok(r.status == 3 && strcmp(r.out, "out\n") == 0 && strcmp(r.err_text, "err\n") == 0, "its status and both outputs");
	process_result_done(&r);
	ok(process_run(SH("kill -9 $$"), NULL, &r, NULL) == 0 && r.status == 137, "a signal is 128 and its number");
	process_result_done(&r);
	ok(process_run(SH("cat"), &in, &r, NULL) == 0 && strcmp(r.out, "from here") == 0, "it is fed");
	process_result_done(&r);
	ok(process_run(SH("cat"), NULL, &r, NULL) == 0 && r.out_len == 0, "or has nothing to read");
	process_result_done(&r);
	ok(process_run(SH("exec 0<&-; echo done"), &in, &r, NULL) == 0 && strcmp(r.out, "done\n") == 0, "one that doesn't read is no error");
	process_result_done(&r);
	ok(process_run(SH("echo $COLOUR; pwd"), &env, &r, NULL) == 0 && strcmp(r.out, "green $HOME\n/\n") == 0, "environment and directory");
	process_result_done(&r);
	ok(process_run((const char *const[]){ "printf", "%s", "a b;'$(id)", NULL }, NULL, &r, NULL) == 0 && strcmp(r.out, "a b;'$(id)") == 0,
	   "no shell reads the arguments");
	process_result_done(&r);
	{
		int fd = dup(1); /* not close-on-exec, as what a shell or a test's harness leaves to us */
		const struct process_options keep = { .keep_fd = fd };

		process_run(SH("ls /proc/self/fd | tr '\\n' ' '"), NULL, &r, NULL);
		is_str(r.out, "0 1 2 3 ", "it has the first three descriptors (and ls its directory), whatever we have");
		process_result_done(&r);
		process_run(SH("ls /proc/self/fd | wc -w"), &keep, &r, NULL);
		is_str(r.out, "5\n", "and one more that is meant for it");
		process_result_done(&r);
		close(fd);
	}
	ok(process_run((const char *const[]){ "head", "-c", "6000000", "/dev/zero", NULL }, NULL, &r, NULL) == 0 && r.status == 0 &&
		   r.out_len <= PROCESS_OUTPUT_MAX,
	   "more output than the maximum doesn't hold it up");
	process_result_done(&r);
	big = malloc(1u << 20);
	memset(big, 'x', 1u << 20);
	{
		const struct process_options much = { .stdin_data = big, .stdin_len = 1u << 20 };

		ok(process_run(SH("cat"), &much, &r, NULL) == 0 && r.out_len == 1u << 20, "a megabyte in and out at once");
	}
	free(big);
}

static void test_failures(void)
{
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	const struct process_options nowhere = { .cwd = "/nowhere" };
	struct error err = { 0 };

	ok(process_run((const char *const[]){ "no-such-program", NULL }, NULL, &r, &err) < 0 && err.kind == ERROR_ENVIRONMENT,
	   "a missing program: %s", err.message);
	ok(process_run(SH("true"), &nowhere, &r, &err) < 0, "a missing directory: %s", err.message);
	ok(process_check(SH("echo the reason >&2; exit 1"), NULL, &err) < 0 && strstr(err.message, "the reason"),
	   "a failure has the program's words: %s", err.message);
	ok(process_check(SH("true"), NULL, &err) == 0, "success has none");
}

static void *cancel_soon(void *arg)
{
	nanosleep(&(const struct timespec){ .tv_nsec = 300000000 }, NULL);
	*(volatile int *)arg = 1;
	return NULL;
}

static bool ended_within(const struct process_id *id, int64_t ms)
{
	int64_t deadline = deadline_in(ms);

	while (process_alive(id) && !deadline_passed(deadline))
		nanosleep(&(const struct timespec){ .tv_nsec = 10000000 }, NULL);
	return !process_alive(id);
}

static void test_ends(void)
{
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	char script[128], *pid_text;
	struct process_options opt = { .deadline = deadline_in(2000) };
	volatile int cancel = 0;
	struct error err = { 0 };
	int64_t began = time_mono_ms();
	struct process_id id;
	pthread_t thread;

	snprintf(script, sizeof script, "sleep 100 & echo $! >%s/grandchild; wait", dir);
	ok(process_run(SH(script), &opt, &r, &err) < 0 && err.kind == ERROR_TIMEOUT, "a deadline ends it: %s", err.message);
	ok(time_mono_ms() - began < 20000, "soon");
	snprintf(script, sizeof script, "%s/grandchild", dir);
	pid_text = file_read(script, 32, NULL, NULL);
	/* killed with the group, and then the kernel's to end */
	ok(pid_text && (process_identify((pid_t)strtol(pid_text, NULL, 10), &id) < 0 || ended_within(&id, 5000)), "and its children with it");
	free(pid_text);
	opt = (struct process_options){ .cancel = (const volatile int *)&cancel };
	began = time_mono_ms();
	pthread_create(&thread, NULL, cancel_soon, (void *)(uintptr_t)&cancel);
	ok(process_run(SH("sleep 100"), &opt, &r, &err) < 0 && time_mono_ms() - began < 20000, "a cancel too: %s", err.message);
	pthread_join(thread, NULL);
}

static void add_line(void *arg, const char *line)
{
	strcat(strcat(arg, line), "|");
}

static void test_lines(void)
{
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	char lines[64] = "";
	const struct process_options opt = { .on_line = add_line, .on_line_arg = lines };

	ok(process_run(SH("printf 'one\\ntwo\\n'; printf 'thr'; printf 'ee\\n'"), &opt, &r, NULL) == 0, "lines as they come");
	is_str(lines, "one|two|three|", "whole, without their ends");
}

/* Until the file has something in it, or 10 s. */
static void await_text(const char *path)
{
	int64_t deadline = deadline_in(10000);

	while (file_size(path) <= 0 && !deadline_passed(deadline))
		nanosleep(&(const struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static void test_spawn(void)
{
	char log[128], script[] = "echo started; exec sleep 100";
	const struct process_options opt = { .output_path = log };
	struct process_id id = { 0 }, stubborn = { 0 };
	struct error err = { 0 };
	char *text;

	snprintf(log, sizeof log, "%s/log", dir);
	ok(process_spawn(SH(script), &opt, &id, &err) == 0 && process_alive(&id), "a daemon lives: %s", err.message);
	ok(waitpid(id.pid, NULL, WNOHANG) < 0, "and is not our child");
	ok(getsid(id.pid) == id.pid, "but of a session of its own");
	ok(process_alive(&id) && !process_alive(&(struct process_id){ id.pid, id.start_time + 1 }), "a pid of another start is another process");
	ok(process_signal(&(struct process_id){ id.pid, id.start_time + 1 }, SIGKILL, &err) == 0 && process_alive(&id),
	   "and a signal to that one doesn't reach ours");
	await_text(log);
	ok(process_end(&id, 5000, &err) == 0 && !process_alive(&id), "it ends when told: %s", err.message);
	text = file_read(log, 1024, NULL, NULL);
	is_str(text, "started\n", "its output is in the file");
	free(text);
	ok(process_end(&id, 5000, &err) == 0, "ending what has ended is fine");
	ok(process_spawn(SH("trap '' TERM; echo ready >&2; while :; do sleep 1; done"), NULL, &stubborn, &err) == 0, "a stubborn daemon");
	ok(process_end(&stubborn, 300, &err) == 0 && !process_alive(&stubborn), "is killed after its grace: %s", err.message);
	ok(process_spawn((const char *const[]){ "no-such-program", NULL }, NULL, &id, &err) < 0, "a missing program is told: %s", err.message);
}

static void test_files(void)
{
	char path[128], link[128], deep[160];
	struct error err = { 0 };
	struct stat st;
	char *text;
	int fd, second;
	size_t len;

	snprintf(path, sizeof path, "%s/file", dir);
	ok(file_write_atomic(path, "one", 3, 0640, &err) == 0 && file_write_atomic(path, "two\0x", 5, 0600, &err) == 0, "written twice");
	text = file_read(path, 5, &len, &err);
	ok(text && len == 5 && memcmp(text, "two\0x", 6) == 0, "the second is there, with its NUL and one behind it");
	free(text);
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "with its mode");
	ok(file_read(path, 4, NULL, &err) == NULL, "more than the maximum is not read: %s", err.message);
	ok(file_read("/nowhere/file", 4, NULL, &err) == NULL && strstr(err.message, "/nowhere/file"), "a missing file: %s", err.message);
	ok(file_write_atomic("/nowhere/file", "x", 1, 0600, &err) < 0, "a missing directory: %s", err.message);
	ok(file_size(path) == 5 && file_size("/nowhere") == -1 && file_exists(path) && !file_exists("/nowhere"), "sizes");

	snprintf(deep, sizeof deep, "%s/a/b/c", dir);
	ok(file_mkdirs(deep, 0750, &err) == 0 && file_mkdirs(deep, 0700, &err) == 0, "directories, twice");
	ok(stat(deep, &st) == 0 && (st.st_mode & 07777) == 0750, "one that exists keeps its mode");
	snprintf(deep, sizeof deep, "%s/x", path);
	ok(file_mkdirs(deep, 0750, &err) < 0, "below a file is an error: %s", err.message);
	snprintf(deep, sizeof deep, "%s/a", dir);
	snprintf(link, sizeof link, "%s/a/b/link", dir);
	ok(symlink(dir, link) == 0 && file_remove_tree(deep, &err) == 0 && !file_exists(deep) && file_exists(path),
	   "a tree is removed, and what its links point to is not: %s", err.message);
	ok(file_remove_tree(deep, &err) == 0, "a missing tree is no error");

	snprintf(link, sizeof link, "%s/lock", dir);
	fd = file_lock(link, deadline_in(1000), &err);
	ok(fd >= 0, "a lock");
	second = file_lock(link, deadline_in(300), &err);
	ok(second < 0 && err.kind == ERROR_TIMEOUT, "is taken once: %s", err.message);
	close(fd);
	second = file_lock(link, deadline_in(1000), &err);
	ok(second >= 0, "and again when it is free");
	close(second);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the program does: a child that doesn't read its input is an error of the write */
	if (!mkdtemp(dir))
		return 1;
	test_run();
	test_failures();
	test_ends();
	test_lines();
	test_spawn();
	test_files();
	file_remove_tree(dir, NULL);
	return tap_done();
}
