#include "api/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CAPABILITIES_MAX 64
#define WORDS 2

/* Kept, and by whom it is needed. */
static const unsigned char kept[] = {
	CAP_SYS_ADMIN,        /* namespaces and mounts: networks, QEMU's private /dev, pasta */
	CAP_NET_ADMIN,        /* links, routes, nftables; dnsmasq */
	CAP_NET_RAW,          /* dnsmasq's DHCP */
	CAP_NET_BIND_SERVICE, /* dnsmasq, pasta */
	CAP_CHOWN,            /* libvirt gives disks to QEMU's user */
	CAP_FOWNER,           /* and takes them back */
	CAP_FSETID,           /* building images */
	CAP_DAC_OVERRIDE,     /* files that are QEMU's for the time being */
	CAP_DAC_READ_SEARCH,  /* libvirt's look at them */
	CAP_SETUID,           /* whoever is started as another user: QEMU, dnsmasq, pasta */
	CAP_SETGID,
	CAP_SETPCAP,          /* they reduce their own rights */
	CAP_KILL,             /* ending them */
	CAP_SYS_PTRACE,       /* telling in which namespace they are */
	CAP_SYS_CHROOT,       /* pasta's empty root; building images */
	CAP_MKNOD,            /* QEMU's private /dev; building images */
	CAP_SYS_RESOURCE,     /* limits of open files and locked memory */
	CAP_SETFCAP,          /* building images: programs with capabilities of their own */
	CAP_AUDIT_WRITE,      /* building images: accounts */
};

static bool keeps(unsigned capability)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] == capability)
			return true;
	return false;
}

static int reduce_sets(struct error *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[WORDS];
	uint32_t mask[WORDS] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		mask[kept[i] / 32] |= 1u << (kept[i] % 32);
	if (syscall(SYS_capget, &head, data) < 0)
		return error_set_errno(err, errno, "The daemon's capabilities can't be read");
	for (int i = 0; i < WORDS; i++) {
		data[i].permitted &= mask[i];
		data[i].effective &= mask[i];
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return error_set_errno(err, errno, "The daemon's capabilities can't be reduced");
	return 0;
}

int privilege_reduce(struct error *err)
{
	for (unsigned c = 0; c < CAPABILITIES_MAX; c++) {
		int has = prctl(PR_CAPBSET_READ, c, 0, 0, 0);

		if (has < 0) /* beyond the kernel's last */
			break;
		if (!has || keeps(c) || prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == 0)
			continue;
		if (errno == EPERM)
			break;
		return error_set_errno(err, errno, "The daemon can't give up capability %u", c);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return error_set_errno(err, errno, "The daemon's ambient capabilities can't be given up");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "The daemon can't forbid its children new privileges");
	return reduce_sets(err);
}
