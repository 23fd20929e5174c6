/* The range that public addresses are from: public_cidr where it says one, else the first of some ranges that this machine doesn't
 * use (config_public_candidate). What was chosen is kept with the VPC and stays, whatever else becomes free; it may change only
 * while nothing has an address of it. */
#include <string.h>

#include "base/log.h"
#include "region/internal.h"

/* The gateway's address is the first after the machine's own. */
#define GATEWAY_OFFSET 2

/* How many have an address of the range: interfaces of instances, Elastic IP addresses. */
static size_t users(const struct region *r)
{
	size_t n = model_count(r->model, KIND_ADDRESS);

	for (size_t i = 0; i < model_count(r->model, KIND_ENI); i++) {
		const struct eni *e = model_at(r->model, KIND_ENI, i);

		n += e->public_ip != 0 && !address_of_eni(r, e->o.id);
	}
	return n;
}

static bool is_auto(const struct region *r)
{
	return strcmp(r->config.public_cidr, "auto") == 0;
}

/* The first candidate that is free. */
static int choose(const struct region *r, struct cidr *ret, struct error *err)
{
	char by[RANGE_TAKEN_MAX], first_by[RANGE_TAKEN_MAX] = "", text[CIDR_TEXT_MAX], wanted[CIDR_TEXT_MAX];
	struct cidr one;

	for (unsigned i = 0; config_public_candidate(i, &one); i++) {
		int taken = compute_is_test(r->compute) ? 0 : network_range_taken(r->config.public_bridge, one, by, err);

		if (taken < 0)
			return -1;
		if (taken && i == 0)
			memcpy(first_by, by, sizeof first_by);
		if (taken)
			continue;
		*ret = one;
		if (i > 0) {
			config_public_candidate(0, &one);
			cidr_format(wanted, one);
			cidr_format(text, *ret);
			log_warn("The range %s is in use on this machine: %s. Public addresses are from %s.", wanted, first_by, text);
		}
		return 0;
	}
	return error_set(err, ERROR_ENVIRONMENT,
			 "Every range that could be taken for public addresses is in use on this machine (203.0.113.0/24: %s); "
			 "name a free one by the setting public_cidr.",
			 first_by);
}

/* Under the lock: the range becomes another one, and the gateways' addresses with it. */
static int change(struct region *r, struct cidr pool, struct error *err)
{
	for (size_t i = 0; i < model_count(r->model, KIND_VPC); i++) {
		struct vpc *vpc = model_at(r->model, KIND_VPC, i), next = *vpc;
		struct change c = { &vpc->o, &next.o };

		next.public_pool = pool;
		next.igw_address = pool.addr + GATEWAY_OFFSET + (uint32_t)i;
		if (region_commit(r, &c, 1, err) < 0)
			return -1;
	}
	r->public_pool = pool;
	return 0;
}

/* The range that the store has; false where it is empty. */
static bool stored(const struct region *r, struct cidr *ret)
{
	const struct vpc *vpc = model_count(r->model, KIND_VPC) ? model_at(r->model, KIND_VPC, 0) : NULL;

	if (!vpc)
		return false;
	*ret = vpc->public_pool;
	if (ret->prefix == 0) { /* a store from before this was kept; its setting was explicit or the documentation range */
		struct cidr said = { vpc->igw_address - GATEWAY_OFFSET, 24 };

		if (!is_auto(r))
			cidr_parse(r->config.public_cidr, &said, NULL, NULL);
		if (said.addr + GATEWAY_OFFSET != vpc->igw_address)
			said = (struct cidr){ vpc->igw_address - GATEWAY_OFFSET, 24 };
		*ret = said;
	}
	return true;
}

int pool_open(struct region *r, struct error *err)
{
	struct cidr wanted, had;
	char had_text[CIDR_TEXT_MAX];
	size_t n;
	bool empty = !stored(r, &had);
	int rc = 0;

	if (is_auto(r)) {
		if (empty)
			return choose(r, &r->public_pool, err);
		wanted = had; /* whether it is still free is seen when the first address is given out */
	} else if (cidr_parse(r->config.public_cidr, &wanted, NULL, err) < 0) {
		return -1;
	}
	r->public_pool = wanted;
	if (empty)
		return 0;
	region_lock(r);
	n = users(r);
	cidr_format(had_text, had);
	if ((wanted.addr != had.addr || wanted.prefix != had.prefix) && n)
		rc = error_set(err, ERROR_ENVIRONMENT,
			       "The setting public_cidr can't become %s: %zu instances and Elastic IP addresses have addresses of %s. "
			       "Start the region with public_cidr=%s, stop or terminate the instances and release the addresses first.",
			       r->config.public_cidr, n, had_text, had_text);
	else if (wanted.addr != had.addr || wanted.prefix != had.prefix ||
		 ((const struct vpc *)model_at(r->model, KIND_VPC, 0))->public_pool.prefix == 0)
		rc = change(r, wanted, err);
	region_unlock(r);
	return rc;
}

static int settle(struct region *r, struct error *err)
{
	char by[RANGE_TAKEN_MAX], text[CIDR_TEXT_MAX];
	struct cidr other;
	bool may;
	int taken, rc;

	taken = network_range_taken(r->config.public_bridge, r->public_pool, by, err);
	if (taken <= 0)
		return taken;
	region_lock(r);
	may = is_auto(r) && users(r) == 0;
	region_unlock(r);
	cidr_format(text, r->public_pool);
	if (!may)
		return error_set(err, ERROR_ENVIRONMENT,
				 "The range of public addresses %s is in use on this machine: %s; %s.", text, by,
				 is_auto(r) ? "instances or Elastic IP addresses have addresses of it, so the other user must go" :
					      "choose another range with public_cidr, or leave it to public_cidr=auto");
	if (choose(r, &other, err) < 0)
		return -1;
	region_lock(r);
	rc = users(r) ? error_set(err, ERROR_ENVIRONMENT, "The range of public addresses %s is in use on this machine: %s.", text, by) :
			change(r, other, err);
	region_unlock(r);
	return rc;
}

int pool_settle(struct region *r, struct error *err)
{
	int rc = 0;

	if (compute_is_test(r->compute))
		return 0;
	pthread_mutex_lock(&r->net_lock);
	if (!r->network) /* else the range is ours: the bridge has it */
		rc = settle(r, err);
	pthread_mutex_unlock(&r->net_lock);
	return rc;
}
