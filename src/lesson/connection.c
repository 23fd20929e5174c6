/* The decision: facts of a connection's way -> the broken hop. Theory of operation: each look_at_* tells one hop from the facts and
 * returns false where it is the broken one, or where it can't be told and the way ends there; the first false ends the walk. */
#include "lesson/connection.h"

#include <string.h>

#include "lesson/django.h"

#define COMMAND_MAX 256

static void add_line(char *out, size_t size, const char *text, size_t len)
{
	size_t used = strlen(out);

	if (used + len + 2 > size)
		return;
	if (used)
		out[used++] = '\n';
	for (size_t i = 0; i < len; i++)
		out[used + i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
	out[used + len] = '\0';
}

void guest_connection_parse(struct guest_connection *ret, const char *text, size_t len)
{
	const struct {
		const char *key;
		char *value;
		size_t size;
		bool several;
	} keys[] = {
		{ "listen=", ret->listen, sizeof ret->listen, false },
		{ "others=", ret->others, sizeof ret->others, false },
		{ "address=", ret->address, sizeof ret->address, false },
		{ "route=", ret->route, sizeof ret->route, false },
		{ "firewall=", ret->firewall, sizeof ret->firewall, true },
		{ "LoadState=", ret->load, sizeof ret->load, false },
		{ "ActiveState=", ret->active, sizeof ret->active, false },
		{ "SubState=", ret->sub, sizeof ret->sub, false },
		{ "Result=", ret->result, sizeof ret->result, false },
		{ "NRestarts=", ret->restarts, sizeof ret->restarts, false },
		{ "log=", ret->log, sizeof ret->log, true },
	};
	size_t pos = 0;

	memset(ret, 0, sizeof *ret);
	while (pos < len) {
		const char *nl = memchr(text + pos, '\n', len - pos);
		size_t n = nl ? (size_t)(nl - text) - pos : len - pos;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			size_t kl = strlen(keys[k].key), vl = n - kl;

			if (n <= kl || memcmp(text + pos, keys[k].key, kl) != 0)
				continue;
			if (!keys[k].several)
				keys[k].value[0] = '\0';
			if (vl > 400)
				vl = 400;
			if (vl + 2 > keys[k].size)
				vl = keys[k].size - 2;
			add_line(keys[k].value, keys[k].size, text + pos + kl, vl);
		}
		pos += n + 1;
	}
}

static void __attribute__((format(printf, 4, 5)))
add(struct connection *c, const char *name, enum hop_status status, const char *fmt, ...)
{
	struct hop *h;
	va_list ap;

	if (c->count == HOPS_MAX)
		return;
	h = &c->hops[c->count++];
	h->name = name;
	h->status = status;
	va_start(ap, fmt);
	vsnprintf(h->seen, sizeof h->seen, fmt, ap);
	va_end(ap);
}

/* The last hop added is the broken one; its sentence. Returns false. */
static bool __attribute__((format(printf, 3, 4))) broken(struct connection *c, const char *command, const char *fmt, ...)
{
	va_list ap;

	c->hops[c->count - 1].status = HOP_BROKEN;
	c->broken = c->hops[c->count - 1].name;
	snprintf(c->command, sizeof c->command, "%s", command);
	va_start(ap, fmt);
	vsnprintf(c->sentence, sizeof c->sentence, fmt, ap);
	va_end(ap);
	return false;
}

static const char *name_of(const struct connection_facts *f)
{
	return *f->instance.name ? f->instance.name : f->instance.id;
}

static const char *__attribute__((format(printf, 2, 3))) command(char out[COMMAND_MAX], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, COMMAND_MAX, fmt, ap);
	va_end(ap);
	return out;
}

static bool look_at_instance(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];

	if (*f->asked && !f->found) {
		add(c, "address", HOP_BROKEN, "%s", f->asked);
		return broken(c, "vpclab ls", "No instance has the address %s now: public addresses change when an instance stops and starts%s%s.",
			      f->asked, *f->others ? "; " : "", f->others);
	}
	add(c, "instance", HOP_OK, "%.100s is %s", name, f->instance.state);
	if (f->instance.running)
		return true;
	if (strcmp(f->instance.state, "stopped") == 0)
		return broken(c, command(cmd, "vpclab start %.128s", name), "Instance %.100s is stopped.", name);
	if (strcmp(f->instance.state, "terminated") == 0 || strcmp(f->instance.state, "shutting-down") == 0)
		return broken(c, command(cmd, "vpclab up %.128s", name), "Instance %.100s is %s; a terminated instance doesn't come back.", name,
			      f->instance.state);
	return broken(c, command(cmd, "vpclab show %.128s", name), "Instance %.100s is %s: wait until it is done, then ask again.", name,
		      f->instance.state);
}

