/* Fetching and building images: the real code against a loopback server with a vendor's layout and its faults
 * (tests/image_server.py), with a real qcow2, real signatures, real locks between threads. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/http.h"
#include "base/process.h"
#include "base/time.h"
#include "image/image.h"
#include "tap.h"

#define IMAGE_BYTES (4u << 20)
#define PULLERS 4

static char dir[] = "/tmp/vpclab-fetch.XXXXXX";
static int port, server_stdin = -1;
static pid_t server = -1;
static bool have_gpg;

static const char *in(const char *name)
{
	static char paths[16][256];
	static int next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static bool run(const char *const argv[])
{
	struct error err = { 0 };

	if (process_check(argv, NULL, &err) == 0)
		return true;
	printf("# %s\n", err.message);
	return false;
}

static bool put(const char *name, const char *text, mode_t mode)
{
	return file_write_atomic(in(name), text, strlen(text), mode, NULL) == 0;
}

/* The text of a file of ours; "" where there is none. The caller frees. */
static char *get(const char *name)
{
	char *text = file_read(in(name), 1 << 20, NULL, NULL);

	return text ? text : strdup("");
}

/* --- the stage ------------------------------------------------------------------- */

static void start_server(void)
{
	int to[2], from[2];
	char text[16] = "";

	if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		exit(1);
	server = fork();
	if (server == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execlp("python3", "python3", "tests/image_server.py", in("www"), in("log"), (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	server_stdin = to[1];
	if (read(from[0], text, sizeof text - 1) > 0)
		port = atoi(text);
	close(from[0]);
}

static void stop_server(void)
{
	close(server_stdin);
	waitpid(server, NULL, 0);
}

/* The vendor's directory: an image, its sums, a signature where gpg can make one. */
static bool make_vendor(void)
{
	static const char *const argv_image[] = { "sh", "-ec",
						  "cd \"$0\" && qemu-img convert -f raw -O qcow2 raw www/test.img && cd www &&"
						  "sha256sum -b test.img >SHA256SUMS",
						  dir, NULL };
	static const char *const argv_gpg[] = {
		"sh", "-ec",
		"export GNUPGHOME=$0/gnupg; mkdir -m 700 $GNUPGHOME; cd $0/www;"
		"gpg --batch --quiet --passphrase '' --quick-gen-key test@vpclab default default never;"
		"gpg --batch --quiet --export >../keyring.gpg; gpg --batch --quiet --detach-sign SHA256SUMS;"
		"mv SHA256SUMS.sig SHA256SUMS.gpg; echo x | gpg --batch --quiet --detach-sign >OTHER.gpg;"
		"gpgconf --kill gpg-agent",
		dir, NULL
	};
	char *gpg = process_find_program("gpg"), *gpgv = process_find_program("gpgv");
	unsigned char *data = malloc(IMAGE_BYTES);
	unsigned x = 1;
	bool good;

	for (unsigned i = 0; i < IMAGE_BYTES; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (unsigned char)(x >> 24);
	}
	good = file_mkdirs(in("www"), 0755, NULL) == 0 && file_mkdirs(in("data/images"), 0755, NULL) == 0 &&
	       file_write_atomic(in("raw"), data, IMAGE_BYTES, 0644, NULL) == 0 && run(argv_image);
	free(data);
	have_gpg = gpg && gpgv && run(argv_gpg);
	free(gpg);
	free(gpgv);
	return good;
}

static void make_catalogue(void)
{
	char text[2048];

	snprintf(text, sizeof text,
		 "description = d\nos = o\narchitecture = x86_64\ndefault user = u\nroot device = /dev/sda1\n"
		 "url = http://127.0.0.1:%d/ok/\nfile = test.img\nsums = SHA256SUMS\n",
		 port);
	put("data/images/plain.image", text, 0644);
	snprintf(text + strlen(text), sizeof text - strlen(text), "signature = SHA256SUMS.gpg\nkeyring = %s\n",
		 in("keyring.gpg"));
	put("data/images/signed.image", text, 0644);
	put("data/images/built.image",
	    "description = d\nos = o\narchitecture = x86_64\ndefault user = u\nroot device = /dev/sda1\nbuild = b.sh\n", 0644);
}

/* --- one pull -------------------------------------------------------------------- */

struct heard {
	char notices[1024];
	char phases[1024]; /* each phase once, as it changed */
	int64_t first_done, last_done, total;
	int64_t cancel_at; /* bytes after which to give up, 0: never */
	volatile int cancel;
	bool waited;
	const char *go_file; /* made when it has to wait */
};

static void hear(void *arg, const struct image_progress *p)
{
	struct heard *h = arg;
	char word[128];

	if (p->notice) {
		strncat(h->notices, p->detail, sizeof h->notices - strlen(h->notices) - 1);
		return;
	}
	snprintf(word, sizeof word, "%s%s%s ", p->phase, p->detail ? ":" : "", p->detail ? p->detail : "");
	if (strcmp(p->phase, "wait") == 0) {
		h->waited = true;
		if (h->go_file)
			file_write_atomic(h->go_file, "", 0, 0600, NULL);
	} else if (!strstr(h->phases, word))
		strncat(h->phases, word, sizeof h->phases - strlen(h->phases) - 1);
	if (strcmp(p->phase, "download") == 0 && p->total > 0) {
		if (!h->first_done)
			h->first_done = p->done;
		h->last_done = p->done;
		h->total = p->total;
		if (h->cancel_at && p->done >= h->cancel_at)
			h->cancel = 1;
	}
}

static struct image_store *open_store(const char *state)
{
	struct error err = { 0 };
	struct image_store *s = image_store_open(in(state), in("data"), &err);

	if (!s)
		printf("# %s\n", err.message);
	return s;
}

/* Pulls from the server's MODE into a store; 0 or -1. */
static int pull(struct image_store *s, const char *name, const char *mode, struct heard *h, struct error *err)
{
	char mirror[64];
	struct image_job job = { .progress = hear, .arg = h, .cancel = &h->cancel, .mirror = mirror };

	snprintf(mirror, sizeof mirror, "http://127.0.0.1:%d/%s", port, mode);
	memset(err, 0, sizeof *err);
	return image_pull(s, name, &job, err);
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static bool same_as_vendors(const char *state, const char *name)
{
	char path[512];
	const char *const argv[] = { "cmp", "-s", in("www/test.img"), path, NULL };

	snprintf(path, sizeof path, "%s/%s/images/%s.qcow2", dir, state, name);
	return run(argv);
}

static enum image_state state_of(struct image_store *s, const char *name, int64_t *bytes)
{
	struct image_info info = { 0 };

	image_stat(s, name, &info, NULL);
	if (bytes)
		*bytes = info.bytes;
	return info.state;
}

/* --- what is tested -------------------------------------------------------------- */

static void whole(void)
{
	struct image_store *s = open_store("whole");
	struct heard h = { 0 };
	struct image_info info;
	struct error err = { 0 };
	char *path, *log;

	ok(state_of(s, "plain", NULL) == IMAGE_ABSENT, "before anything an image is absent");
	path = image_path(s, "plain", &err);
	ok(!path && strstr(err.message, "`vpclab image pull plain`"), "and its path is refused: %s", err.message);
	ok(image_pull(s, "plain", &(struct image_job){ .progress = hear, .arg = &h }, &err) == 0,
	   "a pull from the entry's own url works %s", err.message);
	is_str(h.phases, "sums download check ", "  in these phases");
	ok(h.last_done == h.total && h.total == file_size(in("www/test.img")), "  and all its bytes were told");
	ok(strstr(h.notices, "The signature of SHA256SUMS was not checked: the vendor signs nothing.") != NULL,
	   "  with a word about the signature");
	ok(same_as_vendors("whole", "plain"), "  the file is the vendor's");
	ok(image_stat(s, "plain", &info, &err) == 0 && info.state == IMAGE_AVAILABLE && strlen(info.sha256) == 64 &&
		   info.virtual_size == IMAGE_BYTES,
	   "  and is listed as available with its sum and size");
	ok(!file_exists(in("whole/images/plain.partial")) && !file_exists(in("whole/images/plain.sums")),
	   "  and nothing else is left");
	ok(image_verify(s, "plain", NULL, &err) == 0, "it verifies");
	log = get("log");
	ok(pull(s, "plain", "ok", &h, &err) == 0, "a second pull succeeds");
	path = get("log");
	is_str(path, log, "  and asks the server nothing");
	free(log);
	free(path);
	path = image_path(s, "plain", &err);
	ok(path && file_exists(path), "its path is given");
	free(path);
	ok(image_rm(s, "plain", NULL, &err) == 0 && state_of(s, "plain", NULL) == IMAGE_ABSENT, "it is removed");
	ok(image_rm(s, "plain", NULL, &err) == 0, "  and once more is no error");
	ok(image_find(s, "nonesuch", &err) == NULL, "an unknown image is refused");
	is_str(err.code, "InvalidAMIID.NotFound", "  with EC2's code");
	is_str(err.message, "The image id '[nonesuch]' does not exist; there are built, plain, signed.",
	       "  and the names that there are");
	image_store_close(s);
}

static void resume(void)
{
	struct image_store *s = open_store("resume");
	struct heard h = { 0 };
	struct error err = { 0 };
	int64_t had, size = file_size(in("www/test.img"));
	char *log, range[64];

	ok(pull(s, "plain", "drop", &h, &err) < 0, "a connection that breaks off is an error: %s", err.message);
	ok(state_of(s, "plain", &had) == IMAGE_PARTIAL && had == size / 2, "  what came is kept and listed as partial");
	memset(&h, 0, sizeof h);
	ok(pull(s, "plain", "drop", &h, &err) == 0, "the next pull succeeds");
	snprintf(range, sizeof range, "drop test.img bytes=%lld-\n", (long long)had);
	log = get("log");
	ok(strstr(log, range) != NULL, "  by asking for the rest only");
	free(log);
	ok(h.first_done >= had && h.total == size, "  and tells bytes with what was there");
	ok(same_as_vendors("resume", "plain"), "  the whole is the vendor's");

	image_rm(s, "plain", NULL, NULL);
	for (int i = 0; i < 3; i++)
		pull(s, "plain", "dropall", &h, &err);
	state_of(s, "plain", &had);
	is_int(had, 300000, "a download that breaks off three times grows three times");
	ok(pull(s, "plain", "norange", &h, &err) == 0 && same_as_vendors("resume", "plain"),
	   "a server without Range sends it whole");

	image_rm(s, "plain", NULL, NULL);
	put("resume/images/plain.partial", "the beginning of an older version", 0600);
	memset(&h, 0, sizeof h);
	ok(pull(s, "plain", "ok", &h, &err) == 0 && same_as_vendors("resume", "plain"),
	   "a partial file of another version is started again");
	ok(strstr(h.notices, "another version") != NULL, "  and it says so");

	image_rm(s, "plain", NULL, NULL);
	ok(run((const char *const[]){ "cp", in("www/test.img"), in("resume/images/plain.partial"), NULL }) &&
		   pull(s, "plain", "ok", &h, &err) == 0 && same_as_vendors("resume", "plain"),
	   "a partial file that is whole already ends well");
	image_store_close(s);
}

static void faults(void)
{
	struct image_store *s = open_store("faults");
	struct heard h = { 0 };
	struct error err = { 0 };
	bool unreachable = false;
	struct image_job gone = { .mirror = "http://127.0.0.1:1/", .ret_unreachable = &unreachable };

	ok(pull(s, "plain", "badsum", &h, &err) < 0 && strstr(err.message, "was thrown away"),
	   "a wrong sum is an error: %s", err.message);
	ok(state_of(s, "plain", NULL) == IMAGE_ABSENT, "  and what came is gone");
	ok(pull(s, "plain", "short", &h, &err) < 0 && strstr(err.message, "was thrown away"), "a truncated file too");
	ok(state_of(s, "plain", NULL) == IMAGE_ABSENT, "  and what came is gone");
	ok(pull(s, "plain", "html", &h, &err) < 0 && strstr(err.message, "no line for test.img"),
	   "a captive portal's page is not taken for sums: %s", err.message);
	ok(image_pull(s, "plain", &gone, &err) < 0 && unreachable, "a server that isn't there is told apart: %s",
	   err.message);
	gone.mirror = "";
	ok(image_pull(s, "built", &gone, &err) < 0 && err.kind == ERROR_USAGE, "an image to build isn't pulled: %s",
	   err.message);
	rename(in("www/SHA256SUMS"), in("www/moved"));
	gone.mirror = NULL;
	ok(image_pull(s, "plain", &gone, &err) < 0 && !unreachable && strstr(err.message, "404"),
	   "a mirror without the file is not \"unreachable\": %s", err.message);
	rename(in("www/moved"), in("www/SHA256SUMS"));
	image_store_close(s);
}

static void signatures(void)
{
	struct image_store *s = open_store("signed");
	struct heard h = { 0 };
	struct image_info info;
	struct error err = { 0 };

	if (!have_gpg) {
		ok(true, "signatures # SKIP gpg or gpgv is not installed");
		return;
	}
	ok(pull(s, "signed", "badsig", &h, &err) < 0 && strstr(err.message, "not by the key"),
	   "a wrong signature is an error: %s", err.message);
	ok(state_of(s, "signed", NULL) == IMAGE_ABSENT, "  before any byte of the image is fetched");
	ok(pull(s, "signed", "nosig", &h, &err) < 0, "a missing signature is an error where it could be checked: %s",
	   err.message);
	ok(pull(s, "signed", "badsum", &h, &err) < 0 && strstr(err.message, "not by the key"),
	   "altered sums don't fit their signature");
	ok(pull(s, "signed", "ok", &h, &err) == 0 && image_stat(s, "signed", &info, &err) == 0, "a right one is taken");
	is_str(info.signature, "good", "  and recorded");
	is_str(h.notices, "", "  without a word");
	image_rm(s, "signed", NULL, NULL);
	rename(in("keyring.gpg"), in("away.gpg"));
	ok(pull(s, "signed", "nosig", &h, &err) == 0 && strstr(h.notices, "was not checked: ") != NULL,
	   "without the keyring it goes on and says: %s", h.notices);
	rename(in("away.gpg"), in("keyring.gpg"));
	image_store_close(s);
}

static void damage(void)
{
	struct image_store *s = open_store("damage");
	const char *path = in("damage/images/plain.qcow2");
	struct heard h = { 0 };
	struct error err = { 0 };
	const struct timespec when[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char *got = NULL;
	int fd;

	pull(s, "plain", "ok", &h, &err);
	ok(utimensat(AT_FDCWD, path, when, 0) == 0 && (got = image_path(s, "plain", &err)) != NULL,
	   "an untouched image with another time is still good");
	free(got);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ok(fd >= 0 && pwrite(fd, "X", 1, 2000000) == 1, "one byte is altered");
	close(fd);
	ok(image_verify(s, "plain", NULL, &err) < 0 && strstr(err.message, "was altered: its SHA-256"), "verify: %s",
	   err.message);
	ok(image_path(s, "plain", &err) == NULL, "a launch finds it too, by its time");
	ok(truncate(path, 100000) == 0 && image_path(s, "plain", &err) == NULL && strstr(err.message, "was truncated"),
	   "a truncated one: %s", err.message);
	ok(image_verify(s, "plain", NULL, &err) < 0, "verify of it fails");
	ok(image_ensure(s, "plain", NULL, &err) < 0, "ensure doesn't hide it");
	image_rm(s, "plain", NULL, NULL);
	ok(image_ensure(s, "plain", NULL, &err) == 0 && same_as_vendors("damage", "plain"),
	   "removed and ensured, it is whole again");
	put("damage/images/plain.json", "{}", 0644);
	ok(image_path(s, "plain", &err) == NULL && strstr(err.message, "no usable record"), "a broken record: %s",
	   err.message);
	image_store_close(s);
}

static void stopping(void)
{
	struct image_store *s = open_store("stop");
	struct heard h = { .cancel_at = 200000 };
	struct error err = { 0 };
	int64_t had, before = time_mono_ms();
	char mirror[64];
	struct image_job job = { .mirror = mirror };

	ok(pull(s, "plain", "slow", &h, &err) < 0 && strstr(err.message, "cancelled"), "a pull is cancelled: %s",
	   err.message);
	ok(time_mono_ms() - before < time_scaled(10000) && state_of(s, "plain", &had) == IMAGE_PARTIAL && had >= 200000,
	   "  soon, and what came is kept");
	snprintf(mirror, sizeof mirror, "http://127.0.0.1:%d/slow", port);
	image_rm(s, "plain", NULL, NULL);
	job.deadline = deadline_in(700);
	memset(&err, 0, sizeof err);
	ok(image_pull(s, "plain", &job, &err) < 0 && err.kind == ERROR_TIMEOUT, "a deadline ends it: %s", err.message);
	image_store_close(s);
}

struct puller {
	struct image_store *s;
	struct heard h;
	struct error err;
	pthread_t thread;
	int rc;
};

static void *pull_thread(void *arg)
{
	struct puller *p = arg;

	p->rc = pull(p->s, "plain", "slow", &p->h, &p->err);
	return NULL;
}

static void together(void)
{
	struct image_store *s = open_store("together");
	struct puller p[PULLERS];
	struct error err = { 0 };
	struct image_job job = { .deadline = 1 };
	int good = 0, waited = 0;
	int64_t before_ms;
	char *before = get("log"), *after;

	memset(p, 0, sizeof p);
	for (int i = 0; i < PULLERS; i++) {
		p[i].s = s;
		pthread_create(&p[i].thread, NULL, pull_thread, &p[i]);
	}
	for (int i = 0; i < PULLERS; i++) {
		pthread_join(p[i].thread, NULL);
		good += p[i].rc == 0;
		waited += p[i].h.waited;
	}
	after = get("log");
	is_int(good, PULLERS, "several pulls at a time all succeed");
	is_int(count(after + strlen(before), "slow test.img"), 1, "  by one download");
	is_int(waited, PULLERS - 1, "  and the others say that they wait");
	free(before);
	free(after);

	image_rm(s, "plain", NULL, NULL);
	memset(p, 0, sizeof p[0]);
	p[0].s = s;
	before_ms = deadline_in(time_scaled(10000));
	pthread_create(&p[0].thread, NULL, pull_thread, &p[0]);
	while (state_of(s, "plain", NULL) == IMAGE_ABSENT && time_mono_ms() < before_ms) /* until the other has some bytes */
		usleep(10000);
	ok(image_pull(s, "plain", &job, &err) < 0 && err.kind == ERROR_TIMEOUT, "waiting honours a deadline: %s",
	   err.message);
	p[0].h.cancel = 1;
	pthread_join(p[0].thread, NULL);
	image_store_close(s);
}

#define SCRIPT_HEAD "#!/bin/sh -e\n[ \"$1 $3\" = '--output --work' ]\necho 'phase: one'; echo noise >&2; touch \"$4/left\"\n"

static void *build_thread(void *arg)
{
	struct puller *p = arg;
	struct image_job job = { .progress = hear, .arg = &p->h, .cancel = &p->h.cancel };

	p->rc = image_build(p->s, "built", &job, &p->err);
	return NULL;
}

static void building(void)
{
	struct image_store *s = open_store("build");
	struct image_info info;
	struct heard h = { 0 };
	struct image_job job = { .progress = hear, .arg = &h };
	struct error err = { 0 };
	struct puller p[2];
	char script[1024], *text;

	put("data/images/b.sh", SCRIPT_HEAD "echo why it failed >&2; exit 3\n", 0755);
	ok(image_build(s, "built", &job, &err) < 0 && strstr(err.message, "phase \"one\"") &&
		   strstr(err.message, "noise;why it failed"),
	   "a failed build names its phase and the end of its log: %s", err.message);
	ok(state_of(s, "built", NULL) == IMAGE_ABSENT && !file_exists(in("build/images/built.work")), "  and leaves nothing");
	snprintf(script, sizeof script,
		 SCRIPT_HEAD "echo x >>%s; echo 'os: Some OS 1'; echo 'phase: two'; cp %s \"$2\"\n", in("built-times"),
		 in("www/test.img"));
	put("data/images/b.sh", script, 0755);
	memset(&h, 0, sizeof h);
	ok(image_build(s, "built", &job, &err) == 0 && same_as_vendors("build", "built"), "a build puts its image in place %s",
	   err.message);
	is_str(h.phases, "build:one build:two check ", "  in these phases");
	ok(image_stat(s, "built", &info, &err) == 0 && strcmp(info.os, "Some OS 1") == 0 &&
		   strcmp(info.signature, "built here") == 0,
	   "  and records what it is");
	text = get("build/images/built.log");
	is_str(text, "noise\n", "  with its log beside it");
	free(text);
	ok(image_ensure(s, "built", &job, &err) == 0, "ensure takes what is there");
	text = get("built-times");
	is_str(text, "x\n", "  and builds nothing");
	free(text);

	/* the one that builds does not end before the other waits for it */
	snprintf(script, sizeof script, SCRIPT_HEAD "echo y >>%s; while [ ! -e %s ]; do sleep 0.05; done; cp %s \"$2\"\n",
		 in("built-times"), in("go"), in("www/test.img"));
	put("data/images/b.sh", script, 0755);
	image_rm(s, "built", NULL, NULL);
	memset(p, 0, sizeof p);
	for (int i = 0; i < 2; i++) {
		p[i].s = s;
		p[i].h.go_file = in("go");
		pthread_create(&p[i].thread, NULL, build_thread, &p[i]);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(p[i].thread, NULL);
	text = get("built-times");
	ok(p[0].rc == 0 && p[1].rc == 0, "two builds at a time succeed");
	is_str(text, "x\ny\n", "  by one run of the script");
	free(text);

	snprintf(script, sizeof script, SCRIPT_HEAD "cp %s \"$2\"; truncate -s 100000 \"$2\"\n", in("www/test.img"));
	put("data/images/b.sh", script, 0755);
	image_rm(s, "built", NULL, NULL);
	ok(image_build(s, "built", &job, &err) < 0 && state_of(s, "built", NULL) == IMAGE_ABSENT,
	   "a script that leaves a broken image is found out: %s", err.message);
	put("data/images/b.sh", SCRIPT_HEAD "exec sleep 60\n", 0755);
	job.deadline = deadline_in(500);
	ok(image_build(s, "built", &job, &err) < 0 && err.kind == ERROR_TIMEOUT, "a deadline ends a build: %s", err.message);
	ok(!file_exists(in("build/images/built.work")), "  and its work is gone");
	image_store_close(s);
}

/* In a child, for its own mount namespace: a state directory on a small tmpfs. */
static void full_disk(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct image_store *s;
		struct heard h = { 0 };
		struct error err = { 0 };
		bool good;

		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    file_mkdirs(in("full"), 0755, NULL) < 0 || mount("none", in("full"), "tmpfs", 0, "size=3m") < 0)
			_exit(77);
		s = open_store("full");
		good = s && pull(s, "plain", "ok", &h, &err) < 0 && strstr(err.message, "make room and try again");
		printf("# %s\n", err.message);
		good = good && image_build(s, "built", NULL, &err) < 0 && strstr(err.message, "make room and try again");
		printf("# %s\n", err.message);
		fflush(stdout);
		_exit(good ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		ok(true, "a full disk # SKIP no mount namespace of our own");
	else
		ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a full disk is told before the download and the build");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	unsetenv("http_proxy"); /* of the machine, if any: the server is on the loopback */
	http_global_init();
	if (!mkdtemp(dir))
		return 1;
	ok(make_vendor(), "a vendor's directory is made");
	start_server();
	ok(port > 0, "its server runs");
	make_catalogue();
	whole();
	resume();
	faults();
	signatures();
	damage();
	stopping();
	together();
	building();
	full_disk();
	stop_server();
	file_remove_tree(dir, NULL);
	return tap_done();
}
