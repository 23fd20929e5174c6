#include "cli/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/time.h"
#include "cli/format.h"

#define TICK_MS 1000
#define COLUMNS_DEFAULT 80
#define BAR_MIN 10
#define BAR_MAX 30
#define EXIT_INTERRUPTED 130

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static bool started, ticking, terminal;
static char live[PROGRESS_LINE_MAX];
static int64_t live_since;
static bool live_is_bar;
static char bytes_label[PROGRESS_LINE_MAX];
static struct progress_rate rate;
static struct progress_pace pace;
/* read by the signal handler: written whole before it is pointed to */
static char farewell[2][PROGRESS_LINE_MAX];
static const char *volatile farewell_now;

static unsigned columns(void)
{
	const char *set = getenv("COLUMNS");
	struct winsize w;
	int64_t n = set ? strtol(set, NULL, 10) : 0;

	if (n >= 20 && n <= 1000)
		return (unsigned)n;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 20 ? w.ws_col : COLUMNS_DEFAULT;
}

/* Cut to the columns; bytes of UTF-8 beyond the first of a character take none. */
static void put_cut(const char *text, unsigned width)
{
	unsigned used = 0;

	for (; *text; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80 && used++ == width)
			break;
		fputc(*text, stderr);
	}
}

/* The lock is held. */
static void redraw(void)
{
	char clock[FORMAT_MAX], line[PROGRESS_LINE_MAX + FORMAT_MAX];

	if (!terminal)
		return;
	fputs("\r\033[K", stderr);
	if (live[0]) {
		format_clock(clock, time_mono_ms() - live_since);
		snprintf(line, sizeof line, live_is_bar ? "%s" : "  %s %s", live_is_bar ? live : clock,
			 live_is_bar ? "" : live);
		put_cut(line, columns() - 1);
	}
	fflush(stderr);
}

