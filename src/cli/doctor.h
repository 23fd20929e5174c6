/* The requirements of a region on this machine, and whether they are met. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"

enum finding { FOUND, WANTING /* the lab works, but less well */, MISSING /* the lab can't work */ };

/* Appends {name, status, seen, remedy} to list for each requirement. doctor_machine.c and doctor_programs.c. */
void doctor_add(json_t *list, const char *name, enum finding f, const char *remedy, const char *seen_fmt, ...)
	__attribute__((format(printf, 5, 6)));
void doctor_programs(json_t *list);
void doctor_machine(json_t *list, struct cli *cli);

/* Has the text of /proc/PID/status all of these capabilities in effect? Pure. */
bool doctor_has_capabilities(const char *status, unsigned long long wanted);
