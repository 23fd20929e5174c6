/* What a guest would do on its network, for shell tests; each command prints what it saw.
 *   shuttle NETNS TAP NETNS IF       carries frames between a guest's tap and the VPC's; prints "ready"
 *   serve PORT...                    TCP and UDP: tells each peer its address, then echoes; prints "ready"
 *   tcp|udp ADDR PORT [MS]           open PEER, refused, timeout or unreachable
 *   ping ADDR [MS]                   open, timeout or unreachable
 *   hold ADDR PORT                   a TCP connection; for each line of standard input: echo or stalled
 *   sink PORT BYTES                  takes one connection's bytes; prints "ready", then whole, short or wrong
 *   pour ADDR PORT BYTES             sends them
 *   dhcp IF [MAC]                    what a DHCP server offers and acknowledges, or timeout
 *   dns SERVER NAME|ADDR             the A or PTR record, or the reason
 *   frame IF HEX                     sends one frame
 *   udpframe IF SMAC DMAC SADDR DADDR SPORT DPORT [VLAN]  a made-up datagram
 *   arpframe IF SMAC OP ARP-SMAC ARP-SADDR ARP-TADDR      a made-up ARP
 *   sniff IF MS                      one line for each frame that comes in by IF; prints "ready" first
 *   leaving IF MS                    the same for frames that go out by it */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <resolv.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "network/link.h"

#define FRAME_MAX 65536
#define CLIENTS_MAX 128
#define DEFAULT_MS 1000

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct sockaddr_in at(const char *addr, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		die(addr);
	return a;
}

static int wait_in(int fd, short events, int64_t deadline)
{
	struct pollfd p = { fd, events, 0 };

	return poll(&p, 1, deadline_poll_ms(deadline)) > 0 ? p.revents : 0;
}

static const char *reason(int e)
{
	return e == ECONNREFUSED ? "refused" : e == ETIMEDOUT ? "timeout" : e == ECONNRESET ? "reset" : "unreachable";
}

/* ---- shuttle ---- */

static int open_tap(const char *netns, const char *name)
{
	int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;
	struct ifreq r;

	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(netns);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	memset(&r, 0, sizeof r);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	r.ifr_flags = IFF_TAP | IFF_NO_PI;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0)
		die(name);
	return fd;
}

static int shuttle(char **a)
{
	static char frame[FRAME_MAX];
	int fd[2];

	fd[0] = open_tap(a[0], a[1]);
	fd[1] = open_tap(a[2], a[3]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd p[2] = { { fd[0], POLLIN, 0 }, { fd[1], POLLIN, 0 } };

		if (poll(p, 2, -1) < 0)
			die("poll");
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (p[i].revents & (POLLERR | POLLHUP | POLLNVAL)) /* the tap was taken away, as from a guest */
				return 0;
			if (!p[i].revents)
				continue;
			n = read(fd[i], frame, sizeof frame);
			if (n < 0 && errno == EBADFD)
				return 0;
			if (n > 0 && write(fd[!i], frame, (size_t)n) < 0 && errno != EIO && errno != EINVAL && errno != EBADFD)
				die("write");
		}
	}
}

/* ---- servers and clients ---- */

static void tell(int fd, const struct sockaddr_in *peer, bool udp)
{
	char text[INET_ADDRSTRLEN + 1];
	size_t len;

	inet_ntop(AF_INET, &peer->sin_addr, text, sizeof text);
	len = strlen(text);
	text[len++] = '\n';
	if (udp)
		(void)!sendto(fd, text, len, 0, (const struct sockaddr *)peer, sizeof *peer);
	else
		(void)!write(fd, text, len);
}

static int serve(int count, char **ports)
{
	struct pollfd p[2 * 32 + CLIENTS_MAX];
	int listeners = 0, n;

	for (int i = 0; i < count && i < 32; i++) {
		struct sockaddr_in a = at("0.0.0.0", atoi(ports[i]));

		for (int udp = 0; udp < 2; udp++) {
			int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);

			setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
			if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || (!udp && listen(fd, 64) < 0))
				die(ports[i]);
			p[listeners++] = (struct pollfd){ fd, POLLIN, 0 };
		}
	}
	n = listeners;
	puts("ready");
	fflush(stdout);
	while (poll(p, (nfds_t)n, -1) > 0) {
		for (int i = n - 1; i >= 0; i--) {
			struct sockaddr_in peer;
			socklen_t len = sizeof peer;
			char buf[4096];
			ssize_t got;

			if (!p[i].revents)
				continue;
			if (i < listeners && i % 2) {
				if (recvfrom(p[i].fd, buf, sizeof buf, 0, (struct sockaddr *)&peer, &len) >= 0)
					tell(p[i].fd, &peer, true);
			} else if (i < listeners) {
				int fd = accept(p[i].fd, (struct sockaddr *)&peer, &len);

				if (fd >= 0 && n - listeners < CLIENTS_MAX) {
					tell(fd, &peer, false);
					p[n++] = (struct pollfd){ fd, POLLIN, 0 };
				} else if (fd >= 0) {
					close(fd);
				}
			} else if ((got = read(p[i].fd, buf, sizeof buf)) <= 0 || write(p[i].fd, buf, (size_t)got) < 0) {
				close(p[i].fd);
				p[i] = p[--n];
			}
		}
	}
	return 0;
}

