#include "region/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

enum field_type { FIELD_TEXT, FIELD_STRING, FIELD_INT, FIELD_INT64, FIELD_BOOL, FIELD_ADDRESS, FIELD_CIDR, FIELD_GROUPS };

struct field {
	const char *name;
	enum field_type type;
	size_t offset, size;
};

#define F(kind, member, type) { #member, type, offsetof(struct kind, member), sizeof(((struct kind *)0)->member) }
#define END { NULL, FIELD_INT, 0, 0 }

static const struct field vpc_fields[] = {
	F(vpc, cidr, FIELD_CIDR), F(vpc, is_default, FIELD_BOOL), F(vpc, igw_address, FIELD_ADDRESS),
	F(vpc, public_pool, FIELD_CIDR), END
};
static const struct field subnet_fields[] = {
	F(subnet, vpc_id, FIELD_TEXT),         F(subnet, zone, FIELD_TEXT),          F(subnet, cidr, FIELD_CIDR),
	F(subnet, default_for_az, FIELD_BOOL), F(subnet, map_public_ip, FIELD_BOOL), END
};
static const struct field group_fields[] = {
	F(group, vpc_id, FIELD_TEXT), F(group, name, FIELD_TEXT), F(group, description, FIELD_TEXT), END
};
static const struct field rule_fields[] = {
	F(rule, group_id, FIELD_TEXT),      F(rule, egress, FIELD_BOOL),      F(rule, protocol, FIELD_INT),
	F(rule, from_port, FIELD_INT),      F(rule, to_port, FIELD_INT),      F(rule, cidr, FIELD_CIDR),
	F(rule, peer_group_id, FIELD_TEXT), F(rule, description, FIELD_TEXT), END
};
static const struct field eni_fields[] = {
	F(eni, vpc_id, FIELD_TEXT),          F(eni, subnet_id, FIELD_TEXT),       F(eni, instance_id, FIELD_TEXT),
	F(eni, mac, FIELD_TEXT),             F(eni, groups, FIELD_GROUPS),        F(eni, private_ip, FIELD_ADDRESS),
	F(eni, public_ip, FIELD_ADDRESS),    F(eni, wants_public_ip, FIELD_BOOL), F(eni, source_dest_check, FIELD_BOOL),
	F(eni, attached, FIELD_BOOL),        F(eni, attach_time, FIELD_INT64),    F(eni, former_public_ip, FIELD_ADDRESS),
	END
};
static const struct field instance_fields[] = {
	F(instance, reservation_id, FIELD_TEXT),    F(instance, image_id, FIELD_TEXT),
	F(instance, image_name, FIELD_TEXT),        F(instance, type, FIELD_TEXT),
	F(instance, zone, FIELD_TEXT),              F(instance, vpc_id, FIELD_TEXT),
	F(instance, subnet_id, FIELD_TEXT),         F(instance, eni_id, FIELD_TEXT),
	F(instance, volume_id, FIELD_TEXT),         F(instance, uuid, FIELD_TEXT),
	F(instance, client_token, FIELD_TEXT),      F(instance, request_digest, FIELD_TEXT),
	F(instance, state_reason_code, FIELD_TEXT), F(instance, state_reason, FIELD_TEXT),
	F(instance, transition_reason, FIELD_TEXT), F(instance, state, FIELD_INT),
	F(instance, launch_index, FIELD_INT),       F(instance, root_gib, FIELD_INT),
	F(instance, launch_time, FIELD_INT64),      F(instance, state_time, FIELD_INT64),
	F(instance, ready, FIELD_BOOL),             F(instance, failed, FIELD_BOOL),
	F(instance, disable_termination, FIELD_BOOL), F(instance, launched, FIELD_BOOL),
	F(instance, user_data, FIELD_STRING),       F(instance, disable_stop, FIELD_BOOL),
	F(instance, key_name, FIELD_TEXT),          F(instance, public_key, FIELD_STRING),
	END
};
static const struct field key_fields[] = {
	F(key_pair, name, FIELD_TEXT),         F(key_pair, type, FIELD_TEXT),         F(key_pair, fingerprint, FIELD_TEXT),
	F(key_pair, public_key, FIELD_STRING), F(key_pair, create_time, FIELD_INT64), END
};

static const struct field address_fields[] = {
	F(address, public_ip, FIELD_ADDRESS), F(address, association_id, FIELD_TEXT), F(address, eni_id, FIELD_TEXT), END
};

static const struct field *const fields_of[KIND_COUNT] = {
	[KIND_VPC] = vpc_fields,   [KIND_SUBNET] = subnet_fields, [KIND_GROUP] = group_fields,
	[KIND_RULE] = rule_fields, [KIND_ENI] = eni_fields,       [KIND_INSTANCE] = instance_fields,
	[KIND_KEY] = key_fields,
	[KIND_ADDRESS] = address_fields,
};

