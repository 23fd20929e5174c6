/* URLs as people copy them. */
#include "tap.h"

#include "cli/why.h"

static void url(const char *text, const char *host, long long port, const char *path)
{
	struct url_parts u = { .port = 0 };
	struct error err = { 0 };

	is_int(url_parse(text, &u, &err), 0, text);
	is_str(u.host, host, text);
	is_int(u.port, port, text);
	is_str(u.path, path, text);
}

static void bad(const char *text, const char *word)
{
	struct url_parts u;
	struct error err = { 0 };

	ok(url_parse(text, &u, &err) < 0 && err.kind == ERROR_USAGE && strstr(err.message, word), "%s: %s", text, err.message);
}

int main(void)
{
	url("http://203.0.113.24:8000/", "203.0.113.24", 8000, "/");
	url("http://203.0.113.24:8000", "203.0.113.24", 8000, "/");
	url("http://203.0.113.24/admin/?next=/#top", "203.0.113.24", 80, "/admin/?next=/");
	url("http://web?x", "web", 80, "/?x");
	bad("https://203.0.113.24/", "http://");
	bad("ftp://x/", "http://");
	bad("http:///x", "no host");
	bad("http://user@host/", "no host");
	bad("http://h:0/", "1 to 65535");
	bad("http://h:70000/", "1 to 65535");
	bad("http://h:80000000000000000000/", "1 to 65535");
	bad("http://h:8a/", "1 to 65535");
	bad("http://h:/", "1 to 65535");
	return tap_done();
}