/* "open LINE", or why not. Returns the connected socket or -1. */
static int dial(const char *addr, int port, int64_t deadline, char *line, size_t size)
{
	struct sockaddr_in a = at(addr, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), e = 0;
	socklen_t len = sizeof e;
	ssize_t n;

	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 && errno != EINPROGRESS)
		e = errno;
	else if (!wait_in(fd, POLLOUT, deadline))
		e = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len);
	if (!e && !wait_in(fd, POLLIN, deadline))
		e = ETIMEDOUT;
	n = e ? -1 : read(fd, line, size - 1);
	if (n < 0) {
		puts(reason(e ? e : errno));
		close(fd);
		return -1;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return fd;
}

static int tcp(const char *addr, int port, int ms)
{
	char line[128];
	int fd = dial(addr, port, deadline_in(ms), line, sizeof line);

	if (fd < 0)
		return 1;
	printf("open %s\n", line);
	return 0;
}

static int udp(const char *addr, int port, int ms)
{
	struct sockaddr_in a = at(addr, port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char line[128];
	ssize_t n;

	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || send(fd, "?", 1, 0) < 0) {
		puts(reason(errno));
		return 1;
	}
	if (!wait_in(fd, POLLIN, deadline_in(ms))) {
		puts("timeout");
		return 1;
	}
	n = recv(fd, line, sizeof line - 1, 0);
	if (n < 0) {
		puts(reason(errno));
		return 1;
	}
	line[n] = '\0';
	printf("open %s", line);
	return 0;
}

static uint16_t checksum(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | (i + 1 < len ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static int ping(const char *addr, int ms)
{
	struct sockaddr_in a = at(addr, 0);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct icmphdr h = { .type = ICMP_ECHO };
	int64_t deadline = deadline_in(ms);

	h.un.echo.id = htons((uint16_t)getpid());
	h.checksum = checksum(&h, sizeof h);
	if (fd < 0 || sendto(fd, &h, sizeof h, 0, (struct sockaddr *)&a, sizeof a) < 0) {
		puts(reason(errno));
		return 1;
	}
	while (wait_in(fd, POLLIN, deadline)) {
		unsigned char packet[1500];
		ssize_t n = recv(fd, packet, sizeof packet, 0);
		struct icmphdr got;

		if (n < 28)
			continue;
		memcpy(&got, packet + (packet[0] & 15) * 4, sizeof got);
		if (got.type == ICMP_ECHOREPLY && got.un.echo.id == h.un.echo.id) {
			puts("open");
			return 0;
		}
		if (got.type == ICMP_DEST_UNREACH) {
			puts("unreachable");
			return 1;
		}
	}
	puts("timeout");
	return 1;
}

static int hold(const char *addr, int port)
{
	char line[128];
	int fd = dial(addr, port, deadline_in(2 * DEFAULT_MS), line, sizeof line);

	if (fd < 0)
		return 1;
	printf("open %s\n", line);
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		char back[128];

		while (recv(fd, back, sizeof back, MSG_DONTWAIT) > 0)
			; /* late echoes of a stalled round */
		if (write(fd, line, strlen(line)) < 0 || !wait_in(fd, POLLIN, deadline_in(DEFAULT_MS)))
			puts("stalled");
		else
			puts(read(fd, back, sizeof back) > 0 ? "echo" : "closed");
		fflush(stdout);
	}
	return 0;
}

/* The byte that stands at that place of a transfer. */
static unsigned char pattern(uint64_t place)
{
	return (unsigned char)((place * 2654435761u) >> 16);
}

static int sink(int port, uint64_t bytes)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct sockaddr_in a = at("0.0.0.0", port);
	unsigned char buf[65536];
	uint64_t done = 0;
	ssize_t n;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 1) < 0)
		die("listen");
	puts("ready");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		for (ssize_t i = 0; i < n; i++, done++)
			if (buf[i] != pattern(done)) {
				puts("wrong");
				return 1;
			}
	puts(done == bytes ? "whole" : "short");
	return done != bytes;
}

