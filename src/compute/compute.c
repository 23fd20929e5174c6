#include "compute/compute.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/id.h"
#include "base/log.h"
#include "compute/private.h"

/* libvirt adds up to 54 bytes for a machine's monitor, and a unix socket's path holds 107. */
#define ROOT_MAX 52

int compute_error(struct error *err, const char *fmt, ...)
{
	const char *why = virGetLastErrorMessage();
	char what[ERROR_MESSAGE_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return error_set(err, ERROR_ENVIRONMENT, "%s: %s.", what, why ? why : "libvirt gave no reason");
}

bool compute_ours(const char *name)
{
	return id_well_formed(name, "i");
}

char *compute_agent_socket(const struct compute *c, const char *id, struct error *err)
{
	return file_path(err, "%s/ga/%s", c->config.root, id);
}

/* ------------------------------------------------------------------ events */

static enum machine_end end_of(int event, int detail)
{
	if (event != VIR_DOMAIN_EVENT_STOPPED)
		return MACHINE_END_CRASHED;
	switch (detail) {
	case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
		return MACHINE_END_SHUTDOWN;
	case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
	case VIR_DOMAIN_EVENT_STOPPED_FAILED: /* QEMU went away without a word */
		return MACHINE_END_CRASHED;
	default:
		return MACHINE_END_DESTROYED;
	}
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *arg)
{
	struct compute *c = arg;
	const char *id = virDomainGetName(dom);

	(void)conn;
	if (event != VIR_DOMAIN_EVENT_STOPPED || !id || !compute_ours(id))
		return 0;
	if (c->embedded) {
		AUTO_FREE char *agent = compute_agent_socket(c, id, NULL);

		if (agent)
			unlink(agent);
	}
	if (atomic_load(&c->opened) && c->config.on_end)
		c->config.on_end(c->config.arg, id, end_of(event, detail));
	return 0;
}

static void on_reboot(virConnectPtr conn, virDomainPtr dom, void *arg)
{
	const struct compute *c = arg;
	const char *id = virDomainGetName(dom);

	(void)conn;
	if (id && compute_ours(id) && atomic_load(&c->opened) && c->config.on_reboot)
		c->config.on_reboot(c->config.arg, id);
}

static int watch_events(struct compute *c, struct error *err)
{
	c->lifecycle_id = virConnectDomainEventRegisterAny(c->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
							   VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), c, NULL);
	if (c->lifecycle_id < 0)
		return compute_error(err, "libvirt's life cycle events can't be had");
	c->reboot_id = virConnectDomainEventRegisterAny(c->conn, NULL, VIR_DOMAIN_EVENT_ID_REBOOT,
							VIR_DOMAIN_EVENT_CALLBACK(on_reboot), c, NULL);
	if (c->reboot_id < 0 && !c->test)
		return compute_error(err, "libvirt's reboot events can't be had");
	return 0;
}

/* ------------------------------------------------------------ opening */

/* QEMU, who is not root, must come through every directory above its files. */
static int traversable(const char *path, const struct qemu_conf *q, struct error *err)
{
	AUTO_FREE char *copy = file_path(err, "%s/", path);

	if (!copy)
		return -1;
	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		struct stat st;
		mode_t need = S_IXOTH;

		*p = '\0';
		if (stat(copy, &st) < 0)
			return error_set_errno(err, errno, "%s can't be looked at", copy);
		if (st.st_uid == q->uid)
			need = S_IXUSR;
		else if (st.st_gid == q->gid)
			need = S_IXGRP;
		if (!(st.st_mode & need))
			return error_set(err, ERROR_ENVIRONMENT,
					 "The directory %s (mode %04o) is closed to QEMU, which runs as uid %u; open it: chmod o+x %s",
					 copy, st.st_mode & 07777, q->uid, copy);
		*p = '/';
	}
	return 0;
}

/* KVM that works for root is of no use where QEMU's user may not open it. */
static int settle_accelerator(struct compute *c, struct error *err)
{
	if (strcmp(c->accelerator, "kvm") != 0 || qemu_conf_kvm(&c->qemu))
		return 0;
	if (c->kvm_demanded)
		return error_set(err, ERROR_ENVIRONMENT,
				 "/dev/kvm opens for root alone, and QEMU runs as uid %u; give it a group: "
				 "chgrp kvm /dev/kvm && chmod 660 /dev/kvm",
				 c->qemu.uid);
	c->accelerator = "tcg";
	c->accelerator_why = "/dev/kvm opens for root alone, and QEMU does not run as root; to use it: "
			     "chgrp kvm /dev/kvm && chmod 660 /dev/kvm";
	return 0;
}

