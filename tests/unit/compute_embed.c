/* The embedded QEMU driver for real: QEMU runs guests of one boot sector each, which hang, power off or reset the machine.
 * Needs root; a second process finds what the first one started. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/privilege.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/id.h"
#include "base/process.h"
#include "compute/compute.h"
#include "tap.h"

#define WAIT_S 60
#define TAP "tvpclabtest"

static const char hangs[] = "i-0123456789abcde01", ends[] = "i-0123456789abcde02", resets[] = "i-0123456789abcde03";

static char dir[] = "/tmp/vpclab-embed.XXXXXX";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static char last_end[64], last_reboot[64];
static int last_why = -1;

static void on_end(void *arg, const char *id, enum machine_end why)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	snprintf(last_end, sizeof last_end, "%s", id);
	last_why = (int)why;
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
}

static void on_reboot(void *arg, const char *id)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	snprintf(last_reboot, sizeof last_reboot, "%s", id);
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
}

/* Waits until text is id, and empties it. */
static bool comes(char *text, const char *id)
{
	struct timespec until;
	bool came;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&lock);
	while (!(came = strcmp(text, id) == 0) && !late)
		late = pthread_cond_timedwait(&news, &lock, &until);
	text[0] = '\0';
	pthread_mutex_unlock(&lock);
	return came;
}

static void ended(const char *id, enum machine_end why, const char *what)
{
	ok(comes(last_end, id) && last_why == (int)why, "%s", what);
}

/* A qcow2 disk with a boot sector of these instructions, made by the real qemu-img. */
static char *make_disk(const char *name, const char *code, size_t len)
{
	/* a cylinder, or SeaBIOS finds no geometry to read by */
	static char sector[1u << 20];
	char *raw = file_path(NULL, "%s/%s.raw", dir, name), *disk = file_path(NULL, "%s/%s.qcow2", dir, name);
	const char *const argv[] = { "qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk, NULL };
	struct error err = { 0 };

	memset(sector, 0, 512);
	memcpy(sector, code, len);
	sector[510] = 0x55;
	sector[511] = (char)0xaa;
	if (file_write_atomic(raw, sector, sizeof sector, 0600, &err) < 0 || process_check(argv, NULL, &err) < 0) {
		printf("Bail out! %s\n", err.message);
		exit(1);
	}
	free(raw);
	return disk;
}

static struct compute *open_compute(struct error *err)
{
	AUTO_FREE char *root = file_path(err, "%s/libvirt", dir);
	const struct compute_config config = {
		.root = root, .accelerator = "tcg", .on_end = on_end, .on_reboot = on_reboot,
	};

	return compute_open(&config, err);
}

static int start(struct compute *c, const char *id, const char *disk, const char *tap, const char *netns, struct error *err)
{
	AUTO_FREE char *log = file_path(err, "%s/%s.log", dir, id);
	char uuid[UUID_TEXT_MAX];
	struct machine_spec s = {
		.id = id, .uuid = uuid, .vcpus = 1, .memory_mib = 64, .disk = disk, .console_log = log, .tap = tap,
		.mac = "02:00:00:00:00:01", .instance_type = "t2.nano", .region = "ap-northeast-2",
	};

	uuid_new(uuid);
	return compute_start(c, &s, netns, err);
}

/* A namespace with a tap, kept by a child that sleeps until it is killed. */
static pid_t make_namespace(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
		int tun;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(ifr.ifr_name, sizeof ifr.ifr_name, TAP);
		if (unshare(CLONE_NEWNET) < 0)
			_exit(1);
		tun = open("/dev/net/tun", O_RDWR);
		if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) < 0 || ioctl(tun, TUNSETPERSIST, 1) < 0)
			_exit(1);
		close(tun);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