static bool look_at_address(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];

	add(c, "address", HOP_OK, "%s", *f->instance.public_ip ? f->instance.public_ip : "no public IPv4 address");
	if (!*f->instance.public_ip)
		return broken(c, command(cmd, "vpclab terminate %.100s && vpclab launch %.100s", name, name),
			      "Instance %.100s has no public IPv4 address, so nothing outside its VPC can reach it; it is launched again with one.", name);
	if (*f->asked && !f->asked_is_public)
		return broken(c, command(cmd, "vpclab why %.100s %u", name, f->port),
			      "%s is the private address of %.100s, which only its VPC can reach; from here it is http://%s:%u/.", f->asked, name,
			      f->instance.public_ip, f->port);
	return true;
}

static bool look_at_gateway(const struct connection_facts *f, struct connection *c)
{
	char cmd[COMMAND_MAX];
	const char *restart = "sudo kill $(cat /run/vpclab/daemon.lock); vpclab daemon";

	if (!f->tried) {
		add(c, "gateway", HOP_UNKNOWN, "not looked at");
		return true;
	}
	add(c, "gateway", HOP_OK, "from %s through the internet gateway", f->instance.host_address);
	if (!f->way.bridge_up)
		return broken(c, restart, "This machine has lost its address %s on the public bridge, which is its way into the VPC; the daemon's start makes it again.",
			      f->instance.host_address);
	if (strcmp(f->way.route_source, f->instance.host_address) != 0)
		return broken(c, command(cmd, "ip route get %s", f->instance.public_ip), "This machine's route to %s doesn't lead over the lab's bridge (%s%s): another route covers the range, or a setting public_cidr of its own is needed.",
			      f->instance.public_ip, *f->way.route_source ? "it would call from " : "there is none",
			      f->way.route_source);
	if (!f->way.gateway_up)
		return broken(c, restart, "The VPC's internet gateway doesn't carry %s; the daemon's start completes the network.", f->instance.public_ip);
	return true;
}

static bool look_at_rule(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];

	add(c, "rule", HOP_OK, "%s", *f->rule ? f->rule : "none");
	if (f->admitted)
		return true;
	return broken(c, command(cmd, "vpclab allow %.128s %u", name, f->port),
		      "No inbound rule admits TCP %u from %s; looked at: %.200s%s%.200s.", f->port, f->instance.host_address, f->groups,
		      *f->rule ? "; for that port there is only: " : "", f->rule);
}

/* The line that is about the port, else the first there is. */
static void firewall_line(const struct connection_facts *f, char *out, size_t size)
{
	const char *all = f->guest.firewall, *best = all;
	char port[16];

	snprintf(port, sizeof port, "port %u", f->port);
	for (const char *line = all; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		const char *hit = strstr(line, port);

		if (hit && hit < line + strcspn(line, "\n")) {
			best = line;
			break;
		}
	}
	snprintf(out, size, "%.*s", (int)strcspn(best, "\n"), best);
}

static bool silent(enum path_outcome o)
{
	return o == PATH_TIMED_OUT || o == PATH_UNREACHABLE;
}

/* The guest can't be looked into. */
static bool look_from_outside(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];

	add(c, "guest", HOP_UNKNOWN, "%.200s", f->inside_why);
	if (f->way.failed)
		return broken(c, command(cmd, "vpclab log %.128s", name), "The boot of %.100s failed (%.200s).", name, f->way.phase);
	if (!f->way.ready)
		return broken(c, command(cmd, "vpclab log %.128s --follow", name), "%.100s is still booting (%.200s): wait until it is ready.", name,
			      *f->way.phase ? f->way.phase : "nothing on its console yet");
	if (f->way.from_host == PATH_REFUSED || f->way.from_router == PATH_REFUSED)
		return broken(c, command(cmd, "vpclab reboot %.128s", name),
			      "%.100s refuses connections on port %u, and can't be looked into (%.200s).", name, f->port, f->inside_why);
	return broken(c, command(cmd, "vpclab reboot %.128s", name),
		      "%.100s was ready but answers nobody at %s now, the VPC's own router neither: it has lost its address, drops every packet, or hangs.",
		      name, f->instance.private_ip);
}

