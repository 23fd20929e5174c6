/* What a serial console says: phases of a boot, told from the log's bytes. Pure, for foreign bytes, fuzzed later. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_DETAIL_MAX 160

/* Backwards only when a new boot begins, but for BOOT_CLOUD_INIT and BOOT_USER_DATA, which may alternate. */
enum boot_phase {
	BOOT_NONE,
	BOOT_FIRMWARE,   /* detail: SeaBIOS, GRUB */
	BOOT_KERNEL,     /* detail: Linux and its release */
	BOOT_INIT,       /* detail: the system's name, as it welcomes */
	BOOT_CLOUD_INIT, /* detail: local, network (init), config, final */
	BOOT_USER_DATA,  /* `[vpclab] <words>` lines: detail is the words. They may come before and after BOOT_READY */
	BOOT_READY,      /* cloud-init finished: detail its own words */
	BOOT_FAILED,     /* kernel panic, no bootable device, emergency mode, a failed stage of cloud-init, `[vpclab] ... FAILED ...`:
			  * detail is the line from there. The guest may yet go on */
};

struct console_parser {
	char line[1024];
	size_t len;
	unsigned char escape;          /* where in an escape sequence the bytes are */
	enum boot_phase phase;         /* the last step's */
	char detail[CONSOLE_DETAIL_MAX];
	bool cloud_init_finished;      /* in this boot */
};

/* One step: a new phase or a new detail within it. A reboot begins again at the firmware or the kernel. */
struct boot_step {
	enum boot_phase phase;
	char detail[CONSOLE_DETAIL_MAX];
};

void console_parser_init(struct console_parser *p);
/* Feeds bytes; calls step for each new step, in order. Escape sequences are skipped, lines are capped. */
void console_feed(struct console_parser *p, const char *data, size_t len, void (*step)(void *arg, const struct boot_step *s), void *arg);
const char *boot_phase_name(enum boot_phase p);
