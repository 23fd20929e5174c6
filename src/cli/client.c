#include "cli/client.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/un.h>

#include "base/http.h"
#include "base/time.h"
#include "cli/format.h"

#define EC2_VERSION "2016-11-15"

void request_init(struct request *r, const char *action)
{
	r->action = action;
	r->body = (struct buffer)BUFFER_INIT(REQUEST_MAX);
	buffer_add(&r->body, "Action=");
	buffer_add_url(&r->body, action);
	buffer_add(&r->body, "&Version=" EC2_VERSION);
}

void request_done(struct request *r)
{
	buffer_done(&r->body);
}

void request_add(struct request *r, const char *key, const char *value)
{
	buffer_add(&r->body, "&");
	buffer_add_url(&r->body, key);
	buffer_add(&r->body, "=");
	buffer_add_url(&r->body, value);
}

void request_add_number(struct request *r, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	request_add(r, key, text);
}

void request_addf(struct request *r, const char *value, const char *key_fmt, ...)
{
	char key[128];
	va_list ap;

	va_start(ap, key_fmt);
	vsnprintf(key, sizeof key, key_fmt, ap);
	va_end(ap);
	request_add(r, key, value);
}

static enum error_kind kind_of(const char *name, int status)
{
	for (enum error_kind k = ERROR_CHECK; k <= ERROR_INTERNAL; k++)
		if (name && strcmp(name, error_kind_name(k)) == 0)
			return k;
	return status >= 500 ? ERROR_ENVIRONMENT : ERROR_USAGE;
}

int client_error(const char *text, int status, struct error *err)
{
	AUTO_JSON json_t *reply = json_loads(text, 0, NULL);
	const json_t *first = json_array_get(json_object_get(reply, "Errors"), 0);
	const char *code = json_string_value(json_object_get(first, "Code"));
	const char *message = json_string_value(json_object_get(first, "Message"));
	const char *kind = json_string_value(json_object_get(reply, "Kind"));

	if (!kind)
		kind = json_string_value(json_object_get(first, "Kind"));
	if (!message)
		return error_set(err, ERROR_INTERNAL, "The region answered with status %d and no error that can be read.", status);
	return error_set_code(err, kind_of(kind, status), code, "%s", message);
}

int client_connect(struct cli *cli, bool start, bool *ret_running, struct error *err)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int failed;

	if (ret_running)
		*ret_running = true;
	if (cli->connected)
		return 0;
	if (config_socket_path(&cli->config, path, sizeof path, err) < 0)
		return -1;
	failed = daemon_try(path);
	if (failed == EACCES || failed == EPERM)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The region's socket %s belongs to root; run this with sudo, or join the group vpclab.", path);
	if (failed == ENOENT || failed == ECONNREFUSED || failed == ENOTDIR) {
		if (!start) {
			if (ret_running)
				*ret_running = false;
			return 0;
		}
		if (daemon_start(cli, err) < 0)
			return -1;
	} else if (failed) {
		return error_set_errno(err, failed, "The region's socket %s can't be reached", path);
	}
	cli->connected = true;
	return 0;
}

json_t *client_call(struct cli *cli, const struct request *r, int64_t timeout_ms, struct error *err)
{
	static const char *const headers[] = { "Accept: application/json", NULL };
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct http_reply reply CLEANUP(http_reply_done) = { 0 };
	struct http_request req = {
		.url = "http://vpclab/",
		.unix_socket = path,
		.headers = headers,
		.timeout_ms = timeout_ms ? timeout_ms : time_scaled(CALL_TIMEOUT_MS),
	};
	json_error_t where;
	json_t *tree;

	if (client_connect(cli, true, NULL, err) < 0 || config_socket_path(&cli->config, path, sizeof path, err) < 0)
		return NULL;
	if (buffer_failed(&r->body)) {
		error_set(err, ERROR_USAGE, "The call of %s has more than %u bytes.", r->action, REQUEST_MAX);
		return NULL;
	}
	req.body = buffer_text(&r->body);
	if (http_call(&req, &reply, err) < 0) {
		if (reply.outcome == HTTP_TIMED_OUT)
			error_set(err, ERROR_TIMEOUT, "The region gave no answer to %s within %lld s; its log is %s/daemon.log.",
				  r->action, (long long)(req.timeout_ms / 1000), cli->config.state_dir);
		else
			error_set(err, ERROR_ENVIRONMENT, "The region gave no answer to %s (%s); its log is %s/daemon.log.",
				  r->action, reply.detail, cli->config.state_dir);
		return NULL;
	}
	if (reply.status != 200) {
		client_error(reply.body, reply.status, err);
		return NULL;
	}
	tree = json_loads(reply.body, 0, &where);
	if (!tree)
		error_set(err, ERROR_INTERNAL, "The region's answer to %s is not JSON: %s.", r->action, where.text);
	return tree;
}

json_t *client_get(struct cli *cli, const char *action, struct error *err)
{
	AUTO_REQUEST struct request r;

	request_init(&r, action);
	return client_call(cli, &r, 0, err);
}

bool region_has_guests(struct cli *cli)
{
	AUTO_JSON json_t *status = client_get(cli, "DescribeRegionStatus", NULL);

	return strncmp(text_of(status, "libvirtUri"), "test:", 5) != 0;
}
