/* Gathering the facts of a connection's way, and the action that tells them: a look at the model first, then connection attempts,
 * then into the guest, each only where the hops before it are whole. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/http.h"
#include "base/time.h"
#include "lesson/connection.h"
#include "lesson/django.h"

#define EXPLAIN_MS 60000
#define HTTP_MS 10000
#define SCRIPT_MAX 8192
#define SSH_PORT 22

/* Read-only, POSIX sh. %u: the port, %s: the host's address. */
static const char script_format[] =
	"PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin\n"
	"port=%u host=%s\n"
	"echo \"listen=$(ss -Hltn \"sport = :$port\" 2>/dev/null | awk '{print $4}' | tr '\\n' ' ')\"\n"
	"echo \"others=$(ss -Hltn 2>/dev/null | awk '{n = split($4, a, \":\"); print a[n]}' | sort -un | tr '\\n' ' ')\"\n"
	"echo \"address=$(ip -4 -o addr show scope global | awk '{print $4}' | tr '\\n' ' ')\"\n"
	"echo \"route=$(ip -4 route get $host 2>&1 | head -n 1)\"\n"
	"systemctl show django.service -p LoadState -p ActiveState -p SubState -p Result -p NRestarts 2>/dev/null\n"
	"{ sudo -n nft list ruleset || sudo -n iptables-save; } 2>/dev/null | grep -iE 'drop|reject' | "
	"sed 's/^[[:space:]]*//; s/^/firewall=/' | head -n 20\n"
	"{ sudo -n journalctl -u django.service -n 3 -o cat --no-pager 2>/dev/null; "
	"tail -n 5 \"$HOME/.vpclab-django.log\" 2>/dev/null; } | grep -v '^[[:space:]]*$' | sed 's/^/log=/'\n";

static void try_http(struct connection_facts *f)
{
	AUTO_HTTP_REPLY struct http_reply reply = { 0 };
	char url[512];
	struct http_request req = { .url = url, .connect_timeout_ms = HTTP_MS, .timeout_ms = time_scaled(HTTP_MS) };

	snprintf(url, sizeof url, "http://%s:%u%s", f->instance.public_ip, f->port, f->path);
	f->http_tried = true;
	f->http_answered = http_call(&req, &reply, NULL) == 0;
	f->http_status = reply.status;
	snprintf(f->http_detail, sizeof f->http_detail, "%s", reply.detail);
	f->http_disallowed_host = f->http_answered && reply.status == 400 &&
				  (strstr(reply.body, "ALLOWED_HOSTS") || strstr(reply.body, "DisallowedHost") ||
				   strstr(reply.body, "<h1>Bad Request (400)</h1>"));
}

static void look_into_guest(struct region *r, int64_t deadline, struct connection_facts *f)
{
	AUTO_PROCESS_RESULT struct process_result out = { 0 };
	AUTO_BUFFER struct buffer script = BUFFER_INIT(SCRIPT_MAX);
	struct error why = { 0 };

	buffer_addf(&script, script_format, f->port, f->instance.host_address);
	f->inside_tried = true;
	f->inside = region_guest_run(r, f->instance.id, buffer_text(&script), deadline, &out, &why) == 0;
	if (f->inside)
		guest_connection_parse(&f->guest, out.out, out.out_len);
	else
		snprintf(f->inside_why, sizeof f->inside_why, "%.255s", why.message);
}

int connection_look(struct region *r, const char *id, const char *address, unsigned port, const char *path, int64_t deadline,
		    struct connection_facts *f, struct connection *ret, struct error *err)
{
	char found[ID_MAX] = "";
	uint32_t host = 0;

	memset(f, 0, sizeof *f);
	f->port = port;
	snprintf(f->path, sizeof f->path, "%s", path ? path : port == SSH_PORT ? "" : "/");
	if (address) {
		snprintf(f->asked, sizeof f->asked, "%s", address);
		f->found = region_instance_at(r, address, found, &f->asked_is_public, f->others);
		id = found;
		if (!f->found) {
			connection_explain(f, ret);
			return 0;
		}
	}
	if (region_instance_facts(r, id, &f->instance, err) < 0)
		return -1;
	ipv4_parse(f->instance.host_address, &host);
	f->admitted = region_admits(r, id, port, host, f->rule, f->groups);
	connection_explain(f, ret);
	if (ret->broken && f->instance.is_test)
		return 0;
	if (!f->instance.running || !*f->instance.public_ip)
		return 0;
	if (region_path_facts(r, id, port, &f->way, err) < 0)
		return -1;
	f->tried = true;
	connection_explain(f, ret);
	if (ret->broken && !f->admitted)
		return 0;
	if (f->way.from_host == PATH_CONNECTED && *f->path)
		try_http(f);
	connection_explain(f, ret);
	/* what is broken outside is told without the guest; the rest is its own */
	if (!ret->broken || strcmp(ret->broken, "address") == 0 || strcmp(ret->broken, "gateway") == 0 || f->http_disallowed_host)
		return 0;
	look_into_guest(r, deadline, f);
	connection_explain(f, ret);
	return 0;
}

