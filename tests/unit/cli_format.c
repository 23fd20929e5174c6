/* Durations, sizes and ages as people read them; bars and when lines are due. */
#include "tap.h"

#include "base/buffer.h"
#include "cli/format.h"
#include "cli/progress.h"

static void bar_is(const char *want, const char *label, int64_t done, int64_t total, int64_t rate, int64_t ms, unsigned columns)
{
	AUTO_BUFFER struct buffer b = BUFFER_INIT(1024);

	progress_bar(&b, label, done, total, rate, ms, columns);
	is_str(buffer_text(&b), want, want);
	ok(b.len <= columns, "fits in %u columns", columns);
}

static void test_numbers(void)
{
	static const struct {
		int64_t ms;
		const char *duration, *clock;
	} times[] = {
		{ 0, "0.0 s", "0:00" },		 { 449, "0.4 s", "0:00" },	   { 9949, "9.9 s", "0:09" },
		{ 9950, "9 s", "0:09" },	 { 59999, "59 s", "0:59" },	   { 60000, "1 min 00 s", "1:00" },
		{ 185000, "3 min 05 s", "3:05" }, { 3599999, "59 min 59 s", "59:59" }, { 3600000, "1 h 00 min", "1:00:00" },
		{ 7440000, "2 h 04 min", "2:04:00" }, { 442800000, "5 d 3 h", "123:00:00" }, { -5, "0 s", "0:00" },
	};
	static const struct {
		int64_t bytes;
		const char *text;
	} sizes[] = { { 0, "0 B" },	    { 999, "999 B" },	   { 1000, "1.0 KiB" },	      { 1536, "1.5 KiB" }, { 641728512, "612 MiB" },
		      { 104752742, "99.9 MiB" }, { 2147483648, "2.0 GiB" }, { 1099511627776, "1.0 TiB" }, { -1, "0 B" } };
	char out[FORMAT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		format_duration(out, times[i].ms);
		is_str(out, times[i].duration, "duration");
		format_clock(out, times[i].ms);
		is_str(out, times[i].clock, "clock");
	}
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		format_bytes(out, sizes[i].bytes);
		is_str(out, sizes[i].text, "bytes");
	}
}

static void test_ages(void)
{
	const int64_t then = 1795342497000; /* 2026-11-22T10:14:57Z */
	static const struct {
		int64_t later_s;
		const char *age;
	} ages[] = { { 0, "0s ago" }, { 59, "59s ago" }, { 60, "1m ago" }, { 3599, "59m ago" }, { 3840, "1h04m ago" }, { 200000, "2d ago" }, { -30, "0s ago" } };
	char out[FORMAT_MAX];

	setenv("TZ", "Asia/Seoul", 1);
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		format_age(out, "2026-11-22T10:14:57.000Z", then + ages[i].later_s * 1000);
		is_str(out, ages[i].age, "age, in whatever time zone");
	}
	format_age(out, "yesterday", then);
	is_str(out, "", "no timestamp");
}

static void test_bars(void)
{
	const int64_t mib = 1 << 20;

	bar_is("download [###############---------------]  50 %  300 MiB of 600 MiB, 11.0 MiB/s, 0:27", "download", 300 * mib, 600 * mib,
	       11 * mib, 27000, 120);
	bar_is("download [######----]  60 %  6.0 MiB of 10.0 MiB, 1.0 MiB/s, 0:06", "download", 6 * mib, 10 * mib, mib, 6000, 65);
	bar_is("download  60 %  6.0 MiB of 10.0 MiB, 1.0 MiB/s, 0:06", "download", 6 * mib, 10 * mib, mib, 6000, 64);
	bar_is("download  60 %", "download", 6 * mib, 10 * mib, mib, 6000, 20);
	bar_is("build 6.0 MiB, 1.0 MiB/s, 0:06", "build", 6 * mib, 0, mib, 6000, 80);
	bar_is("x [##############################] 100 %  11 B of 10 B, 0 B/s, 0:00", "x", 11, 10, 0, 0, 100);
	bar_is("x [------------------------------]   0 %  0 B of 10 B, 0 B/s, 0:00", "x", 0, 10, 0, 0, 100);
}

static void wraps(const char *text, unsigned indent, unsigned columns, const char *want)
{
	AUTO_BUFFER struct buffer b = BUFFER_INIT(1024);

	progress_wrap(&b, text, indent, columns);
	is_str(buffer_text(&b), want, text);
}

static void test_wrap(void)
{
	wraps("  0:01  image  short", 4, 40, "  0:01  image  short\n");
	wraps("  a  bb ccc dddd eeeee", 4, 12, "  a  bb ccc\n    dddd\n    eeeee\n");
	wraps("exactly ten", 2, 11, "exactly ten\n");
	wraps("exactly ten", 2, 10, "exactly\n  ten\n");
	wraps("x unbreakable-word y", 2, 8, "x\n  unbreakable-word\n  y\n");
	wraps("\303\251\303\251 \303\251\303\251", 0, 5, "\303\251\303\251 \303\251\303\251\n");
	wraps("", 4, 40, "\n");
}

static void test_pace(void)
{
	struct progress_pace p = { 0 };

	ok(progress_due(&p, 1000, 0), "the first line is due");
	ok(!progress_due(&p, 2000, 9), "9 %% after a second is not");
	ok(progress_due(&p, 2500, 10), "10 %% is");
	ok(!progress_due(&p, 3000, 19), "19 %% is not");
	ok(progress_due(&p, 3500, 27), "27 %% is, as 20 %% went by");
	ok(progress_due(&p, 4000, 30), "and 30 %% is");
	ok(!progress_due(&p, 13999, 31), "9.999 s are not");
	ok(progress_due(&p, 14000, 31), "10 s are");
	p = (struct progress_pace){ 0 };
	ok(progress_due(&p, 0, -1), "of unknown size: the first");
	ok(!progress_due(&p, 9999, -1), "not before 10 s");
	ok(progress_due(&p, 10000, -1), "after 10 s");
}

int main(void)
{
	test_numbers();
	test_ages();
	test_bars();
	test_wrap();
	test_pace();
	return tap_done();
}
