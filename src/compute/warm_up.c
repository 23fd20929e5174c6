/* Threads that libvirt makes once and keeps: a worker for QEMU's events and one of GLib's. They are made by the first
 * machine, in the namespace of the thread that starts it or of that machine's own thread, and would hold that VPC's
 * namespace for as long as the daemon lives, though the VPC be deleted. So the first machine is one without disk or
 * network, in our own namespace: it is made, told to quit, and its end makes the worker. A third of a second, once. */
#include <libvirt/libvirt-qemu.h>
#include <pthread.h>
#include <time.h>

#include "base/log.h"
#include "compute/private.h"

#define NAME "vpclab-warm-up"
#define WAIT_S 30

static const char xml[] = "<domain type='qemu'>\n"
			  "  <name>" NAME "</name>\n"
			  "  <memory unit='MiB'>1</memory>\n"
			  "  <vcpu>1</vcpu>\n"
			  "  <os><type arch='x86_64' machine='pc'>hvm</type></os>\n"
			  "  <on_poweroff>destroy</on_poweroff>\n"
			  "  <devices>\n"
			  "    <controller type='usb' model='none'/>\n"
			  "    <memballoon model='none'/>\n"
			  "  </devices>\n"
			  "</domain>\n";

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t news;
	bool ended;
};

static int on_end(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *arg)
{
	struct waiting *w = arg;

	(void)conn;
	(void)dom;
	(void)detail;
	if (event != VIR_DOMAIN_EVENT_STOPPED)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->news);
	pthread_mutex_unlock(&w->lock);
	return 0;
}

static void wait_for_end(struct waiting *w)
{
	struct timespec until;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&w->lock);
	while (!w->ended && !late)
		late = pthread_cond_timedwait(&w->news, &w->lock, &until);
	pthread_mutex_unlock(&w->lock);
}

/* One that an earlier daemon left when it was killed in between. */
static void clear(virConnectPtr conn)
{
	AUTO_DOMAIN virDomainPtr dom = virDomainLookupByName(conn, NAME);

	if (dom)
		virDomainDestroy(dom);
}

static int first_machine(void *arg, struct error *err)
{
	virConnectPtr conn = arg;
	AUTO_DOMAIN virDomainPtr dom = NULL;
	struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	char *reply = NULL;
	int id;

	clear(conn);
	dom = virDomainCreateXML(conn, xml, VIR_DOMAIN_START_PAUSED);
	if (!dom)
		return compute_error(err, "libvirt's first machine can't be started");
	id = virConnectDomainEventRegisterAny(conn, dom, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_end), &w,
					      NULL);
	/* QEMU may be gone before it has answered */
	if (id >= 0) {
		virDomainQemuMonitorCommand(dom, "{\"execute\":\"quit\"}", &reply, 0);
		free(reply);
		wait_for_end(&w);
		virConnectDomainEventDeregisterAny(conn, id);
	}
	virDomainDestroy(dom);
	return 0;
}

void compute_warm_up(struct compute *c)
{
	struct error err = { 0 };

	pthread_mutex_lock(&c->warm_lock);
	if (!c->warm && c->embedded && compute_aside(c, NULL, first_machine, c->conn, &err) < 0)
		log_warn("compute: %s", err.message);
	c->warm = true;
	pthread_mutex_unlock(&c->warm_lock);
}

void compute_warm_up_clean(struct compute *c)
{
	clear(c->conn);
}
