/* Where a path of `cp` is. */
#include "tap.h"

#include "cli/cp.h"

static void remote(const char *word, const char *want_name, const char *want_path)
{
	char name[COPY_NAME_MAX] = "";
	const char *path = copy_path_parse(word, name);

	is_str(path ? path : "(local)", want_path, word);
	is_str(name, want_name, word);
}

int main(void)
{
	char wide[COPY_NAME_MAX + 10];

	remote("web:site", "web", "site");
	remote("web:", "web", "");
	remote("web:/etc/passwd", "web", "/etc/passwd");
	remote("web:a:b", "web", "a:b");
	remote("i-0123456789abcdef0:~/x", "i-0123456789abcdef0", "~/x");
	remote("my db:x", "my db", "x");
	remote("site", "", "(local)");
	remote("./a:b", "", "(local)");
	remote("/a:b", "", "(local)");
	remote("d/a:b", "", "(local)");
	remote(":x", "", "(local)");
	remote("", "", "(local)");
	memset(wide, 'x', sizeof wide);
	memcpy(wide + sizeof wide - 2, ":", 2);
	remote(wide, "", "(local)");
	return tap_done();
}
