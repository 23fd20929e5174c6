#include "lesson/django.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/http.h"
#include "base/text.h"
#include "base/time.h"

#define PROBE_MS 5000
#define PROBE_REPLY_MAX (4u << 20)
#define SCRIPT_MAX 8192
#define DJANGO_WORDS "The install worked successfully" /* of Django's start page */

void guest_facts_parse(struct guest_facts *ret, const char *text, size_t len)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
#define KEY(k) { #k, offsetof(struct guest_facts, k) }
		KEY(vcpus), KEY(memory_kib), KEY(os), KEY(user), KEY(cloud_init), KEY(cloud_init_detail), KEY(python), KEY(django),
		KEY(listen), KEY(service), KEY(outbound), KEY(root_kib),
#undef KEY
	};
	size_t pos = 0;

	memset(ret, 0, sizeof *ret);
	while (pos < len) {
		const char *nl = memchr(text + pos, '\n', len - pos);
		size_t n = nl ? (size_t)(nl - text) - pos : len - pos;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			size_t kl = strlen(keys[k].key), vl;
			char *value = (char *)ret + keys[k].offset;

			if (n <= kl || memcmp(text + pos, keys[k].key, kl) != 0 || text[pos + kl] != '=')
				continue;
			vl = n - kl - 1;
			if (vl >= FACT_MAX)
				vl = FACT_MAX - 1;
			memcpy(value, text + pos + kl + 1, vl);
			value[vl] = '\0';
			text_make_line(value);
		}
		pos += n + 1;
	}
}

/* Read-only, POSIX sh, no more than the guest's own tools. %s: the host's address and the port of the outbound check. */
static const char script_format[] =
	"PATH=$PATH:/usr/sbin:/sbin\n"
	"echo vcpus=$(nproc)\n"
	"echo memory_kib=$(awk '/^MemTotal/{print $2}' /proc/meminfo)\n"
	"echo root_kib=$(df -kP / | awk 'NR==2{print $2}')\n"
	"echo \"os=$(. /etc/os-release; echo \"$PRETTY_NAME\")\"\n"
	"echo user=$(id -un)\n"
	"echo \"cloud_init=$(cloud-init status 2>/dev/null | sed -n 's/^status: //p')\"\n"
	"echo \"cloud_init_detail=$(cloud-init status --long 2>/dev/null | sed -n '/^detail/,$p' | tr '\\n' ' ' | cut -c1-200)$(sudo -n grep -h -m2 -i -E 'invalid|failed|error' /var/log/cloud-init.log 2>/dev/null | sed 's/^.*\\]: //' | tr '\\n' ' ' | cut -c1-200)\"\n"
	"v=$HOME/nanodegree/venv/bin/python\n"
	"if [ -x \"$v\" ]; then echo \"python=$(\"$v\" -c 'import sys; print(sys.version.split()[0])')\"; "
	"echo \"django=$(\"$v\" -c 'import django; print(django.get_version())' 2>&1 | tail -n 1)\"; fi\n"
	"echo \"listen=$(ss -Hltn 'sport = :%u' 2>/dev/null | awk '{print $4}' | tr '\\n' ' ')\"\n"
	"echo \"service=$(systemctl is-active django.service 2>/dev/null)\"\n"
	"echo \"outbound=$(timeout 20 curl -s -m 15 -o - http://%s:%u/ 2>&1 | head -c 100 | tr '\\n' ' ')\"\n";

/* The outbound check's other end: a listener on the host's side of the internet gateway that tells the caller its own address. */
struct echo {
	int fd;
	unsigned port;
	volatile int stop;
	pthread_t thread;
	bool running;
};

