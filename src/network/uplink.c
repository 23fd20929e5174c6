/* Theory of operation. The program opens a tap named "uplink" inside the namespace and turns what comes in by it into
 * sockets of its own on the machine. The router masquerades everything to the one address that it expects on the tap.
 *
 * What guests can't do by it: reach the machine's loopback (--no-map-gw, --disable-host-loopback) or the machine's own
 * addresses (router_uplink has routes against them); nothing is forwarded inwards.
 *
 * Whom it runs as. pasta has to enter a namespace of the initial user namespace, so it needs CAP_SYS_ADMIN; started as root it
 * would give that up together with the uid. setpriv starts it as nobody with just that capability and two others kept ambient;
 * pasta then confines itself (empty root, seccomp). It opens /dev/net/tun as nobody: where the machine keeps that from
 * others, it gets a mount namespace with a node of its own. slirp4netns starts as root and confines itself. */
#include "network/uplink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "network/daemonfile.h"
#include "network/link.h"
#include "network/names.h"
#include "network/netns.h"
#include "network/route.h"

#define START_MS 10000
#define TUN_MAJOR 10
#define TUN_MINOR 200
#define CAPABILITIES "-all,+sys_admin,+net_admin,+sys_ptrace"
#define ARGV_MAX 48

struct paths {
	char *process, *log;
};

static void paths_done(struct paths *p)
{
	free(p->process);
	free(p->log);
}

static int paths_of(const struct uplink_place *p, struct paths *ret, struct error *err)
{
	ret->process = file_path(err, "%s/%s.process", p->dir, p->vpc_id);
	ret->log = file_path(err, "%s/%s.log", p->dir, p->vpc_id);
	return ret->process && ret->log ? 0 : -1;
}

/* ---- starting ---- */

struct start {
	const char *const *argv;
	struct process_options opt;
	struct process_id id;
	bool own_tun;
	int result;
	struct error *err;
};

