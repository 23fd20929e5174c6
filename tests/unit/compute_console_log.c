/* Console logs followed as they grow. */
#include "compute/console_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/time.h"
#include "tap.h"

#define WAIT_S 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static struct buffer told = BUFFER_INIT(1u << 20);
static char dir[] = "/tmp/vpclab-console.XXXXXX";

static void step(void *arg, const char *id, const struct boot_step *s)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	buffer_addf(&told, "%s %s: %s\n", id, boot_phase_name(s->phase), s->detail);
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
}

/* Waits until want was told, within a deadline. */
static bool hears(const char *want, const char *what)
{
	struct timespec until;
	bool found;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&lock);
	while (!(found = strstr(buffer_text(&told), want) != NULL) && !late)
		late = pthread_cond_timedwait(&news, &lock, &until);
	if (!ok(found, "%s", what))
		tap_diag_lines("told so far", buffer_text(&told));
	pthread_mutex_unlock(&lock);
	return found;
}

static void append(const char *name, const char *text, int flags)
{
	char *path = file_path(NULL, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
	free(path);
}

static char *in_dir(const char *name)
{
	return file_path(NULL, "%s/%s", dir, name);
}

int main(void)
{
	struct error err = { 0 };
	struct console_watch *w = console_watch_new(step, NULL, &err);
	char *a, *b, *missing;
	bool silent;

	if (!ok(w && mkdtemp(dir), "a watch is made"))
		return tap_done();
	a = in_dir("a.log");
	b = in_dir("b.log");
	missing = in_dir("none/c.log");
	append("a.log", "[vpclab] old\n[vpclab] new\n", O_APPEND);
	is_int(console_watch_add(w, "i-a", a, 13, &err), 0, "a log that exists is followed from an offset");
	hears("i-a user-data: new\n", "what is there already is told");
	pthread_mutex_lock(&lock);
	ok(!strstr(buffer_text(&told), "old"), "what is before the offset is not");
	pthread_mutex_unlock(&lock);
	is_int(console_watch_add(w, "i-b", b, 0, &err), 0, "a log that does not exist yet is followed");
	append("b.log", "[vpclab] fi", O_APPEND);
	append("a.log", "[vpclab] more\n", O_APPEND);
	hears("i-a user-data: more\n", "growth is told");
	append("b.log", "rst\n", O_APPEND);
	hears("i-b user-data: first\n", "a line that came in pieces is told whole");
	append("a.log", "[vpclab] anew\n", O_TRUNC);
	hears("i-a user-data: anew\n", "a log that was cut is read from its beginning");
	ok(console_watch_add(w, "i-a", a, 0, &err) < 0 && strstr(err.message, "already"), "an id is followed once");
	ok(console_watch_add(w, "i-c", missing, 0, &err) < 0, "a log in a missing directory is an error");
	console_watch_remove(w, "i-a");
	append("a.log", "[vpclab] unheard\n", O_APPEND);
	append("b.log", "[vpclab] second\n", O_APPEND);
	hears("i-b user-data: second\n", "the other log is still followed");
	pthread_mutex_lock(&lock);
	silent = !strstr(buffer_text(&told), "unheard");
	pthread_mutex_unlock(&lock);
	ok(silent, "a removed log is silent");
	console_watch_remove(w, "i-unknown");
	is_int(console_watch_add(w, "i-a", a, 0, &err), 0, "a removed id can be followed again");
	hears("i-a user-data: unheard\n", "and is read again");
	console_watch_free(w);
	file_remove_tree(dir, &err);
	buffer_done(&told);
	free(a);
	free(b);
	free(missing);
	return tap_done();
}
