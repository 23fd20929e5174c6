#include "compute/qemu_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The account is libvirt's own default and must be there before libvirt reads a configuration that could name another: its
 * QEMU driver gives up without. On Debian and Ubuntu a package that wants systemd makes it (libvirt-daemon-system), with
 * this uid from base-passwd's list; `make deps` makes the same. */
static const char *const account_names[] = { "libvirt-qemu", "qemu" };
#define MAKE_ACCOUNT                                                                                       \
	"groupadd --system --gid 64055 libvirt-qemu && useradd --system --uid 64055 --gid libvirt-qemu --home-dir " \
	"/var/lib/libvirt --no-create-home --shell /usr/sbin/nologin libvirt-qemu"

static int account(struct qemu_conf *c, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(account_names); i++) {
		const struct passwd *pw = getpwnam(account_names[i]);
		const struct group *group = getgrnam(account_names[i]);

		if (!pw || pw->pw_uid == 0)
			continue;
		c->uid = pw->pw_uid;
		c->gid = group ? group->gr_gid : pw->pw_gid;
		if (c->gid != 0)
			return 0;
	}
	return error_set(err, ERROR_ENVIRONMENT, "The account libvirt-qemu, as which QEMU runs, is missing; make it: %s",
			 MAKE_ACCOUNT);
}

bool qemu_conf_kvm(struct qemu_conf *c)
{
	struct stat st;

	if (stat("/dev/kvm", &st) < 0)
		return false;
	if ((st.st_mode & 0006) == 0006)
		return true;
	if (st.st_gid == 0 || (st.st_mode & 0060) != 0060)
		return false;
	c->gid = st.st_gid; /* in a container the group may have a number and no name */
	return true;
}

/* What libvirt does for QEMU's private /dev. A container may refuse any of it, so it is tried in a child. */
static bool mount_namespace_works(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid < 0)
		return false;
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount("", "/", "none", MS_SLAVE | MS_REC, NULL) < 0 ||
		    mount("devfs", "/dev", "tmpfs", MS_NOSUID, "mode=755,size=65536") < 0 ||
		    mknod("/dev/vpclab-probe", S_IFCHR | 0600, (dev_t)((1 << 8) | 3)) < 0)
			_exit(1);
		/* a device cgroup or nodev forbids what mknod allowed */
		_exit(open("/dev/vpclab-probe", O_RDWR | O_CLOEXEC) < 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int qemu_conf_probe(struct qemu_conf *ret, struct error *err)
{
	struct qemu_conf c = { 0 };

	if (account(&c, err) < 0)
		return -1;
	c.mount_namespace = mount_namespace_works();
	*ret = c;
	return 0;
}

void qemu_conf_text(struct buffer *out, const struct qemu_conf *c)
{
	buffer_addf(out,
		    "# Written by vpclab each time its daemon starts; edits are lost.\n"
		    "user = \"+%u\"\n"
		    "group = \"+%u\"\n"
		    "dynamic_ownership = 1\n"
		    "# Every file is root's again when its machine has ended; who had it before is not asked.\n"
		    "remember_owner = 0\n"
		    "# The host's own AppArmor or SELinux profiles know nothing of this root.\n"
		    "security_driver = \"none\"\n"
		    "seccomp_sandbox = 1\n"
		    "namespaces = [ %s ]\n"
		    "# No systemd and no machined are needed: QEMU stays in the daemon's cgroup.\n"
		    "cgroup_controllers = [ ]\n"
		    "# No virtlogd: QEMU writes its logs itself.\n"
		    "stdio_handler = \"file\"\n"
		    "max_core = 0\n",
		    c->uid, c->gid, c->mount_namespace ? "\"mount\"" : "");
}
