/* The seed's documents: golden files, and the tools that will read them find them sound. */
#include <fcntl.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "seed/seed.h"
#include "tap.h"

#define DOCUMENT_MAX (64u << 10)

static struct seed_templates templates;

static struct seed_spec spec(void)
{
	return (struct seed_spec){
		.data_dir = ".",
		.instance_id = "i-0123456789abcdef0",
		.local_hostname = "ip-172-31-0-10",
		.domain = "ap-northeast-2.compute.internal",
		.mac = "02:12:34:56:78:9a",
		.default_user = "ubuntu",
		.ca_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJlZ2luIHJlZ2lvbiBjYSBrZXkgZm9yIHRlc3Rz vpclab ap-northeast-2",
		.region = "ap-northeast-2",
		.zone = "ap-northeast-2a",
		.instance_type = "t2.small",
		.ami_id = "ami-0123456789abcdef0",
	};
}

typedef int (*builder)(struct buffer *out, const struct seed_templates *t, const struct seed_spec *s, struct error *err);

static void check(builder build, const struct seed_spec *s, const char *name, bool yaml)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(DOCUMENT_MAX), marked = BUFFER_INIT(DOCUMENT_MAX);
	struct error err = { 0 };
	char why[256] = "";

	is_int(build(&out, &templates, s, &err), 0, "it is built");
	if (err.kind)
		printf("# %s\n", err.message);
	golden(buffer_text(&out), name);
	if (!yaml)
		return;
	buffer_addf(&marked, "#cloud-config\n%s", buffer_text(&out));
	ok(seed_user_data_yaml_check(marked.data, marked.len, why, sizeof why) == 0, "%s is YAML %s", name, why);
}

static void test_documents(void)
{
	static const char *const keys[] = { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@home", "ssh-rsa AAAAB3Nz o'brien \"the\" \\ one", NULL };
	struct seed_spec s = spec();

	check(seed_meta_data, &s, "seed-meta-data.yaml", true);
	check(seed_network_config, &s, "seed-network-config.yaml", true);
	check(seed_vendor_data, &s, "seed-vendor-data.sh", false);
	s.ssh_keys = keys;
	s.public_ipv4 = "203.0.113.7";
	s.domain = NULL;
	check(seed_meta_data, &s, "seed-meta-data-keys.yaml", true);
}

static void test_refused(void)
{
	struct seed_spec s = spec();
	struct seed_templates odd = { .meta_data = strdup("a: @NOBODY@\n") };
	AUTO_BUFFER struct buffer out = BUFFER_INIT(DOCUMENT_MAX), tiny = BUFFER_INIT(20);
	struct error err = { 0 };

	ok(seed_meta_data(&out, &odd, &s, &err) < 0 && strstr(err.message, "@NOBODY@"), "an unknown word in a template: %s",
	   err.message);
	free(odd.meta_data);
	s.mac = "02:00\nevil: true";
	ok(seed_network_config(&out, &templates, &s, &err) < 0 && err.kind == ERROR_USAGE, "a value of two lines: %s", err.message);
	s = spec();
	ok(seed_meta_data(&tiny, &templates, &s, &err) < 0, "a document that grows too long: %s", err.message);
	ok(seed_templates_load(&odd, "/nonexistent", &err) < 0 && strstr(err.message, "/nonexistent"), "no templates: %s",
	   err.message);
}

/* Runs the vendor-data script twice over an /etc/ssh of its own, beside a sshd_config that knows no drop-ins. */
static void test_vendor_script(void)
{
	struct seed_spec s = spec();
	AUTO_BUFFER struct buffer out = BUFFER_INIT(DOCUMENT_MAX), want = BUFFER_INIT(DOCUMENT_MAX);
	const char *const argv[] = {
		"unshare", "-m", "sh", "-ec",
		"mount -t tmpfs none /etc/ssh; mount -t tmpfs none /run; echo 'Port 22' >/etc/ssh/sshd_config; cat >/run/hook\n"
		"sh /run/hook; sh /run/hook; cat /etc/ssh/vpclab_ca.pub /etc/ssh/sshd_config /etc/ssh/sshd_config.d/10-vpclab.conf",
		NULL,
	};
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	struct error err = { 0 };

	if (getuid() != 0 || access("/etc/ssh", F_OK) < 0) {
		ok(true, "the vendor-data script # SKIP it needs root and /etc/ssh");
		return;
	}
	s.ca_public_key = "ssh-ed25519 AAAA it's $(reboot) `reboot` \"quoted\" \\";
	is_int(seed_vendor_data(&out, &templates, &s, &err), 0, "vendor-data with an odd comment in the key");
	{
		const struct process_options opt = { .stdin_data = out.data, .stdin_len = out.len };

		is_int(process_run(argv, &opt, &r, &err), 0, "it runs");
	}
	buffer_addf(&want, "%s\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\nTrustedUserCAKeys /etc/ssh/vpclab_ca.pub\n",
		    s.ca_public_key);
	is_str(r.out, buffer_text(&want), "twice is as once, and the key is as it was");
	if (r.err_text && *r.err_text)
		printf("# %s\n", r.err_text);
}

static const char *scalar(const yaml_node_t *n)
{
	return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : "";
}

/* Each script that django.yaml writes into the guest is one that bash can read. */
static void test_django(void)
{
	size_t len = 0, scripts = 0;
	AUTO_FREE char *text = file_read("cloud-init/django.yaml", DOCUMENT_MAX, &len, NULL);
	yaml_parser_t parser;
	yaml_document_t doc;
	char why[256];
	struct error err = { 0 };

	if (!ok(text != NULL, "django.yaml is there"))
		return;
	is_int(seed_user_data_check(len, &err), 0, "it fits in user data");
	ok(seed_user_data_yaml_check(text, len, why, sizeof why) == 0, "it is YAML %s", why);
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!ok(yaml_parser_load(&parser, &doc), "it is a document"))
		return;
	for (const yaml_node_t *n = doc.nodes.start; n < doc.nodes.top; n++) {
		const char *const argv[] = { "bash", "-n", NULL };
		const struct process_options opt = { .stdin_data = scalar(n), .stdin_len = strlen(scalar(n)) };

		if (strncmp(scalar(n), "#!/bin/bash", 11) != 0)
			continue;
		scripts++;
		ok(process_check(argv, &opt, &err) == 0, "its script is bash's %s", err.message);
	}
	ok(scripts > 0, "it has a script");
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
}

int main(void)
{
	struct error err = { 0 };

	if (!ok(seed_templates_load(&templates, ".", &err) == 0, "the templates are read %s", err.message))
		return tap_done();
	test_documents();
	test_refused();
	test_vendor_script();
	test_django();
	seed_templates_done(&templates);
	return tap_done();
}
