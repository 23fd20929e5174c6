#include "base/config.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_bytes(data, size), path[108];
	struct error err = { 0 };
	struct config c;

	config_defaults(&c);
	if (config_parse(&c, text, size, "vpclab.conf", &err) < 0)
		MUST(err.kind == ERROR_USAGE && *err.message);
	for (size_t i = 0; i < config_keys_count; i++)
		MUST(memchr((const char *)&c + config_keys[i].offset, '\0', CONFIG_VALUE_MAX));
	if (config_check(&c, &err) == 0) {
		struct cidr pool;
		int first, last;

		MUST(c.state_dir[0] == '/' && c.run_dir[0] == '/' && !strchr(c.public_bridge, '/'));
		MUST(strlen(c.public_bridge) < 16);
		MUST(strcmp(c.public_cidr, "auto") == 0 || cidr_parse(c.public_cidr, &pool, NULL, NULL) == 0);
		MUST(config_ports(c.host_ports, &first, &last) && first >= 1 && first <= last && last <= 65535);
		config_socket_path(&c, path, sizeof path, NULL);
	}
	free(text);
	return 0;
}
