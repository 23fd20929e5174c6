/* Overlays and the check of base images, by the real qemu-img. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "image/disk.h"
#include "tap.h"

#define MIB (1LL << 20)

static char dir[] = "/tmp/vpclab-disk.XXXXXX";

static const char *in(const char *name)
{
	static char paths[8][128];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void make_base(void)
{
	char *data = malloc(3 << 20);
	struct error err = { 0 };
	const char *const argv[] = { "qemu-img", "convert", "-f", "raw", "-O", "qcow2", in("raw"), in("base"), NULL };

	for (size_t i = 0; i < 3u << 20; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	ok(file_write_atomic(in("raw"), data, 3 << 20, 0600, &err) == 0 && process_check(argv, NULL, &err) == 0,
	   "a base image is made");
	free(data);
}

static void parser(void)
{
	static const char good[] = "{\"virtual-size\": 8589934592, \"format\": \"qcow2\", \"actual-size\": 200704, "
				   "\"backing-filename\": \"b\"}";
	struct disk_info info;
	struct error err = { 0 };

	ok(disk_info_parse(&info, good, strlen(good), &err) == 0, "qemu-img's description is read");
	is_int(info.virtual_size, 8589934592, "  its size");
	ok(info.has_backing, "  its backing file");
	ok(disk_info_parse(&info, "{}", 2, &err) < 0 && disk_info_parse(&info, "{", 1, &err) < 0 &&
		   disk_info_parse(&info, "", 0, &err) < 0,
	   "what isn't one is refused");
}

static void overlays(void)
{
	struct error err = { 0 };
	struct disk_info info;
	struct stat st;

	ok(disk_create_overlay(in("disk"), in("base"), 64 * MIB, &err) == 0, "an overlay is made");
	ok(disk_info(in("disk"), &info, &err) == 0 && info.virtual_size == 64 * MIB && info.has_backing,
	   "  of the size asked for, on its base");
	ok(stat(in("disk"), &st) == 0 && (st.st_mode & 0777) == 0600, "  for its owner alone");
	ok(disk_create_overlay(in("disk"), in("base"), 64 * MIB, &err) < 0 && strstr(err.message, "File exists"),
	   "an existing file is not overwritten");
	ok(disk_create_overlay(in("small"), in("base"), MIB, &err) < 0, "less than the base is refused");
	is_str(err.code, "InvalidBlockDeviceMapping", "  with EC2's code");
	ok(!file_exists(in("small")), "  and leaves nothing");
	ok(disk_check_base(in("base"), &err) == 0, "a base is whole");
	ok(disk_check_base(in("disk"), &err) < 0 && strstr(err.message, "overlay"), "an overlay is no base");
	ok(disk_check_base(in("raw"), &err) < 0, "a raw file is no base: %s", err.message);
	ok(disk_remove(in("disk"), &err) == 0 && !file_exists(in("disk")), "a disk is removed");
	ok(disk_remove(in("disk"), &err) == 0, "  and once more is no error");
}

static void damage(void)
{
	struct error err = { 0 };
	int64_t size = file_size(in("base"));

	for (int percent = 99; percent > 0; percent -= 33) {
		ok(truncate(in("base"), size * percent / 100) == 0 && disk_check_base(in("base"), &err) < 0,
		   "a base cut to %d %% is found out: %.150s", percent, err.message);
	}
	ok(truncate(in("base"), 0) == 0 && disk_check_base(in("base"), &err) < 0, "an empty one too: %s", err.message);
	ok(disk_check_base(in("absent"), &err) < 0, "and a missing one: %s", err.message);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	parser();
	make_base();
	overlays();
	damage();
	file_remove_tree(dir, NULL);
	return tap_done();
}
