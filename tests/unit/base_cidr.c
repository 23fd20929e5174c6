/* IPv4 addresses, CIDR blocks, times. */
#include "tap.h"

#include "base/cidr.h"
#include "base/cleanup.h"
#include "base/time.h"

static void test_addresses(void)
{
	static const char *const bad[] = { "", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.04",
					   "1.2.3.-4", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "a.b.c.d", "1.2.3.0x4", "1000.0.0.0" };
	char text[IPV4_TEXT_MAX];
	uint32_t addr = 0;

	ok(ipv4_parse("172.31.0.10", &addr) && addr == 0xac1f000a, "172.31.0.10");
	ok(ipv4_parse("0.0.0.0", &addr) && addr == 0, "0.0.0.0");
	ok(ipv4_parse("255.255.255.255", &addr) && addr == UINT32_MAX, "255.255.255.255");
	ipv4_format(text, addr);
	is_str(text, "255.255.255.255", "and back");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!ipv4_parse(bad[i], &addr), "'%s' is no address", bad[i]);
	ok(addr == UINT32_MAX, "what is no address changes nothing");
}

static void test_blocks(void)
{
	static const char *const bad[] = { "", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/8 ", "10.0.0.0/-1",
					   "10.0.0.0/8/8", "10.0.0/8", "/8", "10.0.0.0/999", "10.0.0.0/8x" };
	char text[CIDR_TEXT_MAX];
	struct cidr c, d;
	struct error err = { 0 };
	bool host_bits;

	ok(cidr_parse("172.31.0.0/16", &c, &host_bits, NULL) == 0 && !host_bits, "172.31.0.0/16");
	ok(cidr_last(c) == 0xac1fffff && cidr_size(c) == 65536 && cidr_mask(16) == 0xffff0000, "its last address, size and mask");
	ok(cidr_contains(c, 0xac1f1234) && !cidr_contains(c, 0xac201234), "what it contains");
	ok(cidr_parse("172.31.77.5/20", &d, &host_bits, NULL) == 0 && host_bits, "host bits are told");
	cidr_format(text, d);
	is_str(text, "172.31.64.0/20", "and cut off");
	ok(cidr_overlaps(c, d) && cidr_overlaps(d, c), "a subnet and its VPC overlap, whoever is asked");
	cidr_parse("172.32.0.0/16", &d, NULL, NULL);
	ok(!cidr_overlaps(c, d), "neighbours don't");
	ok(cidr_parse("0.0.0.0/0", &c, NULL, NULL) == 0 && cidr_mask(0) == 0 && cidr_size(c) == 1ull << 32 && cidr_contains(c, UINT32_MAX),
	   "0.0.0.0/0 is everything");
	ok(cidr_parse("203.0.113.7/32", &c, NULL, NULL) == 0 && cidr_size(c) == 1 && cidr_last(c) == c.addr, "a /32 is one address");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(cidr_parse(bad[i], &c, NULL, &err) < 0, "'%s' is no block", bad[i]);
	is_str(err.code, "InvalidParameterValue", "EC2's code");
	ok(strstr(err.message, "10.0.0.0/8x") != NULL, "the sentence has the value");
}

static void test_times(void)
{
	char text[TIME_ISO_MAX];
	int64_t now = time_mono_ms();

	setenv("TZ", "Asia/Kathmandu", 1);
	time_iso(text, 1795342497123);
	is_str(text, "2026-11-22T10:14:57.123Z", "times are UTC wherever we are");
	time_iso(text, time_whole_seconds(1795342497123));
	is_str(text, "2026-11-22T10:14:57.000Z", "whole seconds");
	time_iso(text, 0);
	is_str(text, "1970-01-01T00:00:00.000Z", "the epoch");
	ok(deadline_passed(now - 1) && !deadline_passed(deadline_in(60000)) && !deadline_passed(DEADLINE_NEVER), "deadlines");
	ok(deadline_poll_ms(DEADLINE_NEVER) == -1 && deadline_poll_ms(now - 5) == 0 && deadline_poll_ms(now + (1ll << 40)) > 0,
	   "what poll is given");
	time_scale_set(3);
	ok(time_scaled(100) == 300 || getenv("VPCLAB_TIME_SCALE"), "durations scale");
}

int main(void)
{
	test_addresses();
	test_blocks();
	test_times();
	return tap_done();
}
