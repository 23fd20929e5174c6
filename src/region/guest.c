#include "region/guest.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"
#include "region/instance.h"

#define KEYGEN_MS 15000
#define CERTIFICATE_S 60
#define CONNECT_MS 1500
#define RETRY_MS 500
#define GROWTH_LOOK_MS 1000

struct target {
	char vpc_id[ID_MAX], address[IPV4_TEXT_MAX], user[WORD_MAX];
	uint32_t private_ip;
};

static int find_target(struct region *r, const char *id, struct target *t, struct error *err)
{
	const struct instance *i;
	const struct image *image;
	const struct eni *eni = NULL;
	int state = STATE_TERMINATED;

	region_lock(r);
	i = instance_find(r, id, err);
	if (i) {
		state = i->state;
		eni = instance_eni(r, i);
		image = image_find(r->images, i->image_id, NULL);
		snprintf(t->user, sizeof t->user, "%s", image ? image->default_user : GUEST_USER);
		TEXT_COPY(t->vpc_id, i->vpc_id);
	}
	if (eni) {
		t->private_ip = eni->private_ip;
		ipv4_format(t->address, eni->private_ip);
	}
	region_unlock(r);
	if (!i)
		return -1;
	if (state != STATE_RUNNING || !eni)
		return error_set_code(err, ERROR_USAGE, "IncorrectInstanceState", "The instance '%s' is not running but %s.", id,
				      instance_state_name(state));
	if (compute_is_test(r->compute))
		return error_set_code(err, ERROR_USAGE, "UnsupportedOperation",
				      "Instances of libvirt's test driver have no guest to reach.");
	return 0;
}

static void remove_tree(char **path)
{
	if (*path)
		file_remove_tree(*path, NULL);
	free(*path);
}

/* A key of this moment and its certificate, below dir. */
static int make_key(struct region *r, const char *dir, const char *user, struct error *err)
{
	AUTO_FREE char *key = file_path(err, "%s/key", dir);
	AUTO_FREE char *pub = file_path(err, "%s/key.pub", dir);
	AUTO_FREE char *cert = file_path(err, "%s/key-cert.pub", dir);
	AUTO_FREE char *text = NULL, *signed_text = NULL;
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vpclab", "-f", key, NULL };
	struct process_options opt = { .deadline = deadline_in(time_scaled(KEYGEN_MS)) };

	if (!key || !pub || !cert || process_check(argv, &opt, err) < 0)
		return -1;
	text = file_read(pub, 16384, NULL, err);
	signed_text = text ? ca_sign(r, text, user, "vpclab-region", CERTIFICATE_S, err) : NULL;
	if (!signed_text)
		return -1;
	return file_write_atomic(cert, signed_text, strlen(signed_text), 0600, err);
}

int guest_run(struct region *r, const char *instance_id, const char *script, int64_t deadline, struct process_result *ret,
	      struct error *err)
{
	struct target t = { 0 };
	char template[] = "/tmp/vpclab-ssh.XXXXXX";
	char *dir CLEANUP(remove_tree) = NULL;
	AUTO_FREE char *netns = NULL, *key = NULL, *login = NULL;
	struct process_options opt = { .stdin_data = script, .stdin_len = strlen(script), .deadline = deadline };

	if (find_target(r, instance_id, &t, err) < 0)
		return -1;
	if (!mkdtemp(template))
		return error_set_errno(err, errno, "A directory for a key can't be made below /tmp");
	dir = strdup(template);
	netns = network_netns_path(r->network, t.vpc_id);
	key = file_path(err, "%s/key", template);
	login = file_path(err, "%s@%s", t.user, t.address);
	if (!dir || !netns || !key || !login || make_key(r, dir, t.user, err) < 0)
		return -1;
	opt.netns = netns;
	{
		const char *argv[] = { "ssh", "-F", "/dev/null", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o",
				       /* the way is the VPC's own namespace, where nobody can take the guest's address */
				       "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "GlobalKnownHostsFile=/dev/null",
				       "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", login, "sh", "-s",
				       NULL };

		if (process_run(argv, &opt, ret, err) < 0)
			return -1;
	}
	if (ret->status == 255) {
		error_set(err, ERROR_ENVIRONMENT, "SSH to %s (%s) failed: %.300s", instance_id, t.address, ret->err_text);
		process_result_done(ret);
		return -1;
	}
	return 0;
}

struct dial {
	struct sockaddr_in to;
	int timeout_ms;
	bool open;
};

/* Runs inside the VPC's namespace. */
static int dial(void *arg, struct error *err)
{
	struct dial *d = arg;
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { fd, POLLOUT, 0 };
	int failed = 0;
	socklen_t len = sizeof failed;

	if (fd < 0)
		return error_set_errno(err, errno, "A socket can't be made");
	if (connect(fd, (struct sockaddr *)(void *)&d->to, sizeof d->to) < 0 && errno != EINPROGRESS)
		return 0;
	if (poll(&p, 1, d->timeout_ms) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == 0 && failed == 0)
		d->open = true;
	return 0;
}

bool guest_wait_listening(struct region *r, const char *instance_id, unsigned port, int64_t deadline, struct error *err)
{
	struct target t = { 0 };

	for (;;) {
		struct dial d = { .to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) }, .timeout_ms = CONNECT_MS };
		int64_t pause = deadline_in(RETRY_MS);

		if (find_target(r, instance_id, &t, err) < 0)
			return false;
		d.to.sin_addr.s_addr = htonl(t.private_ip);
		if (network_inside(r->network, t.vpc_id, dial, &d, err) < 0)
			return false;
		if (d.open)
			return true;
		if (deadline_passed(deadline)) {
			error_set(err, ERROR_TIMEOUT, "Nothing listens on port %u of %s.", port, t.address);
			return false;
		}
		/* a guest tells nobody that it began to listen: ask again soon, at once when something of it changes */
		region_lock(r);
		if (!r->closing)
			region_wait(r, pause < deadline ? pause : deadline);
		region_unlock(r);
	}
}

void guest_wait_growth(struct region *r, const char *path, int64_t size, int64_t deadline)
{
	AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char events[4096];

	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
		return;
	while (file_size(path) <= size && !r->closing && !deadline_passed(deadline)) {
		struct pollfd p = { fd, POLLIN, 0 };
		int left = deadline_poll_ms(deadline);

		poll(&p, 1, left < 0 || left > GROWTH_LOOK_MS ? GROWTH_LOOK_MS : left);
		while (read(fd, events, sizeof events) > 0)
			;
	}
}
