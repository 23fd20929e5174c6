/* `vpclab key`: key pairs, for those who log in by ssh itself. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/suggest.h"
#include "cli/verb.h"

#define PUBLIC_KEY_MAX (64u << 10)

static const struct flag flags[] = {
	{ "type", "TYPE", "create: ed25519 (default) or rsa" },
	{ "file", "FILE", "create: where the private key goes (default NAME.pem); - is standard output" },
	{ NULL, NULL, NULL },
};

static int list(struct cli *cli, const struct arguments *a, struct error *err)
{
	static const char *const headings[] = { "NAME", "KEY PAIR ID", "TYPE", "FINGERPRINT", "CREATED", NULL };
	AUTO_JSON json_t *reply = client_get(cli, "DescribeKeyPairs", err);
	struct table *t CLEANUP(cleanup_table) = table_new(headings);
	const json_t *key;
	size_t i;

	(void)a;
	if (!reply || !t)
		return -1;
	if (cli->json) {
		print_json(reply);
		return 0;
	}
	json_array_foreach(json_object_get(reply, "keySet"), i, key) {
		char created[FORMAT_MAX];

		snprintf(created, sizeof created, "%.19sZ", text_of(key, "createTime"));
		const char *const cells[] = { text_of(key, "keyName"), text_of(key, "keyPairId"), text_of(key, "keyType"),
					      text_of(key, "keyFingerprint"), created };
		table_row(t, cells);
	}
	table_print(t, stdout);
	if (!i)
		printf("There are no key pairs; `vpclab key create NAME` makes one. `vpclab connect` needs none.\n");
	return 0;
}

/* A file that is nobody's yet: a private key must overwrite nothing. */
static int open_new(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERROR_USAGE, "The file %s is there already; name another with --file.", path);
	if (fd < 0)
		return error_set_errno(err, errno, "The file %s can't be made", path);
	return fd;
}

static int write_all(int fd, const char *path, const char *text, struct error *err)
{
	for (size_t len = strlen(text); len;) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(err, errno, "The private key can't be written to %s", path);
		text += n;
		len -= (size_t)n;
	}
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return error_set_errno(err, errno, "The private key can't be written to %s", path);
	return 0;
}

static json_t *create_pair(struct cli *cli, const char *name, const char *type, struct error *err)
{
	AUTO_REQUEST struct request r;

	request_init(&r, "CreateKeyPair");
	request_add(&r, "KeyName", name);
	request_add(&r, "KeyType", type ? type : "ed25519");
	return client_call(cli, &r, 0, err);
}

static int remove_pair(struct cli *cli, const char *name, json_t **ret, struct error *err)
{
	AUTO_REQUEST struct request r;

	request_init(&r, "DeleteKeyPair");
	request_add(&r, "KeyName", name);
	*ret = client_call(cli, &r, 0, err);
	return *ret ? 0 : -1;
}

static int create(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *name = a->words[1], *file = arguments_value(a, "file");
	AUTO_FREE char *usual = file_path(err, "%s.pem", name);
	const char *path = file ? file : usual;
	AUTO_JSON json_t *reply = NULL, *gone = NULL;
	AUTO_CLOSE int fd = -1;

	if (!usual)
		return -1;
	if (cli->json || (file && strcmp(file, "-") == 0)) { /* the reply has the key */
		reply = create_pair(cli, name, arguments_value(a, "type"), err);
		if (!reply)
			return -1;
		if (cli->json)
			print_json(reply);
		else
			fputs(text_of(reply, "keyMaterial"), stdout);
		return 0;
	}
	if (!file && strchr(name, '/'))
		return error_set(err, ERROR_USAGE, "The name %.64s is no file's; say with --file where the private key shall go.", name);
	fd = open_new(path, err);
	if (fd < 0)
		return -1;
	reply = create_pair(cli, name, arguments_value(a, "type"), err);
	if (!reply) {
		unlink(path);
		return -1;
	}
	if (write_all(fd, path, text_of(reply, "keyMaterial"), err) < 0) { /* a pair whose private half is lost is good for nothing */
		unlink(path);
		remove_pair(cli, name, &gone, NULL);
		return -1;
	}
	printf("%s (%s), private key in %s; the region keeps no copy. Launch with --key %s, then: ssh -i %s ubuntu@ADDRESS\n", name,
	       text_of(reply, "keyPairId"), path, name, path);
	return 0;
}

