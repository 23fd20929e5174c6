/* IPv4 addresses and CIDR blocks: pure arithmetic, host byte order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define IPV4_TEXT_MAX 16
#define CIDR_TEXT_MAX 20

struct cidr {
	uint32_t addr;   /* network address, host bits zero */
	unsigned prefix; /* 0..32 */
};

bool ipv4_parse(const char *text, uint32_t *ret);
void ipv4_format(char out[IPV4_TEXT_MAX], uint32_t addr);
/* "A.B.C.D/N"; strict: four decimal octets without leading zeros. Host bits are cleared as EC2 does for VPCs and
 * subnets (ret_had_host_bits tells, may be NULL). Fails with InvalidParameterValue, as EC2 for a CIDR. */
int cidr_parse(const char *text, struct cidr *ret, bool *ret_had_host_bits, struct error *err);
void cidr_format(char out[CIDR_TEXT_MAX], struct cidr c);
uint32_t cidr_mask(unsigned prefix);
uint32_t cidr_last(struct cidr c);
bool cidr_contains(struct cidr c, uint32_t addr);
bool cidr_overlaps(struct cidr a, struct cidr b);
uint64_t cidr_size(struct cidr c);
