/* A guest's serial console, read by GetConsoleOutput. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "cli/cli.h"

/* Bytes from offset on (-1: the last 64 KiB), waiting at most wait_s for some. The caller frees; *ret_next is the offset
 * after them. */
char *console_read(struct cli *cli, const char *id, int64_t offset, int64_t wait_s, size_t *ret_len, int64_t *ret_next,
		   struct error *err);
/* The last lines to standard error, below a failure's sentence. Quiet when there are none. */
void console_show_tail(struct cli *cli, const char *id, size_t lines);