static int import(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *name = a->words[1], *path = arguments_word(a, 2, NULL);
	AUTO_FREE char *text = NULL, *encoded = NULL;
	AUTO_JSON json_t *reply = NULL;
	AUTO_REQUEST struct request r;
	size_t len = 0;

	request_init(&r, "ImportKeyPair");
	if (!path)
		return error_set(err, ERROR_USAGE, "Which public key? vpclab key import %s FILE, such as ~/.ssh/id_ed25519.pub; - is standard input.",
				 name);
	text = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, PUBLIC_KEY_MAX, &len, err);
	encoded = text ? base64_encode(text, len, err) : NULL;
	if (!encoded) {
		if (err)
			err->kind = ERROR_USAGE;
		return error_prefix(err, "public key");
	}
	request_add(&r, "KeyName", name);
	request_add(&r, "PublicKeyMaterial", encoded);
	reply = client_call(cli, &r, 0, err);
	if (!reply)
		return -1;
	if (cli->json)
		print_json(reply);
	else
		printf("%s (%s), fingerprint %s\n", name, text_of(reply, "keyPairId"), text_of(reply, "keyFingerprint"));
	return 0;
}

static int rm(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *name = a->words[1];
	AUTO_JSON json_t *reply = NULL;

	if (remove_pair(cli, name, &reply, err) < 0)
		return -1;
	if (cli->json)
		print_json(reply);
	else if (*text_of(reply, "keyPairId"))
		printf("The key pair %s is deleted; instances that were launched with it keep its public key.\n", name);
	else
		printf("There is no key pair %s.\n", name);
	return 0;
}

static const struct {
	const char *word;
	size_t least, most; /* words beside it */
	int (*run)(struct cli *cli, const struct arguments *a, struct error *err);
} words[] = {
	{ "ls", 0, 0, list }, { "create", 1, 1, create }, { "import", 1, 2, import }, { "rm", 1, 1, rm },
};

static int run(struct cli *cli, const struct arguments *a, struct error *err)
{
	const char *word = arguments_word(a, 0, "ls"), *guess, *names[ARRAY_SIZE(words) + 1] = { NULL };
	size_t more = a->word_count ? a->word_count - 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		names[i] = words[i].word;
		if (strcmp(words[i].word, word) != 0)
			continue;
		if (more < words[i].least)
			return error_set(err, ERROR_USAGE, "Which key pair? vpclab key %s NAME; `vpclab key ls` lists them.", word);
		if (more > words[i].most)
			return error_set(err, ERROR_USAGE, "One word too many for `vpclab key %s`: %.64s", word, a->words[a->word_count - 1]);
		return words[i].run(cli, a, err);
	}
	guess = suggest(word, names);
	return error_set(err, ERROR_USAGE, "`vpclab key` can't %.32s%s%s%s", word, guess ? "; did you mean " : "",
			 guess ? guess : "; it can ls, create, import and rm", guess ? "?" : ".");
}

const struct verb verb_key = {
	.name = "key",
	.group = "Inside a guest",
	.synopsis = "ls|create|import|rm [NAME [FILE]]",
	.summary = "Key pairs, for logging in with ssh itself.",
	.details = "create makes a pair and writes its private key to NAME.pem, readable by you alone; the region keeps\n"
		   "the public key only. import takes the public key in FILE. A launch with --key NAME gives the public\n"
		   "key to the guest's default user. `vpclab connect` needs no key pair.",
	.flags = flags,
	.min_words = 0,
	.max_words = 3,
	.run = run,
};
