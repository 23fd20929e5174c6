/* Why a connection fails: facts -> the broken hop, one fact changed at a time from a way that is whole. */
#include "tap.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "lesson/connection.h"

static struct connection_facts f;
static struct connection c;

/* The way as it is when the page can be read; inside: and the guest was looked into. */
static void whole(void)
{
	memset(&f, 0, sizeof f);
	TEXT_COPY(f.instance.id, "i-0123456789abcdef0");
	TEXT_COPY(f.instance.name, "web");
	TEXT_COPY(f.instance.state, "running");
	TEXT_COPY(f.instance.private_ip, "172.31.4.7");
	TEXT_COPY(f.instance.public_ip, "203.0.113.24");
	TEXT_COPY(f.instance.host_address, "203.0.113.1");
	f.instance.running = true;
	f.port = 8000;
	TEXT_COPY(f.path, "/");
	f.admitted = true;
	TEXT_COPY(f.rule, "peer: 0.0.0.0/0, TCP, from port: 8000, to port: 8000, ALLOW (sgr-1)");
	TEXT_COPY(f.groups, "launch-wizard-1 (sg-1)");
	f.tried = true;
	f.way = (struct path_facts){ .bridge_up = true, .gateway_up = true, .ready = true, .from_host = PATH_CONNECTED,
				     .from_router = PATH_CONNECTED };
	TEXT_COPY(f.way.route_source, "203.0.113.1");
	TEXT_COPY(f.way.router_address, "172.31.0.1");
	f.http_tried = f.http_answered = true;
	f.http_status = 200;
}

static void inside(enum path_outcome host, const char *facts)
{
	whole();
	f.way.from_host = host;
	f.way.from_router = host;
	f.http_tried = f.http_answered = false;
	f.http_status = 0;
	f.inside_tried = f.inside = true;
	guest_connection_parse(&f.guest, facts, strlen(facts));
}

static void hop(const char *want, const char *word, const char *command, const char *what)
{
	connection_explain(&f, &c);
	is_str(c.broken ? c.broken : "(none)", want ? want : "(none)", what);
	ok(!word || strstr(c.sentence, word), "%s: says %s: %s", what, word ? word : "nothing", c.sentence);
	ok(!command || strstr(c.command, command), "%s: mends it by %s: %s", what, command ? command : "nothing", c.command);
	ok(!c.broken || (c.sentence[0] && c.sentence[strlen(c.sentence) - 1] == '.' && c.command[0]), "%s: a whole sentence and a command", what);
	ok(!c.broken || (strcmp(c.hops[c.count - 1].name, c.broken) == 0 && c.hops[c.count - 1].status == HOP_BROKEN),
	   "%s: the way ends there", what);
	for (size_t i = 0; i + 1 < c.count; i++)
		ok(c.hops[i].status != HOP_BROKEN, "%s: %s before it is whole", what, c.hops[i].name);
}

#define ADDRESS "address=172.31.4.7/20 \nroute=203.0.113.1 via 172.31.0.1 dev ens3 src 172.31.4.7 uid 1000 \n"
#define UNIT(active, sub, restarts) \
	"LoadState=loaded\nActiveState=" active "\nSubState=" sub "\nResult=exit-code\nNRestarts=" restarts "\n"

