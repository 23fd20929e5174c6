#include "cli/ssh.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cidr.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/instance.h"
#include "cli/rule.h"

#define SSH_FAILED 255
#define SSH_PORT 22
#define CONNECT_SECONDS 10
#define KEYGEN_MS 30000
#define PROBE_MS 5000
#define KEY_FILE_MAX 16384
#define COMMAND_MAX (128u << 10)
#define ARGS_MAX 40

extern char **environ;

/* A private directory that is gone when its owner is. */
struct key_dir {
	char *path;
};

static void key_dir_done(struct key_dir *d)
{
	if (d->path)
		file_remove_tree(d->path, NULL);
	free(d->path);
}

static int make_key(struct key_dir *d, char **ret_public, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	AUTO_FREE char *key = NULL, *pub = NULL;
	const struct process_options opt = { .deadline = deadline_in(KEYGEN_MS) };

	d->path = file_path(err, "%s/vpclab-connect-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
	if (!d->path)
		return -1;
	if (!mkdtemp(d->path)) {
		error_set_errno(err, errno, "A private directory %s can't be made", d->path);
		free(TAKE_PTR(d->path));
		return -1;
	}
	key = file_path(err, "%s/key", d->path);
	pub = file_path(err, "%s/key.pub", d->path);
	if (!key || !pub)
		return -1;
	const char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vpclab", "-f", key, NULL };

	if (process_check(argv, &opt, err) < 0)
		return -1;
	*ret_public = file_read(pub, KEY_FILE_MAX, NULL, err);
	if (!*ret_public)
		return -1;
	(*ret_public)[strcspn(*ret_public, "\n")] = '\0';
	return 0;
}

/* Has the region sign the key; leaves the certificate in the directory and the user's name in *ret_user. */
static int sign_key(struct cli *cli, const json_t *instance, const char *user, const char *public, const char *dir,
		    char **ret_user, struct error *err)
{
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	AUTO_FREE char *path = NULL, *text = NULL;

	request_init(&r, "SendSSHPublicKey");
	request_add(&r, "InstanceId", instance_id(instance));
	if (user)
		request_add(&r, "InstanceOSUser", user);
	request_add(&r, "SSHPublicKey", public);
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (!*text_of(reply, "sshCertificate"))
		return error_set(err, ERROR_INTERNAL, "The region sent no certificate for the key.");
	path = file_path(err, "%s/key-cert.pub", dir);
	text = file_path(err, "%s\n", text_of(reply, "sshCertificate"));
	*ret_user = file_path(err, "%s", *text_of(reply, "instanceOSUser") ? text_of(reply, "instanceOSUser") : user ? user : "ubuntu");
	return path && text && *ret_user ? file_write_atomic(path, text, strlen(text), 0600, err) : -1;
}

/* Host keys are remembered by instance id: addresses come again with other instances behind them. */
static char *known_hosts(struct error *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	AUTO_FREE char *dir = NULL;

	if (state && state[0] == '/')
		dir = file_path(err, "%s/vpclab", state);
	else
		dir = file_path(err, "%s/.local/state/vpclab", home && home[0] == '/' ? home : "/root");
	if (!dir || file_mkdirs(dir, 0700, err) < 0)
		return NULL;
	return file_path(err, "%s/known_hosts", dir);
}

/* The guest's shell reads one line: several words are quoted into it, one is the line itself. */
static char *remote_command(const char *const *command, struct error *err)
{
	AUTO_BUFFER struct buffer line = BUFFER_INIT(COMMAND_MAX);

	if (!command[1])
		buffer_add(&line, command[0]);
	for (size_t i = 0; command[1] && command[i]; i++) {
		buffer_add(&line, i ? " " : "");
		buffer_add_shell(&line, command[i]);
	}
	return buffer_take(&line, err);
}

/* Waits for it as system(3) does: Ctrl-C is the guest's, not ours. */
static int run_attached(const char *program, const char *const argv[], struct error *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction old_int, old_quit;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int status = 0, failed;
	pid_t pid;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGQUIT);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	sigaction(SIGINT, &ignore, &old_int);
	sigaction(SIGQUIT, &ignore, &old_quit);
	failed = posix_spawn(&pid, program, NULL, &attr, (char *const *)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	while (!failed && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			failed = errno;
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGQUIT, &old_quit, NULL);
	if (failed)
		return error_set_errno(err, failed, "%s can't be run", program);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* 0 when something accepts TCP connections there, else errno. */
static int try_port(const char *address, int port)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct pollfd p = { fd, POLLOUT, 0 };
	int failed = 0;
	socklen_t len = sizeof failed;
	uint32_t host;

	if (fd < 0 || !ipv4_parse(address, &host))
		return EINVAL;
	to.sin_addr.s_addr = htonl(host);
	if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, PROBE_MS) <= 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len);
	return failed;
}

