#include "network/dnsmasq.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "network/daemonfile.h"
#include "network/netns.h"
#include "network/network.h"

#define FOREGROUND "--keep-in-foreground"
#define CONF_MAX (256u << 10)
#define HOSTS_MAX (4u << 20)
#define ANSWER_MS 15000
#define ASK_AGAIN_MS 20
#define GENERATION_NAME "generation.vpclab"
#define PACKET_MAX 512
#define A_RECORD_LEN 16 /* compressed name, type, class, time to live, length, address */

/* Each version of the hosts files carries a number as an address of one name. dnsmasq reads all its files in one go
 * on SIGHUP, so once it answers with the new number it has read the DHCP hosts too. The number is an address in 0.0.0.0/8,
 * which no range of a VPC can hold. */
static uint32_t next_generation(const char *old_hosts)
{
	const char *line = old_hosts ? strstr(old_hosts, " " GENERATION_NAME "\n") : NULL;
	char text[IPV4_TEXT_MAX] = "";
	uint32_t number = 0;
	size_t len = 0;

	while (line && line > old_hosts && line[-1] != '\n' && len < sizeof text - 1) {
		line--;
		len++;
	}
	if (line)
		snprintf(text, sizeof text, "%.*s", (int)len, line);
	if (!ipv4_parse(text, &number))
		number = 0;
	return (number + 1) & 0x00ffffff;
}

/* One question, one answer of a known shape: what was asked, then one A record. */
static int ask(int fd, uint32_t *ret)
{
	unsigned char packet[PACKET_MAX];
	int len = res_mkquery(QUERY, GENERATION_NAME, ns_c_in, ns_t_a, NULL, 0, NULL, packet, sizeof packet);
	struct pollfd p = { fd, POLLIN, 0 };
	uint32_t be;

	/* refused while nobody listens yet: that is an answer to wait on, not an error */
	if (len < 0 || send(fd, packet, (size_t)len, 0) < 0 || poll(&p, 1, ASK_AGAIN_MS) <= 0)
		return -1;
	if (recv(fd, packet, sizeof packet, MSG_DONTWAIT) != len + A_RECORD_LEN)
		return -1;
	memcpy(&be, packet + len + A_RECORD_LEN - sizeof be, sizeof be);
	*ret = ntohl(be);
	return 0;
}

static int resolver_socket(const struct dnsmasq_place *p, const struct net_vpc *vpc, struct error *err)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	int back, fd, e;

	to.sin_addr.s_addr = htonl(vpc_resolver(vpc));
	if (netns_enter(p->netns, &back, err) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	e = fd < 0 ? errno : 0;
	netns_leave(back);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
		e = errno;
		close(fd);
		fd = -1;
	}
	return fd < 0 ? error_set_errno(err, e, "The VPC's resolver can't be asked") : fd;
}

static int wait_for(const struct dnsmasq_place *p, const struct net_vpc *vpc, const struct process_id *id, uint32_t number,
		    struct error *err)
{
	AUTO_FREE char *log = file_path(err, "%s/log", p->dir);
	AUTO_CLOSE int fd = resolver_socket(p, vpc, err);
	AUTO_CLOSE int died = daemonfile_watch(id);
	int64_t deadline = deadline_in(time_scaled(ANSWER_MS));
	struct pollfd life = { died, POLLIN, 0 };
	char words[256];

	if (!log || fd < 0)
		return -1;
	while (died >= 0 && !deadline_passed(deadline)) {
		uint32_t seen;
		int answered = ask(fd, &seen);

		if (answered == 0 && seen == number)
			return 0;
		if (poll(&life, 1, answered == 0 ? 1 : ASK_AGAIN_MS) > 0)
			break;
	}
	daemonfile_last_words(log, words, sizeof words);
	if (died >= 0 && !life.revents)
		return error_set(err, ERROR_TIMEOUT,
				 "dnsmasq of %s did not take up its hosts files (can the user %s read %s?): %s", vpc->id,
				 p->user, p->dir, words);
	return error_set(err, ERROR_ENVIRONMENT, "dnsmasq of %s ended: %s", vpc->id, words);
}

static int start(const struct dnsmasq_place *p, const struct net_vpc *vpc, struct process_id *ret, struct error *err)
{
	AUTO_FREE char *conf = file_path(err, "--conf-file=%s/dnsmasq.conf", p->dir);
	AUTO_FREE char *log = file_path(err, "%s/log", p->dir);
	AUTO_FREE char *pidfile = file_path(err, "%s/process", p->dir);
	const char *const argv[] = { "dnsmasq", FOREGROUND, conf, NULL };
	struct process_options opt = { .netns = p->netns, .output_path = log, .cwd = "/" };

	if (!conf || !log || !pidfile || file_unlink(log, err) < 0 || daemonfile_end_strays(FOREGROUND, conf, err) < 0)
		return -1;
	if (process_spawn(argv, &opt, ret, err) < 0)
		return error_prefix(err, "The DHCP and DNS of %s", vpc->id);
	return daemonfile_write(pidfile, ret, err);
}