static void *tick(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	while (live[0]) {
		int64_t next = time_mono_ms() + TICK_MS;
		struct timespec ts = { next / 1000, next % 1000 * 1000000 };

		pthread_cond_timedwait(&changed, &lock, &ts);
		if (live[0] && !live_is_bar)
			redraw();
	}
	ticking = false;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void start(void)
{
	pthread_condattr_t attr;

	if (started)
		return;
	started = true;
	terminal = isatty(STDERR_FILENO) && !(getenv("TERM") && strcmp(getenv("TERM"), "dumb") == 0);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	pthread_condattr_destroy(&attr);
}

/* The lock is held. */
static void ensure_ticking(void)
{
	pthread_t thread;

	if (!terminal || ticking)
		return;
	if (pthread_create(&thread, NULL, tick, NULL) == 0) {
		pthread_detach(thread);
		ticking = true;
	}
}

static void clean(char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
}

/* Columns that text takes: bytes of UTF-8 beyond the first of a character take none. */
static unsigned width_of(const char *text, size_t len)
{
	unsigned width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

void progress_wrap(struct buffer *out, const char *text, unsigned indent, unsigned width)
{
	unsigned at = 0, begin = 0; /* where the present line's first word stands */

	if (indent > width / 2)
		indent = width / 2;
	while (*text) {
		size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
		unsigned needed = width_of(text + blanks, word);

		if (at > begin && at + blanks + needed > width) {
			buffer_addf(out, "\n%*s", (int)indent, "");
			at = begin = indent;
		} else {
			buffer_addf(out, "%*s", (int)blanks, "");
			at += (unsigned)blanks;
		}
		buffer_add_len(out, text + blanks, word);
		at += needed;
		text += blanks + word;
	}
	buffer_add(out, "\n");
}

void progress_say(unsigned indent, const char *fmt, ...)
{
	AUTO_BUFFER struct buffer wrapped = BUFFER_INIT(PROGRESS_LINE_MAX * 16);
	char line[PROGRESS_LINE_MAX * 4];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	clean(line);
	pthread_mutex_lock(&lock);
	start();
	if (terminal)
		fputs("\r\033[K", stderr);
	progress_wrap(&wrapped, line, indent, terminal ? columns() : sizeof line);
	fputs(buffer_text(&wrapped), stderr);
	redraw();
	pthread_mutex_unlock(&lock);
}

void progress_live(const char *fmt, ...)
{
	char line[PROGRESS_LINE_MAX] = "";
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(line, sizeof line, fmt, ap);
		va_end(ap);
		clean(line);
	}
	pthread_mutex_lock(&lock);
	start();
	if (live_is_bar || strcmp(line, live) != 0) {
		live_since = time_mono_ms();
		live_is_bar = false;
		memcpy(live, line, sizeof live);
		bytes_label[0] = '\0';
		redraw();
		pthread_cond_broadcast(&changed);
		if (live[0])
			ensure_ticking();
	}
	pthread_mutex_unlock(&lock);
}

void progress_end(void)
{
	progress_live(NULL);
}

void progress_bytes(const char *label, int64_t done, int64_t total)
{
	AUTO_BUFFER struct buffer line = BUFFER_INIT(PROGRESS_LINE_MAX);
	int64_t now = time_mono_ms(), speed;
	int percent = total > 0 ? (int)(done * 100 / total) : -1;

	pthread_mutex_lock(&lock);
	start();
	if (strcmp(bytes_label, label) != 0) {
		snprintf(bytes_label, sizeof bytes_label, "%s", label);
		rate = (struct progress_rate){ now, done };
		pace = (struct progress_pace){ 0 };
	}
	speed = now - rate.first_ms >= 500 ? (done - rate.first_done) * 1000 / (now - rate.first_ms) : 0;
	progress_bar(&line, label, done, total, speed, now - rate.first_ms, terminal ? columns() - 1 : 200);
	if (terminal) {
		live_is_bar = true;
		snprintf(live, sizeof live, "%s", buffer_text(&line));
		redraw();
	} else if (progress_due(&pace, now, percent)) {
		fprintf(stderr, "%s\n", buffer_text(&line));
	}
	pthread_mutex_unlock(&lock);
}

bool progress_due(struct progress_pace *p, int64_t now_ms, int percent)
{
	if (p->begun && now_ms - p->last_ms < PROGRESS_PACE_MS &&
	    (percent < 0 || percent < p->last_percent + PROGRESS_PACE_PERCENT))
		return false;
	p->begun = true;
	p->last_ms = now_ms;
	/* in whole tenths, so that the lines are 10 %, 20 % and so on */
	p->last_percent = percent < 0 ? 0 : percent / PROGRESS_PACE_PERCENT * PROGRESS_PACE_PERCENT;
	return true;
}

void progress_bar(struct buffer *out, const char *label, int64_t done, int64_t total, int64_t speed, int64_t elapsed_ms,
		  unsigned width)
{
	char have[FORMAT_MAX], all[FORMAT_MAX], per[FORMAT_MAX], clock[FORMAT_MAX], numbers[160];
	size_t label_len = strlen(label), room;
	int percent = total > 0 ? (int)((done > total ? total : done) * 100 / total) : 0;
	unsigned bar, full;

	format_bytes(have, done);
	format_bytes(all, total);
	format_bytes(per, speed);
	format_clock(clock, elapsed_ms);
	if (total <= 0)
		snprintf(numbers, sizeof numbers, "%s, %s/s, %s", have, per, clock);
	else
		snprintf(numbers, sizeof numbers, "%3d %%  %s of %s, %s/s, %s", percent, have, all, per, clock);
	room = label_len + 4 + strlen(numbers);
	buffer_addf(out, "%s ", label);
	if (total > 0 && room + BAR_MIN <= width) {
		bar = width - (unsigned)room < BAR_MAX ? width - (unsigned)room : BAR_MAX;
		full = bar * (unsigned)percent / 100;
		buffer_add(out, "[");
		for (unsigned i = 0; i < bar; i++)
			buffer_add(out, i < full ? "#" : "-");
		buffer_add(out, "] ");
	}
	if (label_len + 1 + strlen(numbers) > width && total > 0)
		snprintf(numbers, sizeof numbers, "%3d %%", percent);
	buffer_add(out, numbers);
}

static void on_interrupt(int sig)
{
	const char *text = farewell_now;
	size_t len = 0;
	ssize_t n = 0;

	(void)sig;
	while (text && text[len])
		len++;
	if (terminal)
		n += write(STDERR_FILENO, "\n", 1);
	if (text)
		n += write(STDERR_FILENO, text, len);
	(void)n;
	_exit(EXIT_INTERRUPTED);
}

void progress_on_interrupt(const char *fmt, ...)
{
	struct sigaction sa = { .sa_handler = fmt ? on_interrupt : SIG_DFL };
	char *text = farewell_now == farewell[0] ? farewell[1] : farewell[0];
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		vsnprintf(text, PROGRESS_LINE_MAX - 1, fmt, ap);
		va_end(ap);
		memcpy(text + strlen(text), "\n", 2);
		farewell_now = text;
	} else {
		farewell_now = NULL;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}
