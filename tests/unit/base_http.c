/* HTTP as a client: how calls end, over TCP and over a unix socket. The other end is a thread that says what it is told. */
#include "tap.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/http.h"
#include "base/time.h"

struct peer {
	int fd;
	const char *reply; /* NULL: never answers; "": closes at once */
	char request[8192];
	pthread_t thread;
};

static void *peer_main(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->fd, NULL, NULL);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = *(p->reply ? p->reply : "x") ? recv(fd, p->request, sizeof p->request - 1, 0) : 0;
	p->request[n > 0 ? n : 0] = '\0';
	if (p->reply && *p->reply && send(fd, p->reply, strlen(p->reply), MSG_NOSIGNAL) < 0)
		printf("# the peer could not answer\n");
	if (!p->reply) /* until the client gives up */
		while (recv(fd, p->request, sizeof p->request - 1, 0) > 0)
			;
	close(fd);
	return NULL;
}

/* Listens on loopback, or at path, and answers one connection. Returns the port. */
static unsigned peer_start(struct peer *p, const char *path, const char *reply)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof in;

	memset(p, 0, sizeof *p);
	p->reply = reply;
	p->fd = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(un.sun_path, sizeof un.sun_path, "%s", path ? path : "");
	if (bind(p->fd, path ? (const struct sockaddr *)(const void *)&un : (const struct sockaddr *)(const void *)&in,
		 path ? sizeof un : sizeof in) < 0 ||
	    listen(p->fd, 1) < 0 || (!path && getsockname(p->fd, (struct sockaddr *)(void *)&in, &len) < 0))
		return 0;
	pthread_create(&p->thread, NULL, peer_main, p);
	return ntohs(in.sin_port);
}

static void peer_stop(struct peer *p)
{
	pthread_join(p->thread, NULL);
	close(p->fd);
}

/* One call to a peer that replies so; the request it saw stays in p. */
static int call(struct peer *p, const char *reply, struct http_request *req, struct http_reply *ret, struct error *err)
{
	char url[64];
	unsigned port = peer_start(p, NULL, reply);
	int rc;

	memset(err, 0, sizeof *err);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/page?x=1", port);
	req->url = url;
	rc = http_call(req, ret, err);
	peer_stop(p);
	return rc;
}

static void test_answers(void)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	struct http_request req = { .timeout_ms = 10000 };
	AUTO_HTTP_REPLY struct http_reply r = { 0 };
	struct peer p;
	struct error err;

	ok(call(&p, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", &req, &r, &err) == 0, "a call: %s", err.message);
	ok(r.outcome == HTTP_ANSWERED && r.status == 200 && r.body_len == 5, "is answered");
	is_str(r.body, "hello", "with a body");
	is_str(r.content_type, "text/plain", "of a type");
	ok(strncmp(p.request, "GET /page?x=1 HTTP/1.1\r\n", 24) == 0, "it was a GET");
	http_reply_done(&r);
	req.body = "Action=DescribeVpcs";
	req.headers = headers;
	ok(call(&p, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", &req, &r, &err) == 0 && r.status == 400 && r.body_len == 0,
	   "an error's status is an answer too");
	is_str(r.body, "", "a body that isn't there is empty");
	ok(strncmp(p.request, "POST ", 5) == 0 && strstr(p.request, "Accept: application/json\r\n") && strstr(p.request, "x-www-form-urlencoded"),
	   "a body makes it a POST of a form");
	http_reply_done(&r);
	req.reply_max = 4;
	ok(call(&p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", &req, &r, &err) < 0, "more than the maximum is refused: %s", err.message);
	http_reply_done(&r);
	req.reply_max = 0;
	ok(call(&p, "HTTP/1.1 301 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", &req, &r, &err) < 0 || r.status == 301,
	   "a redirection to a file is not followed");
	ok(!r.body || !strstr(r.body, "root:"), "nor its content given");
}

static void test_failures(void)
{
	struct http_request req = { .timeout_ms = 500 };
	AUTO_HTTP_REPLY struct http_reply r = { 0 };
	struct error err = { 0 };
	struct peer p;
	char url[64];
	unsigned port;
	int64_t began = time_mono_ms();

	ok(call(&p, NULL, &req, &r, &err) < 0 && r.outcome == HTTP_TIMED_OUT, "silence is a timeout: %s", err.message);
	ok(time_mono_ms() - began < 8000 && *r.detail, "in time, with libcurl's words: %s", r.detail);
	http_reply_done(&r);
	req.timeout_ms = 10000;
	ok(call(&p, "", &req, &r, &err) < 0 && r.outcome == HTTP_BROKEN, "a close is a break: %s", err.message);
	http_reply_done(&r);
	ok(call(&p, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", &req, &r, &err) < 0 && r.outcome == HTTP_BROKEN, "half an answer too: %s",
	   err.message);
	http_reply_done(&r);
	port = peer_start(&p, NULL, "");
	shutdown(p.fd, SHUT_RDWR); /* nobody listens there any more */
	peer_stop(&p);
	snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
	req.url = url;
	ok(http_call(&req, &r, &err) < 0 && r.outcome == HTTP_REFUSED, "nobody there is a refusal: %s", err.message);
	http_reply_done(&r);
	req.url = "http://unknown.invalid/";
	ok(http_call(&req, &r, &err) < 0 && r.outcome == HTTP_UNREACHABLE, "no such name: %s", err.message);
	http_reply_done(&r);
	req.url = "file:///etc/passwd";
	ok(http_call(&req, &r, &err) < 0, "another protocol is not spoken: %s", err.message);
}

static void test_unix(void)
{
	char path[] = "/tmp/vpclab-http.XXXXXX", socket_path[64];
	struct http_request req = { .url = "http://region/", .unix_socket = socket_path, .timeout_ms = 10000, .body = "Action=X" };
	AUTO_HTTP_REPLY struct http_reply r = { 0 };
	struct error err = { 0 };
	struct peer p;

	if (!mkdtemp(path))
		return;
	snprintf(socket_path, sizeof socket_path, "%s/api.sock", path);
	ok(http_call(&req, &r, &err) < 0, "no socket: %s", err.message);
	http_reply_done(&r);
	peer_start(&p, socket_path, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	ok(http_call(&req, &r, &err) == 0 && r.status == 200, "over a unix socket, whatever proxy is set: %s", err.message);
	unsetenv("http_proxy");
	peer_stop(&p);
	unlink(socket_path);
	rmdir(path);
}

int main(void)
{
	http_global_init();
	test_answers();
	test_failures();
	test_unix();
	return tap_done();
}
