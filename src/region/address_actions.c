/* Elastic IP addresses: docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html, and the API reference of each
 * action. All are of Domain vpc. An association is in force when the call returns. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "region/instance.h"
#include "region/reply.h"

#define POOL_NAME "amazon" /* what EC2 calls the pool that isn't a customer's own */

/* ---- finding ---- */

static struct address *by_allocation(struct region *r, const char *id, struct error *err)
{
	struct address *a = model_find(r->model, KIND_ADDRESS, id);

	if (!a)
		error_set_code(err, ERROR_USAGE, "InvalidAllocationID.NotFound", "The allocation ID '%.64s' does not exist", id);
	return a;
}

static struct address *by_public_ip(struct region *r, const char *text, struct error *err)
{
	uint32_t ip;

	if (!ipv4_parse(text, &ip)) {
		error_set_code(err, ERROR_USAGE, "InvalidAddress.Malformed", "The address '%.64s' is not valid; write it like 203.0.113.7.", text);
		return NULL;
	}
	for (size_t i = 0; i < model_count(r->model, KIND_ADDRESS); i++) {
		struct address *a = model_at(r->model, KIND_ADDRESS, i);

		if (a->public_ip == ip)
			return a;
	}
	error_set_code(err, ERROR_USAGE, "InvalidAddress.NotFound", "Address '%.64s' not found.", text);
	return NULL;
}

/* One of two parameters, and not both. */
static int check_either(const json_t *in, const char *one, const char *other, struct error *err)
{
	if (in_text(in, one) && in_text(in, other))
		return error_set_code(err, ERROR_USAGE, "InvalidParameterCombination",
				      "You may specify %s or %s, but not both in the same call", one, other);
	if (!in_text(in, one) && !in_text(in, other))
		return error_set_code(err, ERROR_USAGE, "MissingParameter", "Either %s or %s must be specified", one, other);
	return 0;
}

static struct address *find(struct region *r, const json_t *in, struct error *err)
{
	const char *id = in_text(in, "AllocationId");

	if (check_either(in, "AllocationId", "PublicIp", err) < 0)
		return NULL;
	return id ? by_allocation(r, id, err) : by_public_ip(r, in_text(in, "PublicIp"), err);
}

/* ---- allocating and releasing ---- */

static const struct param allocate_params[] = {
	{ "Domain", PARAM_STRING, 0, NULL, false, "vpc" },
	{ "Address", PARAM_STRING, 0, NULL, false, "a certain address of the region's range, such as one that was released" },
	{ "PublicIpv4Pool", PARAM_STRING, 0, NULL, false, "amazon" },
	{ "NetworkBorderGroup", PARAM_STRING, 0, NULL, false, "the region" },
	PARAM_TAG_SPECIFICATIONS,
	PARAM_END,
};
static const struct param allocate_reply[] = {
	TEXT("publicIp"), TEXT("allocationId"), TEXT("publicIpv4Pool"), TEXT("networkBorderGroup"), TEXT("domain"), PARAM_END
};

static int check_border_group(const struct region *r, const json_t *in, struct error *err)
{
	const char *border = in_text(in, "NetworkBorderGroup");

	if (!border || strcmp(border, r->config.region) == 0)
		return 0;
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			      "Invalid value '%.64s' for networkBorderGroup; the one group is %.64s.", border, r->config.region);
}

static int check_allocation(struct region *r, const json_t *in, struct error *err)
{
	const char *domain = in_text(in, "Domain"), *pool = in_text(in, "PublicIpv4Pool");
	unsigned most = config_number(r->config.quota_addresses);

	if (domain && strcmp(domain, "vpc") != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Invalid value '%.64s' for domain; every address is of the domain vpc.", domain);
	if (pool && strcmp(pool, POOL_NAME) != 0)
		return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
				      "Invalid value '%.64s' for publicIpv4Pool; the one pool is " POOL_NAME ".", pool);
	if (check_border_group(r, in, err) < 0)
		return -1;
	if (model_count(r->model, KIND_ADDRESS) >= most)
		return error_set_code(err, ERROR_USAGE, "AddressLimitExceeded",
				      "The maximum number of addresses has been reached: %u. Release one, or raise the setting quota_addresses.",
				      most);
	return 0;
}

