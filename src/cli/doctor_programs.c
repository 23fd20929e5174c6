/* Programs and libraries that packages bring. */
#include <glob.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "cli/doctor.h"

static const struct {
	const char *program, *package;
	enum finding without;
	const char *what; /* for what, where the lab can do without */
} programs[] = {
	{ "qemu-system-x86_64", "qemu-system-x86", MISSING, NULL },
	{ "qemu-img", "qemu-utils", MISSING, NULL },
	{ "cloud-localds", "cloud-image-utils", MISSING, NULL },
	{ "dnsmasq", "dnsmasq-base", MISSING, NULL },
	{ "ssh", "openssh-client", WANTING, "connect and exec" },
	{ "ssh-keygen", "openssh-client", MISSING, NULL },
	{ "mmdebstrap", "mmdebstrap", WANTING, "building the image debian-12" },
	{ "gpgv", "gpgv", WANTING, "checking the signature of downloaded images" },
};

static void add_missing(json_t *list, const char *name, const char *package, enum finding f, const char *what)
{
	char remedy[160];

	snprintf(remedy, sizeof remedy, "apt install %s", package);
	doctor_add(list, name, f, remedy, "not found%s%s", what ? "; needed for " : "", what ? what : "");
}

static void find_driver(json_t *list)
{
	static const char *const patterns[] = { "/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so",
						"/usr/lib/libvirt/connection-driver/libvirt_driver_qemu.so",
						"/usr/lib64/libvirt/connection-driver/libvirt_driver_qemu.so" };

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		glob_t g;

		if (glob(patterns[i], GLOB_NOSORT, NULL, &g) != 0)
			continue;
		doctor_add(list, "libvirt's QEMU driver", FOUND, "", "%s", g.gl_pathv[0]);
		globfree(&g);
		return;
	}
	add_missing(list, "libvirt's QEMU driver", "libvirt-daemon-driver-qemu || apt install libvirt-daemon", MISSING, NULL);
}

/* Either program will do. */
static void find_uplink(json_t *list)
{
	AUTO_FREE char *pasta = process_find_program("pasta"), *slirp = process_find_program("slirp4netns");

	if (pasta || slirp)
		doctor_add(list, "pasta or slirp4netns", FOUND, "", "%s", pasta ? pasta : slirp);
	else
		add_missing(list, "pasta or slirp4netns", "passt || apt install slirp4netns", WANTING, "the guests' way out to the internet");
}

void doctor_programs(json_t *list)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		AUTO_FREE char *path = process_find_program(programs[i].program);

		if (path)
			doctor_add(list, programs[i].program, FOUND, "", "%s", path);
		else
			add_missing(list, programs[i].program, programs[i].package, programs[i].without, programs[i].what);
	}
	find_uplink(list);
	find_driver(list);
}
