/* A machine's life: start, shut down, reboot, end; and what exists now. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "compute/private.h"

#define PID_FILE_MAX 64

struct start_job {
	virConnectPtr conn;
	const char *id, *xml;
};

static int create(void *arg, struct error *err)
{
	const struct start_job *j = arg;
	AUTO_DOMAIN virDomainPtr dom = virDomainCreateXML(j->conn, j->xml, VIR_DOMAIN_NONE);

	if (!dom)
		return compute_error(err, "The machine %s can't be started", j->id);
	return 0;
}

/* Older libvirts leave it to QEMU to open the log, and QEMU is not root. */
static int make_log(const struct compute *c, const char *path, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_set_errno(err, errno, "The console log %s can't be made", path);
	if (fchown(fd, c->qemu.uid, c->qemu.gid) < 0)
		return error_set_errno(err, errno, "The console log %s can't be given to QEMU", path);
	return 0;
}

int compute_start(struct compute *c, const struct machine_spec *spec, const char *netns, struct error *err)
{
	AUTO_BUFFER struct buffer xml = BUFFER_INIT(MACHINE_XML_MAX);
	AUTO_FREE char *agent = NULL;
	struct start_job job = { .conn = c->conn, .id = spec->id };

	if (!compute_ours(spec->id))
		return error_set(err, ERROR_INTERNAL, "%s is no instance's id.", spec->id);
	if (c->test) {
		machine_xml_test(&xml, spec);
	} else {
		if (c->embedded) {
			agent = compute_agent_socket(c, spec->id, err);
			if (!agent || (spec->console_log && make_log(c, spec->console_log, err) < 0))
				return -1;
		}
		machine_xml(&xml, spec, agent);
	}
	if (buffer_failed(&xml))
		return error_set(err, ERROR_INTERNAL, "The domain XML of %s grew past %u bytes.", spec->id,
				 MACHINE_XML_MAX);
	job.xml = buffer_text(&xml);
	if (netns)
		compute_warm_up(c);
	return compute_aside(c, netns, create, &job, err);
}

static virDomainPtr find(struct compute *c, const char *id, struct error *err)
{
	virDomainPtr dom = compute_ours(id) ? virDomainLookupByName(c->conn, id) : NULL;

	if (!dom)
		error_set(err, ERROR_ENVIRONMENT, "The machine %s is not running.", id);
	return dom;
}

int compute_shutdown(struct compute *c, const char *id, struct error *err)
{
	AUTO_DOMAIN virDomainPtr dom = find(c, id, err);

	if (!dom)
		return -1;
	if (virDomainShutdownFlags(dom, c->test ? 0 : VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) < 0)
		return compute_error(err, "The machine %s can't be shut down", id);
	return 0;
}

int compute_reboot(struct compute *c, const char *id, struct error *err)
{
	AUTO_DOMAIN virDomainPtr dom = find(c, id, err);

	if (!dom)
		return -1;
	if (virDomainReboot(dom, c->test ? 0 : VIR_DOMAIN_REBOOT_ACPI_POWER_BTN) < 0)
		return compute_error(err, "The machine %s can't be rebooted", id);
	return 0;
}

int compute_reset(struct compute *c, const char *id, struct error *err)
{
	AUTO_DOMAIN virDomainPtr dom = find(c, id, err);

	if (!dom)
		return -1;
	/* libvirt's test driver knows no reset, and its machines have nothing to lose by a reboot */
	if ((c->test ? virDomainReboot(dom, 0) : virDomainReset(dom, 0)) < 0)
		return compute_error(err, "The machine %s can't be reset", id);
	return 0;
}

int compute_destroy(struct compute *c, const char *id, struct error *err)
{
	AUTO_DOMAIN virDomainPtr dom = find(c, id, NULL);
	int code;

	if (!dom || virDomainDestroy(dom) == 0)
		return 0;
	code = virGetLastErrorCode();
	if (code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID) /* it ended by itself meanwhile */
		return 0;
	return compute_error(err, "The machine %s can't be ended", id);
}

enum machine_state compute_state(struct compute *c, const char *id)
{
	AUTO_DOMAIN virDomainPtr dom = find(c, id, NULL);
	int state, reason;

	if (!dom || virDomainGetState(dom, &state, &reason, 0) < 0)
		return MACHINE_ABSENT;
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
		return MACHINE_RUNNING;
	case VIR_DOMAIN_PAUSED:
	case VIR_DOMAIN_PMSUSPENDED:
		return MACHINE_PAUSED;
	case VIR_DOMAIN_SHUTDOWN:
		return MACHINE_STOPPING;
	default:
		return MACHINE_ABSENT;
	}
}

char **compute_ids(struct compute *c, struct error *err)
{
	virDomainPtr *all = NULL;
	int n = virConnectListAllDomains(c->conn, &all, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	char **ids;
	size_t kept = 0;

	if (n < 0) {
		compute_error(err, "The machines can't be listed");
		return NULL;
	}
	ids = calloc((size_t)n + 1, sizeof *ids);
	if (!ids)
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	for (int i = 0; i < n; i++) {
		const char *name = virDomainGetName(all[i]);

		if (ids && name && compute_ours(name) && (ids[kept] = strdup(name)))
			kept++;
		virDomainFree(all[i]);
	}
	free(all);
	return ids;
}

void compute_ids_free(char **ids)
{
	for (size_t i = 0; ids && ids[i]; i++)
		free(ids[i]);
	free(ids);
}

int compute_pid(struct compute *c, const char *id)
{
	AUTO_FREE char *path = NULL, *text = NULL;

	if (!c->embedded || compute_state(c, id) == MACHINE_ABSENT)
		return 0;
	path = file_path(NULL, "%s/run/qemu/%s.pid", c->config.root, id);
	text = path ? file_read(path, PID_FILE_MAX, NULL, NULL) : NULL;
	return text ? (int)strtol(text, NULL, 10) : 0;
}
