#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/time.h"

#define LOG_LINE_MAX 2048

static enum log_level threshold = LOG_INFO;
static const char *const names[] = { "error", "warn", "info", "debug" };

void log_set_level(enum log_level level)
{
	threshold = level;
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX], stamp[TIME_ISO_MAX];
	int used;
	va_list ap;

	if (level > threshold)
		return;
	time_iso(stamp, time_wall_ms());
	used = snprintf(line, sizeof line, "%s %s ", stamp, names[level]);
	va_start(ap, fmt);
	used += vsnprintf(line + used, sizeof line - (size_t)used - 1, fmt, ap);
	va_end(ap);
	if (used > (int)sizeof line - 2)
		used = (int)sizeof line - 2;
	line[used++] = '\n';
	/* one write a line: lines of several threads don't mix */
	if (write(STDERR_FILENO, line, (size_t)used) < 0)
		return;
}
