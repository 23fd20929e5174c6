/* What every verb is given. The cli room is a client of the region: it uses base alone and reaches all else through
 * actions (client.h). What it can't do by itself, being the daemon and telling the table of actions, main.c hands in. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"

struct cli {
	struct config config;    /* with flags applied */
	struct config found;     /* before flags: what a daemon that we start finds by itself */
	const char *config_path; /* --config, or NULL */
	bool json;               /* --json: results as JSON on standard output */
	bool tcg;                /* guests are emulated in software, so everything takes longer */
	const char *slower;      /* one static sentence: why that accelerator */
	bool connected;          /* client.c has seen the socket answer */
	int (*daemon_run)(const struct config *config, bool foreground, int ready_fd, struct error *err);
	void (*actions_reference)(struct buffer *out); /* docs/actions.md, printed from the api room's tables */
};