/* In a thread of its own, whose mount namespace the program inherits and which nobody else ever sees. */
static void *start_thread(void *arg)
{
	struct start *s = arg;

	s->result = -1;
	if (s->own_tun &&
	    (unshare(CLONE_FS | CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	     mount("tmpfs", "/dev/net", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=4k") < 0 ||
	     mknod("/dev/net/tun", S_IFCHR | 0600, makedev(TUN_MAJOR, TUN_MINOR)) < 0 ||
	     chmod("/dev/net/tun", 0666) < 0)) {
		error_set_errno(s->err, errno, "A /dev/net/tun of its own can't be made");
		return NULL;
	}
	s->result = process_spawn(s->argv, &s->opt, &s->id, s->err);
	return NULL;
}

static int start_program(struct start *s)
{
	pthread_t thread;
	int failed;

	if (!s->own_tun) {
		start_thread(s);
		return s->result;
	}
	failed = pthread_create(&thread, NULL, start_thread, s);
	if (failed)
		return error_set_errno(s->err, failed, "A thread can't be started");
	pthread_join(thread, NULL);
	return s->result;
}

/* Waits until the tap is there; the kernel tells of each new link. */
static int wait_for_link(const struct uplink_place *p, const struct process_id *id, struct error *err)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct nl_sock *sk AUTO_LINK_SOCKET = NULL;
	AUTO_CLOSE int died = daemonfile_watch(id);
	AUTO_CLOSE int events = -1;
	int64_t deadline = deadline_in(time_scaled(START_MS));
	int back;

	if (netns_enter(p->netns, &back, err) < 0)
		return -1;
	sk = link_open(err);
	events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	netns_leave(back);
	if (!sk)
		return -1;
	if (events < 0 || bind(events, (struct sockaddr *)&to, sizeof to) < 0)
		return error_set_errno(err, errno, "The kernel's news of links can't be had");
	while (died >= 0 && !deadline_passed(deadline)) {
		struct pollfd fds[] = { { died, POLLIN, 0 }, { events, POLLIN, 0 } };
		struct link_info info;
		char news[4096];

		if (link_get(sk, UPLINK_LINK, &info, err) < 0)
			return -1;
		if (info.index)
			return 0;
		if (poll(fds, 2, deadline_poll_ms(deadline)) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		while (recv(events, news, sizeof news, 0) > 0)
			;
	}
	return error_set(err, ERROR_ENVIRONMENT, "It made no link.");
}

static bool tun_for_all(void)
{
	struct stat s;

	return stat("/dev/net/tun", &s) == 0 && (s.st_mode & 0006) == 0006;
}

static bool apparmor(void)
{
	AUTO_FREE char *on = file_read("/sys/module/apparmor/parameters/enabled", 8, NULL, NULL);

	return on && on[0] == 'Y';
}

static int run(const struct uplink_place *p, const struct paths *files, const char *const argv[], bool own_tun,
	       char reason[UPLINK_REASON_MAX])
{
	struct error err = { 0 };
	struct start s = {
		.argv = argv, .own_tun = own_tun, .err = &err,
		.opt = { .output_path = files->log, .cwd = "/" },
	};

	if (file_unlink(files->log, &err) < 0 || daemonfile_end_strays(UPLINK_LINK, p->netns, &err) < 0 ||
	    start_program(&s) < 0 || daemonfile_write(files->process, &s.id, &err) < 0) {
		snprintf(reason, UPLINK_REASON_MAX, "%s", err.message);
		return -1;
	}
	if (wait_for_link(p, &s.id, &err) == 0)
		return 0;
	daemonfile_last_words(files->log, reason, UPLINK_REASON_MAX);
	daemonfile_end(files->process, NULL);
	return -1;
}

static int run_pasta(const struct uplink_place *p, const struct paths *files, char reason[UPLINK_REASON_MAX])
{
	struct passwd nobody, *found = NULL;
	char names[1024], uid[16], gid[16];
	const char *argv[ARGV_MAX];
	size_t n = 0, profile;
	int r;

	if (getpwnam_r("nobody", &nobody, names, sizeof names, &found) != 0 || !found) {
		snprintf(reason, UPLINK_REASON_MAX, "there is no user nobody for pasta to run as");
		return -1;
	}
	snprintf(uid, sizeof uid, "%u", nobody.pw_uid);
	snprintf(gid, sizeof gid, "%u", nobody.pw_gid);

	argv[n++] = "setpriv";
	argv[n++] = "--reuid";
	argv[n++] = uid;
	argv[n++] = "--regid";
	argv[n++] = gid;
	argv[n++] = "--clear-groups";
	argv[n++] = "--inh-caps=" CAPABILITIES;
	argv[n++] = "--ambient-caps=" CAPABILITIES;
	profile = n;
	argv[n++] = "--"; /* a place for the AppArmor profile */
	argv[n++] = "pasta";

	const char *const options[] = {
		"--foreground", "--quiet", "--ipv4-only", "--netns-only", "--netns", p->netns,
		"--ns-ifname", UPLINK_LINK, "--address", UPLINK_ADDRESS, "--netmask", "24", "--gateway", UPLINK_GATEWAY,
		"--dns-forward", UPLINK_DNS, "--no-map-gw", "--no-dhcp", "--no-dhcpv6", "--no-ndp", "--no-ra",
		"--tcp-ports", "none", "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none",
	};
	_Static_assert(ARRAY_SIZE(options) + 12 < ARGV_MAX, "pasta's arguments fit");

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		argv[n++] = options[i];
	argv[n] = NULL;
	r = run(p, files, argv, !tun_for_all(), reason);
	if (r < 0 && apparmor()) { /* the distribution's profile only lets it at namespaces below /run/user */
		memmove(&argv[profile + 1], &argv[profile], (n - profile + 1) * sizeof argv[0]);
		argv[profile] = "--apparmor-profile=unconfined";
		r = run(p, files, argv, !tun_for_all(), reason);
	}
	return r;
}

static int run_slirp4netns(const struct uplink_place *p, const struct paths *files, char reason[UPLINK_REASON_MAX])
{
	const char *const argv[] = {
		"slirp4netns", "--netns-type=path", "--cidr=" UPLINK_CIDR, "--mtu=1500", "--disable-host-loopback",
		"--enable-sandbox", "--enable-seccomp", p->netns, UPLINK_LINK, NULL,
	};

	return run(p, files, argv, false, reason);
}

/* ---- what the room sees ---- */

static const struct program {
	const char *name;
	int (*run)(const struct uplink_place *p, const struct paths *files, char reason[UPLINK_REASON_MAX]);
} programs[] = {
	{ "pasta", run_pasta },
	{ "slirp4netns", run_slirp4netns },
};

static bool installed(const char *name)
{
	AUTO_FREE char *path = process_find_program(name);

	return path != NULL;
}

const char *uplink_program(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (installed(programs[i].name))
			return programs[i].name;
	return NULL;
}

static bool has_link(const struct uplink_place *p)
{
	struct nl_sock *sk AUTO_LINK_SOCKET = NULL;
	struct link_info info = { 0 };
	int back;

	if (netns_enter(p->netns, &back, NULL) < 0)
		return false;
	sk = link_open(NULL);
	netns_leave(back);
	return sk && link_get(sk, UPLINK_LINK, &info, NULL) == 0 && info.index;
}

bool uplink_alive(const struct uplink_place *p)
{
	struct paths files CLEANUP(paths_done) = { NULL, NULL };
	struct process_id id;

	return paths_of(p, &files, NULL) == 0 && daemonfile_alive(files.process, &id) && has_link(p);
}

int uplink_watch(const struct uplink_place *p)
{
	struct paths files CLEANUP(paths_done) = { NULL, NULL };
	struct process_id id;

	return paths_of(p, &files, NULL) == 0 && daemonfile_alive(files.process, &id) ? daemonfile_watch(&id) : -1;
}

static int is_default(void *arg, const struct route *r)
{
	(void)arg;
	return r->dst.prefix == 0 && !r->unreachable;
}

static const char *running_program(const struct process_id *id)
{
	char path[64];
	AUTO_FREE char *name = NULL;

	snprintf(path, sizeof path, "/proc/%d/comm", (int)id->pid);
	name = file_read(path, 64, NULL, NULL);
	return name && strncmp(name, "slirp", 5) == 0 ? "slirp4netns" : "pasta";
}

const char *uplink_ensure(const struct uplink_place *p, char reason[UPLINK_REASON_MAX])
{
	struct paths files CLEANUP(paths_done) = { NULL, NULL };
	struct nl_sock *sk AUTO_LINK_SOCKET = NULL;
	struct error err = { 0 };
	struct process_id id;

	snprintf(reason, UPLINK_REASON_MAX, "neither pasta (package passt) nor slirp4netns is installed");
	if (paths_of(p, &files, &err) < 0 || file_mkdirs(p->dir, 0755, &err) < 0 || !(sk = link_open(&err))) {
		snprintf(reason, UPLINK_REASON_MAX, "%s", err.message);
		return NULL;
	}
	if (daemonfile_alive(files.process, &id)) {
		if (has_link(p)) {
			reason[0] = '\0';
			return running_program(&id);
		}
		daemonfile_end(files.process, NULL); /* it serves a namespace that is no more */
	}
	if (route_each(sk, is_default, NULL, NULL) <= 0) {
		snprintf(reason, UPLINK_REASON_MAX, "this machine has no default route");
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (!installed(programs[i].name))
			continue;
		if (programs[i].run(p, &files, reason) == 0) {
			reason[0] = '\0';
			return programs[i].name;
		}
	}
	return NULL;
}

int uplink_remove(const struct uplink_place *p, struct error *err)
{
	struct paths files CLEANUP(paths_done) = { NULL, NULL };

	if (paths_of(p, &files, err) < 0 || daemonfile_end(files.process, err) < 0 ||
	    daemonfile_end_strays(UPLINK_LINK, p->netns, err) < 0)
		return -1;
	return file_unlink(files.log, err);
}