/* The one that was asked for, or any. */
static int choose_address(struct region *r, const char *wanted, uint32_t *ret, struct error *err)
{
	char pool[CIDR_TEXT_MAX];
	uint32_t ip;

	if (!wanted)
		return address_public(r, 0, ret, err);
	if (!ipv4_parse(wanted, &ip))
		return error_set_code(err, ERROR_USAGE, "InvalidAddress.Malformed",
				      "The address '%.64s' is not valid; write it like 203.0.113.7.", wanted);
	cidr_format(pool, r->public_pool);
	/* the first two are the network's and the machine's, the last is the broadcast */
	if (!cidr_contains(r->public_pool, ip) || ip < r->public_pool.addr + 2 || ip == cidr_last(r->public_pool))
		return error_set_code(err, ERROR_USAGE, "InvalidAddress.NotFound", "Address '%.64s' is not one of the region's range %s.",
				      wanted, pool);
	if (!address_public_free(r, ip))
		return error_set_code(err, ERROR_USAGE, "InvalidIPAddress.InUse", "Address %.64s is in use.", wanted);
	*ret = ip;
	return 0;
}

static int allocate_locked(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	struct address *a = model_new(KIND_ADDRESS);
	struct change c = { NULL, a ? &a->o : NULL };

	if (!a)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	if (check_allocation(r, in, err) < 0 || choose_address(r, in_text(in, "Address"), &a->public_ip, err) < 0 ||
	    in_tags(in, kind_resource_type(KIND_ADDRESS), &a->o.tags, err) < 0 || action_dry_run(caller, err) < 0 ||
	    region_commit(r, &c, 1, err) < 0) {
		object_free(&a->o);
		return -1;
	}
	put_address(out, "publicIp", a->public_ip);
	put_text(out, "allocationId", a->o.id);
	put_text(out, "publicIpv4Pool", POOL_NAME);
	put_text(out, "networkBorderGroup", r->config.region);
	put_text(out, "domain", "vpc");
	return 0;
}

static int allocate_address(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int rc;

	if (!caller->dry_run && pool_settle(r, err) < 0)
		return -1;
	region_lock(r);
	rc = allocate_locked(r, caller, in, out, err);
	region_unlock(r);
	return rc;
}

static const struct param release_params[] = {
	TEXT("AllocationId"), TEXT("PublicIp"), { "NetworkBorderGroup", PARAM_STRING, 0, NULL, false, "the region" }, PARAM_END
};

static int release_locked(struct region *r, const struct caller *caller, const json_t *in, struct error *err)
{
	struct address *a = find(r, in, err);
	struct change c = { a ? &a->o : NULL, NULL };
	char text[IPV4_TEXT_MAX];

	if (!a || check_border_group(r, in, err) < 0)
		return -1;
	ipv4_format(text, a->public_ip);
	if (*a->eni_id)
		return error_set_code(err, ERROR_USAGE, "InvalidIPAddress.InUse",
				      "Address %s is in use: it is associated (%s) with %s; disassociate it first.", text, a->association_id,
				      a->eni_id);
	if (action_dry_run(caller, err) < 0)
		return -1;
	return region_commit(r, &c, 1, err);
}

static int release_address(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	int rc;

	(void)out;
	region_lock(r);
	rc = release_locked(r, caller, in, err);
	region_unlock(r);
	return rc;
}

/* ---- associating ---- */

/* What changes together when an address is given to an interface or taken from it: at most the interface that loses and the one that
 * gains, and the address that each of them had. */
#define MOVED_MAX 2

struct move {
	struct eni *eni[MOVED_MAX], eni_next[MOVED_MAX], eni_before[MOVED_MAX];
	struct address *address[MOVED_MAX], address_next[MOVED_MAX], address_before[MOVED_MAX];
	size_t enis, addresses;
};

static struct eni *move_eni(struct move *m, struct eni *e)
{
	m->eni[m->enis] = e;
	m->eni_next[m->enis] = m->eni_before[m->enis] = *e;
	return &m->eni_next[m->enis++];
}

static struct address *move_address(struct move *m, struct address *a)
{
	m->address[m->addresses] = a;
	m->address_next[m->addresses] = m->address_before[m->addresses] = *a;
	return &m->address_next[m->addresses++];
}

