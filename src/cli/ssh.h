/* OpenSSH to an instance as EC2 Instance Connect has it: a key made for this one connection, which the region's
 * certificate authority signs for 60 seconds, to the public address and so through the security groups. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "cli/cli.h"

/* Runs ssh with our own standard input and output. command: NULL-terminated words for the guest's shell, one alone taken
 * as it is, several quoted; NULL for a login shell. user NULL: the image's default one. Returns ssh's exit status, which
 * is the command's, or -1 with err where the connection failed, saying why. */
int ssh_run(struct cli *cli, const json_t *instance, const char *user, const char *const *command, struct error *err);

struct ssh_path {
	bool remote;      /* in the guest: relative to the user's home */
	const char *path;
};

/* Copies files and directories (scp, by SFTP): the last path is where to, and either it alone or all but it are in the guest.
 * Returns 0, or -1 with err. */
int ssh_copy(struct cli *cli, const json_t *instance, const char *user, const struct ssh_path *paths, size_t count, struct error *err);
