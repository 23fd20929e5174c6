/* SHA256SUMS as vendors write it, and the record beside an image. */
#include <string.h>
#include <unistd.h>

#include "image/store.h"
#include "image/sums.h"
#include "tap.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define B_LOW "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void finds(const char *text, const char *want, const char *what)
{
	char sum[SHA256_TEXT_MAX] = "";
	struct error err = { 0 };

	ok(sums_find(sum, text, strlen(text), "x.img", &err) == 0, "%s", what);
	is_str(sum, want, "  and it is the right one");
}

static void fails(const char *text, const char *message)
{
	char sum[SHA256_TEXT_MAX] = "";
	struct error err = { 0 };

	ok(sums_find(sum, text, strlen(text), "x.img", &err) < 0, "no sum in: %.30s", text);
	is_str(err.message, message, "  and it says so");
}

static void records(void)
{
	struct record r = { .bytes = 5000000000, .virtual_size = 2361393152, .since_ms = 1700000000000,
			    .mtime_ns = 1700000000123456789 },
		      back;
	struct error err = { 0 };
	char *text;

	memcpy(r.sha256, A, sizeof A);
	strcpy(r.signature, "not checked: \"x\"");
	text = record_text(&r, &err);
	golden(text, "image/record.json");
	ok(record_parse(&back, text, strlen(text), &err) == 0, "a record reads back");
	ok(memcmp(&r, &back, sizeof r) == 0, "  as it was");
	free(text);
	ok(record_parse(&back, "{\"sha256\":\"x\"}", 14, &err) < 0, "a record without its fields is refused");
	ok(record_parse(&back, "", 0, &err) < 0, "an empty record is refused");
	ok(record_parse(&back, "[1]", 3, &err) < 0, "an array is refused");
}

int main(void)
{
	char sum[SHA256_TEXT_MAX];
	char path[] = "/tmp/vpclab-sums.XXXXXX";
	struct error err = { 0 };
	int fd;

	finds(A " *x.img\n", A, "binary mark");
	finds(A "  x.img", A, "text mark, no newline at the end");
	finds(B "  x.img\r\n", B_LOW, "capitals and CRLF");
	finds(A " *ax.img\n" A " *x.img.xz\n" B " *x.img\n", B_LOW, "names that only look like it are passed by");
	finds("# comment\n\n" A " *x.img\n" A " *x.img\n", A, "twice the same");
	fails("", "The list of sums has no line for x.img; the server doesn't have this image's layout.");
	fails("<html>x.img</html>", "The list of sums has no line for x.img; the server doesn't have this image's layout.");
	fails(A "\tx.img\n", "The list of sums has no line for x.img; the server doesn't have this image's layout.");
	fails(A " *x.img\n" B " *x.img\n",
	      "The list of sums names x.img twice with different sums; the server is broken.");
	fd = mkstemp(path);
	ok(fd >= 0 && write(fd, "abc", 3) == 3 && sums_file_sha256(sum, path, NULL, NULL, &err) == 0, "a file is hashed");
	close(fd);
	unlink(path);
	is_str(sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "  to FIPS 180's value for abc");
	ok(sums_file_sha256(sum, path, NULL, NULL, &err) < 0, "a missing file is an error");
	records();
	return tap_done();
}
