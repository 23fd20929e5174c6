/* The NoCloud ISO, made by the real cloud-localds and read back by the real isoinfo; and the check of user data. */
#include <dirent.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "seed/seed.h"
#include "tap.h"

static char dir[] = "/tmp/vpclab-seed.XXXXXX";

static struct seed_spec spec(void)
{
	return (struct seed_spec){
		.data_dir = ".", .instance_id = "i-0123456789abcdef0", .local_hostname = "ip-172-31-0-10",
		.domain = "ap-northeast-2.compute.internal", .mac = "02:12:34:56:78:9a", .default_user = "ubuntu",
		.ca_public_key = "ssh-ed25519 AAAA ca", .region = "ap-northeast-2", .zone = "ap-northeast-2a",
		.instance_type = "t2.small", .ami_id = "ami-0123456789abcdef0",
	};
}

static void read_back(struct process_result *r, const char *iso, const char *name)
{
	const char *const argv[] = { "isoinfo", "-i", iso, "-R", "-x", name, NULL };
	struct error err = { 0 };

	if (process_run(argv, NULL, r, &err) < 0)
		printf("# %s\n", err.message);
}

static void test_user_data(const char *iso, const void *data, size_t len, const char *what)
{
	struct seed_spec s = spec();
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	struct error err = { 0 };

	s.user_data = data;
	s.user_data_len = len;
	if (!ok(seed_write(iso, &s, &err) == 0, "a seed with %s %s", what, err.message))
		return;
	read_back(&r, iso, "/user-data");
	ok(r.out && r.out_len == len && (!len || memcmp(r.out, data, len) == 0), "its user data is as given, byte for byte");
}

static void test_iso(void)
{
	static const char gz[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x00binary\r\n\xff", script[] = "#!/bin/sh\necho hello\n";
	char *iso = file_path(NULL, "%s/seed.iso", dir), *most = malloc(USER_DATA_MAX + 1);
	const char *const info[] = { "isoinfo", "-d", "-i", iso, NULL };
	AUTO_PROCESS_RESULT struct process_result meta = { 0 }, network = { 0 }, vendor = { 0 }, volume = { 0 };
	struct seed_spec s = spec();
	struct error err = { 0 };
	struct stat st;
	DIR *d;
	int files = 0;

	memset(most, 'x', USER_DATA_MAX + 1);
	test_user_data(iso, NULL, 0, "no user data");
	test_user_data(iso, script, sizeof script - 1, "a script");
	test_user_data(iso, gz, sizeof gz - 1, "gzip");
	test_user_data(iso, most, USER_DATA_MAX, "the most there can be");
	s.user_data = most;
	s.user_data_len = USER_DATA_MAX + 1;
	ok(seed_write(iso, &s, &err) < 0 && err.kind == ERROR_USAGE && strcmp(err.code, "InvalidParameterValue") == 0 &&
		   strstr(err.message, "limited to 16384 bytes"),
	   "a byte more is refused in EC2's words: %s", err.message);
	read_back(&meta, iso, "/meta-data");
	ok(meta.out && strstr(meta.out, "instance-id: \"i-0123456789abcdef0\""), "meta-data is there");
	read_back(&network, iso, "/network-config");
	ok(network.out && strstr(network.out, "02:12:34:56:78:9a"), "network-config is there");
	read_back(&vendor, iso, "/vendor-data");
	ok(vendor.out && strncmp(vendor.out, "#cloud-boothook\n", 16) == 0, "vendor-data is there");
	process_run(info, NULL, &volume, &err);
	ok(volume.out && strstr(volume.out, "Volume id: cidata"), "its label is NoCloud's");
	ok(stat(iso, &st) == 0 && (st.st_mode & 07777) == 0600, "nobody else reads it");
	d = opendir(dir);
	while (d && readdir(d))
		files++;
	if (d)
		closedir(d);
	is_int(files, 3, "nothing but the ISO is left");
	ok(seed_write("/nonexistent/seed.iso", &(struct seed_spec){ .data_dir = "." }, &err) < 0, "a missing directory: %s",
	   err.message);
	free(iso);
	free(most);
}

static void check(const char *data, int want, const char *words, const char *what)
{
	char why[256];
	int got = seed_user_data_yaml_check(data, data ? strlen(data) : 0, why, sizeof why);

	ok(got == want && (!words || strstr(why, words)), "%s: %d %s", what, got, why);
}

static void test_yaml(void)
{
	check(NULL, 0, NULL, "no user data");
	check("", 0, NULL, "empty user data");
	check("#!/bin/sh\n{ [ broken yaml", 0, NULL, "a script");
	check("#cloud-config\npackages: [curl]\n", 0, NULL, "a cloud-config");
	check("#cloud-config", 0, NULL, "an empty cloud-config");
	check("#cloud-config\npackages: [curl\nruncmd: x\n", 1, "in line", "a list that is not closed");
	check("#cloud-config\n\tpackages: x\n", 1, "in line 2", "a tab");
	check("Content-Type: multipart/mixed\n\n{[", 0, NULL, "multipart");
}

int main(void)
{
	struct error err = { 0 };

	if (!mkdtemp(dir))
		return 1;
	test_iso();
	test_yaml();
	file_remove_tree(dir, &err);
	return tap_done();
}
