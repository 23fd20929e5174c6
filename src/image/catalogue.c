#include "image/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define SUFFIX ".image"

static const struct key {
	const char *name;
	size_t offset, size;
} keys[] = {
#define KEY(text, member) { text, offsetof(struct image, member), sizeof(((struct image *)0)->member) }
	KEY("description", description), KEY("os", os), KEY("architecture", architecture),
	KEY("default user", default_user), KEY("root device", root_device), KEY("url", url), KEY("file", file),
	KEY("sums", sums), KEY("signature", signature), KEY("keyring", keyring),
	KEY("keyring package", keyring_package), KEY("build", build),
#undef KEY
};

/* A name becomes part of paths and URLs, so it can hold neither slashes nor blanks nor begin with a dot. */
static bool plain_name(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	return *text && *text != '.' && *text != '-' && strspn(text, allowed) == strlen(text);
}

static void trim(const char **text, size_t *len)
{
	while (*len && strchr(" \t\r", **text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && strchr(" \t\r", (*text)[*len - 1]))
		(*len)--;
}

static int set_key(struct image *image, const char *key, size_t key_len, const char *value, size_t value_len,
		   const char *origin, int line, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *at = (char *)image + keys[i].offset;

		if (strlen(keys[i].name) != key_len || memcmp(keys[i].name, key, key_len) != 0)
			continue;
		if (value_len >= keys[i].size)
			return error_set(err, ERROR_USAGE, "%s, line %d: the value of \"%s\" is longer than %zu bytes.", origin,
					 line, keys[i].name, keys[i].size - 1);
		if (memchr(value, '\0', value_len))
			return error_set(err, ERROR_USAGE, "%s, line %d: the value of \"%s\" holds a zero byte.", origin, line,
					 keys[i].name);
		memcpy(at, value, value_len);
		at[value_len] = '\0';
		return 0;
	}
	return error_set(err, ERROR_USAGE, "%s, line %d: there is no key \"%.*s\" in an image's description.", origin, line,
			 (int)(key_len > 64 ? 64 : key_len), key);
}

static int check(const struct image *image, const char *origin, struct error *err)
{
	size_t n = strlen(image->url);

	if (strcmp(image->architecture, "x86_64") != 0)
		return error_set(err, ERROR_USAGE, "%s: the architecture \"%s\" can't be run; it must be x86_64.", origin,
				 image->architecture);
	if (!plain_name(image->default_user) || !*image->description || !*image->os || !*image->root_device)
		return error_set(err, ERROR_USAGE,
				 "%s: description, os, default user and root device must all have a value.", origin);
	if (*image->build) {
		if (*image->url || *image->file)
			return error_set(err, ERROR_USAGE, "%s: an image has either a build script or a url, not both.", origin);
		if (!plain_name(image->build))
			return error_set(err, ERROR_USAGE, "%s: build must name a script beside the file, not \"%s\".", origin,
					 image->build);
		return 0;
	}
	if (n == 0 || image->url[n - 1] != '/')
		return error_set(err, ERROR_USAGE, "%s: url must be a directory's and end in a slash, not \"%s\".", origin,
				 image->url);
	if (!plain_name(image->file) || !plain_name(image->sums) || (*image->signature && !plain_name(image->signature)))
		return error_set(err, ERROR_USAGE, "%s: file, sums and signature must be file names in url's directory.",
				 origin);
	if (*image->signature && !*image->keyring)
		return error_set(err, ERROR_USAGE, "%s: a signature needs a keyring to be checked with.", origin);
	return 0;
}

int image_parse(struct image *ret, const char *name, const char *text, size_t len, const char *origin,
		struct error *err)
{
	struct image image;
	int number = 0;

	memset(&image, 0, sizeof image);
	if (!plain_name(name) || strlen(name) >= sizeof image.name)
		return error_set(err, ERROR_USAGE, "%s: \"%s\" can't be an image's name; use letters, digits, '.' and '-'.",
				 origin, name);
	TEXT_COPY(image.name, name);
	id_from_text(image.id, "ami", name);
	for (size_t at = 0; at < len;) {
		const char *line = text + at, *nl = memchr(line, '\n', len - at), *equals, *value;
		size_t n = nl ? (size_t)(nl - line) : len - at, key_len, value_len;

		at += n + 1;
		number++;
		trim(&line, &n);
		if (n == 0 || *line == '#')
			continue;
		equals = memchr(line, '=', n);
		if (!equals)
			return error_set(err, ERROR_USAGE, "%s, line %d is not of the form `key = value`.", origin, number);
		key_len = (size_t)(equals - line);
		value = equals + 1;
		value_len = n - key_len - 1;
		trim(&line, &key_len);
		trim(&value, &value_len);
		if (set_key(&image, line, key_len, value, value_len, origin, number, err) < 0)
			return -1;
	}
	if (check(&image, origin, err) < 0)
		return -1;
	*ret = image;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

static int load_one(struct image *ret, const char *dir, const char *file, struct error *err)
{
	AUTO_FREE char *path = file_path(err, "%s/%s", dir, file);
	AUTO_FREE char *name = file_path(err, "%.*s", (int)(strlen(file) - strlen(SUFFIX)), file);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (!path || !name)
		return -1;
	text = file_read(path, IMAGE_FILE_MAX, &len, err);
	if (!text)
		return -1;
	return image_parse(ret, name, text, len, path, err);
}

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int image_catalogue_load(struct image_catalogue *ret, const char *dir, struct error *err)
{
	DIR *d CLEANUP(cleanup_dir) = opendir(dir);
	AUTO_FREE struct image *images = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!d)
		return error_set_errno(err, errno, "The image catalogue %s can't be read; is vpclab installed whole", dir);
	images = calloc(IMAGE_CATALOGUE_MAX, sizeof *images);
	if (!images)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	while ((entry = readdir(d))) {
		size_t n = strlen(entry->d_name);

		if (*entry->d_name == '.' || n <= strlen(SUFFIX) || strcmp(entry->d_name + n - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		if (count == IMAGE_CATALOGUE_MAX)
			return error_set(err, ERROR_USAGE, "The image catalogue %s has more than %d images.", dir,
					 IMAGE_CATALOGUE_MAX);
		if (load_one(&images[count], dir, entry->d_name, err) < 0)
			return -1;
		count++;
	}
	if (count == 0)
		return error_set(err, ERROR_ENVIRONMENT, "The image catalogue %s holds no *.image file.", dir);
	qsort(images, count, sizeof *images, by_name);
	ret->images = TAKE_PTR(images);
	ret->count = count;
	return 0;
}

void image_catalogue_done(struct image_catalogue *c)
{
	free(c->images);
	c->images = NULL;
	c->count = 0;
}

const struct image *image_catalogue_find(const struct image_catalogue *c, const char *name_or_id)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->images[i].name, name_or_id) == 0 || strcmp(c->images[i].id, name_or_id) == 0)
			return &c->images[i];
	return NULL;
}
