/* Settings: defaults, files, environment, what is refused. */
#include "tap.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "base/config.h"
#include "base/file.h"

static void refused(const char *text, const char *want)
{
	struct config c;
	struct error err = { 0 };
	int rc;

	config_defaults(&c);
	rc = config_parse(&c, text, strlen(text), "lab.conf", &err);
	if (rc == 0)
		rc = config_check(&c, &err);
	ok(rc < 0 && err.kind == ERROR_USAGE && strstr(err.message, want), "refused with \"%s\": %s", want, err.message);
}

static void test_parse(void)
{
	static const char text[] = "# settings\n\n  region = us-east-1  \nuplink=none\n\taccount_id\t=\t123456789012\nimage_mirror = http://x/?a=b\n"
				   "libvirt_uri =\nlog_level = debug";
	struct config c;
	struct error err = { 0 };
	char socket[64];

	config_defaults(&c);
	ok(config_check(&c, &err) == 0, "the defaults are good: %s", err.message);
	is_str(c.region, "ap-northeast-2", "the default region is Seoul");
	ok(config_parse(&c, text, sizeof text - 1, "lab.conf", &err) == 0 && config_check(&c, &err) == 0, "a file: %s", err.message);
	is_str(c.region, "us-east-1", "spaces around a value are none of it");
	is_str(c.account_id, "123456789012", "tabs too");
	is_str(c.image_mirror, "http://x/?a=b", "a value may have an =");
	is_str(c.log_level, "debug", "the last line needs no end");
	is_str(c.public_cidr, "auto", "what the file doesn't say is as it was");
	ok(config_socket_path(&c, socket, sizeof socket, NULL) == 0, "the socket");
	is_str(socket, "/run/vpclab/api.sock", "is in run_dir");
	ok(config_socket_path(&c, socket, 10, &err) < 0, "a place too small for it is an error");
}

static void test_refusals(void)
{
	char line[CONFIG_VALUE_MAX * 3];

	refused("region", "lab.conf line 1");
	refused("\n\ncolour = green\n", "line 3");
	refused("colour = green\n", "colour");
	refused("public_cidr = 203.0.113.0\n", "public_cidr");
	refused("public_cidr = 10.0.0.0/8\n", "/16 and /28");
	refused("public_cidr = 10.0.0.0/29\n", "/16 and /28");
	refused("public_cidr =\n", "public_cidr");
	refused("quota_vcpus = many\n", "quota_vcpus must be a whole number from 0 to 100000, not many");
	refused("quota_vcpus = -1\n", "quota_vcpus");
	refused("quota_vcpus = 100001\n", "quota_vcpus");
	refused("quota_addresses = 99999999999999999999\n", "quota_addresses");
	refused("quota_groups = 2501\n", "2500");
	refused("quota_rules_per_group = 1001\n", "1000");
	refused("quota_rules_per_group =\n", "quota_rules_per_group");
	refused("account_id = 12345678901\n", "12 digits");
	refused("account_id = 12345678901x\n", "12 digits");
	refused("state_dir = relative\n", "absolute");
	refused("state_dir =\n", "absolute");
	refused("region = Seoul\n", "ap-northeast-2");
	refused("region =\n", "ap-northeast-2");
	refused("public_bridge = a/b\n", "interface name");
	refused("public_bridge = sixteen-letters-\n", "interface name");
	refused("uplink = maybe\n", "uplink");
	refused("host_ports =\n", "host_ports");
	refused("host_ports = 0-5\n", "host_ports");
	refused("host_ports = 9-5\n", "host_ports");
	refused("host_ports = 5-\n", "host_ports");
	refused("host_ports = 5-6-7\n", "host_ports");
	refused("host_ports = 65536\n", "host_ports");
	refused("accelerator = hvf\n", "accelerator");
	refused("log_level = loud\n", "log_level");
	snprintf(line, sizeof line, "image_mirror = %0*d\n", CONFIG_VALUE_MAX, 0);
	refused(line, "image_mirror");
	snprintf(line, sizeof line, "%0*d\n", CONFIG_VALUE_MAX * 2, 0);
	refused(line, "line 1 is longer");
	snprintf(line, sizeof line, "run_dir = /%0*d\n", 120, 0);
	refused(line, "run_dir");
}

static void test_load(void)
{
	char path[] = "/tmp/vpclab-config.XXXXXX";
	int fd = mkstemp(path);
	struct config c;
	struct error err = { 0 };

	ok(fd >= 0 && write(fd, "region = us-east-1\nuplink = none\n", 33) == 33, "a file");
	close(fd);
	setenv("VPCLAB_CONFIG", path, 1);
	setenv("VPCLAB_UPLINK", "auto", 1);
	ok(config_load(&c, NULL, &err) == 0, "is loaded by the environment's word: %s", err.message);
	is_str(c.region, "us-east-1", "it has its settings");
	is_str(c.uplink, "auto", "the environment's win over the file's");
	setenv("VPCLAB_UPLINK", "maybe", 1);
	ok(config_load(&c, NULL, &err) < 0 && err.kind == ERROR_USAGE, "a bad one is refused: %s", err.message);
	unsetenv("VPCLAB_UPLINK");
	file_unlink(path, NULL);
	ok(config_load(&c, path, &err) < 0, "a file that was named must be there: %s", err.message);
	unsetenv("VPCLAB_CONFIG");
}

static void test_numbers(void)
{
	struct config c;
	struct cidr r, other;
	char text[CIDR_TEXT_MAX];
	unsigned n = 0;
	bool apart = true;

	config_defaults(&c);
	ok(config_number(c.quota_addresses) == 5, "a quota is a number");
	for (; config_public_candidate(n, &r); n++)
		for (unsigned k = 0; k < n && config_public_candidate(k, &other); k++)
			apart = apart && !cidr_overlaps(r, other) && r.prefix == 24;
	ok(n == 259 && apart, "259 ranges may be had for public addresses, none within another");
	config_public_candidate(0, &r);
	cidr_format(text, r);
	is_str(text, "203.0.113.0/24", "the first is the documentation's");
	config_public_candidate(1, &r);
	cidr_format(text, r);
	is_str(text, "198.51.100.0/24", "then another of it");
	config_public_candidate(2, &r);
	cidr_format(text, r);
	is_str(text, "192.0.2.0/24", "and the third");
	config_public_candidate(n - 1, &r);
	cidr_format(text, r);
	is_str(text, "198.18.255.0/24", "the last is one of the benchmarks'");
}

int main(void)
{
	test_numbers();
	test_parse();
	test_refusals();
	test_load();
	return tap_done();
}