/* Where no rule lets SSH in at all there is nothing to wait for. */
static int check_rules(struct cli *cli, const json_t *instance, const char *label, const char *name, struct error *err)
{
	AUTO_JSON json_t *groups = groups_describe(cli, json_object_get(instance, "groupSet"), err);

	if (!groups)
		return -1;
	if (rules_allow_tcp(groups, SSH_PORT))
		return 0;
	return error_set(err, ERROR_ENVIRONMENT,
			 "No inbound rule of %s's security groups allows SSH: run `vpclab allow %s 22`, then try again.", label, name);
}

/* ssh ended with 255: its own failure, or the command's status? Says which in err and returns -1, or 255. */
static int explain(const char *address, const char *label, const char *name, struct error *err)
{
	switch (try_port(address, SSH_PORT)) {
	case 0:
		return SSH_FAILED;
	case ECONNREFUSED:
		return error_set(err, ERROR_ENVIRONMENT,
				 "%s refuses SSH on %s: its sshd does not listen yet; `vpclab log %s` shows how far its boot is.",
				 label, address, name);
	case ETIMEDOUT:
		return error_set(err, ERROR_TIMEOUT,
				 "%s does not answer on %s port 22: its inbound rules admit only other sources (`vpclab rules %s`), "
				 "or it is still booting (`vpclab log %s`).",
				 label, address, name, name);
	default:
		return error_set(err, ERROR_ENVIRONMENT, "%s can't be reached on %s from this machine.", label, address);
	}
}

/* One connection: who, where to, by what key. */
struct session {
	struct key_dir dir;
	char *program, *user, *alias, *key, *hosts, *timeout, *login, *certificate;
	const char *address, *name; /* the instance's */
	char label[128];
	const char *options[ARGS_MAX]; /* for ssh and scp alike, NULL-terminated */
};

static void session_done(struct session *s)
{
	free(s->program);
	free(s->user);
	free(s->alias);
	free(s->key);
	free(s->hosts);
	free(s->timeout);
	free(s->login);
	free(s->certificate);
	key_dir_done(&s->dir);
}

static int session_open(struct cli *cli, const json_t *instance, const char *user, const char *program, struct session *s,
			struct error *err)
{
	const char *state = instance_state(instance);
	AUTO_FREE char *public = NULL, *hosts = NULL;
	size_t n = 0;

