/* dnsmasq's files as text, and whether dnsmasq takes them. */
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/process.h"
#include "network/network.h"
#include "tap.h"

static const struct net_subnet subnets[] = {
	{ "subnet-0a", "b0a", { 0xac1f0000, 20 } },
	{ "subnet-0b", "b0b", { 0xac1f1000, 20 } },
};

static const struct net_eni enis[] = {
	{ .id = "eni-1", .subnet_id = "subnet-0a", .tap = "t1", .mac = "02:00:00:00:00:01", .private_ip = 0xac1f0005,
	  .public_ip = 0xcb00710a, .attached = true },
	{ .id = "eni-2", .subnet_id = "subnet-0b", .tap = "t2", .mac = "02:00:00:00:00:02", .private_ip = 0xac1f1005 },
};

static void accepted(const char *text, const char *name)
{
	char path[] = "/tmp/vpclab-dnsmasq-XXXXXX", option[64];
	const char *const argv[] = { "dnsmasq", "--test", option, NULL };
	struct error err = { 0 };
	int fd = mkstemp(path);
	char *program = process_find_program("dnsmasq");

	if (!program) {
		printf("ok %d # SKIP %s: dnsmasq is not installed\n", ++tap_count, name);
		return;
	}
	free(program);
	ok(fd >= 0 && file_write_atomic(path, text, strlen(text), 0644, &err) == 0, "a file");
	snprintf(option, sizeof option, "--conf-file=%s", path);
	ok(process_check(argv, NULL, &err) == 0, "%s: dnsmasq takes it (%s)", name, err.message);
	unlink(path);
	close(fd);
}

static void conf(const struct net_vpc *v, const char *upstream, const char *name)
{
	struct buffer out = BUFFER_INIT(65536);

	dnsmasq_conf_build(&out, v, "/run/vpclab/dnsmasq/vpc-1", "nobody", upstream);
	golden(buffer_text(&out), name);
	accepted(buffer_text(&out), name);
	buffer_done(&out);
}

int main(void)
{
	struct net_vpc v = {
		.id = "vpc-1", .cidr = { 0xac1f0000, 16 }, .igw = "igw1", .igw_address = 0xcb007102,
		.dns_domain = "ap-northeast-2.compute.internal", .subnets = subnets, .subnet_count = 2, .enis = enis,
		.eni_count = 2,
	};
	struct buffer dhcp = BUFFER_INIT(65536), dns = BUFFER_INIT(65536);

	conf(&v, "169.254.200.3", "network-dnsmasq.conf");
	conf(&v, NULL, "network-dnsmasq-alone.conf");
	dnsmasq_hosts_build(&dhcp, &dns, &v);
	golden(buffer_text(&dhcp), "network-dhcp-hosts");
	golden(buffer_text(&dns), "network-dns-hosts");
	buffer_reset(&dhcp);
	buffer_reset(&dns);
	v.dns_domain = "ec2.internal";
	dnsmasq_hosts_build(&dhcp, &dns, &v);
	golden(buffer_text(&dns), "network-dns-hosts-us-east-1");
	buffer_reset(&dhcp);
	buffer_reset(&dns);
	v.eni_count = 0;
	dnsmasq_hosts_build(&dhcp, &dns, &v);
	is_str(buffer_text(&dhcp), "", "no interface, no lease");
	is_str(buffer_text(&dns), "", "nor name");
	buffer_done(&dhcp);
	buffer_done(&dns);
	return tap_done();
}
