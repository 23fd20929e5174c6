/* `vpclab image`: the catalogue and what of it is here. */
#include <string.h>

#include "cli/client.h"
#include "cli/format.h"
#include "cli/image_pull.h"
#include "cli/progress.h"
#include "cli/suggest.h"
#include "cli/verb.h"

#define VERIFY_MS 600000 /* hashing an image of some GiB on a slow disk */

static const struct flag flags[] = {
	{ "mirror", "URL", "pull: a copy of the image server, such as a school's" },
	{ NULL, NULL, NULL },
};

static int list(struct cli *cli, const char *name, const struct arguments *a, struct error *err)
{
	static const char *const headings[] = { "NAME", "AMI ID", "HERE", "SIZE", "KIND", "DESCRIPTION", NULL };
	AUTO_JSON json_t *reply = client_get(cli, "DescribeImages", err);
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const json_t *image;
	size_t i;

	(void)name;
	(void)a;
	if (!reply || !t)
		return -1;
	if (cli->json) {
		print_json(reply);
		return 0;
	}
	json_array_foreach(json_object_get(reply, "imagesSet"), i, image) {
		const char *local = tag_of(image, "vpclab:local"), *bytes = tag_of(image, "vpclab:bytes");
		char size[FORMAT_MAX] = "";
		int64_t n;

		if (number_parse(bytes, INT64_MAX / 16, &n) && n > 0)
			format_bytes(size, n);
		const char *const cells[] = { text_of(image, "name"), text_of(image, "imageId"),
					      strcmp(local, "available") == 0 ? "yes" : strcmp(local, "partial") == 0 ? "partly" : "no",
					      size, strcmp(tag_of(image, "vpclab:kind"), "build") == 0 ? "built here" : "download",
					      text_of(image, "description") };
		table_row(t, cells);
	}
	table_print(t, stdout);
	return 0;
}

static int import(struct cli *cli, const char *name, const char *mirror, bool rebuild, struct error *err)
{
	AUTO_JSON json_t *image = image_get(cli, name, err);
	AUTO_JSON json_t *task = NULL;
	char took[FORMAT_MAX];

	if (!image || image_import(cli, image, mirror, rebuild, NULL, &task, err) < 0)
		return -1;
	if (cli->json) {
		print_json(task);
		return 0;
	}
	format_duration(took, number_of(task, "elapsedMs"));
	printf("%s is here (%s).\n", text_of(image, "name"), took);
	return 0;
}

static int pull(struct cli *cli, const char *name, const struct arguments *a, struct error *err)
{
	return import(cli, name, arguments_value(a, "mirror"), false, err);
}

static int build(struct cli *cli, const char *name, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *image = image_get(cli, name, err);

	(void)a;
	if (!image)
		return -1;
	if (strcmp(tag_of(image, "vpclab:kind"), "build") != 0)
		return error_set(err, ERROR_USAGE, "The image %s is downloaded, not built; use `vpclab image pull %s`.", name, name);
	return import(cli, name, NULL, true, err);
}

static int verify(struct cli *cli, const char *name, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *image = image_get(cli, name, err);
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	bool good;

	(void)a;
	request_init(&r, "VerifyImage");
	if (!image)
		return -1;
	request_add(&r, "ImageId", text_of(image, "imageId"));
	progress_live("reading all of %s", name);
	reply = client_call(cli, &r, VERIFY_MS, err);
	progress_end();
	if (!reply)
		return -1;
	good = strcmp(text_of(reply, "state"), "ok") == 0;
	if (cli->json)
		print_json(reply);
	else
		printf("%s: %s, sha256 %s\n", text_of(image, "name"), text_of(reply, "state"), text_of(reply, "sha256"));
	return good ? 0 : 1;
}

static int rm(struct cli *cli, const char *name, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *image = image_get(cli, name, err);
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;

	(void)a;
	request_init(&r, "RemoveImage");
	if (!image)
		return -1;
	request_add(&r, "ImageId", text_of(image, "imageId"));
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (cli->json)
		print_json(reply);
	else
		printf("%s is no longer here; a launch brings it again.\n", text_of(image, "name"));
	return 0;
}

static const struct {
	const char *word;
	bool name;
	int (*run)(struct cli *cli, const char *name, const struct arguments *a, struct error *err);
} words[] = {
	{ "ls", false, list },	   { "pull", true, pull }, { "build", true, build },
	{ "verify", true, verify }, { "rm", true, rm },
};

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *word = arguments_word(a, 0, "ls"), *name = arguments_word(a, 1, NULL), *guess;
	const char *names[ARRAY_SIZE(words) + 1] = { NULL };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		names[i] = words[i].word;
		if (strcmp(words[i].word, word) != 0)
			continue;
		if (words[i].name && !name)
			return error_set(err, ERROR_USAGE, "Which image? vpclab image %s NAME; `vpclab image ls` lists them.", word);
		if (!words[i].name && name)
			return error_set(err, ERROR_USAGE, "`vpclab image %s` takes no name.", word);
		return words[i].run(cli, name, a, err);
	}
	guess = suggest(word, names);
	return error_set(err, ERROR_USAGE, "`vpclab image` can't %.32s%s%s%s", word, guess ? "; did you mean " : "",
			 guess ? guess : "; it can ls, pull, build, verify and rm", guess ? "?" : ".");
}

const struct verb verb_image = {
	.name = "image",
	.group = "Images",
	.synopsis = "ls|pull|build|verify|rm [NAME]",
	.summary = "The catalogue of images, and bringing them here.",
	.details = "pull downloads (and resumes), checks the vendor's checksums and, where the keyring is installed,\n"
		   "their signature. build makes an image anew on this machine. verify reads the whole image again\n"
		   "and compares; it exits with 1 when the image was altered.",
	.flags = flags,
	.min_words = 0,
	.max_words = 2,
	.run = run,
};