static int pour(const char *addr, int port, uint64_t bytes)
{
	struct sockaddr_in a = at(addr, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned char buf[65536];

	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die(addr);
	for (uint64_t done = 0; done < bytes;) {
		size_t len = bytes - done < sizeof buf ? (size_t)(bytes - done) : sizeof buf;
		ssize_t n;

		for (size_t i = 0; i < len; i++)
			buf[i] = pattern(done + i);
		n = write(fd, buf, len);
		if (n < 0)
			die("write");
		done += (uint64_t)n;
	}
	return 0;
}

/* ---- frames ---- */

static int packet_socket(const char *name)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	a.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || !a.sll_ifindex || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die(name);
	return fd;
}

static void put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static void put_mac(unsigned char *p, const char *text)
{
	if (!mac_parse(text, p))
		die(text);
}

static void put_ip(unsigned char *p, const char *text)
{
	struct sockaddr_in a = at(text, 0);

	memcpy(p, &a.sin_addr, 4);
}

/* An IPv4 UDP datagram at p; returns its length. Without UDP checksum. */
static size_t datagram(unsigned char *p, const char *from, const char *to, int sport, int dport, const void *data,
		       size_t len)
{
	uint16_t sum;

	memset(p, 0, 28);
	p[0] = 0x45;
	put16(p + 2, (unsigned)(28 + len));
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	put_ip(p + 12, from);
	put_ip(p + 16, to);
	sum = checksum(p, 20);
	memcpy(p + 10, &sum, 2);
	put16(p + 20, (unsigned)sport);
	put16(p + 22, (unsigned)dport);
	put16(p + 24, (unsigned)(8 + len));
	memcpy(p + 28, data, len);
	return 28 + len;
}

static int send_frame(const char *name, const void *frame, size_t len)
{
	int fd = packet_socket(name);

	if (send(fd, frame, len, 0) != (ssize_t)len)
		die("send");
	return 0;
}

static int frame(char **a)
{
	unsigned char out[2048];
	size_t len = 0;

	for (const char *p = a[1]; p[0] && p[1] && len < sizeof out; p += 2) {
		unsigned v;

		if (sscanf(p, "%2x", &v) != 1)
			die(p);
		out[len++] = (unsigned char)v;
	}
	return send_frame(a[0], out, len);
}

static int udpframe(int count, char **a)
{
	unsigned char out[256];
	size_t len = 14;

	put_mac(out, a[2]);
	put_mac(out + 6, a[1]);
	if (count > 7) { /* 802.1Q */
		put16(out + 12, 0x8100);
		put16(out + 14, (unsigned)atoi(a[7]));
		len = 18;
	}
	put16(out + len - 2, ETH_P_IP);
	len += datagram(out + len, a[3], a[4], atoi(a[5]), atoi(a[6]), "spoof", 5);
	return send_frame(a[0], out, len);
}

static int arpframe(char **a)
{
	unsigned char out[42];

	memset(out, 0, sizeof out);
	memset(out, 0xff, 6);
	put_mac(out + 6, a[1]);
	put16(out + 12, ETH_P_ARP);
	put16(out + 14, 1);
	put16(out + 16, ETH_P_IP);
	out[18] = 6;
	out[19] = 4;
	put16(out + 20, (unsigned)atoi(a[2]));
	put_mac(out + 22, a[3]);
	put_ip(out + 28, a[4]);
	put_ip(out + 38, a[5]);
	return send_frame(a[0], out, sizeof out);
}

static int sniff(const char *name, int ms, bool leaving)
{
	int fd = packet_socket(name);
	int64_t deadline = deadline_in(ms);

	puts("ready");
	fflush(stdout);
	while (wait_in(fd, POLLIN, deadline)) {
		unsigned char p[2048];
		struct sockaddr_ll from;
		socklen_t len = sizeof from;
		ssize_t n = recvfrom(fd, p, sizeof p, 0, (struct sockaddr *)&from, &len);
		unsigned type = n >= 14 ? (unsigned)p[12] << 8 | p[13] : 0;

		if (n < 14 || (from.sll_pkttype == PACKET_OUTGOING) != leaving)
			continue;
		if (type == ETH_P_ARP && n >= 42)
			printf("arp op %d from %d.%d.%d.%d for %d.%d.%d.%d\n", p[21], p[28], p[29], p[30], p[31], p[38], p[39],
			       p[40], p[41]);
		else if (type == ETH_P_IP && n >= 34)
			printf("ip proto %d from %d.%d.%d.%d to %d.%d.%d.%d\n", p[23], p[26], p[27], p[28], p[29], p[30], p[31],
			       p[32], p[33]);
		else
			printf("type %04x\n", type);
		fflush(stdout);
	}
	return 0;
}