static void test_outside(void)
{
	whole();
	hop(NULL, NULL, NULL, "nothing broken");
	is_int((long long)c.count, 6, "six hops are told");
	whole();
	TEXT_COPY(f.asked, "203.0.113.9");
	TEXT_COPY(f.others, "web has 203.0.113.24");
	hop("address", "web has 203.0.113.24", "vpclab ls", "an address of nobody");
	f.others[0] = '\0';
	hop("address", "203.0.113.9", NULL, "an address where there is no instance");
	whole();
	TEXT_COPY(f.asked, "172.31.4.7");
	f.found = true;
	hop("address", "private address", "vpclab why web 8000", "the private address");
	f.asked_is_public = true;
	hop(NULL, NULL, NULL, "the public one");
	whole();
	f.instance.running = false;
	TEXT_COPY(f.instance.state, "stopped");
	hop("instance", "is stopped", "vpclab start web", "a stopped instance");
	TEXT_COPY(f.instance.state, "pending");
	hop("instance", "wait", "vpclab show web", "a pending one");
	TEXT_COPY(f.instance.state, "terminated");
	hop("instance", "doesn't come back", "vpclab up web", "a terminated one");
	whole();
	f.instance.public_ip[0] = '\0';
	hop("address", "no public IPv4 address", "vpclab launch web", "no public address");
	whole();
	f.instance.name[0] = '\0';
	f.admitted = false;
	hop("rule", "launch-wizard-1", "vpclab allow i-0123456789abcdef0 8000", "no rule, and no name");
	ok(strstr(c.sentence, "there is only: peer"), "rules for others are told: %s", c.sentence);
	f.rule[0] = '\0';
	hop("rule", "looked at: launch-wizard-1 (sg-1).", NULL, "no rule for the port at all");
	whole();
	f.way.bridge_up = false;
	hop("gateway", "public bridge", "vpclab daemon", "the bridge's address is gone");
	whole();
	TEXT_COPY(f.way.route_source, "10.0.0.5");
	hop("gateway", "10.0.0.5", NULL, "another route covers the pool");
	f.way.route_source[0] = '\0';
	hop("gateway", "there is none", NULL, "no route");
	whole();
	f.way.gateway_up = false;
	hop("gateway", "internet gateway", "vpclab daemon", "the gateway lacks the address");
	/* two things broken: the one that comes first on the way */
	f.admitted = false;
	hop("gateway", NULL, NULL, "the gateway and the rule");
	whole();
	f.tried = false;
	f.admitted = false;
	hop("rule", NULL, NULL, "a rule, where nothing could be tried");
	f.admitted = true;
	hop(NULL, NULL, NULL, "nothing known to be broken yet");
}

static void test_unreachable(void)
{
	whole();
	f.way.from_host = f.way.from_router = PATH_TIMED_OUT;
	f.way.ready = false;
	TEXT_COPY(f.way.phase, "kernel: Linux 6.1");
	hop("guest", "still booting (kernel", "vpclab log web --follow", "a guest that boots");
	f.way.failed = true;
	hop("guest", "boot of web failed", "vpclab log web", "a boot that failed");
	f.way.failed = false;
	f.way.ready = true;
	hop("guest", "lost its address", "vpclab reboot web", "a guest that was ready and is silent");
	f.way.from_host = PATH_REFUSED;
	hop("guest", "refuses", NULL, "one that refuses and can't be looked into");
}

static void test_inside(void)
{
	inside(PATH_TIMED_OUT, "address=\nroute=RTNETLINK answers: Network is unreachable\n");
	hop("guest-network", "none", "vpclab reboot web", "no address in the guest");
	inside(PATH_TIMED_OUT, "address=172.31.4.77/20 \nroute=203.0.113.1 via 172.31.0.1 dev ens3\n");
	hop("guest-network", "172.31.4.77", NULL, "another address, which begins like the right one");
	inside(PATH_TIMED_OUT, "address=172.31.4.7/20 \nroute=203.0.113.1 via 172.31.4.251 dev ens3 src 172.31.4.7\n");
	hop("guest-network", "astray", "vpclab reboot web", "a wrong default route");
	inside(PATH_TIMED_OUT, "address=172.31.4.7/20 \nroute=203.0.113.1 via 172.31.0.100 dev ens3 src 172.31.4.7\n");
	hop("guest-network", "astray", NULL, "one that begins like the right one");
	inside(PATH_TIMED_OUT, ADDRESS "listen=0.0.0.0:8000 \nfirewall=type filter hook input priority filter; policy drop;\n"
				       "firewall=tcp dport 8000 drop\n");
	hop("guest-firewall", "drops port 8000: \"tcp dport 8000 drop\"", "nft flush ruleset", "a drop rule for the port");
	f.port = 9000;
	hop("guest-firewall", "policy drop", NULL, "a policy, where no rule names the port");
	inside(PATH_TIMED_OUT, ADDRESS "listen=0.0.0.0:8000 \n");
	hop("guest-firewall", "no rule of its firewall could be read", NULL, "packets that vanish in the guest");
	f.way.from_router = PATH_CONNECTED;
	hop("host-firewall", "this machine's own firewall", "nft list ruleset", "answers that vanish on this machine");
	inside(PATH_REFUSED, ADDRESS "listen=0.0.0.0:8000 \nfirewall=tcp dport 8000 reject with tcp reset\n");
	hop("guest-firewall", "rejects port 8000", NULL, "a reject rule");
	inside(PATH_REFUSED, ADDRESS "listen=127.0.0.1:8000 \n");
	hop("listener", "127.0.0.1:8000", "runserver 0:8000", "127.0.0.1 alone");
	inside(PATH_REFUSED, ADDRESS "listen=[::1]:8000 \n");
	hop("listener", "[::1]:8000", NULL, "::1 alone");
	inside(PATH_REFUSED, ADDRESS "listen=172.31.4.7:8000 \n");
	hop(NULL, NULL, NULL, "its own address, since the attempt");
	inside(PATH_REFUSED, ADDRESS "listen=\nothers=22 8000 \nLoadState=loaded\nActiveState=active\n");
	f.port = 9000;
	hop("listener", "listens on: 22 8000", "ss -ltnp", "the wrong port");
	inside(PATH_REFUSED, ADDRESS "listen=\nothers=22 \nLoadState=not-found\nActiveState=inactive\n");
	hop("listener", "Nobody listens on port 8000", NULL, "no service of the lab in the guest");
	inside(PATH_REFUSED, ADDRESS "listen=\n" UNIT("inactive", "dead", "0"));
	hop("service", "is stopped", "systemctl start django", "the service is stopped");
	inside(PATH_REFUSED, ADDRESS "listen=\n" UNIT("activating", "auto-restart", "3") "log=SyntaxError: '(' was never closed\nlog=two\n");
	hop("service", "crashes", "journalctl -u django", "the service crashes");
	is_str(c.log, "SyntaxError: '(' was never closed\ntwo", "with its last lines");
	inside(PATH_REFUSED, ADDRESS "listen=\n" UNIT("active", "running", "2"));
	hop("service", "crashes", NULL, "a crash that is just being tried again");
	inside(PATH_REFUSED, ADDRESS "listen=\n" UNIT("failed", "failed", "0"));
	hop("service", "crashes", NULL, "one that was given up");
	inside(PATH_REFUSED, ADDRESS "listen=\n" UNIT("active", "running", "0"));
	hop("service", "(yet)", NULL, "it runs and doesn't listen");
	f.way.ready = false;
	hop("guest", "still booting", NULL, "the same while the guest boots");
}