/* The address is nobody's; its interface, where it wants a public address and the machine is there, gets another one of the range. */
static int move_away(struct region *r, struct move *m, struct address *a, struct error *err)
{
	struct eni *e = model_find(r->model, KIND_ENI, a->eni_id), *next_eni;
	struct address *next = move_address(m, a);
	const struct instance *i;

	next->eni_id[0] = next->association_id[0] = '\0';
	if (!e)
		return 0;
	next_eni = move_eni(m, e);
	next_eni->public_ip = 0;
	i = model_find(r->model, KIND_INSTANCE, e->instance_id);
	if (e->wants_public_ip && i && (i->state == STATE_RUNNING || i->state == STATE_PENDING))
		return address_public(r, a->public_ip, &next_eni->public_ip, err);
	return 0;
}

static int move_commit(struct region *r, struct move *m, struct error *err)
{
	struct change changes[MOVED_MAX * 2];
	size_t n = 0;

	for (size_t i = 0; i < m->enis; i++)
		changes[n++] = (struct change){ &m->eni[i]->o, &m->eni_next[i].o };
	for (size_t i = 0; i < m->addresses; i++)
		changes[n++] = (struct change){ &m->address[i]->o, &m->address_next[i].o };
	return region_commit(r, changes, n, err);
}

/* Public addresses go back to whom they were of, where these are still there; all else that happened meanwhile stays. */
static void move_back(struct region *r, struct move *m)
{
	struct error err = { 0 };
	size_t enis = 0, addresses = 0;

	region_lock(r);
	for (size_t i = 0; i < m->enis; i++) {
		struct eni *e = m->eni[i];
		uint32_t before = m->eni_before[i].public_ip;

		if (model_find(r->model, KIND_ENI, m->eni_before[i].o.id) != e || e->public_ip != m->eni_next[i].public_ip)
			continue;
		m->eni[enis] = e;
		m->eni_next[enis] = *e;
		m->eni_next[enis++].public_ip = before;
	}
	for (size_t i = 0; i < m->addresses; i++) {
		struct address *a = m->address[i];
		const struct address *before = &m->address_before[i];

		if (model_find(r->model, KIND_ADDRESS, before->o.id) != a ||
		    (*before->eni_id && !model_find(r->model, KIND_ENI, before->eni_id)))
			continue;
		m->address[addresses] = a;
		m->address_next[addresses] = *a;
		TEXT_COPY(m->address_next[addresses].eni_id, before->eni_id);
		TEXT_COPY(m->address_next[addresses].association_id, before->association_id);
		addresses++;
	}
	m->enis = enis;
	m->addresses = addresses;
	if (move_commit(r, m, &err) < 0)
		log_error("a change of an address could not be taken back: %s", err.message);
	region_unlock(r);
}

/* The loser's VPC first: no address is in two. */
static int move_apply(struct region *r, const struct move *m, size_t enis, struct error *err)
{
	for (size_t i = 0; i < enis; i++)
		if ((i == 0 || strcmp(m->eni_before[i].vpc_id, m->eni_before[i - 1].vpc_id) != 0) &&
		    view_apply_addresses(r, m->eni_before[i].vpc_id, err) < 0)
			return -1;
	return 0;
}

/* In force when the call returns; where the kernel refuses, all is as before. */
static int move_enforce(struct region *r, struct move *m, struct error *err)
{
	struct error undone = { 0 };
	size_t enis = m->enis;

	if (move_apply(r, m, enis, err) == 0)
		return 0;
	move_back(r, m);
	if (move_apply(r, m, enis, &undone) < 0)
		log_error("the former addresses could not be put in force: %s", undone.message);
	return error_prefix(err, "The address could not be put in force and all is as before");
}

static const struct param associate_params[] = {
	TEXT("AllocationId"),
	TEXT("PublicIp"),
	TEXT("InstanceId"),
	TEXT("NetworkInterfaceId"),
	{ "AllowReassociation", PARAM_BOOLEAN, 0, NULL, false, "true when absent: an address is taken from whom it is associated with" },
	{ "PrivateIpAddress", PARAM_STRING, 0, NULL, false, "the interface's one private address" },
	PARAM_END,
};
static const struct param associate_reply[] = { BOOLEAN("return"), TEXT("associationId"), PARAM_END };

