/* The server itself, on a socket in a directory of its own: real connections, a table of actions made for the test. */
#include "api/server.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/lock.h"
#include "api/query.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "tap.h"

#define CROWD 200
#define IDLE_SECONDS 1
#define TRANSFER_MS 1500
#define PATIENCE_MS 60000 /* a failure's end, never a pause */
#define REPLY_MAX (1u << 20)
#define NOBODY 65534

/* What handlers share; a handler sees it as its region. */
struct region {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int inside, crowd; /* handlers in Gather, and how many it waits for */
	int waiting;       /* handlers in Wait */
	bool released;
	int created;
};
static struct region world = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void world_wait(struct region *r, int64_t deadline)
{
	const struct timespec at = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };

	pthread_cond_timedwait(&r->changed, &r->lock, &at);
}

static int run_echo(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	json_t *value = json_object_get(in, "Value");

	(void)r;
	(void)err;
	json_object_set_new(out, "name", json_string(caller->name));
	json_object_set_new(out, "uid", json_integer(caller->uid));
	json_object_set_new(out, "pid", json_integer(caller->pid));
	json_object_set_new(out, "requestIdSeen", json_string(caller->request_id));
	if (value)
		json_object_set(out, "value", value);
	return 0;
}

/* Answers when as many calls are in here as were asked for: proves that they run side by side. */
static int run_gather(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int64_t deadline = deadline_in(PATIENCE_MS);

	(void)caller;
	(void)in;
	(void)err;
	pthread_mutex_lock(&r->lock);
	r->inside++;
	pthread_cond_broadcast(&r->changed);
	while (r->inside < r->crowd && !deadline_passed(deadline))
		world_wait(r, deadline);
	json_object_set_new(out, "together", json_boolean(r->inside >= r->crowd));
	pthread_mutex_unlock(&r->lock);
	return 0;
}

