/* `vpclab cp`: files and directories, into a guest and out of it. */
#include "cli/cp.h"

#include <string.h>

#include "cli/client.h"
#include "cli/instance.h"
#include "cli/ssh.h"
#include "cli/verb.h"

static const struct flag flags[] = {
	{ "user", "USER", "the user in the guest (default: the image's, ubuntu)" },
	{ NULL, NULL, NULL },
};

const char *copy_path_parse(const char *word, char name[COPY_NAME_MAX])
{
	size_t len = strcspn(word, ":/");

	if (word[len] != ':' || len == 0 || len >= COPY_NAME_MAX)
		return NULL;
	memcpy(name, word, len);
	name[len] = '\0';
	return word + len + 1;
}

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	struct ssh_path paths[ARGUMENTS_MAX];
	char name[COPY_NAME_MAX] = "", other[COPY_NAME_MAX];
	AUTO_JSON json_t *instance = NULL;
	size_t last = a->word_count - 1;

	for (size_t i = 0; i <= last; i++) {
		const char *path = copy_path_parse(a->words[i], other);

		paths[i] = (struct ssh_path){ path != NULL, path ? path : a->words[i] };
		if (!path)
			continue;
		if (*name && strcmp(name, other) != 0)
			return error_set(err, ERROR_USAGE, "%.64s and %.64s are two instances; a copy is between this machine and one of them.", name, other);
		snprintf(name, sizeof name, "%s", other);
	}
	for (size_t i = 0; i < last; i++)
		if (paths[i].remote == paths[last].remote)
			return error_set(err, ERROR_USAGE,
					 paths[i].remote ? "Both %.64s and %.64s are in a guest; one side of a copy is this machine." :
							   "Neither %.64s nor %.64s is in a guest; a guest's path is written NAME:PATH.",
					 a->words[i], a->words[last]);
	instance = instance_get(cli, name, err);
	return instance ? ssh_copy(cli, instance, arguments_value(a, "user"), paths, a->word_count, err) : -1;
}

const struct verb verb_cp = {
	.name = "cp",
	.group = "Inside a guest",
	.synopsis = "PATH... PATH",
	.summary = "Copy files and directories into a guest or out of it.",
	.details = "A path in a guest is NAME:PATH, relative to the user's home there; `vpclab cp site web:` copies\n"
		   "into the home, `vpclab cp web:site/log .` out of it. Directories are copied whole. Several paths\n"
		   "go into a directory, the last. The connection is made as by `vpclab connect`. A file of this\n"
		   "machine with a colon in its name is written with a slash before it, as ./a:b.",
	.flags = flags,
	.min_words = 2,
	.max_words = -1,
	.run = run,
};