static json_t *value_of(const struct object *o, const struct field *f)
{
	const char *p = (const char *)o + f->offset;
	char text[CIDR_TEXT_MAX];
	const struct eni *eni;
	struct cidr cidr;
	uint32_t addr;
	json_t *list;

	switch (f->type) {
	case FIELD_TEXT:
		return json_string(p);
	case FIELD_STRING:
		return *(char *const *)(const void *)p ? json_string(*(char *const *)(const void *)p) : json_null();
	case FIELD_INT:
		return json_integer(*(const int *)(const void *)p);
	case FIELD_INT64:
		return json_integer(*(const int64_t *)(const void *)p);
	case FIELD_BOOL:
		return json_boolean(*(const bool *)(const void *)p);
	case FIELD_ADDRESS:
		memcpy(&addr, p, sizeof addr);
		ipv4_format(text, addr);
		return json_string(text);
	case FIELD_CIDR:
		memcpy(&cidr, p, sizeof cidr);
		cidr_format(text, cidr);
		return json_string(text);
	case FIELD_GROUPS:
		eni = (const struct eni *)(const void *)o;
		list = json_array();
		for (int i = 0; list && i < eni->group_count; i++)
			json_array_append_new(list, json_string(eni->groups[i]));
		return list;
	}
	return NULL;
}

char *document_write(const struct object *o, struct error *err)
{
	json_t *doc = json_object(), *tags = json_object();
	char *text = NULL;
	int bad = !doc || !tags;

	bad = bad || json_object_set_new(doc, "id", json_string(o->id)) < 0;
	for (const struct field *f = fields_of[o->kind]; !bad && f->name; f++)
		bad = json_object_set_new(doc, f->name, value_of(o, f)) < 0;
	for (size_t i = 0; !bad && i < o->tags.count; i++)
		bad = json_object_set_new(tags, o->tags.items[i].key, json_string(o->tags.items[i].value)) < 0;
	bad = bad || json_object_set(doc, "tags", tags) < 0;
	if (!bad)
		text = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(doc);
	json_decref(tags);
	if (!text)
		error_set(err, ERROR_INTERNAL, "The object %s can't be written as a document.", o->id);
	return text;
}

static int bad_member(const struct field *f, struct error *err)
{
	return error_set(err, ERROR_ENVIRONMENT, "member %s has a value that can't be read.", f->name);
}

static int read_text(const json_t *v, const struct field *f, char *into, struct error *err)
{
	const char *text = json_string_value(v);

	if (!text || strlen(text) >= f->size)
		return bad_member(f, err);
	text_copy(into, f->size, text);
	return 0;
}

static int read_groups(struct eni *eni, const json_t *v, const struct field *f, struct error *err)
{
	if (json_array_size(v) > GROUPS_PER_ENI_MAX)
		return bad_member(f, err);
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *id = json_string_value(json_array_get(v, i));

		if (!id || strlen(id) >= ID_MAX)
			return bad_member(f, err);
		TEXT_COPY(eni->groups[eni->group_count], id);
		eni->group_count++;
	}
	return 0;
}

static int read_value(struct object *o, const struct field *f, const json_t *v, struct error *err)
{
	char *p = (char *)o + f->offset;
	const char *text = json_string_value(v);
	struct cidr cidr;
	uint32_t addr;

	switch (f->type) {
	case FIELD_TEXT:
		return read_text(v, f, p, err);
	case FIELD_STRING:
		if (json_is_null(v))
			return 0;
		*(char **)(void *)p = text ? strdup(text) : NULL;
		return *(char **)(void *)p ? 0 : bad_member(f, err);
	case FIELD_INT:
		*(int *)(void *)p = (int)json_integer_value(v);
		return json_is_integer(v) ? 0 : bad_member(f, err);
	case FIELD_INT64:
		*(int64_t *)(void *)p = json_integer_value(v);
		return json_is_integer(v) ? 0 : bad_member(f, err);
	case FIELD_BOOL:
		*(bool *)(void *)p = json_is_true(v);
		return json_is_boolean(v) ? 0 : bad_member(f, err);
	case FIELD_ADDRESS:
		if (!text || !ipv4_parse(text, &addr))
			return bad_member(f, err);
		memcpy(p, &addr, sizeof addr);
		return 0;
	case FIELD_CIDR:
		if (!text || cidr_parse(text, &cidr, NULL, NULL) < 0)
			return bad_member(f, err);
		memcpy(p, &cidr, sizeof cidr);
		return 0;
	case FIELD_GROUPS:
		return read_groups((struct eni *)(void *)o, v, f, err);
	}
	return bad_member(f, err);
}

int document_read(struct object *o, const char *text, struct error *err)
{
	json_error_t where;
	json_t *doc = json_loads(text, 0, &where), *v;
	const char *id, *key;
	int rc = 0;

	if (!doc)
		return error_set(err, ERROR_ENVIRONMENT, "The document can't be read: %s.", where.text);
	id = json_string_value(json_object_get(doc, "id"));
	if (!id || strlen(id) >= sizeof o->id) {
		json_decref(doc);
		return error_set(err, ERROR_ENVIRONMENT, "The document has no id.");
	}
	TEXT_COPY(o->id, id);
	for (const struct field *f = fields_of[o->kind]; rc == 0 && f->name; f++) {
		v = json_object_get(doc, f->name);
		if (v)
			rc = read_value(o, f, v, err);
	}
	json_object_foreach(json_object_get(doc, "tags"), key, v)
	{
		if (rc == 0)
			rc = tags_set(&o->tags, key, json_string_value(v) ? json_string_value(v) : "", err);
	}
	json_decref(doc);
	return rc;
}