/* A long poll. */
static int run_wait(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int64_t deadline = deadline_in(json_integer_value(json_object_get(in, "WaitMs")));

	(void)caller;
	(void)err;
	pthread_mutex_lock(&r->lock);
	r->waiting++;
	pthread_cond_broadcast(&r->changed);
	while (!r->released && !deadline_passed(deadline))
		world_wait(r, deadline);
	r->waiting--;
	pthread_cond_broadcast(&r->changed);
	json_object_set_new(out, "released", json_boolean(r->released));
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int run_create(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	(void)in;
	(void)out;
	if (action_dry_run(caller, err) < 0)
		return -1;
	pthread_mutex_lock(&r->lock);
	r->created++;
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int run_fail(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *id = json_string_value(json_object_get(in, "Value"));

	(void)r;
	(void)caller;
	(void)out;
	return error_set_code(err, ERROR_USAGE, "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id ? id : "i-1");
}

static const struct param echo_params[] = { { .name = "Value", .type = PARAM_STRING }, { 0 } };
static const struct param echo_reply[] = { { .name = "name", .type = PARAM_STRING },
					   { .name = "uid", .type = PARAM_INTEGER },
					   { .name = "pid", .type = PARAM_INTEGER },
					   { .name = "requestIdSeen", .type = PARAM_STRING },
					   { .name = "value", .type = PARAM_STRING },
					   { 0 } };
static const struct param gather_reply[] = { { .name = "together", .type = PARAM_BOOLEAN }, { 0 } };
static const struct param wait_params[] = { { .name = "WaitMs", .type = PARAM_INTEGER, .required = true }, { 0 } };
static const struct param wait_reply[] = { { .name = "released", .type = PARAM_BOOLEAN }, { 0 } };
static const struct action first_table[] = {
	{ .name = "Echo", .service = "ec2", .params = echo_params, .reply = echo_reply, .run = run_echo },
	{ .name = "Gather", .service = "ec2", .reply = gather_reply, .run = run_gather },
	{ 0 }
};
static const struct action second_table[] = {
	{ .name = "Wait", .service = "vpclab", .params = wait_params, .reply = wait_reply, .run = run_wait },
	{ .name = "Create", .service = "ec2", .mutates = true, .run = run_create },
	{ .name = "Fail", .service = "ec2", .params = echo_params, .mutates = true, .run = run_fail },
	{ 0 }
};
static const struct action *const tables[] = { first_table, second_table, NULL };

static struct config config;
static char socket_path[sizeof((struct sockaddr_un *)0)->sun_path];

/* --- a client that can misbehave --- */

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool say(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* All that comes until the server closes; the caller frees. */
static char *hear(int fd)
{
	struct buffer b = BUFFER_INIT(REPLY_MAX);
	char piece[4096];
	ssize_t n;

	while ((n = recv(fd, piece, sizeof piece, 0)) > 0)
		buffer_add_len(&b, piece, (size_t)n);
	return buffer_take(&b, NULL);
}

static char *__attribute__((format(printf, 1, 2))) talk(const char *fmt, ...)
{
	AUTO_CLOSE int fd = dial();
	AUTO_BUFFER struct buffer request = BUFFER_INIT(8u << 20);
	va_list ap;

	va_start(ap, fmt);
	buffer_addv(&request, fmt, ap);
	va_end(ap);
	if (fd < 0 || !say(fd, request.data, request.len))
		return strdup("");
	return hear(fd);
}

#define TAIL "Host: localhost\r\nConnection: close\r\n\r\n"

static char *post(const char *headers, const char *body)
{
	return talk("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n%s"
		    "Content-Length: %zu\r\n\r\n%s",
		    headers, strlen(body), body);
}

static int status_of(const char *reply)
{
	int status = 0;

	return sscanf(reply, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* Takes the reply. */
static void is_reply(char *reply, int status, const char *part, const char *what)
{
	if (!ok(status_of(reply) == status && strstr(reply, part), "%s", what))
		tap_diag_lines("got", reply);
	free(reply);
}

static json_t *json_of(const char *reply)
{
	const char *body = strstr(reply, "\r\n\r\n");

	return body ? json_loads(body, 0, NULL) : NULL;
}

/* --- tests --- */

static void test_protocol(void)
{
	char *reply;

	is_reply(post("", "Action=Echo&Value=%EA%B0%95%EC%9D%98"), 200, "<value>강의</value>", "POST, XML by default");
	is_reply(talk("GET /?Action=Echo&Value=a%%20b HTTP/1.1\r\n" TAIL), 200, "<value>a b</value>", "GET with a query");
	is_reply(post("", "Action=Echo"), 200, "Content-Type: text/xml;charset=UTF-8", "the type of XML");
	is_reply(post("", "Action=Echo"), 200, "<EchoResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">", "EC2's root");
	is_reply(post("Accept: application/json\r\n", "Action=Echo&Value=v"), 200, "\"value\":\"v\"", "JSON by Accept");
	is_reply(post("Accept: text/html, application/vnd.api+json;q=1\r\n", "Action=Echo"), 200, "{\"requestId\":", "JSON in a list");
	is_reply(post("", "Action=Echo&ContentType=JSON"), 200, "Content-Type: application/json", "JSON by ContentType");
	is_reply(talk("POST /?Action=Echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 7\r\n\r\nValue=v"), 200,
		 "<value>v</value>", "a query and a body, no Content-Type");
	is_reply(talk("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "7\r\nAction=\r\nc\r\nEcho&Value=v\r\n0\r\n\r\n"),
		 200, "<value>v</value>", "a chunked body");
	is_reply(post("", "Action=Create"), 200, "<return>true</return>", "an action without a reply");

	reply = post("", "Action=Echo");
	const char *header = strstr(reply, "x-amzn-RequestId: "), *body = strstr(reply, "<requestId>");
	ok(header && body && strncmp(header + 18, body + 11, 36) == 0 && strstr(reply, "<requestIdSeen>") &&
		   strncmp(header + 18, strstr(reply, "<requestIdSeen>") + 15, 36) == 0,
	   "one request id in the header, the body and the handler");
	free(reply);
}

static void test_errors(void)
{
	char *reply;

	is_reply(post("", "Action=Fail"), 400, "<Code>InvalidInstanceID.NotFound</Code>", "a handler's error");
	is_reply(post("Accept: application/json\r\n", "Action=Fail"), 400,
		 "{\"Errors\":[{\"Code\":\"InvalidInstanceID.NotFound\",\"Message\":\"The instance ID 'i-1' does not exist\"}],"
		 "\"RequestID\":\"",
		 "the same in JSON");
	is_reply(post("Accept: application/json\r\n", "Action=Fail"), 400, "\"Kind\":\"usage\"", "with its kind");
	is_reply(post("", "Action=Nonsense"), 400,
		 "<Code>InvalidAction</Code><Message>The action Nonsense is not valid for this web service.</Message>",
		 "an unknown action");
	is_reply(post("", "Action=Echo%00"), 400, "<Code>InvalidAction</Code>", "an action with a NUL");
	is_reply(post("", ""), 400, "<Code>MissingAction</Code>", "no action");
	is_reply(talk("GET / HTTP/1.1\r\n" TAIL), 400, "<Code>MissingAction</Code>", "nothing at all");
	is_reply(post("", "Action=Echo&Nonsense=1"), 400, "The parameter Nonsense is not recognized", "an unknown parameter");
	is_reply(post("", "Action=Wait"), 400, "The request must contain the parameter WaitMs", "a missing one");
	is_reply(post("", "Action=Echo&Value=%f"), 400, "<Code>MalformedQueryString</Code>", "a broken escape");
	is_reply(talk("GET /other?Action=Echo HTTP/1.1\r\n" TAIL), 404, "There is nothing at /other:", "another path");
	is_reply(talk("GET /%%3CDescribe%%3E HTTP/1.1\r\n" TAIL), 404, "There is nothing at /%3CDescribe%3E:", "an odd path");
	is_reply(talk("PUT / HTTP/1.1\r\nContent-Length: 3\r\n" TAIL "abc"), 405, "Allow: GET, POST", "another method");
	is_reply(talk("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
		      "Content-Length: 2\r\n\r\n{}"),
		 400, "send Name=value pairs", "a body of another type");
	reply = talk("nonsense\r\n\r\n");
	ok(status_of(reply) == 0 || status_of(reply) == 400, "no HTTP at all: the connection ends");
	free(reply);
}

static void test_dry_run(void)
{
	int before = world.created;

	is_reply(post("", "Action=Create&DryRun=true"), 412,
		 "<Code>DryRunOperation</Code><Message>Request would have succeeded, but DryRun flag is set.</Message>",
		 "a dry run of what changes things");
	is_int(world.created, before, "and nothing changed");
	is_reply(post("", "Action=Create&DryRun=false"), 200, "<return>true</return>", "DryRun=false goes on");
	is_int(world.created, before + 1, "and changed it");
	is_reply(post("", "Action=Echo&DryRun=true"), 412, "<Code>DryRunOperation</Code>", "a dry run of what only reads");
	is_reply(post("", "Action=Echo&DryRun=true&X=1"), 400, "<Code>UnknownParameter</Code>", "validation goes first");
}

static void test_sizes(void)
{
	static const char asking[] = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n";
	AUTO_FREE char *big = malloc((4u << 20) + 1);
	AUTO_CLOSE int fd = -1;
	char *reply;

	memset(big, 'x', 4u << 20);
	big[4u << 20] = '\0';
	is_reply(post("Accept: application/json\r\n", big), 413, "{\"Errors\":[{\"Code\":\"RequestEntityTooLarge\"", "a body of 4 MiB");
	big[QUERY_BODY_MAX + 1] = '\0';
	is_reply(post("", big), 413, "<Code>RequestEntityTooLarge</Code>", "one byte too many");
	memcpy(big, "Action=Echo&Value=", 18);
	big[18 + PARAM_STRING_MAX] = '\0';
	is_reply(post("", big), 200, "xxxx</value>", "a value as long as allowed");
	is_reply(talk("GET /?%s HTTP/1.1\r\n" TAIL, big), 200, "xxxx</value>", "the same in a URL");

	fd = dial();
	reply = NULL;
	if (say(fd, asking, strlen(asking)))
		reply = hear(fd);
	is_reply(reply ? reply : strdup(""), 413, "<Code>RequestEntityTooLarge</Code>", "who asks before sending hears it at once");
}

static void test_keep_alive(void)
{
	static const char request[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\nAction=Echo&Value=%d";
	AUTO_CLOSE int fd = dial();
	char text[256], *reply;
	bool sent = true;

	for (int i = 1; i <= 2; i++) {
		int n = snprintf(text, sizeof text, request, i);

		sent = sent && say(fd, text, (size_t)n);
	}
	ok(sent, "two requests on one connection");
	reply = hear(fd); /* the server ends it, idle */
	ok(strstr(reply, "<value>1</value>") && strstr(reply, "<value>2</value>"), "both are answered, then it is closed as idle");
	free(reply);
}

static void test_peer(void)
{
	const struct passwd *me = getpwuid(geteuid());
	char *reply = post("Accept: application/json\r\n", "Action=Echo");
	json_t *j = json_of(reply);
	struct stat st;
	int status = -1;
	pid_t child;

	ok(me && j, "an answer and an account");
	is_str(json_string_value(json_object_get(j, "name")), me ? me->pw_name : "", "the caller's login name");
	is_int(json_integer_value(json_object_get(j, "uid")), geteuid(), "its uid");
	is_int(json_integer_value(json_object_get(j, "pid")), getpid(), "its pid");
	json_decref(j);
	free(reply);
	is_int(stat(socket_path, &st) == 0 ? st.st_mode : 0, S_IFSOCK | 0660, "the socket's mode");
	if (geteuid() != 0) {
		ok(true, "another user is kept out # SKIP needs root");
		return;
	}
	/* the child does nothing but the call: it has no threads and no tap */
	child = fork();
	if (child == 0) {
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(9);
		_exit(dial() < 0 && errno == EACCES ? 0 : 1);
	}
	waitpid(child, &status, 0);
	is_int(status, 0, "another user is kept out");
	chmod(socket_path, 0666);
	child = fork();
	if (child == 0) {
		const char *seen;

		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(9);
		seen = talk("GET /?Action=Echo HTTP/1.1\r\n" TAIL);
		_exit(strstr(seen, "<uid>65534</uid>") ? 0 : 1);
	}
	waitpid(child, &status, 0);
	is_int(status, 0, "let in, it is known by its uid");
	chmod(socket_path, 0660);
}

static void *gather_main(void *arg)
{
	char *reply = post("", "Action=Gather");
	bool *good = arg;

	*good = strstr(reply, "<together>true</together>");
	free(reply);
	return NULL;
}

static void test_crowd(void)
{
	pthread_t threads[CROWD];
	bool good[CROWD] = { false };
	int answered = 0;

	world.crowd = CROWD;
	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, gather_main, &good[i]);
	for (int i = 0; i < CROWD; i++) {
		pthread_join(threads[i], NULL);
		answered += good[i];
	}
	is_int(answered, CROWD, "calls that are all under way at once");
}

static void wait_for_waiters(int n)
{
	int64_t deadline = deadline_in(PATIENCE_MS);

	pthread_mutex_lock(&world.lock);
	while (world.waiting != n && !deadline_passed(deadline))
		world_wait(&world, deadline);
	pthread_mutex_unlock(&world.lock);
}

static void release(bool released)
{
	pthread_mutex_lock(&world.lock);
	world.released = released;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static void test_long_poll(void)
{
	static const char poll_request[] = "GET /?Action=Wait&WaitMs=60000 HTTP/1.1\r\n" TAIL;
	int patient = dial(), gone = dial();
	char *reply;

	ok(say(patient, poll_request, strlen(poll_request)) && say(gone, poll_request, strlen(poll_request)), "two long polls");
	wait_for_waiters(2);
	is_reply(post("", "Action=Echo"), 200, "EchoResponse", "others are answered meanwhile");
	close(gone);
	is_reply(post("", "Action=Echo"), 200, "EchoResponse", "also when one of them hung up");
	release(true);
	reply = hear(patient);
	ok(strstr(reply, "<released>true</released>"), "the other one gets its answer");
	free(reply);
	close(patient);
	wait_for_waiters(0);
	release(false);
	/* a handler that takes longer than the idle time is not a client that went silent */
	is_reply(post("", "Action=Wait&WaitMs=2300"), 200, "<released>false</released>", "an answer after more than the idle time");
}

static void test_slow_clients(void)
{
	static const char half[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nAction=Ec";
	AUTO_CLOSE int silent = dial(), trickle = dial();
	int64_t start = time_mono_ms(), took;
	char *reply;

	ok(say(silent, half, strlen(half)) && say(trickle, "POST / HTTP/1.1\r\nX: ", 20), "two half requests");
	is_reply(post("", "Action=Echo"), 200, "EchoResponse", "others are answered meanwhile");
	for (struct pollfd p = { .fd = trickle, .events = POLLIN }; !deadline_passed(start + PATIENCE_MS);) {
		/* a byte every 100 ms is never silent for a second */
		if (poll(&p, 1, 100) > 0 || !say(trickle, "a", 1))
			break;
	}
	took = time_mono_ms() - start;
	ok(took >= TRANSFER_MS - 100 && took < PATIENCE_MS, "a trickling client is ended after %d ms (it took %lld)", TRANSFER_MS,
	   (long long)took);
	reply = hear(silent);
	ok(time_mono_ms() - start < PATIENCE_MS, "a silent one too");
	free(reply);
}

static struct api_server *start(const struct api_limits *limits)
{
	struct error e = { 0 };
	struct api_server *s = api_server_start_with(&world, &config, tables, limits, &e);

	if (!s) {
		printf("Bail out! %s\n", e.message);
		exit(1);
	}
	return s;
}

static void test_stop(struct api_server *s)
{
	const struct api_limits hasty = { .idle_seconds = IDLE_SECONDS, .transfer_ms = TRANSFER_MS, .stop_ms = 200 };
	static const char request[] = "GET /?Action=Wait&WaitMs=700 HTTP/1.1\r\n" TAIL;
	static const char forever[] = "GET /?Action=Wait&WaitMs=60000 HTTP/1.1\r\n" TAIL;
	int fd = dial();
	char *reply;

	ok(say(fd, request, strlen(request)), "a call under way");
	wait_for_waiters(1);
	is_int(api_server_stop(s), 0, "the server stops");
	reply = hear(fd);
	ok(strstr(reply, "<released>false</released>"), "the call was answered before");
	free(reply);
	close(fd);
	ok(dial() < 0 && errno == ENOENT, "the socket is gone");

	s = start(&hasty);
	fd = dial();
	ok(say(fd, forever, strlen(forever)), "a call that won't end");
	wait_for_waiters(1);
	is_int(api_server_stop(s), -1, "stop gives up after its time, and logs it");
	release(true);
	is_int(api_server_stop(s), 0, "and succeeds when it has ended");
	release(false);
	close(fd);
}

static void test_limit(void)
{
	const struct api_limits two = { .connections = 2, .idle_seconds = IDLE_SECONDS };
	struct api_server *s = start(&two);
	int64_t deadline = deadline_in(PATIENCE_MS);
	int first = dial(), second = dial(), status = 0;

	ok(first >= 0 && second >= 0, "two silent clients take all the room");
	is_reply(post("", "Action=Echo"), 0, "", "a third is turned away");
	free(hear(first)); /* until the server ends it */
	while (status != 200 && !deadline_passed(deadline)) {
		char *reply = post("", "Action=Echo");

		status = status_of(reply);
		free(reply);
	}
	is_int(status, 200, "and answered when one of them was ended");
	close(first);
	close(second);
	is_int(api_server_stop(s), 0, "the server stops");
}

static void test_socket_file(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct error e = { 0 };
	struct api_server *s;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	ok(bind(stale, (struct sockaddr *)&address, sizeof address) == 0, "a socket that somebody left");
	close(stale);
	s = start(NULL);
	is_reply(post("", "Action=Echo"), 200, "EchoResponse", "is replaced");
	is_int(api_server_stop(s), 0, "the server stops");

	ok(file_write_atomic(socket_path, "x", 1, 0644, NULL) == 0, "a file in the way");
	s = api_server_start_with(&world, &config, tables, NULL, &e);
	ok(!s && e.kind == ERROR_ENVIRONMENT && strstr(e.message, "is no socket itself"), "is not removed: %s", e.message);
	unlink(socket_path);
}

struct unlocker {
	const char *path;
	int fd;
};

static void *unlock_main(void *arg)
{
	const struct unlocker *u = arg;

	daemon_unlock(u->path, u->fd);
	return NULL;
}

static void test_lock(void)
{
	AUTO_FREE char *path = file_path(NULL, "%s/daemon.lock", config.run_dir);
	char want[512];
	struct error e = { 0 };
	int fd = daemon_lock(path, config.run_dir, NULL, time_mono_ms(), &e), again;
	pthread_t thread;
	struct unlocker u = { path, fd };
	int64_t start_ms;

	ok(fd >= 0, "the lock");
	ok(daemon_lock(path, config.run_dir, path, deadline_in(PATIENCE_MS), &e) < 0 && e.kind == ERROR_ENVIRONMENT, "is had once");
	snprintf(want, sizeof want, "A daemon (pid %d) already serves %s:", (int)getpid(), config.run_dir);
	ok(strstr(e.message, want), "%s", e.message);
	start_ms = time_mono_ms();
	ok(daemon_lock(path, config.run_dir, socket_path, deadline_in(100), &e) < 0 && time_mono_ms() - start_ms >= 100,
	   "without a socket it is waited for");
	pthread_create(&thread, NULL, unlock_main, &u);
	again = daemon_lock(path, config.run_dir, socket_path, deadline_in(PATIENCE_MS), &e);
	ok(again >= 0, "and had when the holder lets go");
	pthread_join(thread, NULL);
	ok(file_exists(path), "its file is the new holder's");
	daemon_unlock(path, again);
	ok(!file_exists(path), "unlocked, the file is gone");
}

/* What changes things is in the log, one line a call, whatever the caller sent. */
static void test_log(void)
{
	AUTO_FREE char *path = file_path(NULL, "%s/log", config.run_dir), *text = NULL;
	AUTO_CLOSE int kept = dup(STDERR_FILENO), file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	const struct passwd *me = getpwuid(geteuid());
	char want[256];
	int lines = 0;

	log_set_level(LOG_INFO);
	dup2(file, STDERR_FILENO);
	free(post("", "Action=Create"));
	free(post("", "Action=Echo"));
	free(post("", "Action=Fail&Value=a%0A2026-11-22T00:00:00Z%20info%20Create%20by%20root"));
	dup2(kept, STDERR_FILENO);
	log_set_level(LOG_ERROR);
	text = file_read(path, 1 << 20, NULL, NULL);
	for (const char *c = text; c && *c; c++)
		lines += *c == '\n';
	is_int(lines, 2, "two lines for two calls that change things, none for what reads");
	snprintf(want, sizeof want, " info Create by %s (pid %d), request ", me ? me->pw_name : "", (int)getpid());
	ok(text && strstr(text, want) && strstr(text, ": done in "), "who did what, and how it ended");
	ok(text && strstr(text, ": InvalidInstanceID.NotFound after ") && strstr(text, "The instance ID 'a?2026-11-22T"),
	   "what failed, and why; no caller makes a line of his own");
	unlink(path);
}

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

int main(void)
{
	const struct api_limits limits = { .idle_seconds = IDLE_SECONDS, .transfer_ms = TRANSFER_MS };
	char dir[] = "/tmp/vpclab-api-XXXXXX";
	pthread_condattr_t attr;
	struct api_server *s;
	int fds;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&world.changed, &attr);
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_ERROR);
	if (!mkdtemp(dir))
		return 1;
	chmod(dir, 0755);
	config_defaults(&config);
	snprintf(config.run_dir, sizeof config.run_dir, "%s", dir);
	if (config_socket_path(&config, socket_path, sizeof socket_path, NULL) < 0)
		return 1;
	fds = open_fds();
	s = start(&limits);
	test_protocol();
	test_errors();
	test_dry_run();
	test_log();
	test_sizes();
	test_keep_alive();
	test_peer();
	test_crowd();
	test_long_poll();
	test_slow_clients();
	test_stop(s);
	test_limit();
	test_socket_file();
	test_lock();
	is_int(open_fds(), fds, "no descriptor is left");
	ok(rmdir(dir) == 0, "nor a file");
	return tap_done();
}