	s->address = text_of(instance, "ipAddress");
	s->name = *tag_of(instance, "Name") ? tag_of(instance, "Name") : instance_id(instance);
	instance_label(s->label, instance);
	if (strcmp(state, "running") != 0)
		return error_set_code(err, ERROR_USAGE, "IncorrectInstanceState", "Instance %s is %s, not running; `vpclab start` starts a stopped one.",
				      s->label, state);
	if (!*s->address)
		return error_set(err, ERROR_ENVIRONMENT,
				 "Instance %s has no public IPv4 address, so nothing outside its VPC can connect to it.", s->label);
	if (check_rules(cli, instance, s->label, s->name, err) < 0)
		return -1;
	s->program = process_find_program(program);
	if (!s->program)
		return error_set(err, ERROR_ENVIRONMENT, "The program %s is missing; install it with: apt install openssh-client", program);
	if (make_key(&s->dir, &public, err) < 0 || sign_key(cli, instance, user, public, s->dir.path, &s->user, err) < 0)
		return -1;
	hosts = known_hosts(err);
	if (!hosts)
		return -1;
	s->key = file_path(err, "%s/key", s->dir.path);
	s->certificate = file_path(err, "CertificateFile=%s/key-cert.pub", s->dir.path);
	s->hosts = file_path(err, "UserKnownHostsFile=\"%s\"", hosts);
	s->alias = file_path(err, "HostKeyAlias=%s", instance_id(instance));
	s->timeout = file_path(err, "ConnectTimeout=%lld", (long long)time_scaled(CONNECT_SECONDS));
	s->login = file_path(err, "User=%s", s->user);
	if (!s->key || !s->certificate || !s->hosts || !s->alias || !s->timeout || !s->login)
		return -1;
	const char *const options[] = {
		"-F", "/dev/null", "-i", s->key, "-o", s->login, "-o", s->certificate, "-o", s->hosts, "-o", s->alias, "-o", s->timeout,
		"-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR",
		"-o", "PasswordAuthentication=no", "-o", "ServerAliveInterval=15", NULL,
	};

	for (; options[n]; n++)
		s->options[n] = options[n];
	s->options[n] = NULL;
	return 0;
}

static size_t add_options(const struct session *s, const char *program, const char **argv)
{
	size_t n = 0;

	argv[n++] = program;
	for (size_t i = 0; s->options[i]; i++)
		argv[n++] = s->options[i];
	return n;
}

int ssh_run(struct cli *cli, const json_t *instance, const char *user, const char *const *command, struct error *err)
{
	struct session s CLEANUP(session_done) = { 0 };
	AUTO_FREE char *line = NULL;
	const char *argv[ARGS_MAX + 4];
	size_t n;
	int status;

	if (session_open(cli, instance, user, "ssh", &s, err) < 0)
		return -1;
	line = command ? remote_command(command, err) : NULL;
	if (command && !line)
		return -1;
	n = add_options(&s, "ssh", argv);
	argv[n++] = "--";
	argv[n++] = s.address;
	if (line)
		argv[n++] = line;
	argv[n] = NULL;
	status = run_attached(s.program, argv, err);
	return status == SSH_FAILED ? explain(s.address, s.label, s.name, err) : status;
}

int ssh_copy(struct cli *cli, const json_t *instance, const char *user, const struct ssh_path *paths, size_t count, struct error *err)
{
	struct session s CLEANUP(session_done) = { 0 };
	AUTO_FREE const char **argv = calloc(ARGS_MAX + count + 4, sizeof *argv);
	AUTO_FREE char **words = calloc(count, sizeof *words);
	size_t n;
	int status = -1;

	if (!argv || !words)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (session_open(cli, instance, user, "scp", &s, err) < 0)
		return -1;
	n = add_options(&s, "scp", argv);
	argv[n++] = "-s"; /* by SFTP, where no shell in the guest reads the paths */
	argv[n++] = "-r";
	argv[n++] = "--";
	for (size_t i = 0; i < count; i++) {
		if (paths[i].remote)
			words[i] = file_path(err, "%s:%s", s.address, paths[i].path);
		else /* a colon or a dash of a local name is the name's */
			words[i] = file_path(err, "%s%s", paths[i].path[0] == '/' || paths[i].path[0] == '.' ? "" : "./", paths[i].path);
		argv[n++] = words[i];
		if (!words[i])
			goto out;
	}
	argv[n] = NULL;
	status = run_attached(s.program, argv, err);
	if (status > 0 && try_port(s.address, SSH_PORT) != 0)
		status = explain(s.address, s.label, s.name, err);
	else if (status > 0)
		status = error_set(err, ERROR_ENVIRONMENT, "Not everything was copied; scp says above what was not.");
out:
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	return status;
}