static void echo_answer(int fd, const struct sockaddr_in *peer)
{
	char address[INET_ADDRSTRLEN], reply[256], request[2048];
	struct timeval patience = { .tv_sec = 5 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (recv(fd, request, sizeof request, 0) <= 0 || !inet_ntop(AF_INET, &peer->sin_addr, address, sizeof address))
		return;
	snprintf(reply, sizeof reply, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", strlen(address), address);
	if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
		return;
}

static void *echo_main(void *arg)
{
	struct echo *e = arg;

	while (!e->stop) {
		struct pollfd p = { e->fd, POLLIN, 0 };
		struct sockaddr_in peer;
		socklen_t len = sizeof peer;
		int fd;

		if (poll(&p, 1, 200) < 1)
			continue;
		fd = accept4(e->fd, (struct sockaddr *)(void *)&peer, &len, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		echo_answer(fd, &peer);
		close(fd);
	}
	return NULL;
}

/* On the first free one of the ports that the guests' router lets by. */
static bool echo_start(struct echo *e, const struct instance_facts *f)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int port = f->host_first_port, on = 1;

	memset(e, 0, sizeof *e);
	inet_pton(AF_INET, f->host_address, &a.sin_addr);
	e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (e->fd < 0 || setsockopt(e->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return false;
	for (;; port++) {
		if (port > f->host_last_port)
			return false;
		a.sin_port = htons((uint16_t)port);
		if (bind(e->fd, (struct sockaddr *)(void *)&a, sizeof a) == 0 && listen(e->fd, 4) == 0)
			break;
	}
	e->port = (unsigned)port;
	e->running = pthread_create(&e->thread, NULL, echo_main, e) == 0;
	return e->running;
}

static void echo_stop(struct echo *e)
{
	e->stop = 1;
	if (e->running)
		pthread_join(e->thread, NULL);
	if (e->fd >= 0)
		close(e->fd);
}

static void check_type(struct checks *c, const struct instance_facts *f, const struct guest_facts *g)
{
	unsigned vcpus = (unsigned)strtoul(g->vcpus, NULL, 10), mib = (unsigned)(strtoul(g->memory_kib, NULL, 10) / 1024);
	/* the kernel keeps a part for itself: firmware, its own text and page tables */
	bool good = vcpus == f->vcpus && mib <= f->memory_mib && mib >= f->memory_mib * 3 / 4;

	check_add(c, "type", "Instance type as the guest sees it", good ? CHECK_PASS : CHECK_FAIL,
		  "terminate the instance and launch it again with the type that you want", "%s: %u vCPU, %u MiB of %u MiB", f->type, vcpus,
		  mib, f->memory_mib);
}

static void check_os(struct checks *c, const struct instance_facts *f, const struct guest_facts *g)
{
	/* "Ubuntu 22.04 LTS" against "Ubuntu 22.04.5 LTS": the vendor's name and version must be there */
	char words[REGION_TEXT_MAX], *save = NULL;
	bool good = *g->os != '\0';
	int n = 0;

	snprintf(words, sizeof words, "%s", f->image_os);
	for (char *w = strtok_r(words, " ", &save); w && n < 2; w = strtok_r(NULL, " ", &save), n++)
		good = good && (strstr(g->os, w) || strcmp(w, "GNU/Linux") == 0);
	check_add(c, "os", "Operating system", good ? CHECK_PASS : CHECK_FAIL, "launch again from the image that you want", "%s, logged in as %s",
		  g->os, g->user);
}

static void check_cloud_init(struct checks *c, struct region *r, const struct instance_facts *f, const struct guest_facts *g)
{
	char advice[CHECK_SEEN_MAX];
	bool done = strcmp(g->cloud_init, "done") == 0;
	AUTO_FREE char *data = NULL;
	size_t len = 0;
	char why[CHECK_SEEN_MAX] = "";

	data = region_user_data(r, f->id, &len);
	if (data && region_user_data_broken(data, len, why, sizeof why)) {
		snprintf(advice, sizeof advice, "mend the user data's YAML and launch again; cloud-init says: %.180s",
			 *g->cloud_init_detail ? g->cloud_init_detail : g->cloud_init);
		check_add(c, "cloud-init", "cloud-init and the user data", CHECK_FAIL, advice, "status %s; the user data is not valid YAML: %.200s",
			  g->cloud_init, why);
		return;
	}
	snprintf(advice, sizeof advice, "look at `vpclab log %.64s`; cloud-init says: %.180s", *f->name ? f->name : f->id,
		 g->cloud_init_detail);
	check_add(c, "cloud-init", "cloud-init and the user data", done ? CHECK_PASS : CHECK_FAIL, advice, "status: %s",
		  *g->cloud_init ? g->cloud_init : "unknown");
}

static void check_django(struct checks *c, const struct guest_facts *g)
{
	bool venv = *g->python != '\0', django = *g->django >= '0' && *g->django <= '9';

	check_add(c, "venv", "Virtual environment ~/nanodegree/venv", venv ? CHECK_PASS : CHECK_FAIL,
		  "in the guest: mkdir -p nanodegree && cd nanodegree && python3 -m venv venv", venv ? "Python %s" : "%s there is none",
		  venv ? g->python : "");
	check_add(c, "django", "Django in the virtual environment", django ? CHECK_PASS : CHECK_FAIL,
		  "in the guest: source ~/nanodegree/venv/bin/activate && pip install Django", "%s",
		  django ? g->django : *g->django ? g->django : "not installed");
}

static void check_listen(struct checks *c, const struct guest_facts *g)
{
	bool any = strstr(g->listen, "0.0.0.0:8000") || strstr(g->listen, "*:8000") || strstr(g->listen, "[::]:8000");

	if (any)
		check_add(c, "listen", "The server listens on every address, port 8000", CHECK_PASS, NULL, "%s(django.service: %s)", g->listen,
			  *g->service ? g->service : "not there");
	else if (*g->listen)
		check_add(c, "listen", "The server listens on every address, port 8000", CHECK_FAIL,
			  "start it with `python manage.py runserver 0:8000`: without the 0: it listens on 127.0.0.1 alone", "only on %s",
			  g->listen);
	else
		check_add(c, "listen", "The server listens on every address, port 8000", CHECK_FAIL,
			  "in the guest: sudo systemctl restart django, or cd ~/nanodegree/sample && python manage.py runserver 0:8000",
			  "nothing listens on port 8000 (django.service: %s)", *g->service ? g->service : "not there");
}

static void check_rule(struct checks *c, struct region *r, const struct instance_facts *f)
{
	char words[REGION_TEXT_MAX], advice[CHECK_SEEN_MAX];
	bool open = region_port_open(r, f->id, LAB_PORT, words);

	snprintf(advice, sizeof advice, "vpclab allow %.128s %d", *f->name ? f->name : f->id, LAB_PORT);
	check_add(c, "inbound", "Inbound rule for port 8000", open ? CHECK_PASS : CHECK_FAIL, advice, "%s", words);
}

static void check_http(struct checks *c, const struct instance_facts *f)
{
	char url[64], advice[CHECK_SEEN_MAX];
	AUTO_HTTP_REPLY struct http_reply reply = { 0 };
	/* a dropped packet shows at the handshake, which no slow guest drags out: only its answer is */
	struct http_request req = { .url = url, .connect_timeout_ms = PROBE_MS, .timeout_ms = time_scaled(PROBE_MS),
				    .reply_max = PROBE_REPLY_MAX };
	const char *title = "http://PublicIPv4:8000 from the host";

	if (!*f->public_ip) {
		check_add(c, "http", title, CHECK_FAIL, "launch with a public address (the default subnets give one)", "no public IPv4 address");
		return;
	}
	snprintf(url, sizeof url, "http://%s:%d/", f->public_ip, LAB_PORT);
	if (http_call(&req, &reply, NULL) < 0) {
		if (reply.outcome == HTTP_TIMED_OUT)
			snprintf(advice, sizeof advice, "vpclab allow %.128s %d (dropped packets are a security group's)",
				 *f->name ? f->name : f->id, LAB_PORT);
		else
			snprintf(advice, sizeof advice, "start the server in the guest: python manage.py runserver 0:8000");
		check_add(c, "http", title, CHECK_FAIL, advice, "%s: %s", url, reply.detail);
		return;
	}
	if (reply.status == 400)
		snprintf(advice, sizeof advice, "Django refuses the Host: set ALLOWED_HOSTS = ['*'] in sample/settings.py and restart it");
	else
		snprintf(advice, sizeof advice, "look at the server's own log: vpclab exec %.64s -- journalctl -u django -n 20",
			 *f->name ? f->name : f->id);
	check_add(c, "http", title, reply.status == 200 ? CHECK_PASS : CHECK_FAIL, advice, "%s answers %d, %zu bytes%s", url, reply.status,
		  reply.body_len, strstr(reply.body, DJANGO_WORDS) ? ", Django's start page" : "");
}

static void check_outbound(struct checks *c, struct region *r, const struct instance_facts *f, const struct guest_facts *g, bool listening)
{
	char words[REGION_TEXT_MAX];
	const char *title = "Outbound through the internet gateway";
	bool rule = region_outbound_open(r, f->id, words);

	if (!listening) {
		check_add(c, "outbound", title, CHECK_SKIP, NULL, "the host's address %s could not be listened on at a port of %d-%d (host_ports)",
			  f->host_address, f->host_first_port, f->host_last_port);
		return;
	}
	if (*f->public_ip && strcmp(g->outbound, f->public_ip) == 0)
		check_add(c, "outbound", title, CHECK_PASS, NULL, "the guest reached %s and was seen as %s", f->host_address, g->outbound);
	else
		check_add(c, "outbound", title, CHECK_FAIL, rule ? "look at the guest's address and route: ip addr; ip route" :
								  "give the security group its outbound rule back: vpclab allow NAME all --out",
			  "the guest could not reach %s (%s)%s%s", f->host_address, *g->outbound ? g->outbound : "no answer", rule ? "" : "; ",
			  rule ? "" : words);
}

int django_check(struct region *r, const char *instance_id, int64_t deadline, struct checks *ret, struct error *err)
{
	struct instance_facts f;
	struct guest_facts g;
	struct echo echo;
	struct error why = { 0 };
	AUTO_PROCESS_RESULT struct process_result out = { 0 };
	AUTO_BUFFER struct buffer script = BUFFER_INIT(SCRIPT_MAX);
	bool listening;
	int rc;

	checks_init(ret);
	if (region_instance_facts(r, instance_id, &f, err) < 0)
		return -1;
	check_add(ret, "state", "Instance state", f.running ? CHECK_PASS : CHECK_FAIL, "vpclab start NAME, or vpclab up", "%s is %s", f.id,
		  f.state);
	if (!f.running)
		return 0;
	listening = echo_start(&echo, &f);
	buffer_addf(&script, script_format, LAB_PORT, f.host_address, echo.port);
	rc = region_guest_run(r, instance_id, buffer_text(&script), deadline, &out, &why);
	echo_stop(&echo);
	check_add(ret, "ssh", "The guest answers to the region", rc == 0 ? CHECK_PASS : CHECK_FAIL,
		  "wait until its boot is done (vpclab log NAME --follow), then verify again", rc == 0 ? "SSH at %s" : "%.16s: %s", f.private_ip,
		  why.message);
	if (rc == 0) {
		guest_facts_parse(&g, out.out, out.out_len);
		check_type(ret, &f, &g);
		check_os(ret, &f, &g);
		check_cloud_init(ret, r, &f, &g);
		check_django(ret, &g);
		check_listen(ret, &g);
	}
	check_rule(ret, r, &f);
	check_http(ret, &f);
	if (rc == 0)
		check_outbound(ret, r, &f, &g, listening);
	return 0;
}
