/* Theory of operation. libmicrohttpd accepts on our socket and gives each connection a thread, so a handler may block (a long
 * poll, a slow Run) without holding up anybody else. Per request it calls, all in the connection's thread:
 *   begin (the URL as sent)  ->  on_request: headers seen; each piece of the body; the whole request  ->  completed.
 * Nothing is answered before the whole request is read (a peer that still sends would lose the answer), but for a client
 * that asks first (Expect: 100-continue). connections.c ends clients that trickle. */
#include "api/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "api/connections.h"
#include "api/dispatch.h"
#include "api/query.h"
#include "api/socket.h"
#include "api/text.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/time.h"

#define CONNECTIONS_MAX 1100
#define IDLE_SECONDS 30
#define TRANSFER_MS 60000
#define STOP_MS 10000
#define THREAD_STACK (1u << 20)
#define CONNECTION_MEMORY (96u << 10) /* of a request's line and headers: a GET may carry user data in its URL */
#define DISCARD_MAX (16u << 20)       /* of a body that is too large, read only so that its sender hears why */
#define STATUS_NOT_FOUND 404
#define STATUS_METHOD_NOT_ALLOWED 405

struct api_server {
	struct MHD_Daemon *mhd;
	struct connections *connections;
	struct region *region;
	const struct action *const *tables;
	struct api_limits limits;
	bool quiesced;
	char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

/* One request. */
struct call {
	char *url; /* as sent */
	struct buffer body;
	size_t discarded; /* bytes of a body that is too large */
	bool seen;        /* the headers were */
	char request_id[UUID_TEXT_MAX];
};

static void call_free(struct call *c)
{
	free(c->url);
	buffer_done(&c->body);
	free(c);
}

static void *begin(void *cls, const char *url, struct MHD_Connection *mc)
{
	struct call *c = calloc(1, sizeof *c);

	(void)cls;
	(void)mc;
	if (!c)
		return NULL;
	c->url = strdup(url);
	c->body = (struct buffer)BUFFER_INIT(QUERY_BODY_MAX);
	uuid_new(c->request_id);
	if (c->url)
		return c;
	call_free(c);
	return NULL;
}

static struct connection *connection_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static int fd_of(struct MHD_Connection *mc)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void completed(void *cls, struct MHD_Connection *mc, void **con_cls, enum MHD_RequestTerminationCode how)
{
	struct connection *connection = connection_of(mc);

	(void)cls;
	(void)how;
	if (*con_cls)
		call_free(*con_cls);
	*con_cls = NULL;
	if (connection)
		connection_receives(connection);
}

static void connection_event(void *cls, struct MHD_Connection *mc, void **context,
			     enum MHD_ConnectionNotificationCode event)
{
	struct api_server *s = cls;

	if (event == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = connection_add(s->connections, fd_of(mc));
	} else if (*context) {
		connection_remove(*context);
		*context = NULL;
	}
}

static const char *header(struct MHD_Connection *mc, const char *name)
{
	const char *value = MHD_lookup_connection_value(mc, MHD_HEADER_KIND, name);

	return value ? value : "";
}

/* Takes the answer's body. */
static enum MHD_Result reply(struct MHD_Connection *mc, const struct call *c, struct api_answer *answer)
{
	struct MHD_Response *response =
		answer->body ? MHD_create_response_from_buffer(answer->len, answer->body, MHD_RESPMEM_MUST_FREE)
			     : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result ok;

