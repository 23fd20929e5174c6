/* What the kernel, the hardware and the settings give. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/accelerator.h"
#include "base/cidr.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"
#include "cli/client.h"
#include "cli/doctor.h"
#include "cli/format.h"

#define CAP_NET_ADMIN_BIT 12
#define CAP_SYS_ADMIN_BIT 21
#define CAPS_WANTED ((1ull << CAP_NET_ADMIN_BIT) | (1ull << CAP_SYS_ADMIN_BIT))
#define STATUS_MAX 65536
#define TRY_MS 15000
#define MEMORY_WANTED (3ll << 30) /* a t2.small, its QEMU, and building an image */
#define MEMORY_NEEDED (1ll << 30) /* a t2.nano */
#define DISK_WANTED (8ll << 30)   /* an image as downloaded and as used, and a guest's root growing */
#define DISK_NEEDED (3ll << 30)

/* A ruleset of what the lab's are made of; asked of the kernel inside a namespace of its own and dropped with it. */
static const char trial_rules[] =
	"table inet t {\n"
	" chain f { type filter hook forward priority 0; policy drop; ct state established,related accept; }\n"
	" chain d { type nat hook prerouting priority -100; dnat ip to 192.0.2.1; }\n"
	" chain s { type nat hook postrouting priority 100; snat ip to 192.0.2.2; }\n"
	"}\n";

bool doctor_has_capabilities(const char *status, unsigned long long wanted)
{
	const char *line = strstr(status, "\nCapEff:");

	return line && (strtoull(line + strlen("\nCapEff:"), NULL, 16) & wanted) == wanted;
}

static void look_at_rights(json_t *list)
{
	AUTO_FREE char *status = file_read("/proc/self/status", STATUS_MAX, NULL, NULL);

	if (status && doctor_has_capabilities(status, CAPS_WANTED))
		doctor_add(list, "rights", FOUND, "", "%s", geteuid() == 0 ? "root" : "CAP_NET_ADMIN and CAP_SYS_ADMIN");
	else if (geteuid() == 0)
		doctor_add(list, "rights", MISSING, "start this container with --privileged, or with --cap-add NET_ADMIN --cap-add SYS_ADMIN",
			   "root, but without CAP_NET_ADMIN and CAP_SYS_ADMIN");
	else
		doctor_add(list, "rights", MISSING, "sudo vpclab doctor", "not root, which making networks and machines needs");
}

static void look_at_accelerator(json_t *list, const struct cli *cli)
{
	struct error err = { 0 };
	const char *why = NULL, *name = accelerator_choose(cli->config.accelerator, &why, &err);

	if (!name)
		doctor_add(list, "KVM", MISSING, "vpclab --set accelerator=auto", "%s", err.message);
	else if (strcmp(name, "kvm") == 0)
		doctor_add(list, "KVM", FOUND, "", "%s", why);
	else
		doctor_add(list, "KVM", WANTING, "guests are emulated and boot in minutes; with virtualization (a firmware setting) in seconds", "%s", why);
}

static void look_at_tun(json_t *list)
{
	AUTO_CLOSE int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		doctor_add(list, "/dev/net/tun", FOUND, "", "opens");
	else if (errno == EACCES || errno == EPERM)
		doctor_add(list, "/dev/net/tun", MISSING, "run as root; in a container: --device /dev/net/tun", "may not be opened");
	else
		doctor_add(list, "/dev/net/tun", MISSING, "modprobe tun; in a container: --device /dev/net/tun", "%s",
			   strerrordesc_np(errno));
}

/* A namespace and a ruleset, tried for real and gone with the process that held them. */
static void look_at_kernel(json_t *list)
{
	static const char *const alone[] = { "unshare", "-n", "true", NULL };
	static const char *const rules[] = { "unshare", "-n", "nft", "-f", "-", NULL };
	struct process_options opt = { .deadline = deadline_in(TRY_MS) };
	AUTO_FREE char *nft = process_find_program("nft");
	struct error err = { 0 };

	if (process_check(alone, &opt, &err) < 0) {
		doctor_add(list, "network namespaces", MISSING, "run as root, on a kernel with CONFIG_NET_NS", "%s", err.message);
		return;
	}
	doctor_add(list, "network namespaces", FOUND, "", "can be made");
	if (!nft) {
		doctor_add(list, "nftables in the kernel", file_exists("/sys/module/nf_tables") ? FOUND : WANTING,
			   "apt install nftables, for doctor to try it", "not tried, for there is no program nft");
		return;
	}
	opt.stdin_data = trial_rules;
	opt.stdin_len = sizeof trial_rules - 1;
	if (process_check(rules, &opt, &err) < 0)
		doctor_add(list, "nftables in the kernel", MISSING, "modprobe nf_tables nf_conntrack nf_nat", "%s", err.message);
	else
		doctor_add(list, "nftables in the kernel", FOUND, "", "filters, tracks and translates");
}

