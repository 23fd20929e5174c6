/* Clocks and deadlines. Durations and instants are milliseconds in int64_t. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIME_ISO_MAX 32

int64_t time_mono_ms(void);
/* Since the epoch, UTC. */
int64_t time_wall_ms(void);
/* "2026-11-22T10:14:57.000Z", EC2's form. */
void time_iso(char out[TIME_ISO_MAX], int64_t wall_ms);
/* The second that the instant is in, for what EC2 tells in whole seconds (its texts still end in .000Z). */
static inline int64_t time_whole_seconds(int64_t wall_ms)
{
	return wall_ms - wall_ms % 1000;
}

/* A deadline is an instant of the monotonic clock; DEADLINE_NEVER waits for ever. */
#define DEADLINE_NEVER INT64_MAX

static inline int64_t deadline_in(int64_t ms)
{
	return time_mono_ms() + ms;
}

/* For poll(2): -1 for ever, 0 when it has passed, else what is left, capped at an int. */
int deadline_poll_ms(int64_t deadline);
bool deadline_passed(int64_t deadline);

/* How much longer things take on this machine than with KVM: 1 where KVM is used, more under software emulation.
 * Set once at start by whoever knows the accelerator; VPCLAB_TIME_SCALE overrides it. */
void time_scale_set(unsigned factor);
#define TIME_SCALE_TCG 6 /* for software emulation: chosen, with room for a busy machine */
int64_t time_scaled(int64_t ms);
