/* The domain XML: golden files, and libvirt's own schema says that they are domains. */
#include "compute/machine.h"

#include "base/process.h"
#include "compute/qemu_conf.h"
#include "tap.h"

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"

static struct machine_spec spec(void)
{
	struct machine_spec s = {
		.id = "i-0123456789abcdef0",
		.uuid = "1b2c3d4e-0000-4000-8000-000000000001",
		.vcpus = 1,
		.memory_mib = 2048,
		.disk = "/var/lib/vpclab/instances/i-0123456789abcdef0/disk.qcow2",
		.base = "/var/lib/vpclab/images/debian-12.qcow2",
		.seed = "/var/lib/vpclab/instances/i-0123456789abcdef0/seed.iso",
		.console_log = "/var/lib/vpclab/instances/i-0123456789abcdef0/console.log",
		.tap = "t0123456789abc",
		.mac = "02:12:34:56:78:9a",
		.instance_type = "t2.small",
		.region = "ap-northeast-2",
	};
	return s;
}

static void check_schema(const char *name)
{
	char path[256];
	const char *const argv[] = { "xmllint", "--noout", "--relaxng", SCHEMA, path, NULL };
	struct error err = { 0 };
	char *xmllint = process_find_program("xmllint");

	snprintf(path, sizeof path, "tests/golden/%s", name);
	if (!xmllint || access(SCHEMA, R_OK) < 0) {
		ok(true, "%s fits libvirt's schema # SKIP xmllint or the schema is not installed", name);
	} else {
		ok(process_check(argv, NULL, &err) == 0, "%s fits libvirt's schema", name);
		if (err.kind)
			printf("# %s\n", err.message);
	}
	free(xmllint);
}

static void check(const struct machine_spec *s, const char *agent, const char *name)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(MACHINE_XML_MAX);

	machine_xml(&out, s, agent);
	ok(!buffer_failed(&out), "%s is built", name);
	golden(buffer_text(&out), name);
	check_schema(name);
}

static void test_domains(void)
{
	struct machine_spec s = spec();

	check(&s, "/var/lib/vpclab/libvirt/ga/i-0123456789abcdef0", "compute-tcg.xml");
	s.kvm = true;
	s.vcpus = 8;
	s.memory_mib = 32768;
	s.instance_type = "t3.2xlarge";
	check(&s, "/var/lib/vpclab/libvirt/ga/i-0123456789abcdef0", "compute-kvm.xml");
	s.seed = s.tap = s.base = NULL;
	check(&s, NULL, "compute-bare.xml");
	s = spec();
	s.disk = "/srv/o'brien & <sons>/\"disk\".qcow2";
	check(&s, NULL, "compute-odd-path.xml");
}

static void test_test_driver(void)
{
	const struct machine_spec s = spec();
	AUTO_BUFFER struct buffer out = BUFFER_INIT(MACHINE_XML_MAX);

	machine_xml_test(&out, &s);
	golden(buffer_text(&out), "compute-test-driver.xml");
}

static void test_limit(void)
{
	const struct machine_spec s = spec();
	AUTO_BUFFER struct buffer out = BUFFER_INIT(1000);

	machine_xml(&out, &s, NULL);
	ok(buffer_failed(&out), "a domain larger than its buffer is a failure");
}

static void test_qemu_conf(void)
{
	struct qemu_conf c = { .uid = 64055, .gid = 64055, .mount_namespace = true };
	AUTO_BUFFER struct buffer full = BUFFER_INIT(4096), bare = BUFFER_INIT(4096);

	qemu_conf_text(&full, &c);
	golden(buffer_text(&full), "compute-qemu.conf");
	c.mount_namespace = false;
	qemu_conf_text(&bare, &c);
	golden(buffer_text(&bare), "compute-qemu-bare.conf");
}

int main(void)
{
	test_domains();
	test_test_driver();
	test_limit();
	test_qemu_conf();
	return tap_done();
}