static void test_application(void)
{
	whole();
	f.http_status = 400;
	f.http_disallowed_host = true;
	hop("application", "ALLOWED_HOSTS lacks 203.0.113.24", "ALLOWED_HOSTS = ['*']", "a Host that Django doesn't know");
	f.http_disallowed_host = false;
	hop("application", "answers 400", NULL, "another 400");
	f.http_status = 404;
	hop("application", "answers 404", NULL, "a page that there is not");
	f.http_status = 500;
	hop("application", "its own code failed", NULL, "an exception");
	f.http_status = 302;
	hop(NULL, NULL, NULL, "a redirection");
	f.http_status = 403;
	hop(NULL, NULL, NULL, "a page that wants a login");
	f.http_answered = false;
	TEXT_COPY(f.http_detail, "Operation timed out");
	hop("application", "gives no answer (Operation timed out)", NULL, "a server that hangs");
	f.http_tried = false;
	hop(NULL, NULL, NULL, "a port without HTTP");
}

static void test_parse(void)
{
	static struct guest_connection g;
	static char wide[20000];
	const char text[] = "listen=a\nlisten=b\nnosuch=x\nlog=\x1b[31mred\r\nlog=two\nfirewall=\nothers";

	guest_connection_parse(&g, text, sizeof text - 1);
	is_str(g.listen, "b", "the last of a key that comes once");
	is_str(g.log, " [31mred \ntwo", "lines, without what commands a terminal");
	is_str(g.others, "", "a line without value");
	memset(wide, 'x', sizeof wide);
	memcpy(wide, "route=", 6);
	guest_connection_parse(&g, wide, sizeof wide);
	ok(strlen(g.route) <= 400, "a long value is cut");
	for (size_t i = 0; i + 10 < sizeof wide; i += 10)
		memcpy(wide + i, "log=12345\n", 10);
	guest_connection_parse(&g, wide, sizeof wide);
	ok(strlen(g.log) < sizeof g.log, "no more lines than there is room for");
	guest_connection_parse(&g, "", 0);
	is_str(g.log, "", "nothing");
	for (size_t n = 0; n < 2000; n++) { /* arbitrary bytes do no harm */
		for (size_t i = 0; i < 200; i++)
			wide[i] = (char)(n * 31 + i * i * 7);
		guest_connection_parse(&g, wide, 200);
	}
	ok(true, "arbitrary bytes");
}

int main(void)
{
	test_outside();
	test_unreachable();
	test_inside();
	test_application();
	test_parse();
	return tap_done();
}