static bool look_at_guest_network(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char via[32], address[32], cmd[COMMAND_MAX];

	add(c, "guest-network", HOP_OK, "%.100s; %.200s", f->guest.address, f->guest.route);
	snprintf(address, sizeof address, "%s/", f->instance.private_ip);
	if (!strstr(f->guest.address, address))
		return broken(c, command(cmd, "vpclab reboot %.128s", name), "The guest doesn't have its private address %s but %.100s.",
			      f->instance.private_ip, *f->guest.address ? f->guest.address : "none");
	snprintf(via, sizeof via, "via %s ", f->way.router_address);
	if (!strstr(f->guest.route, via))
		/* exec would come by the very way that is broken */
		return broken(c, command(cmd, "vpclab reboot %.128s", name),
			      "The guest's answers go astray: its route to %s is \"%.150s\", not by the VPC's router %s.", f->instance.host_address,
			      f->guest.route, f->way.router_address);
	return true;
}

static bool listens_on_all(const struct connection_facts *f)
{
	char private[32];

	snprintf(private, sizeof private, "%s:", f->instance.private_ip);
	return strstr(f->guest.listen, "0.0.0.0:") || strstr(f->guest.listen, "*:") || strstr(f->guest.listen, "[::]:") ||
	       strstr(f->guest.listen, private);
}

static bool look_at_firewall(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char line[200];

	firewall_line(f, line, sizeof line);
	/* refused although somebody listens: by a rule, or it has begun to listen since */
	if (!silent(f->way.from_host) && !(f->way.from_host == PATH_REFUSED && listens_on_all(f) && strcasestr(line, "reject"))) {
		add(c, "guest-firewall", HOP_OK, "lets port %u by", f->port);
		return true;
	}
	add(c, "guest-firewall", HOP_OK, "%s", *line ? line : "no rule found");
	if (*line) {
		char cmd[COMMAND_MAX];

		return broken(c, command(cmd, "vpclab exec %.100s -- sudo nft flush ruleset", name),
			      "The guest's own firewall %s port %u: \"%.190s\".", silent(f->way.from_host) ? "drops" : "rejects", f->port, line);
	}
	if (silent(f->way.from_router)) {
		char cmd[COMMAND_MAX];

		return broken(c, command(cmd, "vpclab exec %.100s -- sudo nft list ruleset", name),
			      "Packets to port %u are dropped within the guest, though no rule of its firewall could be read.", f->port);
	}
	c->hops[c->count - 1].status = HOP_UNKNOWN;
	add(c, "host-firewall", HOP_UNKNOWN, "the router reaches the guest (%s), this machine doesn't (%s)", path_outcome_name(f->way.from_router),
	    path_outcome_name(f->way.from_host));
	return broken(c, "sudo nft list ruleset", "The guest answers the VPC's router but nothing comes back to this machine: look at this machine's own firewall.");
}

static bool look_at_listener(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];

	add(c, "listener", HOP_OK, "%s", *f->guest.listen ? f->guest.listen : "nobody");
	if (!*f->guest.listen)
		return true; /* the service tells why */
	if (listens_on_all(f))
		return true;
	return broken(c, command(cmd, "vpclab exec %.64s -- sudo systemctl restart django   # it runs: python manage.py runserver 0:%u", name, f->port),
		      "The server listens on %.100sonly, an address within the guest; start it with `runserver 0:%u` to listen on every address.",
		      f->guest.listen, f->port);
}