/* ---- DHCP ---- */

#define DHCP_FIXED 240

static size_t dhcp_message(unsigned char *m, unsigned char type, const unsigned char mac[6], const unsigned char *requested,
			   const unsigned char *server)
{
	unsigned char *o = m + DHCP_FIXED;

	memset(m, 0, 300);
	m[0] = 1;
	m[1] = 1;
	m[2] = 6;
	memcpy(m + 4, "vpcl", 4);
	memcpy(m + 28, mac, 6);
	memcpy(m + 236, "\x63\x82\x53\x63", 4);
	*o++ = 53, *o++ = 1, *o++ = type;
	if (requested) {
		*o++ = 50, *o++ = 4;
		memcpy(o, requested, 4);
		o += 4;
		*o++ = 54, *o++ = 4;
		memcpy(o, server, 4);
		o += 4;
	}
	*o++ = 55, *o++ = 6, *o++ = 1, *o++ = 3, *o++ = 6, *o++ = 12, *o++ = 15, *o++ = 51;
	*o++ = 255;
	return 300;
}

static void print_option(int code, const unsigned char *v, int len)
{
	switch (code) {
	case 1:
		printf(" mask %d.%d.%d.%d", v[0], v[1], v[2], v[3]);
		break;
	case 3:
		printf(" router %d.%d.%d.%d", v[0], v[1], v[2], v[3]);
		break;
	case 6:
		printf(" dns %d.%d.%d.%d", v[0], v[1], v[2], v[3]);
		break;
	case 12:
		printf(" name %.*s", len, (const char *)v);
		break;
	case 15:
		printf(" domain %.*s", len, (const char *)v);
		break;
	case 51:
		printf(" lease %d", v[0] << 24 | v[1] << 16 | v[2] << 8 | v[3]);
		break;
	default:
		break;
	}
}

/* Waits for a reply of that type. Returns its server's address in server and the offered one in yours. */
static bool dhcp_reply(int fd, int type, int64_t deadline, unsigned char yours[4], unsigned char server[4], bool print)
{
	while (wait_in(fd, POLLIN, deadline)) {
		unsigned char p[2048];
		ssize_t n = recv(fd, p, sizeof p, 0);
		const unsigned char *m = p + 14 + 28, *o = m + DHCP_FIXED, *end = p + (n > 0 ? n : 0);
		int got = 0;

		if (n < 14 + 28 + DHCP_FIXED || p[12] != 8 || p[13] != 0 || p[23] != IPPROTO_UDP || p[36] != 0 || p[37] != 68 ||
		    m[0] != 2 || memcmp(m + 4, "vpcl", 4) != 0)
			continue;
		memcpy(yours, m + 16, 4);
		for (const unsigned char *q = o; q + 2 < end && *q != 255; q += 2 + q[1]) {
			if (q[0] == 53)
				got = q[2];
			if (q[0] == 54)
				memcpy(server, q + 2, 4);
		}
		if (got != type)
			continue;
		if (!print)
			return true;
		printf("ack %d.%d.%d.%d", yours[0], yours[1], yours[2], yours[3]);
		for (int code = 1; code < 255; code++)
			for (const unsigned char *q = o; q + 2 < end && *q != 255; q += 2 + q[1])
				if (q[0] == code)
					print_option(code, q + 2, q[1]);
		putchar('\n');
		return true;
	}
	return false;
}

