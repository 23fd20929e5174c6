/* What goes on, on standard error: on a terminal one live line whose clock ticks, elsewhere lines. One display a
 * process; results are printed on standard output and not here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define PROGRESS_LINE_MAX 512
#define PROGRESS_PACE_MS 10000
#define PROGRESS_PACE_PERCENT 10

/* A line for good; on a terminal it is wrapped, and what doesn't fit goes below, indented. Control characters are shown
 * as '?', for some of the words come from guests. */
void progress_say(unsigned indent, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What is awaited now, with the time since it began; NULL: nothing any more. Does nothing where it isn't a terminal. */
void progress_live(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Bytes of a transfer under the same label: a bar on a terminal; elsewhere a line every 10 s or 10 %. total 0: unknown. */
void progress_bytes(const char *label, int64_t done, int64_t total);
/* Nothing live any more; before results are printed, and at the end. */
void progress_end(void);
/* Said once when Ctrl-C comes, after which the process ends with status 130. NULL: nothing special to say. */
void progress_on_interrupt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The rest is pure, for the tests too. */
struct progress_rate {
	int64_t first_ms, first_done; /* where the measuring began */
};
/* "LABEL [#####-----]  45 %  270 MiB of 600 MiB, 11 MiB/s, 0:24", never longer than columns. rate is bytes/s. */
void progress_bar(struct buffer *out, const char *label, int64_t done, int64_t total, int64_t rate, int64_t elapsed_ms,
		  unsigned columns);
/* text and a newline, broken at blanks so that no line but an unbreakable one is longer than columns. */
void progress_wrap(struct buffer *out, const char *text, unsigned indent, unsigned columns);
struct progress_pace {
	int64_t last_ms;
	int last_percent;
	bool begun;
};
/* Is a line due where lines are printed? Updates pace when it is. percent -1: unknown. */
bool progress_due(struct progress_pace *pace, int64_t now_ms, int percent);
