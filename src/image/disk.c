#include "image/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"

#define QEMU_IMG_TIMEOUT_MS 120000
#define SIZE_TEXT_MAX 32

static void cleanup_json(json_t **j)
{
	json_decref(*j);
}

int disk_info_parse(struct disk_info *ret, const char *json, size_t len, struct error *err)
{
	json_error_t why;
	json_t *root CLEANUP(cleanup_json) = json_loadb(json, len, 0, &why);
	json_t *size = json_object_get(root, "virtual-size"), *actual = json_object_get(root, "actual-size");
	const char *format = json_string_value(json_object_get(root, "format"));

	if (!root || !format || !json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(actual) < 0)
		return error_set(err, ERROR_ENVIRONMENT, "qemu-img's description of a disk can't be understood: %s.",
				 root ? "format or a size is missing or odd" : why.text);
	memset(ret, 0, sizeof *ret);
	snprintf(ret->format, sizeof ret->format, "%s", format);
	ret->virtual_size = json_integer_value(size);
	ret->actual_size = json_integer_value(actual);
	ret->has_backing = json_object_get(root, "backing-filename") != NULL;
	return 0;
}

/* The first line of what a program said, without its newline, for use inside a sentence. */
static const char *first_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	return *text ? text : "it gave no reason";
}

int disk_info(const char *path, struct disk_info *ret, struct error *err)
{
	/* -U: a guest may have it open */
	const char *const argv[] = { "qemu-img", "info", "-U", "--output=json", path, NULL };
	const struct process_options opt = { .deadline = deadline_in(time_scaled(QEMU_IMG_TIMEOUT_MS)) };
	AUTO_PROCESS_RESULT struct process_result r = { 0 };

	if (process_run(argv, &opt, &r, err) < 0)
		return -1;
	if (r.status != 0)
		return error_set(err, ERROR_ENVIRONMENT, "%s is not a disk that qemu-img can read: %s.", path,
				 first_line(r.err_text));
	return disk_info_parse(ret, r.out, r.out_len, err);
}

int disk_create_overlay(const char *path, const char *base, int64_t size, struct error *err)
{
	char size_text[SIZE_TEXT_MAX];
	const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path, size_text,
				     NULL };
	const struct process_options opt = { .deadline = deadline_in(time_scaled(QEMU_IMG_TIMEOUT_MS)) };
	struct disk_info info;
	int fd;

	if (disk_info(base, &info, err) < 0)
		return -1;
	if (strcmp(info.format, "qcow2") != 0)
		return error_set(err, ERROR_ENVIRONMENT, "The image %s is %s, not qcow2; fetch or build it again.", base,
				 info.format);
	if (size < info.virtual_size)
		return error_set_code(err, ERROR_USAGE, "InvalidBlockDeviceMapping",
				      "Volume of size %lldGB is smaller than the image's %lldGB; ask for at least that.",
				      (long long)(size >> 30), (long long)((info.virtual_size + (1 << 30) - 1) >> 30));
	/* made by us first, so that nobody else's file is overwritten and the mode is right from the start */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "The disk %s can't be made", path);
	close(fd);
	snprintf(size_text, sizeof size_text, "%lld", (long long)size);
	if (process_check(argv, &opt, err) < 0) {
		unlink(path);
		return -1;
	}
	return 0;
}

int disk_check_base(const char *path, struct error *err)
{
	const char *const argv[] = { "qemu-img", "check", "-f", "qcow2", "--output=json", path, NULL };
	const struct process_options opt = { .deadline = deadline_in(time_scaled(QEMU_IMG_TIMEOUT_MS)) };
	AUTO_PROCESS_RESULT struct process_result r = { 0 };
	json_t *root CLEANUP(cleanup_json) = NULL;
	struct disk_info info;
	int64_t end;

	if (disk_info(path, &info, err) < 0)
		return -1;
	if (strcmp(info.format, "qcow2") != 0)
		return error_set(err, ERROR_ENVIRONMENT, "The image %s is %s, not qcow2.", path, info.format);
	if (info.has_backing)
		return error_set(err, ERROR_ENVIRONMENT, "The image %s is an overlay on another file, not a whole image.", path);
	if (process_run(argv, &opt, &r, err) < 0)
		return -1;
	root = json_loads(r.out, 0, NULL);
	/* 3: clusters that nothing refers to, which cost space and hurt nobody */
	if (r.status != 0 && r.status != 3)
		return error_set(err, ERROR_ENVIRONMENT, "The image %s is damaged: %s.", path,
				 *r.err_text ? first_line(r.err_text) : "qemu-img check found errors in its tables");
	/* data clusters past the end of the file are no error to qemu-img: a guest would read zeros there */
	end = json_integer_value(json_object_get(root, "image-end-offset"));
	if (end > file_size(path))
		return error_set(err, ERROR_ENVIRONMENT, "The image %s is cut short: it has %lld bytes of %lld.", path,
				 (long long)file_size(path), (long long)end);
	return 0;
}

int disk_remove(const char *path, struct error *err)
{
	return file_unlink(path, err);
}
