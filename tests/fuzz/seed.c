/* Seed documents of hostile values (one a line, "\x01" in them a line break): what is built is one YAML mapping with just these values,
 * and a shell script with just that word. */
#include "seed/seed.h"

#include <stdbool.h>
#include <yaml.h>

#include "fuzz/fuzz.h"

#define VALUES 10
#define MAX (128u << 10)

static struct seed_templates templates;

static bool value_of(const struct buffer *out, const char *key, const char *want)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	yaml_node_t *root;
	bool found = false;

	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)buffer_text(out), out->len);
	MUST(yaml_parser_load(&parser, &doc));
	root = yaml_document_get_root_node(&doc);
	MUST(root && root->type == YAML_MAPPING_NODE);
	for (const yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(&doc, p->key), *v = yaml_document_get_node(&doc, p->value);

		MUST(k && v && k->type == YAML_SCALAR_NODE);
		if (strcmp((const char *)k->data.scalar.value, key) != 0)
			continue;
		MUST(!found);
		if (v->type == YAML_SEQUENCE_NODE) {
			MUST(v->data.sequence.items.top - v->data.sequence.items.start == 1);
			v = yaml_document_get_node(&doc, *v->data.sequence.items.start);
		}
		MUST(v->type == YAML_SCALAR_NODE);
		MUST(strcmp((const char *)v->data.scalar.value, want) == 0);
		found = true;
	}
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return found;
}

/* One word of the shell, as POSIX reads it: plain, or in single quotes with \' between. Returns where it ends. */
static const char *shell_word(const char *s, const char *want)
{
	bool quoted = false;

	for (;; s++) {
		if (*s == '\'') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && *s == '\\')
			s++;
		else if (!quoted && (strchr(" \t\n;&|<>()$`\"*?[#~", *s)))
			break;
		MUST(*s && *s == *want);
		want++;
	}
	MUST(!quoted && !*want);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer meta = BUFFER_INIT(MAX), network = BUFFER_INIT(MAX), vendor = BUFFER_INIT(MAX), word = BUFFER_INIT(MAX);
	char *text = fuzz_text(data, size), *save = NULL, *v[VALUES];
	struct error err = { 0 };
	struct seed_spec s = { 0 };
	static char empty[1];
	const char *keys[2];
	size_t n = 0;

	if (!templates.meta_data)
		MUST(seed_templates_load(&templates, ".", &err) == 0);
	for (char *line = strtok_r(text, "\n", &save); line && n < VALUES; line = strtok_r(NULL, "\n", &save)) {
		for (char *c = line; *c; c++)
			if (*c == 1)
				*c = '\n';
		v[n++] = line;
	}
	while (n < VALUES)
		v[n++] = empty;
	s = (struct seed_spec){ .data_dir = ".", .instance_id = v[0], .local_hostname = v[1], .domain = NULL, .mac = v[2],
				.default_user = v[3], .ca_public_key = v[4], .public_ipv4 = v[6], .region = v[7], .zone = v[8],
				.instance_type = v[9], .ami_id = v[0] };
	keys[0] = v[5];
	keys[1] = NULL;
	s.ssh_keys = keys;
	if (seed_meta_data(&meta, &templates, &s, &err) == 0) {
		MUST(value_of(&meta, "instance-id", v[0]));
		MUST(value_of(&meta, "local-hostname", v[1]));
		MUST(value_of(&meta, "public-ipv4", v[6]));
		MUST(value_of(&meta, "public-keys", v[5]));
	} else {
		MUST(err.kind == ERROR_USAGE && *err.message);
	}
	if (seed_network_config(&network, &templates, &s, &err) == 0)
		value_of(&network, "nothing", "");
	if (seed_vendor_data(&vendor, &templates, &s, &err) == 0) {
		buffer_add_shell(&word, v[4]);
		MUST(strstr(buffer_text(&vendor), buffer_text(&word)));
		buffer_add(&word, "\n");
		MUST(strcmp(shell_word(buffer_text(&word), v[4]), "\n") == 0);
	}
	buffer_done(&meta);
	buffer_done(&network);
	buffer_done(&vendor);
	buffer_done(&word);
	free(text);
	return 0;
}