/* Does old hold a line that new hasn't? dnsmasq would go on holding that lease against a later owner of the address. */
static bool lost_a_line(const char *old, const char *new)
{
	while (*old) {
		size_t len = strcspn(old, "\n");
		const char *at = new;
		bool found = false;

		while (*at && !found) {
			size_t other = strcspn(at, "\n");

			found = other == len && memcmp(old, at, len) == 0;
			at += other + (at[other] == '\n');
		}
		if (!found)
			return true;
		old += len + (old[len] == '\n');
	}
	return false;
}

/* Is the first file the second but for its last line, the generation? */
static bool same_names(const char *with_generation, const char *names)
{
	size_t len = strlen(names);

	return strncmp(with_generation, names, len) == 0 &&
	       strstr(with_generation + len, GENERATION_NAME "\n") != NULL &&
	       strchr(with_generation + len, '\n')[1] == '\0';
}

int dnsmasq_apply(const struct dnsmasq_place *p, const struct net_vpc *vpc, const char *upstream, struct error *err)
{
	AUTO_BUFFER struct buffer conf = BUFFER_INIT(CONF_MAX);
	AUTO_BUFFER struct buffer dhcp = BUFFER_INIT(HOSTS_MAX);
	AUTO_BUFFER struct buffer dns = BUFFER_INIT(HOSTS_MAX);
	AUTO_FREE char *conf_path = file_path(err, "%s/dnsmasq.conf", p->dir);
	AUTO_FREE char *dhcp_path = file_path(err, "%s/dhcp-hosts", p->dir);
	AUTO_FREE char *dns_path = file_path(err, "%s/dns-hosts", p->dir);
	AUTO_FREE char *pidfile = file_path(err, "%s/process", p->dir);
	AUTO_FREE char *old_conf = NULL, *old_dhcp = NULL, *old_dns = NULL;
	char number_text[IPV4_TEXT_MAX];
	struct process_id id;
	bool alive, restart;
	uint32_t number;

	if (!conf_path || !dhcp_path || !dns_path || !pidfile || file_mkdirs(p->dir, 0755, err) < 0)
		return -1;
	dnsmasq_conf_build(&conf, vpc, p->dir, p->user, upstream);
	dnsmasq_hosts_build(&dhcp, &dns, vpc);
	old_conf = file_read(conf_path, CONF_MAX, NULL, NULL);
	old_dhcp = file_read(dhcp_path, HOSTS_MAX, NULL, NULL);
	old_dns = file_read(dns_path, HOSTS_MAX, NULL, NULL);
	alive = daemonfile_alive(pidfile, &id) && netns_holds(p->netns, id.pid);
	if (buffer_failed(&conf) || buffer_failed(&dhcp) || buffer_failed(&dns))
		return error_set(err, ERROR_ENVIRONMENT, "The DHCP and DNS files of %s are too large.", vpc->id);
	if (alive && old_conf && old_dhcp && old_dns && strcmp(old_conf, buffer_text(&conf)) == 0 &&
	    strcmp(old_dhcp, buffer_text(&dhcp)) == 0 && same_names(old_dns, buffer_text(&dns)))
		return 0;
	restart = !alive || !old_conf || !old_dhcp || strcmp(old_conf, buffer_text(&conf)) != 0 ||
		  lost_a_line(old_dhcp, buffer_text(&dhcp));

	number = next_generation(old_dns);
	ipv4_format(number_text, number);
	buffer_addf(&dns, "%s " GENERATION_NAME "\n", number_text);
	if (file_write_atomic(conf_path, buffer_text(&conf), conf.len, 0644, err) < 0 ||
	    file_write_atomic(dhcp_path, buffer_text(&dhcp), dhcp.len, 0644, err) < 0 ||
	    file_write_atomic(dns_path, buffer_text(&dns), dns.len, 0644, err) < 0)
		return -1;
	if (restart) {
		if (daemonfile_end(pidfile, err) < 0 || start(p, vpc, &id, err) < 0)
			return -1;
	} else if (process_signal(&id, SIGHUP, err) < 0) {
		return -1;
	}
	return wait_for(p, vpc, &id, number, err);
}

bool dnsmasq_alive(const struct dnsmasq_place *p)
{
	AUTO_FREE char *pidfile = file_path(NULL, "%s/process", p->dir);
	struct process_id id;

	return pidfile && daemonfile_alive(pidfile, &id) && netns_holds(p->netns, id.pid);
}

int dnsmasq_watch(const char *dir)
{
	AUTO_FREE char *pidfile = file_path(NULL, "%s/process", dir);
	struct process_id id;

	return pidfile && daemonfile_alive(pidfile, &id) ? daemonfile_watch(&id) : -1;
}

int dnsmasq_remove(const char *dir, struct error *err)
{
	AUTO_FREE char *conf = file_path(err, "--conf-file=%s/dnsmasq.conf", dir);
	AUTO_FREE char *pidfile = file_path(err, "%s/process", dir);

	if (!pidfile || !conf || daemonfile_end(pidfile, err) < 0 || daemonfile_end_strays(FOREGROUND, conf, err) < 0)
		return -1;
	return file_remove_tree(dir, err);
}
