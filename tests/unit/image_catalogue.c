/* The image catalogue: the files we ship, and what their parser refuses. */
#include <string.h>

#include "base/buffer.h"
#include "image/catalogue.h"
#include "tap.h"

#define GOOD                                                                                                           \
	"description = A\nos = B\narchitecture = x86_64\ndefault user = ubuntu\nroot device = /dev/sda1\n"             \
	"url = https://host/dir/\nfile = a.img\nsums = SHA256SUMS\n"

static void shipped(void)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(64 << 10);
	struct image_catalogue c = { 0 };
	struct error err = { 0 };

	if (!ok(image_catalogue_load(&c, "images", &err) == 0, "the shipped catalogue loads")) {
		printf("# %s\n", err.message);
		return;
	}
	for (size_t i = 0; i < c.count; i++) {
		const struct image *m = &c.images[i];

		buffer_addf(&out, "%s\n  id %s\n  description %s\n  os %s\n  user %s\n  root %s\n", m->name, m->id,
			    m->description, m->os, m->default_user, m->root_device);
		if (*m->build)
			buffer_addf(&out, "  build %s\n", m->build);
		else
			buffer_addf(&out, "  url %s\n  file %s\n  sums %s\n  signature %s\n  keyring %s (%s)\n", m->url, m->file,
				    m->sums, m->signature, m->keyring, m->keyring_package);
	}
	golden(buffer_text(&out), "image/catalogue");
	ok(image_catalogue_find(&c, "ubuntu-22.04") != NULL, "found by name");
	ok(image_catalogue_find(&c, image_catalogue_find(&c, "debian-12")->id) == image_catalogue_find(&c, "debian-12"),
	   "found by id");
	ok(image_catalogue_find(&c, "ubuntu-1.0") == NULL, "an unknown one isn't found");
	image_catalogue_done(&c);
}

static void refuses(const char *name, const char *text, size_t len, const char *message)
{
	struct error err = { 0 };
	struct image image;

	ok(image_parse(&image, name, text, len, "x.image", &err) < 0, "refused: %.40s", message);
	is_str(err.message, message, "  in this sentence");
}

static void parser(void)
{
	static const char tidy[] = "# a comment\n\n\tos   =  Some OS = 1 \r\n" GOOD;
	struct error err = { 0 };
	struct image image;

	ok(image_parse(&image, "a", tidy, strlen(tidy), "x.image", &err) == 0, "comments, blanks and CRLF are taken");
	is_str(image.os, "B", "the last value of a key stays");
	ok(image_parse(&image, "a", GOOD, strlen(GOOD) - 1, "x.image", &err) == 0, "the last line needs no newline");
	is_str(image.sums, "SHA256SUMS", "  and is whole");
#define REFUSES(name, text, message) refuses(name, text, sizeof(text) - 1, message)
	REFUSES("a", GOOD "colour = red\n", "x.image, line 9: there is no key \"colour\" in an image's description.");
	REFUSES("a", GOOD "hello\n", "x.image, line 9 is not of the form `key = value`.");
	REFUSES("a", GOOD "file = ../x\n", "x.image: file, sums and signature must be file names in url's directory.");
	REFUSES("a", GOOD "url = https://host/file\n",
		"x.image: url must be a directory's and end in a slash, not \"https://host/file\".");
	REFUSES("a", GOOD "build = x.sh\n", "x.image: an image has either a build script or a url, not both.");
	REFUSES("a", GOOD "signature = S.gpg\n", "x.image: a signature needs a keyring to be checked with.");
	REFUSES("a", GOOD "architecture = arm64\n",
		"x.image: the architecture \"arm64\" can't be run; it must be x86_64.");
	REFUSES("a", GOOD "os = a\0b\n", "x.image, line 9: the value of \"os\" holds a zero byte.");
	REFUSES("../a", GOOD, "x.image: \"../a\" can't be an image's name; use letters, digits, '.' and '-'.");
	REFUSES("a", "", "x.image: the architecture \"\" can't be run; it must be x86_64.");
	{
		char text[sizeof GOOD + 400] = GOOD "os = ";

		memset(text + strlen(text), 'x', 300);
		refuses("a", text, strlen(text), "x.image, line 9: the value of \"os\" is longer than 255 bytes.");
	}
}

int main(void)
{
	struct image_catalogue c = { 0 };
	struct error err = { 0 };

	shipped();
	parser();
	ok(image_catalogue_load(&c, "tests/golden", &err) < 0, "a directory without images is an error");
	is_str(err.message, "The image catalogue tests/golden holds no *.image file.", "  in this sentence");
	return tap_done();
}
