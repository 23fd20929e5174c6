/* Running a program: argv only (no shell), descriptors closed, output captured with a cap, a deadline.
 * And telling a process of ours from a stranger who got its pid: pid plus start time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define PROCESS_OUTPUT_MAX (4u << 20)

struct process_options {
	const char *const *env;  /* NULL-terminated NAME=value list added to ours; NULL for none */
	const char *cwd;         /* NULL: ours */
	const char *netns;       /* path of a network namespace to run in; NULL: ours */
	const char *stdin_data;  /* fed to its standard input; NULL: /dev/null */
	size_t stdin_len;
	const char *output_path; /* stdout and stderr are appended to this file rather than captured; NULL: captured */
	int64_t deadline;        /* monotonic ms; 0: none. When it passes the program's process group is killed */
	/* Called with each whole line of stdout (without newline) as it comes, may be NULL. */
	void (*on_line)(void *arg, const char *line);
	void *on_line_arg;
	int keep_fd;           /* one descriptor beside the first three that the program has too; 0: none */
	const volatile int *cancel; /* when it becomes nonzero the program is killed; may be NULL; looked at every 200 ms */
};

struct process_result {
	int status;            /* exit status, or 128 + signal */
	char *out, *err_text;  /* captured, NUL-terminated, at most PROCESS_OUTPUT_MAX; never NULL after success */
	size_t out_len;
};

void process_result_done(struct process_result *r);
#define AUTO_PROCESS_RESULT CLEANUP(process_result_done)

/* Runs argv to its end; should this process die first, the program is killed (not what it has started itself).
 * Returns 0 whenever it ran and ended, whatever its status (see ret->status); -1 when it
 * could not be started (a missing program is named, with its package where known) or the deadline passed. */
int process_run(const char *const argv[], const struct process_options *opt, struct process_result *ret,
		struct error *err);
/* The same, and a status other than 0 is an error too, with the last lines of its stderr in the message. */
int process_check(const char *const argv[], const struct process_options *opt, struct error *err);

/* A process by pid and start time, so that a reused pid is never mistaken for it. */
struct process_id {
	pid_t pid;
	uint64_t start_time; /* field 22 of /proc/PID/stat, clock ticks since boot */
};

/* Starts argv as a daemon of its own: new session, output appended to opt->output_path (else /dev/null), not our
 * child (it is reparented), so nobody reaps it but init. Waits only until exec has succeeded or failed. */
int process_spawn(const char *const argv[], const struct process_options *opt, struct process_id *ret,
		  struct error *err);
int process_identify(pid_t pid, struct process_id *ret);
bool process_alive(const struct process_id *id);
/* kill(2), only if it is still that process. A process that is gone is success. */
int process_signal(const struct process_id *id, int sig, struct error *err);
/* SIGTERM, waits at most grace_ms for its end (pidfd), then SIGKILL and waits again. */
int process_end(const struct process_id *id, int grace_ms, struct error *err);

/* Where the program is on PATH (plus /usr/sbin:/sbin); NULL if nowhere. Caller frees. */
char *process_find_program(const char *name);
