/* Rules as words: ports, ranges, protocols, and cells of the table. */
#include "tap.h"

#include "base/cleanup.h"
#include "cli/rule.h"

static const struct {
	const char *text, *protocol;
	int from, to;
	const char *words;
} good[] = {
	{ "8000", "tcp", 8000, 8000, "TCP 8000" },
	{ "8000/tcp", "tcp", 8000, 8000, "TCP 8000" },
	{ "tcp/8000", "tcp", 8000, 8000, "TCP 8000" },
	{ "53/udp", "udp", 53, 53, "UDP 53" },
	{ "53/UDP", "udp", 53, 53, "UDP 53" },
	{ "8000-8010", "tcp", 8000, 8010, "TCP 8000-8010" },
	{ "60000-61000/udp", "udp", 60000, 61000, "UDP 60000-61000" },
	{ "0", "tcp", 0, 0, "TCP 0" },
	{ "65535", "tcp", 65535, 65535, "TCP 65535" },
	{ "00080", "tcp", 80, 80, "TCP 80" },
	{ "all", "-1", -1, -1, "all traffic" },
	{ "-1", "-1", -1, -1, "all traffic" },
	{ "all/tcp", "tcp", 0, 65535, "all TCP" },
	{ "all/udp", "udp", 0, 65535, "all UDP" },
	{ "icmp", "icmp", -1, -1, "all ICMP" },
	{ "all/icmp", "icmp", -1, -1, "all ICMP" },
	{ "8/icmp", "icmp", 8, -1, "ICMP type 8" },
	{ "ssh", "tcp", 22, 22, "TCP 22" },
	{ "HTTP", "tcp", 80, 80, "TCP 80" },
	{ "https", "tcp", 443, 443, "TCP 443" },
};

static const struct {
	const char *text, *sentence;
} bad[] = {
	{ "70000", "Port 70000 is beyond 65535, the last port there is." },
	{ "65536", "Port 65536 is beyond 65535, the last port there is." },
	{ "99999999999999999999", "Port 99999999999999999999 is beyond 65535, the last port there is." },
	{ "80-70000", "Port 70000 is beyond 65535, the last port there is." },
	{ "90-80", "The port range 90-80 ends before it begins; write the smaller port first." },
	{ "", "\"\" is no port; write 8000, 8000-8010, 53/udp, icmp or all." },
	{ "web", "\"web\" is no port; write 8000, 8000-8010, 53/udp, icmp or all." },
	{ "80x", "\"80x\" is no port; write 8000, 8000-8010, 53/udp, icmp or all." },
	{ "-80", "\"-80\" is no port; write 8000, 8000-8010, 53/udp, icmp or all." },
	{ "80-", "\"80-\" is no port; write 8000, 8000-8010, 53/udp, icmp or all." },
	{ "8000/sctp", "\"sctp\" is no protocol of a rule; it is tcp, udp or icmp." },
	{ "8000/", "\"\" is no protocol of a rule; it is tcp, udp or icmp." },
	{ "256/icmp", "\"256/icmp\" is no ICMP type; write icmp, or 8/icmp for echo requests." },
};

static const struct {
	const char *permission, *protocol, *ports;
} rows[] = {
	{ "{\"ipProtocol\":\"tcp\",\"fromPort\":8000,\"toPort\":8000}", "TCP", "8000" },
	{ "{\"ipProtocol\":\"udp\",\"fromPort\":1,\"toPort\":9}", "UDP", "1 - 9" },
	{ "{\"ipProtocol\":\"-1\"}", "All", "All" },
	{ "{\"ipProtocol\":\"tcp\",\"fromPort\":0,\"toPort\":65535}", "TCP", "All" },
	{ "{\"ipProtocol\":\"icmp\",\"fromPort\":-1,\"toPort\":-1}", "ICMP", "All" },
	{ "{\"ipProtocol\":\"icmp\",\"fromPort\":8,\"toPort\":-1}", "ICMP", "type 8" },
	{ "{\"ipProtocol\":\"icmp\",\"fromPort\":3,\"toPort\":4}", "ICMP", "type 3 code 4" },
	{ "{\"ipProtocol\":\"47\"}", "47", "All" },
};

#define ANYWHERE "\"ipRanges\":[{\"cidrIp\":\"192.0.2.0/24\"},{\"cidrIp\":\"0.0.0.0/0\"}]"
#define RULE(protocol, port, who) \
	"{\"ipProtocol\":\"" protocol "\",\"fromPort\":" #port ",\"toPort\":" #port "," who "}"

static bool allows(const char *permission, int port)
{
	json_t *groups CLEANUP(cleanup_json) = json_pack("[{s:[o]}]", "ipPermissions", json_loads(permission, 0, NULL));

	return rules_allow_tcp(groups, port);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct rule r = { .from = -9 };
		char words[64] = "";

		ok(rule_parse(good[i].text, &r, NULL) == 0 && strcmp(r.protocol, good[i].protocol) == 0 && r.from == good[i].from &&
			   r.to == good[i].to,
		   "\"%s\" is %s %d to %d", good[i].text, good[i].protocol, good[i].from, good[i].to);
		rule_phrase(words, &r);
		is_str(words, good[i].words, good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };
		struct rule r;

		ok(rule_parse(bad[i].text, &r, &err) < 0 && err.kind == ERROR_USAGE && strcmp(err.code, "InvalidParameterValue") == 0,
		   "\"%s\" is refused", bad[i].text);
		is_str(err.message, bad[i].sentence, "its sentence");
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *p CLEANUP(cleanup_json) = json_loads(rows[i].permission, 0, NULL);
		char protocol[16], ports[32];

		rule_cells(protocol, ports, p);
		is_str(protocol, rows[i].protocol, rows[i].permission);
		is_str(ports, rows[i].ports, "its ports");
	}
	ok(allows(RULE("tcp", 8000, ANYWHERE), 8000), "a rule lets its port in");
	ok(!allows(RULE("tcp", 8000, ANYWHERE), 22), "and no other");
	ok(allows("{\"ipProtocol\":\"-1\"," ANYWHERE "}", 22), "all traffic lets every port in");
	ok(!allows(RULE("udp", 5, ANYWHERE), 5), "UDP lets no TCP in");
	ok(!allows("{\"ipProtocol\":\"icmp\",\"fromPort\":-1,\"toPort\":-1," ANYWHERE "}", 22), "nor does ICMP");
	ok(!allows(RULE("tcp", 8000, "\"ipRanges\":[{\"cidrIp\":\"10.0.0.0/8\"}]"), 8000), "a rule for some addresses lets not everybody in");
	ok(!allows("{\"ipProtocol\":\"-1\",\"groups\":[{\"groupId\":\"sg-1\"}]}", 22), "nor does one for a group's members");
	return tap_done();
}