static void __attribute__((format(printf, 3, 4))) ns_of(char *out, size_t size, const char *fmt, ...)
{
	char path[64];
	va_list ap;
	ssize_t n;

	va_start(ap, fmt);
	vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	n = readlink(path, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
}

/* How many threads of this process are in the network namespace ns. */
static int threads_inside(const char *ns)
{
	DIR *d = opendir("/proc/self/task");
	int count = 0;

	for (const struct dirent *e; d && (e = readdir(d));) {
		char one[64];

		if (e->d_name[0] == '.')
			continue;
		ns_of(one, sizeof one, "/proc/self/task/%ld/ns/net", atol(e->d_name));
		count += strcmp(one, ns) == 0;
	}
	if (d)
		closedir(d);
	return count;
}

static bool status_has(int pid, const char *line)
{
	AUTO_FREE char *path = file_path(NULL, "/proc/%d/status", pid);
	AUTO_FREE char *text = file_read(path, 16384, NULL, NULL);

	return text && strstr(text, line);
}

/* What a first daemon does: starts a machine and goes. */
static int first_process(const char *disk)
{
	struct error err = { 0 };
	struct compute *c = open_compute(&err);
	int result = c ? start(c, hangs, disk, NULL, NULL, &err) : -1;

	if (result < 0)
		fprintf(stderr, "%s\n", err.message);
	compute_close(c);
	return result < 0;
}

static void test_found_again(struct compute *c)
{
	struct error err = { 0 };
	char line[64], ours[64], qemus[64];
	unsigned uid = 0, gid = 0;
	char **ids = compute_ids(c, &err);
	int pid = compute_pid(c, hangs);

	ok(ids && ids[0] && strcmp(ids[0], hangs) == 0 && !ids[1], "the machine of an earlier process is found again");
	compute_ids_free(ids);
	is_int(compute_state(c, hangs), MACHINE_RUNNING, "it runs");
	ok(pid > 0, "it has a process");
	is_int(compute_qemu_user(c, &uid, &gid, &err), 0, "QEMU's user is known");
	snprintf(line, sizeof line, "Uid:\t%u\t%u\t%u\t%u", uid, uid, uid, uid);
	ok(uid != 0 && status_has(pid, line), "QEMU runs as that user, not as root");
	ok(status_has(pid, "Seccomp:\t2"), "QEMU runs in its seccomp sandbox");
	ok(status_has(pid, "CapEff:\t0000000000000000"), "QEMU has no capability");
	ns_of(ours, sizeof ours, "/proc/%ld/ns/net", (long)getpid());
	ns_of(qemus, sizeof qemus, "/proc/%d/ns/net", pid);
	is_str(qemus, ours, "a machine without a network is in our namespace");
	if (pid > 0) /* 0 would be our own process group */
		kill(pid, SIGKILL);
	ended(hangs, MACHINE_END_CRASHED, "a QEMU that is killed is a machine that crashed");
	is_int(compute_state(c, hangs), MACHINE_ABSENT, "it is gone");
}

static void test_namespace(struct compute *c, const char *disk)
{
	pid_t keeper = make_namespace();
	AUTO_FREE char *netns = file_path(NULL, "/proc/%d/ns/net", (int)keeper);
	struct error err = { 0 };
	char inside[64], qemus[64];

	if (!ok(keeper > 0, "a namespace with a tap is made"))
		return;
	ns_of(inside, sizeof inside, "/proc/%d/ns/net", keeper);
	if (!ok(start(c, hangs, disk, TAP, netns, &err) == 0, "a machine starts in it"))
		printf("# %s\n", err.message);
	ns_of(qemus, sizeof qemus, "/proc/%d/ns/net", compute_pid(c, hangs));
	is_str(qemus, inside, "its QEMU is in the namespace");
	ok(start(c, hangs, disk, NULL, NULL, &err) < 0, "the same machine does not start twice: %s", err.message);
	ok(start(c, ends, disk, "tnone", netns, &err) < 0 && strstr(err.message, "doesn't exist"), "a missing tap is an error: %s",
	   err.message);
	is_int(compute_destroy(c, hangs, &err), 0, "it is ended");
	ended(hangs, MACHINE_END_DESTROYED, "its end is told as ours");
	is_int(threads_inside(inside), 0, "no thread of ours stays in the namespace");
	ok(start(c, hangs, disk, TAP, "/nonexistent/ns", &err) < 0 && strstr(err.message, "/nonexistent/ns"),
	   "a missing namespace is an error: %s", err.message);
	kill(keeper, SIGKILL); /* not 0: checked above */
	waitpid(keeper, NULL, 0);
}

static void test_guest_acts(struct compute *c, const char *power_off, const char *reset)
{
	AUTO_FREE char *log = file_path(NULL, "%s/%s.log", dir, ends);
	AUTO_FREE char *text = NULL;
	struct error err = { 0 };
	struct stat st;

	is_int(start(c, ends, power_off, NULL, NULL, &err), 0, "a guest starts that powers off");
	ended(ends, MACHINE_END_SHUTDOWN, "its end is told as the guest's own");
	text = file_read(log, 65536, NULL, NULL);
	ok(text && strstr(text, "SeaBIOS"), "the firmware's words are in the console log");
	is_int(start(c, ends, power_off, NULL, NULL, &err), 0, "it starts again");
	ended(ends, MACHINE_END_SHUTDOWN, "and powers off again");
	free(text);
	text = file_read(log, 65536, NULL, NULL);
	ok(text && strstr(text, "SeaBIOS") && strstr(strstr(text, "SeaBIOS") + 1, "SeaBIOS"), "the log is appended to");
	ok(stat(power_off, &st) == 0 && st.st_uid == 0, "its disk is root's again");
	is_int(start(c, resets, reset, NULL, NULL, &err), 0, "a guest starts that resets itself");
	ok(comes(last_reboot, resets), "its reboot is told");
	is_int(compute_state(c, resets), MACHINE_RUNNING, "it runs on");
	is_int(compute_reset(c, resets, &err), 0, "it is reset by us");
	is_int(compute_shutdown(c, resets, &err), 0, "its power button is pressed, which it ignores");
	is_int(compute_state(c, resets), MACHINE_RUNNING, "it runs on");
	is_int(compute_destroy(c, resets, &err), 0, "it is ended");
	ended(resets, MACHINE_END_DESTROYED, "its end is told as ours");
}

static void test_bad_disk(struct compute *c)
{
	struct error err = { 0 };

	ok(start(c, ends, "/nonexistent/disk.qcow2", NULL, NULL, &err) < 0 && strstr(err.message, "/nonexistent/disk.qcow2"),
	   "a missing disk is an error that names it: %s", err.message);
	is_int(compute_state(c, ends), MACHINE_ABSENT, "and leaves no machine");
}

int main(int argc, char **argv)
{
	/* jmp $ ; mov ax,5307h mov bx,1 mov cx,3 int 15h jmp $ (APM's power off) ; mov al,0feh out 64h,al jmp $ */
	static const char hang[] = "\xfb\xf4\xeb\xfd",
			  power[] = "\xb8\x07\x53\xbb\x01\x00\xb9\x03\x00\xcd\x15\xeb\xfe", reset[] = "\xb0\xfe\xe6\x64\xeb\xfe";
	AUTO_FREE char *qemu = process_find_program("qemu-system-x86_64"), *img = process_find_program("qemu-img");
	AUTO_FREE char *hang_disk = NULL, *power_disk = NULL, *reset_disk = NULL;
	struct error err = { 0 };
	struct compute *c;

	if (argc == 3) {
		snprintf(dir, sizeof dir, "%s", argv[1]);
		return first_process(argv[2]);
	}
	if (getuid() != 0 || !qemu || !img) {
		printf("1..0 # SKIP QEMU guests need root, qemu-system-x86 and qemu-utils\n");
		return 0;
	}
	ok(privilege_reduce(&err) == 0, "with the daemon's rights: %s", err.message);
	if (!mkdtemp(dir) || chmod(dir, 0711) < 0)
		return 1;
	hang_disk = make_disk("hang", hang, sizeof hang - 1);
	power_disk = make_disk("power", power, sizeof power - 1);
	reset_disk = make_disk("reset", reset, sizeof reset - 1);
	{
		const char *const again[] = { "/proc/self/exe", dir, hang_disk, NULL };
		AUTO_FREE char *self = realpath("/proc/self/exe", NULL);
		const char *const first[] = { self, again[1], again[2], NULL };

		if (!ok(process_check(first, NULL, &err) == 0, "a first process starts a machine and ends"))
			printf("# %s\n", err.message);
	}
	err = (struct error){ 0 };
	c = open_compute(&err);
	if (ok(c != NULL, "a second process opens the same root")) {
		test_found_again(c);
		test_namespace(c, hang_disk);
		test_guest_acts(c, power_disk, reset_disk);
		test_bad_disk(c);
		/* nothing outlives a test that failed */
		compute_destroy(c, hangs, &err);
		compute_destroy(c, ends, &err);
		compute_destroy(c, resets, &err);
		compute_close(c);
	} else {
		printf("# %s\n", err.message);
	}
	file_remove_tree(dir, &err);
	return tap_done();
}