static int prepare_root(struct compute *c, struct error *err)
{
	const char *root = c->config.root;
	AUTO_FREE char *etc = file_path(err, "%s/etc", root), *conf = file_path(err, "%s/etc/qemu.conf", root),
		       *agents = file_path(err, "%s/ga", root);
	AUTO_BUFFER struct buffer text = BUFFER_INIT(4096);

	if (!etc || !conf || !agents)
		return -1;
	if (root[0] != '/' || strlen(root) > ROOT_MAX)
		return error_set(err, ERROR_USAGE,
				 "The directory %s can't be libvirt's root: the path must be absolute and at most %d bytes long, for "
				 "the unix sockets below it; choose a shorter state directory.",
				 root, ROOT_MAX);
	if (file_mkdirs(root, 0711, err) < 0 || file_mkdirs(etc, 0711, err) < 0 || file_mkdirs(agents, 0711, err) < 0)
		return -1;
	if (qemu_conf_probe(&c->qemu, err) < 0 || settle_accelerator(c, err) < 0)
		return -1;
	if (traversable(root, &c->qemu, err) < 0 || compute_forget_stale(root, err) < 0)
		return -1;
	qemu_conf_text(&text, &c->qemu);
	if (buffer_failed(&text))
		return error_set(err, ERROR_INTERNAL, "libvirt's configuration grew too long.");
	return file_write_atomic(conf, text.data, text.len, 0644, err);
}

/* libvirt meets the QEMUs of an earlier daemon in threads of its own. A call that needs the machine's job waits for that,
 * so that afterwards its state is true. */
static void settle(struct compute *c)
{
	char **ids = compute_ids(c, NULL);

	for (size_t i = 0; ids && ids[i]; i++) {
		AUTO_DOMAIN virDomainPtr dom = virDomainLookupByName(c->conn, ids[i]);
		virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];

		if (dom && virDomainMemoryStats(dom, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0) < 0)
			log_info("compute: %s did not come back: %s", ids[i], virGetLastErrorMessage());
	}
	compute_ids_free(ids);
}

static int use_event_loop(const struct compute *c, struct error *err)
{
	AUTO_FREE char *log = c->embedded ? file_path(err, "%s/libvirt.log", c->config.root) : strdup("/dev/null");

	return log ? event_loop_use(log, err) : -1;
}

static int open_connection(void *arg, struct error *err)
{
	struct compute *c = arg;
	AUTO_FREE char *uri = NULL;

	uri = c->embedded ? file_path(err, "qemu:///embed?root=%s", c->config.root) : file_path(err, "%s", c->config.uri);
	if (!uri)
		return -1;
	c->conn = virConnectOpen(uri);
	if (!c->conn)
		return compute_error(err, "libvirt can't open %s", uri);
	if (watch_events(c, err) < 0)
		return -1;
	if (!c->test)
		settle(c);
	if (c->embedded)
		compute_warm_up_clean(c);
	return 0;
}

struct compute *compute_open(const struct compute_config *config, struct error *err)
{
	struct compute *c = calloc(1, sizeof *c);
	const char *uri = config->uri ? config->uri : "", *wanted = config->accelerator ? config->accelerator : "auto";

	if (!c) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	pthread_mutex_init(&c->warm_lock, NULL);
	c->lifecycle_id = c->reboot_id = -1;
	c->config = *config;
	c->config.accelerator = NULL;
	c->config.uri = strdup(uri);
	c->config.root = strdup(config->root ? config->root : "");
	c->embedded = !*uri;
	c->kvm_demanded = strcmp(wanted, "kvm") == 0;
	c->test = strncmp(uri, "test:", 5) == 0;
	if (!c->config.uri || !c->config.root) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		goto fail;
	}
	c->accelerator = accelerator_choose(wanted, &c->accelerator_why, err);
	if (!c->accelerator || (c->embedded && prepare_root(c, err) < 0) || use_event_loop(c, err) < 0)
		goto fail;
	/* the threads that libvirt starts now see what this one sees */
	if (compute_aside(c, NULL, open_connection, c, err) < 0) {
		compute_close(c);
		return NULL;
	}
	atomic_store(&c->opened, true);
	return c;
fail:
	free((void *)(uintptr_t)c->config.uri);
	free((void *)(uintptr_t)c->config.root);
	free(c);
	return NULL;
}

void compute_close(struct compute *c)
{
	if (!c)
		return;
	atomic_store(&c->opened, false);
	if (c->conn) {
		if (c->lifecycle_id >= 0)
			virConnectDomainEventDeregisterAny(c->conn, c->lifecycle_id);
		if (c->reboot_id >= 0)
			virConnectDomainEventDeregisterAny(c->conn, c->reboot_id);
		virConnectClose(c->conn);
	}
	event_loop_release();
	free((void *)(uintptr_t)c->config.uri);
	free((void *)(uintptr_t)c->config.root);
	free(c);
}

const char *compute_accelerator(const struct compute *c, const char **ret_why)
{
	if (ret_why)
		*ret_why = c->accelerator_why;
	return c->accelerator;
}

bool compute_is_test(const struct compute *c)
{
	return c->test;
}

int compute_qemu_user(const struct compute *c, unsigned *uid, unsigned *gid, struct error *err)
{
	if (c->test) { /* it runs nothing */
		*uid = getuid();
		*gid = getgid();
		return 0;
	}
	if (!c->embedded)
		return error_set(err, ERROR_ENVIRONMENT,
				 "Who QEMU runs as is not known for %s; leave libvirt_uri empty to use the embedded driver.",
				 c->config.uri);
	*uid = c->qemu.uid;
	*gid = c->qemu.gid;
	return 0;
}