/* What the kernel says is available, or what is free where it doesn't. */
static int64_t memory_available(void)
{
	AUTO_FREE char *text = file_read("/proc/meminfo", STATUS_MAX, NULL, NULL);
	const char *line = text ? strstr(text, "MemAvailable:") : NULL;
	struct sysinfo info;

	if (line)
		return strtoll(line + strlen("MemAvailable:"), NULL, 10) * 1024;
	return sysinfo(&info) == 0 ? (int64_t)info.freeram * info.mem_unit : 0;
}

static void look_at_space(json_t *list, const struct cli *cli)
{
	char path[CONFIG_VALUE_MAX], free_text[FORMAT_MAX];
	int64_t memory = memory_available(), disk;

	format_bytes(free_text, memory);
	doctor_add(list, "memory", memory >= MEMORY_WANTED ? FOUND : memory >= MEMORY_NEEDED ? WANTING : MISSING,
		   "a t2.small takes 2 GiB; end other programs, or launch a smaller --type", "%s available", free_text);
	/* the state directory need not exist yet */
	snprintf(path, sizeof path, "%s", cli->config.state_dir);
	while (!file_exists(path) && strrchr(path, '/') != path)
		*strrchr(path, '/') = '\0';
	disk = file_space(file_exists(path) ? path : "/");
	format_bytes(free_text, disk);
	doctor_add(list, "disk space", disk >= DISK_WANTED ? FOUND : disk >= DISK_NEEDED ? WANTING : MISSING,
		   "make room, or give a directory elsewhere: --state-dir DIR", "%s free for %s", free_text, cli->config.state_dir);
}

/* The interface that has an address of the range, with it in words; false where there is none. */
static bool range_taken(const struct ifaddrs *all, const char *bridge, struct cidr range, char by[128])
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct sockaddr_in in;
		char address[IPV4_TEXT_MAX];

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || strcmp(i->ifa_name, bridge) == 0)
			continue;
		memcpy(&in, i->ifa_addr, sizeof in);
		if (!cidr_contains(range, ntohl(in.sin_addr.s_addr)))
			continue;
		ipv4_format(address, ntohl(in.sin_addr.s_addr));
		snprintf(by, 128, "%s has %s", i->ifa_name, address);
		return true;
	}
	return false;
}

static void look_at_addresses(json_t *list, const struct cli *cli)
{
	const char *setting = cli->config.public_cidr, *bridge = cli->config.public_bridge;
	bool automatic = strcmp(setting, "auto") == 0;
	char by[128], first_by[128] = "", text[CIDR_TEXT_MAX];
	struct ifaddrs *all = NULL;
	struct cidr range;
	unsigned i = 0;

	if ((!automatic && cidr_parse(setting, &range, NULL, NULL) < 0) || getifaddrs(&all) < 0)
		return;
	if (automatic) {
		while (config_public_candidate(i, &range) && range_taken(all, bridge, range, by)) {
			if (i++ == 0)
				memcpy(first_by, by, sizeof first_by);
		}
		automatic = config_public_candidate(i, &range);
	}
	cidr_format(text, range);
	if (automatic && i > 0)
		doctor_add(list, "public address range", FOUND, "", "203.0.113.0/24 is taken (%s); %s is free and will do", first_by, text);
	else if (!range_taken(all, bridge, range, by))
		doctor_add(list, "public address range", FOUND, "", "%s is free", text);
	else
		doctor_add(list, "public address range", MISSING, "take another range: --set public_cidr=198.51.100.0/24",
			   "%s is taken: %s", text, by);
	freeifaddrs(all);
}

static void look_at_data(json_t *list, const struct cli *cli)
{
	AUTO_FREE char *images = file_path(NULL, "%s/images/*.image", cli->config.data_dir);
	AUTO_FREE char *seed = file_path(NULL, "%s/cloud-init/django.yaml", cli->config.data_dir);
	glob_t g = { 0 };

	if (!images || !seed)
		return;
	if (glob(images, 0, NULL, &g) == 0 && file_exists(seed))
		doctor_add(list, "image catalogue", FOUND, "", "%zu images in %s/images", g.gl_pathc, cli->config.data_dir);
	else
		doctor_add(list, "image catalogue", MISSING, "make install, or --data-dir DIR with images/ and cloud-init/",
			   "%s holds no images/*.image or no cloud-init/django.yaml", cli->config.data_dir);
	globfree(&g);
}

static void look_at_daemon(json_t *list, struct cli *cli)
{
	struct error err = { 0 };
	bool running;

	if (client_connect(cli, false, &running, &err) < 0)
		doctor_add(list, "region", WANTING, "sudo vpclab doctor", "%s", err.message);
	else
		doctor_add(list, "region", FOUND, "", "%s", running ? "is running" : "is not running; the verbs start it");
}

void doctor_machine(json_t *list, struct cli *cli)
{
	look_at_rights(list);
	look_at_accelerator(list, cli);
	look_at_tun(list);
	look_at_kernel(list);
	look_at_space(list, cli);
	look_at_addresses(list, cli);
	look_at_data(list, cli);
	look_at_daemon(list, cli);
}