/* The interface that is to get the address. */
static struct eni *target(struct region *r, const json_t *in, struct error *err)
{
	const char *id = in_text(in, "InstanceId"), *eni_id = in_text(in, "NetworkInterfaceId"), *private = in_text(in, "PrivateIpAddress");
	const struct instance *i;
	struct eni *e;
	uint32_t ip;

	if (check_either(in, "InstanceId", "NetworkInterfaceId", err) < 0)
		return NULL;
	if (id) {
		i = instance_find(r, id, err);
		if (!i)
			return NULL;
		e = i->state == STATE_RUNNING || i->state == STATE_STOPPED || i->state == STATE_STOPPING ? instance_eni(r, i) : NULL;
		if (!e) {
			error_set_code(err, ERROR_USAGE, "InvalidInstanceID", "The %s instance '%s' is not in a valid state for this operation.",
				       instance_state_name(i->state), i->o.id);
			return NULL;
		}
	} else {
		e = model_find(r->model, KIND_ENI, eni_id);
		if (!e) {
			error_set_code(err, ERROR_USAGE, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%.64s' does not exist",
				       eni_id);
			return NULL;
		}
	}
	if (private && (!ipv4_parse(private, &ip) || ip != e->private_ip)) {
		error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			       "Value (%.64s) for parameter privateIpAddress is invalid. It is not an address of the network interface %s.", private,
			       e->o.id);
		return NULL;
	}
	return e;
}

static int already(const struct address *a, struct error *err)
{
	return error_set_code(err, ERROR_USAGE, "Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", a->o.id,
			      a->association_id);
}

static int associate_locked(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct move *m, struct error *err)
{
	struct address *a = find(r, in, err), *had, *next;
	struct eni *e = a ? target(r, in, err) : NULL, *next_eni;
	bool may = in_bool(in, "AllowReassociation", true);

	if (!e)
		return -1;
	if (strcmp(a->eni_id, e->o.id) == 0) {
		if (action_dry_run(caller, err) < 0)
			return -1;
		put_bool(out, "return", true);
		put_text(out, "associationId", a->association_id);
		return 0;
	}
	had = address_of_eni(r, e->o.id);
	if (!may && *a->eni_id)
		return already(a, err);
	if (!may && had)
		return already(had, err);
	if (*a->eni_id) {
		if (move_away(r, m, a, err) < 0)
			return -1;
		next = &m->address_next[0];
	} else {
		next = move_address(m, a);
	}
	if (had) {
		struct address *left = move_address(m, had);

		left->eni_id[0] = left->association_id[0] = '\0';
	}
	next_eni = move_eni(m, e);
	next_eni->public_ip = a->public_ip;
	TEXT_COPY(next->eni_id, e->o.id);
	id_new(next->association_id, "eipassoc");
	if (action_dry_run(caller, err) < 0 || move_commit(r, m, err) < 0)
		return -1;
	put_bool(out, "return", true);
	put_text(out, "associationId", a->association_id);
	return 0;
}

static int associate_address(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	AUTO_FREE struct move *m = calloc(1, sizeof *m);
	int rc;

	if (!m)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	region_lock(r);
	rc = associate_locked(r, caller, in, out, m, err);
	region_unlock(r);
	return rc < 0 ? -1 : move_enforce(r, m, err);
}

static const struct param disassociate_params[] = { TEXT("AssociationId"), TEXT("PublicIp"), PARAM_END };

static int disassociate_locked(struct region *r, const struct caller *caller, const json_t *in, struct move *m, struct error *err)
{
	const char *id = in_text(in, "AssociationId");
	struct address *a = NULL;

	if (check_either(in, "AssociationId", "PublicIp", err) < 0)
		return -1;
	for (size_t i = 0; id && i < model_count(r->model, KIND_ADDRESS); i++) {
		struct address *one = model_at(r->model, KIND_ADDRESS, i);

		if (*id && strcmp(one->association_id, id) == 0)
			a = one;
	}
	if (id && !a)
		return error_set_code(err, ERROR_USAGE, "InvalidAssociationID.NotFound", "The association ID '%.64s' does not exist", id);
	if (!a)
		a = by_public_ip(r, in_text(in, "PublicIp"), err);
	if (!a || action_dry_run(caller, err) < 0)
		return -1;
	if (!*a->eni_id) /* by address it is idempotent */
		return 0;
	return move_away(r, m, a, err) < 0 ? -1 : move_commit(r, m, err);
}

