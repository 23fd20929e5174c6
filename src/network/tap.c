#include "network/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"

#define TUN_DEVICE "/dev/net/tun"

int tap_make(const char *name, unsigned uid, unsigned gid, struct error *err)
{
	AUTO_CLOSE int fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC);
	struct ifreq r;

	if (fd < 0)
		return error_set_errno(err, errno, TUN_DEVICE " can't be opened (is the module tun loaded?)");
	memset(&r, 0, sizeof r);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &r) < 0) {
		if (errno == EBUSY) /* a guest is at it */
			return 0;
		return error_set_errno(err, errno, "The tap %s can't be made", name);
	}
	if ((uid != TAP_NOBODY && ioctl(fd, TUNSETOWNER, (unsigned long)uid) < 0) ||
	    (gid != TAP_NOBODY && ioctl(fd, TUNSETGROUP, (unsigned long)gid) < 0) || ioctl(fd, TUNSETPERSIST, 1UL) < 0)
		return error_set_errno(err, errno, "The tap %s can't be kept", name);
	return 0;
}