	if (!response) {
		free(answer->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", answer->content_type);
	MHD_add_response_header(response, "x-amzn-RequestId", c->request_id);
	if (answer->status == STATUS_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, POST");
	ok = MHD_queue_response(mc, (unsigned)answer->status, response);
	MHD_destroy_response(response);
	return ok;
}

static bool wants_json(struct MHD_Connection *mc)
{
	return strcasestr(header(mc, "Accept"), "json");
}

static enum MHD_Result reply_error(struct MHD_Connection *mc, const struct call *c, const struct error *e)
{
	struct api_answer answer;

	api_answer_error(c->request_id, wants_json(mc), e, &answer);
	return reply(mc, c, &answer);
}

static enum MHD_Result reply_too_large(struct MHD_Connection *mc, const struct call *c)
{
	struct error e = { 0 };

	error_set_code(&e, ERROR_USAGE, "RequestEntityTooLarge",
		       "The request's body has more than the %u bytes allowed; send less at a time.", QUERY_BODY_MAX);
	return reply_error(mc, c, &e);
}

/* For those who are not speaking EC2's protocol at all. */
static enum MHD_Result __attribute__((format(printf, 4, 5)))
reply_sentence(struct MHD_Connection *mc, const struct call *c, int status, const char *fmt, ...)
{
	struct api_answer answer = { .status = status, .content_type = "text/plain;charset=UTF-8" };
	AUTO_BUFFER struct buffer text = BUFFER_INIT(512);
	va_list ap;

	va_start(ap, fmt);
	buffer_addv(&text, fmt, ap);
	va_end(ap);
	answer.len = text.len;
	answer.body = buffer_take(&text, NULL);
	return reply(mc, c, &answer);
}

static enum MHD_Result run(struct api_server *s, struct MHD_Connection *mc, struct connection *connection, struct call *c)
{
	const char *mark = strchr(c->url, '?');
	struct api_request req = {
		.region = s->region,
		.tables = s->tables,
		.query = mark ? mark + 1 : "",
		.query_len = mark ? strlen(mark + 1) : 0,
		.body = buffer_text(&c->body),
		.body_len = c->body.len,
		.json = wants_json(mc),
		.record = s->limits.record,
	};
	struct api_answer answer;

	if (socket_peer(fd_of(mc), &req.caller) < 0)
		return MHD_NO;
	memcpy(req.caller.request_id, c->request_id, sizeof req.caller.request_id);
	connection_runs(connection);
	api_dispatch(&req, &answer);
	connection_answers(connection);
	/* the handler's time was not the client's silence: setting a timeout anew restarts its clock */
	MHD_set_connection_option(mc, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	MHD_set_connection_option(mc, MHD_CONNECTION_OPTION_TIMEOUT, s->limits.idle_seconds);
	return reply(mc, c, &answer);
}

static enum MHD_Result whole_request(struct api_server *s, struct MHD_Connection *mc, struct connection *connection,
				     struct call *c, const char *method)
{
	char shown[TEXT_SHOWN_MAX];
	size_t path = strcspn(c->url, "?");
	const char *type = header(mc, "Content-Type");
	struct error e = { 0 };

	if (path != 1 || c->url[0] != '/')
		return reply_sentence(mc, c, STATUS_NOT_FOUND,
				      "There is nothing at %s: EC2's actions are at /, as in /?Action=DescribeInstances.\n",
				      text_show(shown, c->url, path));
	if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
		return reply_sentence(mc, c, STATUS_METHOD_NOT_ALLOWED,
				      "The method %s is not known here: EC2's actions take GET and POST.\n",
				      text_show(shown, method, strlen(method)));
	if (c->discarded > 0)
		return reply_too_large(mc, c);
	if (c->body.len > 0 && (strcasestr(type, "json") || strcasestr(type, "multipart"))) {
		error_set_code(&e, ERROR_USAGE, "MalformedQueryString",
			       "The request's body is %s: send Name=value pairs as application/x-www-form-urlencoded.",
			       text_show(shown, type, strlen(type)));
		return reply_error(mc, c, &e);
	}
	return run(s, mc, connection, c);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mc, const char *url, const char *method,
				  const char *version, const char *data, size_t *size, void **con_cls)
{
	struct connection *connection = connection_of(mc);
	struct call *c = *con_cls;

	(void)url;
	(void)version;
	if (!c || !connection)
		return MHD_NO; /* memory ran out */
	if (!c->seen) {
		c->seen = true;
		if (strtoull(header(mc, "Content-Length"), NULL, 10) > QUERY_BODY_MAX && *header(mc, "Expect"))
			return reply_too_large(mc, c);
		return MHD_YES;
	}
	if (*size > 0) {
		buffer_add_len(&c->body, data, *size);
		if (buffer_failed(&c->body)) {
			buffer_done(&c->body);
			c->discarded += *size;
		}
		*size = 0;
		return c->discarded > DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	return whole_request(cls, mc, connection, c, method);
}

static void __attribute__((format(printf, 2, 0))) log_mhd(void *cls, const char *fmt, va_list ap)
{
	char line[512];

	(void)cls;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("libmicrohttpd: %s", line);
}

struct api_server *api_server_start_with(struct region *r, const struct config *config,
					 const struct action *const *tables, const struct api_limits *limits,
					 struct error *err)
{
	AUTO_FREE struct api_server *s = calloc(1, sizeof *s);
	AUTO_CLOSE int fd = -1;

	if (!s) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out while the server started.");
		return NULL;
	}
	s->region = r;
	s->tables = tables;
	if (limits)
		s->limits = *limits;
	s->limits.connections = s->limits.connections ? s->limits.connections : CONNECTIONS_MAX;
	s->limits.idle_seconds = s->limits.idle_seconds ? s->limits.idle_seconds : IDLE_SECONDS;
	s->limits.transfer_ms = s->limits.transfer_ms ? s->limits.transfer_ms : TRANSFER_MS;
	s->limits.stop_ms = s->limits.stop_ms ? s->limits.stop_ms : STOP_MS;
	if (config_socket_path(config, s->path, sizeof s->path, err) < 0)
		return NULL;
	fd = socket_listen(s->path, err);
	if (fd < 0)
		return NULL;
	s->connections = connections_new(s->limits.transfer_ms, err);
	if (!s->connections) {
		unlink(s->path);
		return NULL;
	}
	s->mhd = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, s->limits.connections, MHD_OPTION_CONNECTION_TIMEOUT, s->limits.idle_seconds,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE,
		(size_t)THREAD_STACK, MHD_OPTION_URI_LOG_CALLBACK, begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, connection_event, s, MHD_OPTION_END);
	if (!s->mhd) {
		error_set(err, ERROR_ENVIRONMENT, "The HTTP server on %s can't be started: libmicrohttpd refused.", s->path);
		connections_free(s->connections);
		unlink(s->path);
		return NULL;
	}
	TAKE_FD(fd); /* libmicrohttpd's now */
	return TAKE_PTR(s);
}

int api_server_stop(struct api_server *s)
{
	unsigned running;

	if (!s)
		return 0;
	/* new clients see at once that nobody serves; those connected get their answers */
	if (!s->quiesced) {
		unlink(s->path);
		close(MHD_quiesce_daemon(s->mhd));
		s->quiesced = true;
	}
	running = connections_wait(s->connections, deadline_in(s->limits.stop_ms));
	if (running > 0) {
		log_error("%u calls did not end in %lld ms; their threads are left to the end of the process.", running,
			  (long long)s->limits.stop_ms);
		return -1;
	}
	MHD_stop_daemon(s->mhd);
	connections_free(s->connections);
	free(s);
	return 0;
}