static int disassociate_address(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	AUTO_FREE struct move *m = calloc(1, sizeof *m);
	int rc;

	(void)out;
	if (!m)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	region_lock(r);
	rc = disassociate_locked(r, caller, in, m, err);
	region_unlock(r);
	return rc < 0 ? -1 : move_enforce(r, m, err);
}

/* ---- describing ---- */

static const struct param describe_params[] = { TEXTS("AllocationId"), TEXTS("PublicIp"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param address_members[] = {
	TEXT("publicIp"),
	TEXT("allocationId"),
	TEXT("associationId"),
	TEXT("domain"),
	TEXT("instanceId"),
	TEXT("networkInterfaceId"),
	TEXT("networkInterfaceOwnerId"),
	TEXT("privateIpAddress"),
	REPLY_TAGS,
	TEXT("publicIpv4Pool"),
	TEXT("networkBorderGroup"),
	PARAM_END,
};
static const struct param describe_reply[] = { LIST("addressesSet", address_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path address_filters[] = {
	{ "allocation-id", "allocationId" },
	{ "association-id", "associationId" },
	{ "domain", "domain" },
	{ "instance-id", "instanceId" },
	{ "network-border-group", "networkBorderGroup" },
	{ "network-interface-id", "networkInterfaceId" },
	{ "network-interface-owner-id", "networkInterfaceOwnerId" },
	{ "private-ip-address", "privateIpAddress" },
	{ "public-ip", "publicIp" },
	{ NULL, NULL },
};

static void address_reply(struct region *r, json_t *item, const struct address *a)
{
	const struct eni *e = *a->eni_id ? model_find(r->model, KIND_ENI, a->eni_id) : NULL;

	put_address(item, "publicIp", a->public_ip);
	put_text(item, "allocationId", a->o.id);
	if (e)
		put_text(item, "associationId", a->association_id);
	put_text(item, "domain", "vpc");
	if (e) {
		put_text(item, "instanceId", e->instance_id);
		put_text(item, "networkInterfaceId", e->o.id);
		put_text(item, "networkInterfaceOwnerId", r->config.account_id);
		put_address(item, "privateIpAddress", e->private_ip);
	}
	put_tags(item, &a->o.tags);
	put_text(item, "publicIpv4Pool", POOL_NAME);
	put_text(item, "networkBorderGroup", r->config.region);
}

static int describe_addresses(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "AllocationId"), *ips = json_object_get(in, "PublicIp"), *v;
	json_t *items = json_array();
	char text[IPV4_TEXT_MAX];
	int rc = 0;
	size_t i;

	(void)caller;
	region_lock(r);
	json_array_foreach(ids, i, v)
	{
		rc = rc < 0 || !by_allocation(r, json_string_value(v), err) ? -1 : 0;
	}
	json_array_foreach(ips, i, v)
	{
		rc = rc < 0 || !by_public_ip(r, json_string_value(v), err) ? -1 : 0;
	}
	for (i = 0; rc == 0 && i < model_count(r->model, KIND_ADDRESS); i++) {
		const struct address *a = model_at(r->model, KIND_ADDRESS, i);

		ipv4_format(text, a->public_ip);
		if ((!ids && !ips) || in_list(ids, a->o.id) || in_list(ips, text))
			address_reply(r, add_item(items), a);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "addressesSet", items, address_filters, ids || ips, err);
}

const struct action address_actions[] = {
	{ "AllocateAddress", "ec2", "Allocates an Elastic IP address, which stays until it is released.", allocate_params, allocate_reply, true,
	  allocate_address },
	{ "AssociateAddress", "ec2",
	  "Gives an Elastic IP address to an instance; it is in force when the call returns, and the public address that the instance had is "
	  "released.",
	  associate_params, associate_reply, true, associate_address },
	{ "DisassociateAddress", "ec2",
	  "Takes an Elastic IP address from its instance, which gets a public address of the pool where it was launched with one.",
	  disassociate_params, NULL, true, disassociate_address },
	{ "ReleaseAddress", "ec2", "Releases an Elastic IP address that is not associated.", release_params, NULL, true, release_address },
	{ "DescribeAddresses", "ec2", "Lists the Elastic IP addresses.", describe_params, describe_reply, false, describe_addresses },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
