/* Actions that reach a guest: EC2 Instance Connect's, and the lab's own probes. */
#include <string.h>

#include "base/cleanup.h"
#include "base/http.h"
#include "base/time.h"
#include "region/guest.h"
#include "region/instance.h"
#include "region/reply.h"

#define CONNECT_KEY_S 60 /* as long as a pushed key lives in EC2 Instance Connect */
#define PUBLIC_KEY_MAX 16384
#define PROBE_MS 5000
#define PROBE_REPLY_MAX (4u << 20)

static const struct param send_key_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL },
	{ "InstanceOSUser", PARAM_STRING, 0, NULL, false, "the image's default user when absent" },
	{ "SSHPublicKey", PARAM_STRING, 0, NULL, true, "one line, as in a .pub file" },
	{ "AvailabilityZone", PARAM_STRING, 0, NULL, false, "checked when sent" },
	PARAM_END,
};
static const struct param send_key_reply[] = { BOOLEAN("success"), TEXT("instanceOSUser"), TEXT("sshCertificate"), PARAM_END };

static bool user_ok(const char *user)
{
	return *user && strlen(user) <= 32 && strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(user) &&
	       *user != '-';
}

static int send_key(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *id = in_text(in, "InstanceId"), *user = in_text(in, "InstanceOSUser"), *key = in_text(in, "SSHPublicKey");
	const char *zone = in_text(in, "AvailabilityZone");
	char default_user[WORD_MAX], key_id[SENTENCE_MAX];
	AUTO_FREE char *certificate = NULL;
	const struct instance *i;
	const struct image *image;
	int rc = 0;

	region_lock(r);
	i = instance_find(r, id, err);
	if (!i) {
		rc = -1;
	} else if (i->state != STATE_RUNNING) {
		rc = error_set_code(err, ERROR_USAGE, "EC2InstanceStateInvalidException",
				    "Unable to connect to %s: it is %s, not running.", id, instance_state_name(i->state));
	} else if (zone && strcmp(zone, i->zone) != 0) {
		rc = error_set_code(err, ERROR_USAGE, "EC2InstanceNotFoundException", "Instance %s is in %s, not in %.64s.", id, i->zone, zone);
	} else {
		image = image_find(r->images, i->image_id, NULL);
		snprintf(default_user, sizeof default_user, "%s", image ? image->default_user : GUEST_USER);
	}
	region_unlock(r);
	if (rc < 0)
		return -1;
	if (!user)
		user = default_user;
	if (!user_ok(user))
		return error_set_code(err, ERROR_USAGE, "InvalidArgsException", "'%.64s' is not a user name of a guest.", user);
	if (strlen(key) > PUBLIC_KEY_MAX || strpbrk(key, "\r") || (strchr(key, '\n') && strchr(key, '\n')[1]))
		return error_set_code(err, ERROR_USAGE, "InvalidArgsException", "SSHPublicKey must be one line of at most %d bytes.",
				      PUBLIC_KEY_MAX);
	if (action_dry_run(caller, err) < 0)
		return -1;
	snprintf(key_id, sizeof key_id, "%s via %s", caller->name, caller->request_id);
	certificate = ca_sign(r, key, user, key_id, CONNECT_KEY_S, err);
	if (!certificate)
		return -1;
	put_bool(out, "success", true);
	put_text(out, "instanceOSUser", user);
	put_text(out, "sshCertificate", certificate);
	return 0;
}

static const struct param listening_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL },
	{ "Port", PARAM_INTEGER, 0, NULL, true, NULL },
	{ "WaitSeconds", PARAM_INTEGER, 0, NULL, false, "wait so long (60 at most)" },
	PARAM_END,
};
static const struct param listening_reply[] = { BOOLEAN("listening"), INTEGER("waitedMs"), PARAM_END };

static int check_port(int64_t port, struct error *err)
{
	if (port >= 1 && port <= 65535)
		return 0;
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "TCP/UDP port (%lld) out of range; a port is a number of 1 to 65535.",
			      (long long)port);
}

static int wait_listening(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int64_t wait = in_int(in, "WaitSeconds", 0), began = time_mono_ms(), port = in_int(in, "Port", 0);
	struct error why = { 0 };
	bool open;

	(void)caller;
	if (check_port(port, err) < 0)
		return -1;
	if (wait < 0 || wait > LONG_POLL_MAX_S)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "WaitSeconds is 0 to %d, not %lld.", LONG_POLL_MAX_S,
				      (long long)wait);
	open = guest_wait_listening(r, in_text(in, "InstanceId"), (unsigned)port, deadline_in(wait * 1000), &why);
	if (!open && why.kind != ERROR_TIMEOUT) {
		*err = why;
		return -1;
	}
	put_bool(out, "listening", open);
	put_int(out, "waitedMs", time_mono_ms() - began);
	return 0;
}

static const struct param probe_params[] = {
	{ "InstanceId", PARAM_STRING, 0, NULL, true, NULL }, { "Port", PARAM_INTEGER, 0, NULL, true, NULL }, TEXT("Path"), PARAM_END
};
static const struct param probe_reply[] = { TEXT("url"), TEXT("outcome"), INTEGER("status"), TEXT("detail"), PARAM_END };

static const char *outcome_name(enum http_outcome o)
{
	static const char *const names[] = { "answered", "timed-out", "refused", "unreachable", "broken" };

	return names[o];
}

static int probe(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const char *path = in_text(in, "Path");
	int64_t port = in_int(in, "Port", 0);
	char address[IPV4_TEXT_MAX] = "", url[512];
	AUTO_HTTP_REPLY struct http_reply reply = { 0 };
	struct http_request req = { .url = url, .connect_timeout_ms = PROBE_MS, .timeout_ms = time_scaled(PROBE_MS),
				    .reply_max = PROBE_REPLY_MAX };
	const struct instance *i;
	const struct eni *eni;

	(void)caller;
	if (check_port(port, err) < 0)
		return -1;
	if (path && (*path != '/' || strlen(path) > 256 || strpbrk(path, " \r\n")))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "Path must begin with '/' and have no spaces: %.64s", path);
	region_lock(r);
	i = instance_find(r, in_text(in, "InstanceId"), err);
	eni = i ? instance_eni(r, i) : NULL;
	if (eni && eni->public_ip)
		ipv4_format(address, eni->public_ip);
	region_unlock(r);
	if (!i)
		return -1;
	if (!*address)
		return error_set_code(err, ERROR_USAGE, "IncorrectInstanceState", "The instance '%s' has no public address.",
				      in_text(in, "InstanceId"));
	snprintf(url, sizeof url, "http://%s:%lld%s", address, (long long)port, path ? path : "/");
	http_call(&req, &reply, NULL);
	put_text(out, "url", url);
	put_text(out, "outcome", outcome_name(reply.outcome));
	put_int(out, "status", reply.status);
	put_text(out, "detail", reply.detail);
	return 0;
}

const struct action guest_actions[] = {
	{ "SendSSHPublicKey", "ec2-instance-connect", "Lets a public key log in for 60 seconds, by a certificate of the region's authority.",
	  send_key_params, send_key_reply, true, send_key },
	{ "WaitListening", "vpclab", "Whether the guest accepts connections on a port of its private address, tried from the VPC's router (the lab's own).",
	  listening_params, listening_reply, false, wait_listening },
	{ "ProbeHttp", "vpclab", "What the host gets from a port of the instance's public address (the lab's own).", probe_params, probe_reply,
	  false, probe },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
