/* vpclab: takes the command line apart, settles the settings, runs one verb, prints the one error. */
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/server.h"
#include "base/accelerator.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/http.h"
#include "base/log.h"
#include "base/time.h"
#include "cli/about.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "cli/verb.h"

/* Flags of every verb that are settings. */
static const struct {
	const char *flag, *key;
} setting_flags[] = { { "state-dir", "state_dir" }, { "run-dir", "run_dir" }, { "data-dir", "data_dir" } };

/* Directories given as flags may be relative, as a shell user expects. */
static int set_directory(struct config *c, const char *key, const char *value, struct error *err)
{
	char cwd[PATH_MAX], full[PATH_MAX * 2];

	if (value[0] == '/' || !getcwd(cwd, sizeof cwd))
		return config_set(c, key, value, err);
	snprintf(full, sizeof full, "%s/%s", cwd, value);
	return config_set(c, key, full, err);
}

static int apply_flags(struct config *c, const struct arguments *a, struct error *err)
{
	for (size_t i = 0; i < a->flag_count; i++) {
		const char *name = a->flags[i].name, *value = a->flags[i].value, *eq;
		char key[64];

		for (size_t k = 0; k < ARRAY_SIZE(setting_flags); k++)
			if (strcmp(setting_flags[k].flag, name) == 0 && set_directory(c, setting_flags[k].key, value, err) < 0)
				return -1;
		if (strcmp(name, "set") != 0)
			continue;
		eq = strchr(value, '=');
		if (!eq || eq == value || (size_t)(eq - value) >= sizeof key)
			return error_set(err, ERROR_USAGE, "--set takes KEY=VALUE, not %.64s.", value);
		snprintf(key, sizeof key, "%.*s", (int)(eq - value), value);
		if (config_set(c, key, eq + 1, err) < 0)
			return -1;
	}
	return config_check(c, err);
}

/* In a source checkout the program is ROOT/build/FLAVOUR/vpclab, and its data are in ROOT. */
static void find_checkout(struct config *c)
{
	struct config defaults;
	char path[PATH_MAX];
	AUTO_FREE char *images = NULL;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	config_defaults(&defaults);
	if (n <= 0 || strcmp(c->data_dir, defaults.data_dir) != 0)
		return;
	path[n] = '\0';
	for (int level = 0; level < 3; level++) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path || (level == 2 && strcmp(slash, "/build") != 0))
			return;
		*slash = '\0';
	}
	images = file_path(NULL, "%s/images", path);
	if (images && file_exists(images))
		config_set(c, "data_dir", path, NULL);
}

static int settle(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *accelerator;
	enum log_level level;

	cli->json = arguments_has(a, "json");
	cli->config_path = arguments_value(a, "config");
	if (config_load(&cli->config, cli->config_path, err) < 0)
		return -1;
	cli->found = cli->config;
	find_checkout(&cli->config);
	if (apply_flags(&cli->config, a, err) < 0)
		return -1;
	if (log_level_parse(cli->config.log_level, &level))
		log_set_level(level);
	/* whether a demanded KVM is there is the daemon's to say, and doctor's */
	accelerator = accelerator_choose(cli->config.accelerator, &cli->slower, NULL);
	cli->tcg = accelerator && strcmp(accelerator, "tcg") == 0;
	time_scale_set(cli->tcg ? TIME_SCALE_TCG : 1);
	return 0;
}

static void print_error(const struct arguments *a, const struct error *err)
{
	progress_end();
	fflush(stdout);
	/* what the API calls an InternalError is this machine's fault, which the sentence tells better */
	bool code = err->code[0] && strcmp(err->code, "InternalError") != 0;

	fprintf(stderr, "vpclab%s%s: %s%s%s%s\n", a->verb ? " " : "", a->verb ? a->verb->name : "", err->message, code ? " (" : "",
		code ? err->code : "", code ? ")" : "");
}

static int dispatch(struct cli *cli, const struct arguments *a, struct error *err)
{
	if (arguments_has(a, "version"))
		return about_version();
	if (a->help)
		return about_help(a->verb, err);
	if (!a->verb) {
		AUTO_BUFFER struct buffer text = BUFFER_INIT(HELP_MAX);

		help_overview(&text);
		fputs(buffer_text(&text), stderr);
		return 2;
	}
	if (settle(cli, a, err) < 0)
		return -1;
	return a->verb->run(cli, a, err);
}

int main(int argc, char **argv)
{
	struct cli cli = { .daemon_run = api_daemon_run, .actions_reference = api_reference };
	struct arguments a;
	struct error err = { 0 };
	int status;

	/* a reader that has gone is an error of that write, not our end */
	signal(SIGPIPE, SIG_IGN);
	/* names are UTF-8, whatever the locale: tables would escape them */
	setlocale(LC_CTYPE, "C.UTF-8");
	http_global_init();
	status = arguments_parse(&a, argc, argv, &err);
	if (status == 0)
		status = dispatch(&cli, &a, &err);
	if (status < 0) {
		print_error(&a, &err);
		return error_exit_code(&err);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "vpclab: the result can't be written to standard output.\n");
		return status ? status : 3;
	}
	return status;
}
