#include "base/time.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned scale = 1;

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t time_mono_ms(void)
{
	return now(CLOCK_MONOTONIC);
}

int64_t time_wall_ms(void)
{
	return now(CLOCK_REALTIME);
}

void time_iso(char out[TIME_ISO_MAX], int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	char head[TIME_ISO_MAX - 8];

	gmtime_r(&seconds, &tm);
	strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, TIME_ISO_MAX, "%s.%03dZ", head, (int)(wall_ms % 1000));
}

int deadline_poll_ms(int64_t deadline)
{
	int64_t left;

	if (deadline == DEADLINE_NEVER)
		return -1;
	left = deadline - time_mono_ms();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

bool deadline_passed(int64_t deadline)
{
	return deadline != DEADLINE_NEVER && time_mono_ms() >= deadline;
}

void time_scale_set(unsigned factor)
{
	scale = factor ? factor : 1;
}

int64_t time_scaled(int64_t ms)
{
	const char *set = getenv("VPCLAB_TIME_SCALE");
	unsigned long factor = set ? strtoul(set, NULL, 10) : scale;

	if (factor < 1 || factor > 100)
		factor = scale;
	return ms * (int64_t)factor;
}