static int dhcp(const char *name, const char *as)
{
	unsigned char out[14 + 28 + 300], message[300], mac[6], yours[4], server[4] = { 0 };
	int fd = packet_socket(name);
	struct ifreq r;

	memset(&r, 0, sizeof r);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, &r) < 0)
		die(name);
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	memset(out, 0xff, 6);
	memcpy(out + 6, mac, 6);
	put16(out + 12, ETH_P_IP);
	if (as)
		put_mac(mac, as); /* as chaddr only: the frame's own sender must be true to pass */
	for (int step = 0; step < 2; step++) {
		bool answered = false;
		size_t len = step == 0 ? dhcp_message(message, 1, mac, NULL, NULL) : dhcp_message(message, 3, mac, yours, server);

		len = 14 + datagram(out + 14, "0.0.0.0", "255.255.255.255", 68, 67, message, len);
		for (int attempt = 0; attempt < 3 && !answered; attempt++) {
			if (send(fd, out, len, 0) < 0)
				die("send");
			answered = dhcp_reply(fd, step == 0 ? 2 : 5, deadline_in(DEFAULT_MS), yours, server, step == 1);
		}
		if (!answered) {
			puts("timeout");
			return 1;
		}
	}
	return 0;
}

/* ---- DNS ---- */

static int dns(const char *server, const char *name)
{
	struct sockaddr_in a = at(server, 53);
	unsigned char packet[1024];
	char arpa[128], text[256];
	struct in_addr addr;
	bool ptr = inet_pton(AF_INET, name, &addr) == 1;
	uint32_t h = ntohl(addr.s_addr);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), len;
	ssize_t n;

	if (ptr)
		snprintf(arpa, sizeof arpa, "%u.%u.%u.%u.in-addr.arpa", h & 255, h >> 8 & 255, h >> 16 & 255, h >> 24);
	len = res_mkquery(QUERY, ptr ? arpa : name, ns_c_in, ptr ? ns_t_ptr : ns_t_a, NULL, 0, NULL, packet, sizeof packet);
	if (len < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || send(fd, packet, (size_t)len, 0) < 0 ||
	    !wait_in(fd, POLLIN, deadline_in(2 * DEFAULT_MS)) || (n = recv(fd, packet, sizeof packet, 0)) < 0) {
		puts("timeout");
		return 1;
	}
	/* header, the question as it was asked, then the answers: the name (compressed, 2 bytes), type, class, ttl, length */
	if (n <= len || (packet[6] == 0 && packet[7] == 0)) {
		int code = packet[3] & 15;

		puts(code == ns_r_nxdomain ? "nxdomain" : code == ns_r_refused ? "refused" : "none");
		return 1;
	}
	if (ptr && dn_expand(packet, packet + n, packet + len + 12, text, sizeof text) > 0)
		puts(text);
	else if (!ptr)
		puts(inet_ntop(AF_INET, packet + len + 12, text, sizeof text));
	return 0;
}

int main(int argc, char **argv)
{
	const char *c = argc > 1 ? argv[1] : "";
	char **a = argv + 2;
	int n = argc - 2;

	if (strcmp(c, "shuttle") == 0 && n == 4)
		return shuttle(a);
	if (strcmp(c, "serve") == 0 && n >= 1)
		return serve(n, a);
	if (strcmp(c, "tcp") == 0 && n >= 2)
		return tcp(a[0], atoi(a[1]), n > 2 ? atoi(a[2]) : DEFAULT_MS);
	if (strcmp(c, "udp") == 0 && n >= 2)
		return udp(a[0], atoi(a[1]), n > 2 ? atoi(a[2]) : DEFAULT_MS);
	if (strcmp(c, "ping") == 0 && n >= 1)
		return ping(a[0], n > 1 ? atoi(a[1]) : DEFAULT_MS);
	if (strcmp(c, "hold") == 0 && n == 2)
		return hold(a[0], atoi(a[1]));
	if (strcmp(c, "sink") == 0 && n == 2)
		return sink(atoi(a[0]), strtoull(a[1], NULL, 10));
	if (strcmp(c, "pour") == 0 && n == 3)
		return pour(a[0], atoi(a[1]), strtoull(a[2], NULL, 10));
	if (strcmp(c, "dhcp") == 0 && n >= 1)
		return dhcp(a[0], n > 1 ? a[1] : NULL);
	if (strcmp(c, "dns") == 0 && n == 2)
		return dns(a[0], a[1]);
	if (strcmp(c, "frame") == 0 && n == 2)
		return frame(a);
	if (strcmp(c, "udpframe") == 0 && n >= 7)
		return udpframe(n, a);
	if (strcmp(c, "arpframe") == 0 && n == 6)
		return arpframe(a);
	if (strcmp(c, "sniff") == 0 && n == 2)
		return sniff(a[0], atoi(a[1]), false);
	if (strcmp(c, "leaving") == 0 && n == 2)
		return sniff(a[0], atoi(a[1]), true);
	fputs("probe: see the head of tests/ring3/probe.c\n", stderr);
	return 2;
}
