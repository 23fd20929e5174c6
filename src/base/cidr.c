#include "base/cidr.h"

#include <stdio.h>
#include <string.h>

static bool octet(const char **p, unsigned *ret)
{
	unsigned v = 0, digits = 0;

	while (**p >= '0' && **p <= '9') {
		if (digits == 1 && v == 0) /* no leading zeros: some parsers read them as octal */
			return false;
		v = v * 10 + (unsigned)(**p - '0');
		if (++digits > 3 || v > 255)
			return false;
		(*p)++;
	}
	*ret = v;
	return digits > 0;
}

static bool address(const char **p, uint32_t *ret)
{
	uint32_t addr = 0;

	for (int i = 0; i < 4; i++) {
		unsigned v;

		if (i && *(*p)++ != '.')
			return false;
		if (!octet(p, &v))
			return false;
		addr = addr << 8 | v;
	}
	*ret = addr;
	return true;
}

bool ipv4_parse(const char *text, uint32_t *ret)
{
	uint32_t addr;

	if (!address(&text, &addr) || *text)
		return false;
	*ret = addr;
	return true;
}

void ipv4_format(char out[IPV4_TEXT_MAX], uint32_t addr)
{
	snprintf(out, IPV4_TEXT_MAX, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255);
}

uint32_t cidr_mask(unsigned prefix)
{
	return prefix == 0 ? 0 : ~0u << (32 - prefix);
}

int cidr_parse(const char *text, struct cidr *ret, bool *ret_had_host_bits, struct error *err)
{
	const char *p = text;
	uint32_t addr = 0;
	unsigned prefix = 0, digits = 0;

	if (!address(&p, &addr) || *p++ != '/')
		goto bad;
	for (; *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
		prefix = prefix * 10 + (unsigned)(*p - '0');
	if (*p || digits == 0 || digits > 2 || prefix > 32 || (digits == 2 && prefix < 10))
		goto bad;
	if (ret_had_host_bits)
		*ret_had_host_bits = (addr & ~cidr_mask(prefix)) != 0;
	ret->addr = addr & cidr_mask(prefix);
	ret->prefix = prefix;
	return 0;
bad:
	return error_set_code(err, ERROR_USAGE, "InvalidParameterValue",
			      "CIDR block %.64s is malformed; write it as an address and a prefix length, like 203.0.113.0/24.",
			      text);
}

void cidr_format(char out[CIDR_TEXT_MAX], struct cidr c)
{
	snprintf(out, CIDR_TEXT_MAX, "%u.%u.%u.%u/%u", c.addr >> 24, c.addr >> 16 & 255, c.addr >> 8 & 255,
		 c.addr & 255, c.prefix);
}

uint32_t cidr_last(struct cidr c)
{
	return c.addr | ~cidr_mask(c.prefix);
}

bool cidr_contains(struct cidr c, uint32_t addr)
{
	return (addr & cidr_mask(c.prefix)) == c.addr;
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
	return cidr_contains(a, b.addr) || cidr_contains(b, a.addr);
}

uint64_t cidr_size(struct cidr c)
{
	return 1ull << (32 - c.prefix);
}