static bool look_at_service(const struct connection_facts *f, struct connection *c)
{
	const struct guest_connection *g = &f->guest;
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];
	bool lab = f->port == LAB_PORT && strcmp(g->load, "loaded") == 0;
	bool restarted = *g->restarts && strcmp(g->restarts, "0") != 0;

	if (*g->listen)
		return true;
	if (lab && (strcmp(g->active, "failed") == 0 || strcmp(g->sub, "auto-restart") == 0 || restarted)) {
		add(c, "service", HOP_OK, "django.service: %s (%s), %s restarts", g->active, g->sub, g->restarts);
		snprintf(c->log, sizeof c->log, "%s", g->log);
		return broken(c, command(cmd, "vpclab exec %.100s -- sudo journalctl -u django -n 30", name),
			      "The server crashes when it starts (django.service: %s, result %s, %s restarts); mend what its last lines name.", g->sub,
			      g->result, g->restarts);
	}
	if (!f->way.ready && !f->way.failed && f->port == LAB_PORT) {
		add(c, "guest", HOP_UNKNOWN, "booting");
		return broken(c, command(cmd, "vpclab log %.128s --follow", name), "%.100s is still booting (%.200s): nothing listens on port %u yet.",
			      name, f->way.phase, f->port);
	}
	if (lab && (strcmp(g->active, "inactive") == 0 || strcmp(g->active, "deactivating") == 0)) {
		add(c, "service", HOP_OK, "django.service: %s (%s)", g->active, g->sub);
		return broken(c, command(cmd, "vpclab exec %.100s -- sudo systemctl start django", name),
			      "Nobody listens on port %u: django.service is stopped.", f->port);
	}
	if (lab) {
		add(c, "service", HOP_OK, "django.service: %s (%s)", g->active, g->sub);
		snprintf(c->log, sizeof c->log, "%s", g->log);
		return broken(c, command(cmd, "vpclab exec %.100s -- sudo journalctl -u django -f", name),
			      "django.service runs but doesn't listen on port %u (yet).", f->port);
	}
	return broken(c, command(cmd, "vpclab exec %.100s -- sudo ss -ltnp", name), "Nobody listens on port %u; the guest listens on: %.200s.", f->port,
		      *g->others ? g->others : "no port at all");
}

static bool look_at_application(const struct connection_facts *f, struct connection *c)
{
	const char *name = name_of(f);
	char cmd[COMMAND_MAX];

	if (!f->http_tried) {
		add(c, "application", HOP_OK, "accepts connections");
		return true;
	}
	if (!f->http_answered) {
		add(c, "application", HOP_UNKNOWN, "%.200s", f->http_detail);
		snprintf(c->log, sizeof c->log, "%s", f->guest.log);
		return broken(c, command(cmd, "vpclab exec %.100s -- sudo journalctl -u django -n 30", name),
			      "The server accepts the connection but gives no answer (%.200s).", f->http_detail);
	}
	add(c, "application", HOP_OK, "answers %d", f->http_status);
	if (f->http_disallowed_host)
		return broken(c,
			      command(cmd, "vpclab exec %.64s -- \"echo \\\"ALLOWED_HOSTS = ['*']\\\" >>nanodegree/sample/sample/settings.py\"", name),
			      "Django answers 400, for its ALLOWED_HOSTS lacks %s.", f->instance.public_ip);
	if (f->http_status < 400 || f->http_status == 401 || f->http_status == 403)
		return true;
	snprintf(c->log, sizeof c->log, "%s", f->guest.log);
	if (f->http_status < 500)
		return broken(c, command(cmd, "vpclab exec %.100s -- sudo journalctl -u django -n 30", name),
			      "The server was reached and answers %d to %.100s: that is the application's own answer.", f->http_status, f->path);
	return broken(c, command(cmd, "vpclab exec %.100s -- tail -n 30 .vpclab-django.log", name),
		      "The server was reached and answers %d: its own code failed.", f->http_status);
}

void connection_explain(const struct connection_facts *f, struct connection *c)
{
	memset(c, 0, sizeof *c);
	if (!look_at_instance(f, c) || !look_at_address(f, c) || !look_at_gateway(f, c) || !look_at_rule(f, c))
		return;
	if (!f->tried)
		return;
	if (f->way.from_host != PATH_CONNECTED) {
		if (!f->inside) {
			look_from_outside(f, c);
			return;
		}
		if (!look_at_guest_network(f, c) || !look_at_firewall(f, c) || !look_at_listener(f, c) || !look_at_service(f, c))
			return;
		/* it listens and yet refused: it has begun to since */
		add(c, "application", HOP_UNKNOWN, "the connection was %s, and by now something listens", path_outcome_name(f->way.from_host));
		return;
	}
	add(c, "guest", HOP_OK, "accepts the connection on port %u", f->port);
	look_at_application(f, c);
}