const struct param explain_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, false, "the instance; or Address" },
	{ "Address", PARAM_STRING, 0, NULL, false, "the IPv4 address that somebody tried" },
	{ "Port", PARAM_INTEGER, 0, NULL, true, "TCP" },
	{ "Path", PARAM_STRING, 0, NULL, false, "of the URL; / when absent, and no HTTP is spoken to port 22" },
	{ "Timeout", PARAM_INTEGER, 0, NULL, false, "seconds that the look into the guest may take; 60 when absent, more without KVM" },
	{ NULL, 0, 0, NULL, false, NULL },
};
static const struct param hop_members[] = {
	{ "hop", PARAM_STRING, 0, NULL, false, NULL },
	{ "status", PARAM_STRING, 0, NULL, false, NULL },
	{ "seen", PARAM_STRING, 0, NULL, false, NULL },
	{ NULL, 0, 0, NULL, false, NULL },
};
const struct param explain_reply[] = {
	{ "instanceId", PARAM_STRING, 0, NULL, false, NULL },
	{ "reachable", PARAM_BOOLEAN, 0, NULL, false, NULL },
	{ "brokenHop", PARAM_STRING, 0, NULL, false, NULL },
	{ "sentence", PARAM_STRING, 0, NULL, false, NULL },
	{ "command", PARAM_STRING, 0, NULL, false, NULL },
	{ "hopSet", PARAM_LIST, PARAM_STRUCTURE, hop_members, false, NULL },
	{ "log", PARAM_STRING, 0, NULL, false, NULL },
	{ NULL, 0, 0, NULL, false, NULL },
};

static json_t *text(const char *s)
{
	json_t *v = json_string(s);

	return v ? v : json_string("\xef\xbf\xbd"); /* a guest may print anything */
}

static void reply(json_t *out, const struct connection_facts *f, const struct connection *c)
{
	static const char *const statuses[] = { "ok", "broken", "unknown" };
	json_t *set;

	if (*f->instance.id)
		json_object_set_new(out, "instanceId", text(f->instance.id));
	json_object_set_new(out, "reachable", json_boolean(!c->broken));
	if (c->broken) {
		json_object_set_new(out, "brokenHop", text(c->broken));
		json_object_set_new(out, "sentence", text(c->sentence));
		json_object_set_new(out, "command", text(c->command));
	}
	set = json_array();
	json_object_set_new(out, "hopSet", set);
	for (size_t i = 0; i < c->count; i++) {
		json_t *item = json_object();

		json_array_append_new(set, item);
		json_object_set_new(item, "hop", text(c->hops[i].name));
		json_object_set_new(item, "status", text(statuses[c->hops[i].status]));
		json_object_set_new(item, "seen", text(c->hops[i].seen));
	}
	if (*c->log)
		json_object_set_new(out, "log", text(c->log));
}

int explain_connection(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *id = json_string_value(json_object_get(in, "InstanceId")), *address = json_string_value(json_object_get(in, "Address"));
	const char *path = json_string_value(json_object_get(in, "Path"));
	json_int_t port = json_integer_value(json_object_get(in, "Port"));
	const json_t *timeout = json_object_get(in, "Timeout");
	int64_t ms = timeout ? json_integer_value(timeout) * 1000 : time_scaled(EXPLAIN_MS);
	AUTO_FREE struct connection_facts *f = calloc(1, sizeof *f);
	AUTO_FREE struct connection *c = calloc(1, sizeof *c);
	uint32_t parsed;

	(void)caller;
	if (!f || !c)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (!id == !address)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination", "Send one of InstanceId and Address.");
	if (address && !ipv4_parse(address, &parsed))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "'%.64s' is not an IPv4 address.", address);
	if (port < 1 || port > 65535)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "TCP/UDP port (%lld) out of range; a port is a number of 1 to 65535.", (long long)port);
	if (path && (*path != '/' || strlen(path) > 250 || strpbrk(path, " \r\n")))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Path must begin with '/' and have no spaces: %.64s", path);
	if (ms < 1000 || ms > 3600000)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Timeout is 1 to 3600 seconds.");
	if (connection_look(r, id, address, (unsigned)port, path, deadline_in(ms), f, c, err) < 0)
		return -1;
	reply(out, f, c);
	return 0;
}
