#include "lesson/check.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

void checks_init(struct checks *c)
{
	memset(c, 0, sizeof *c);
	c->last = time_mono_ms();
}

void check_add(struct checks *c, const char *id, const char *title, enum check_status status, const char *advice, const char *fmt, ...)
{
	struct check *one;
	int64_t now = time_mono_ms();
	va_list ap;

	if (c->count == CHECKS_MAX)
		return;
	one = &c->items[c->count++];
	one->id = id;
	one->title = title;
	one->status = status;
	one->elapsed_ms = now - c->last;
	c->last = now;
	snprintf(one->advice, sizeof one->advice, "%s", status == CHECK_FAIL && advice ? advice : "");
	va_start(ap, fmt);
	vsnprintf(one->seen, sizeof one->seen, fmt, ap);
	va_end(ap);
}

bool checks_passed(const struct checks *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].status == CHECK_FAIL)
			return false;
	return true;
}

const char *check_status_name(enum check_status s)
{
	static const char *const names[] = { "pass", "fail", "skip" };

	return names[s];
}

/* A line of TAP must stay one, and what a guest said must not command the reader's terminal. */
static void add_line(struct buffer *out, const char *text)
{
	for (; *text; text++)
		buffer_add_len(out, (unsigned char)*text < 0x20 || *text == 0x7f ? " " : text, 1);
}

void report_tap(struct buffer *out, const struct checks *c)
{
	buffer_addf(out, "TAP version 13\n1..%zu\n", c->count);
	for (size_t i = 0; i < c->count; i++) {
		const struct check *one = &c->items[i];

		buffer_addf(out, "%sok %zu - %s%s", one->status == CHECK_FAIL ? "not " : "", i + 1, one->title,
			    one->status == CHECK_SKIP ? " # SKIP " : "\n");
		if (one->status == CHECK_SKIP) {
			add_line(out, one->seen);
			buffer_add(out, "\n");
			continue;
		}
		buffer_add(out, "# seen: ");
		add_line(out, one->seen);
		buffer_add(out, "\n");
		if (*one->advice) {
			buffer_add(out, "# do: ");
			add_line(out, one->advice);
			buffer_add(out, "\n");
		}
	}
}

void report_junit(struct buffer *out, const struct checks *c, const char *suite)
{
	size_t failed = 0, skipped = 0;
	int64_t total = 0;

	for (size_t i = 0; i < c->count; i++) {
		failed += c->items[i].status == CHECK_FAIL;
		skipped += c->items[i].status == CHECK_SKIP;
		total += c->items[i].elapsed_ms;
	}
	buffer_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"");
	buffer_add_xml(out, suite);
	buffer_addf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%lld.%03lld\">\n", c->count, failed,
		    skipped, (long long)(total / 1000), (long long)(total % 1000));
	for (size_t i = 0; i < c->count; i++) {
		const struct check *one = &c->items[i];

		buffer_add(out, "    <testcase classname=\"");
		buffer_add_xml(out, suite);
		buffer_add(out, "\" name=\"");
		buffer_add_xml(out, one->title);
		buffer_addf(out, "\" time=\"%lld.%03lld\">", (long long)(one->elapsed_ms / 1000), (long long)(one->elapsed_ms % 1000));
		switch (one->status) {
		case CHECK_PASS:
			buffer_add(out, "<system-out>");
			buffer_add_xml(out, one->seen);
			buffer_add(out, "</system-out>");
			break;
		case CHECK_SKIP:
			buffer_add(out, "<skipped message=\"");
			buffer_add_xml(out, one->seen);
			buffer_add(out, "\"/>");
			break;
		case CHECK_FAIL:
			buffer_add(out, "<failure message=\"");
			buffer_add_xml(out, one->seen);
			buffer_add(out, "\">");
			buffer_add_xml(out, one->advice);
			buffer_add(out, "</failure>");
			break;
		}
		buffer_add(out, "</testcase>\n");
	}
	buffer_add(out, "  </testsuite>\n</testsuites>\n");
}
