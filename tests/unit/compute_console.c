/* The console parser on a real console, chopped at every size, and on what real consoles hold beside. */
#include "compute/console.h"

#include "base/buffer.h"
#include "base/file.h"
#include "tap.h"

#define LOG_MAX (1u << 20)

static void to_text(void *arg, const struct boot_step *s)
{
	buffer_addf(arg, "%s: %s\n", boot_phase_name(s->phase), s->detail);
}

static void steps(struct buffer *out, const char *data, size_t len, size_t chunk)
{
	struct console_parser p;

	console_parser_init(&p);
	for (size_t at = 0; at < len; at += chunk)
		console_feed(&p, data + at, len - at < chunk ? len - at : chunk, to_text, out);
}

static void test_real(const char *log, const char *want)
{
	AUTO_BUFFER struct buffer whole = BUFFER_INIT(LOG_MAX);
	char path[256];
	size_t len, bad = 0;
	char *data;

	snprintf(path, sizeof path, "tests/golden/%s", log);
	data = file_read(path, LOG_MAX, &len, NULL);
	if (!ok(data != NULL, "%s is there", log))
		return;
	steps(&whole, data, len, len);
	golden(buffer_text(&whole), want);
	for (size_t chunk = 1; chunk < 3000; chunk += chunk < 130 ? 1 : 97) {
		AUTO_BUFFER struct buffer out = BUFFER_INIT(LOG_MAX);

		steps(&out, data, len, chunk);
		bad += strcmp(buffer_text(&out), buffer_text(&whole)) != 0;
	}
	is_int((long long)bad, 0, "the steps are the same however the bytes come");
	free(data);
}

static void says(const char *console, const char *want, const char *what)
{
	AUTO_BUFFER struct buffer out = BUFFER_INIT(LOG_MAX);

	steps(&out, console, strlen(console), 7);
	is_str(buffer_text(&out), want, what);
}

static void test_lines(void)
{
	says("SeaBIOS (version 1.16.2)\r\nBooting from Hard Disk...\r\nNo bootable device.\r\n",
	     "firmware: SeaBIOS\nfailed: No bootable device.\n", "a disk without a boot loader");
	says("[    0.000000] Linux version 5.15.0-91-generic (buildd@x) (gcc)\n[    0.100000] more\n",
	     "kernel: Linux 5.15.0-91-generic\n", "the kernel and its release, once");
	says("[    3.100000] late line\n", "kernel: Linux\n", "a console that missed the kernel's first line");
	says("[    4.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
	     "failed: Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n", "a kernel panic");
	says("[    0.000000] Linux version 6.1.0\nYou are in emergency mode. After logging in\n",
	     "kernel: Linux 6.1.0\nfailed: You are in emergency mode. After logging in\n", "emergency mode");
	says("ALERT!  LABEL=cloudimg-rootfs does not exist.  Dropping to a shell!\n",
	     "failed: the root file system was not found\n", "no root file system");
	says("[   12.000000] cloud-init[345]: Cloud-init v. 22.4.2 running 'init-local' at Mon, 23 Nov 2026. Up 12 seconds.\n"
	     "Cloud-init v. 22.4.2 running 'init' at Mon, 23 Nov 2026. Up 15 seconds.\n"
	     "[vpclab] django: pip install Django\n"
	     "Cloud-init v. 22.4.2 running 'modules:final' at Mon. Up 20 seconds.\n"
	     "Cloud-init v. 22.4.2 finished at Mon. Datasource DataSourceNoCloud.  Up 22.00 seconds\n"
	     "[vpclab] django: listening on 0.0.0.0:8000\n",
	     "cloud-init: local\ncloud-init: network\nuser-data: django: pip install Django\ncloud-init: final\n"
	     "ready: Cloud-init v. 22.4.2 finished at Mon. Datasource DataSourceNoCloud.  Up 22.00 seconds\n"
	     "user-data: django: listening on 0.0.0.0:8000\n",
	     "cloud-init's stages, with user data between and after");
	says("[vpclab] django: FAILED: ERROR: No matching distribution (status 1)\n",
	     "failed: django: FAILED: ERROR: No matching distribution (status 1)\n", "the lab's own failure");
	says("[\033[0;1;31mFAILED\033[0m] Failed to start \033[0;1;39mcloud-init.service\033[0m - Initial cloud-init job.\n",
	     "failed: Failed to start cloud-init.service - Initial cloud-init job.\n", "a failed stage, in colours");
	says("[\033[0;1;31mFAILED\033[0m] Failed to start \033[0;1;39mother.service\033[0m - Other.\n", "",
	     "another unit's failure is none of the boot's");
	says("Cloud-init v. 22.4.2 finished at Mon. Up 22 seconds\n[    0.000000] Linux version 6.1.0 (x)\n"
	     "Welcome to Debian GNU/Linux 12 (bookworm)!\r\nWelcome to Debian GNU/Linux 12 (bookworm)!\n",
	     "ready: Cloud-init v. 22.4.2 finished at Mon. Up 22 seconds\nkernel: Linux 6.1.0\n"
	     "init: Debian GNU/Linux 12 (bookworm)\n",
	     "a reboot begins again");
}

static void test_finished(void)
{
	struct console_parser p;
	const char *done = "Cloud-init v. 22.4.2 finished at Mon. Up 22 seconds\n", *again = "SeaBIOS (version 1)\n";

	console_parser_init(&p);
	console_feed(&p, done, strlen(done), NULL, NULL);
	ok(p.cloud_init_finished, "cloud-init's end is known");
	console_feed(&p, again, strlen(again), NULL, NULL);
	ok(!p.cloud_init_finished, "and forgotten when a new boot begins");
}

static void test_foreign(void)
{
	AUTO_BUFFER struct buffer data = BUFFER_INIT(LOG_MAX), out = BUFFER_INIT(LOG_MAX);
	unsigned seed = 1;

	/* every byte value, unfinished escapes, a line longer than any limit */
	for (int i = 0; i < 100000; i++) {
		seed = seed * 1103515245u + 12345u;
		buffer_add_len(&data, &(char){ (char)(seed >> 16) }, 1);
	}
	buffer_add(&data, "\033[12;\n\033]0;title\n\033(\n\n[vpclab] ");
	for (int i = 0; i < 5000; i++)
		buffer_add(&data, "x");
	buffer_add(&data, "\n");
	steps(&out, buffer_text(&data), data.len, 1);
	ok(out.len > 0 && out.len < 4 * CONSOLE_DETAIL_MAX, "foreign bytes yield short details");
	says("\033[31m[vpclab]\033[0m a\x07\b b\033]0;title\007 c\n", "user-data: a b c\n", "escapes are skipped within a line");
	says("\033]0;never ended\n[vpclab] told\n", "user-data: told\n", "a broken title swallows one line at most");
	says("[vpclab] \n\n\n[vpclab] a\n[vpclab] a\n[vpclab] b\n", "user-data: \nuser-data: a\nuser-data: b\n",
	     "the same step twice is told once");
}

int main(void)
{
	test_real("compute-console.log", "compute-console.steps");
	test_lines();
	test_finished();
	test_foreign();
	return tap_done();
}
