/* The lesson's reports as others read them, and the reading of what a guest prints. */
#include "tap.h"

#include "base/cleanup.h"
#include "lesson/check.h"
#include "lesson/django.h"

static void sample(struct checks *c)
{
	checks_init(c);
	check_add(c, "state", "Instance state", CHECK_PASS, "never shown", "i-0123456789abcdef0 is running");
	check_add(c, "django", "Django <in> the \"venv\" & more", CHECK_FAIL, "pip install Django", "line one\nnot ok 7 - two\r\x1b[31m웹");
	check_add(c, "outbound", "Outbound", CHECK_SKIP, NULL, "the host's address can't be\nlistened on # really");
	check_add(c, "http", "http://PublicIPv4:8000", CHECK_FAIL, NULL, "%d", 400);
	for (size_t i = 0; i < c->count; i++)
		c->items[i].elapsed_ms = (int64_t)i * 1234; /* the only thing that differs from run to run */
}

static void test_reports(void)
{
	static struct checks c;
	AUTO_BUFFER struct buffer tap = BUFFER_INIT(65536), junit = BUFFER_INIT(65536);

	sample(&c);
	ok(!checks_passed(&c), "one that failed fails all");
	report_tap(&tap, &c);
	golden(buffer_text(&tap), "lesson-report.tap");
	report_junit(&junit, &c, "vpc<lab>");
	golden(buffer_text(&junit), "lesson-report.xml");
	checks_init(&c);
	ok(checks_passed(&c), "none has failed where there is none");
	for (int i = 0; i < CHECKS_MAX + 5; i++)
		check_add(&c, "x", "x", CHECK_PASS, NULL, "x");
	is_int((long long)c.count, CHECKS_MAX, "no more than there is room for");
	ok(checks_passed(&c), "all passed");
	check_add(&c, "x", "x", CHECK_PASS, NULL, "x");
	checks_init(&c);
	{
		char *wide = malloc(4000);

		memset(wide, 'w', 3999);
		wide[3999] = '\0';
		check_add(&c, "x", "x", CHECK_FAIL, wide, "%s", wide);
		free(wide);
	}
	ok(strlen(c.items[0].seen) == CHECK_SEEN_MAX - 1 && strlen(c.items[0].advice) == CHECK_SEEN_MAX - 1, "long texts are cut");
}

static void test_facts(void)
{
	static const char text[] = "motd of some kind\nvcpus=1\nmemory_kib=2015244\nos=Debian GNU/Linux 12 (bookworm)\nuser=ubuntu\n"
				   "listen=0.0.0.0:8000 \nvcpus_more=9\n=\nunknown=x\ndjango=4.2\x1b[0m\nservice";
	char wide[2 * FACT_MAX + 8] = "os=";
	struct guest_facts f;

	guest_facts_parse(&f, text, sizeof text - 1);
	is_str(f.vcpus, "1", "a fact");
	is_str(f.os, "Debian GNU/Linux 12 (bookworm)", "with spaces");
	is_str(f.listen, "0.0.0.0:8000 ", "to the line's end");
	is_str(f.django, "4.2 [0m", "control characters are none");
	is_str(f.service, "", "a key alone is no fact");
	is_str(f.python, "", "what was not said is empty");
	guest_facts_parse(&f, text, 29);
	is_str(f.memory_kib, "", "a line that was cut in its key is none");
	guest_facts_parse(&f, "", 0);
	is_str(f.vcpus, "", "nothing at all");
	guest_facts_parse(&f, "vcpus=1\nvcpus=2", 15);
	is_str(f.vcpus, "2", "the last word counts");
	memset(wide + 3, 'x', 2 * FACT_MAX);
	guest_facts_parse(&f, wide, 2 * FACT_MAX);
	is_int((long long)strlen(f.os), FACT_MAX - 1, "a value is cut at its place's end");
	guest_facts_parse(&f, "vcpus=\0001\nuser=a\0b\n", 19);
	is_str(f.user, "a", "a NUL ends a value, not the reading");
}

int main(void)
{
	test_reports();
	test_facts();
	return tap_done();
}
