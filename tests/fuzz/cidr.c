#include "base/cidr.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), out[CIDR_TEXT_MAX], address[IPV4_TEXT_MAX];
	struct error err = { 0 };
	struct cidr c, again;
	bool host_bits;
	uint32_t addr;

	if (cidr_parse(text, &c, &host_bits, &err) == 0) {
		MUST(c.prefix <= 32 && (c.addr & ~cidr_mask(c.prefix)) == 0);
		MUST(cidr_contains(c, c.addr) && cidr_contains(c, cidr_last(c)) && cidr_overlaps(c, c));
		cidr_format(out, c);
		MUST(host_bits || strcmp(out, text) == 0); /* one text for one block, so no two filters see two things */
		MUST(cidr_parse(out, &again, &host_bits, &err) == 0 && !host_bits);
		MUST(again.addr == c.addr && again.prefix == c.prefix);
	} else {
		MUST(err.kind == ERROR_USAGE && *err.message);
	}
	if (ipv4_parse(text, &addr)) {
		ipv4_format(address, addr);
		MUST(strcmp(address, text) == 0);
	}
	free(text);
	return 0;
}
