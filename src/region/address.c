#include <stdio.h>
#include <string.h>

#include "region/internal.h"

#define RESERVED_HEAD 4 /* network, router, resolver, and the one AWS keeps for later */

static bool private_taken(const struct region *r, const char *vpc_id, uint32_t addr)
{
	for (size_t i = 0; i < model_count(r->model, KIND_ENI); i++) {
		const struct eni *e = model_at(r->model, KIND_ENI, i);

		if (e->private_ip == addr && strcmp(e->vpc_id, vpc_id) == 0)
			return true;
	}
	return false;
}

bool address_public_free(const struct region *r, uint32_t addr)
{
	for (size_t i = 0; i < model_count(r->model, KIND_ENI); i++)
		if (((const struct eni *)model_at(r->model, KIND_ENI, i))->public_ip == addr)
			return false;
	for (size_t i = 0; i < model_count(r->model, KIND_VPC); i++)
		if (((const struct vpc *)model_at(r->model, KIND_VPC, i))->igw_address == addr)
			return false;
	for (size_t i = 0; i < model_count(r->model, KIND_ADDRESS); i++)
		if (((const struct address *)model_at(r->model, KIND_ADDRESS, i))->public_ip == addr)
			return false;
	return true;
}

struct address *address_of_eni(const struct region *r, const char *eni_id)
{
	for (size_t i = 0; i < model_count(r->model, KIND_ADDRESS); i++) {
		struct address *a = model_at(r->model, KIND_ADDRESS, i);

		if (*eni_id && strcmp(a->eni_id, eni_id) == 0)
			return a;
	}
	return NULL;
}

static uint32_t random_below(uint32_t n)
{
	uint32_t v;

	random_bytes(&v, sizeof v);
	return v % n;
}

int address_private(struct region *r, const struct subnet *s, uint32_t wanted, uint32_t *ret, struct error *err)
{
	uint32_t usable = (uint32_t)cidr_size(s->cidr) - RESERVED_HEAD - 1, start, addr;
	char text[IPV4_TEXT_MAX], cidr[CIDR_TEXT_MAX];

	cidr_format(cidr, s->cidr);
	if (wanted) {
		ipv4_format(text, wanted);
		if (wanted < s->cidr.addr + RESERVED_HEAD || wanted >= cidr_last(s->cidr))
			return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
					      "Address %s is not usable in subnet %s (%s): its first four addresses and its last are reserved.",
					      text, s->o.id, cidr);
		if (private_taken(r, s->vpc_id, wanted))
			return error_set_code(err, ERROR_USAGE, "InvalidIPAddress.InUse", "Address %s is in use.", text);
		*ret = wanted;
		return 0;
	}
	start = random_below(usable);
	for (uint32_t i = 0; i < usable; i++) {
		addr = s->cidr.addr + RESERVED_HEAD + (start + i) % usable;
		if (!private_taken(r, s->vpc_id, addr)) {
			*ret = addr;
			return 0;
		}
	}
	return error_set_code(err, ERROR_USAGE, "InsufficientFreeAddressesInSubnet",
			      "Subnet %s (%s) has no free address; terminate an instance or take another zone.", s->o.id, cidr);
}

int address_public(struct region *r, uint32_t avoid, uint32_t *ret, struct error *err)
{
	/* .0 is the network's, .1 the host's; the last is the broadcast */
	uint32_t usable = (uint32_t)cidr_size(r->public_pool) - 3, start = random_below(usable);
	char pool[CIDR_TEXT_MAX];

	for (uint32_t i = 0; i < usable; i++) {
		uint32_t addr = r->public_pool.addr + 2 + (start + i) % usable;

		if (addr != avoid && address_public_free(r, addr)) {
			*ret = addr;
			return 0;
		}
	}
	if (avoid && cidr_contains(r->public_pool, avoid) && address_public_free(r, avoid)) {
		*ret = avoid;
		return 0;
	}
	cidr_format(pool, r->public_pool);
	return error_set_code(err, ERROR_ENVIRONMENT, "InsufficientAddressCapacity",
			      "The pool of public addresses %s is used up; terminate an instance or set a larger public_cidr.", pool);
}

void address_mac(struct region *r, char out[WORD_MAX])
{
	bool taken;

	do {
		unsigned char b[5];

		random_bytes(b, sizeof b);
		/* 02: locally administered, as EC2's interfaces have it */
		snprintf(out, WORD_MAX, "02:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4]);
		taken = false;
		for (size_t i = 0; i < model_count(r->model, KIND_ENI); i++)
			taken |= strcmp(((const struct eni *)model_at(r->model, KIND_ENI, i))->mac, out) == 0;
	} while (taken);
}

void address_private_dns(struct region *r, uint32_t addr, char out[SENTENCE_MAX])
{
	snprintf(out, SENTENCE_MAX, "ip-%u-%u-%u-%u.%.64s.compute.internal", addr >> 24, addr >> 16 & 255, addr >> 8 & 255,
		 addr & 255, r->config.region);
}

void address_public_dns(struct region *r, uint32_t addr, char out[SENTENCE_MAX])
{
	snprintf(out, SENTENCE_MAX, "ec2-%u-%u-%u-%u.%.64s.compute.amazonaws.com", addr >> 24, addr >> 16 & 255, addr >> 8 & 255,
		 addr & 255, r->config.region);
}
