#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "region/internal.h"

#define DEFAULT_VPC_CIDR "172.31.0.0/16"
#define SUBNET_PREFIX 20
/* the VPC, a subnet a zone, the default group, its inbound and its outbound rule */
#define WORLD_OBJECTS (1 + CONFIG_ZONES + 1 + 2)

struct vpc *world_default_vpc(struct region *r)
{
	for (size_t i = 0; i < model_count(r->model, KIND_VPC); i++) {
		struct vpc *v = model_at(r->model, KIND_VPC, i);

		if (v->is_default)
			return v;
	}
	return NULL;
}

static void fill(struct region *r, struct object *objects[WORLD_OBJECTS])
{
	struct vpc *vpc = (void *)objects[0];
	struct group *group = (void *)objects[1];
	struct rule *in = (void *)objects[2], *out = (void *)objects[3];

	cidr_parse(DEFAULT_VPC_CIDR, &vpc->cidr, NULL, NULL);
	vpc->is_default = true;
	vpc->igw_address = r->public_pool.addr + 2;
	vpc->public_pool = r->public_pool;

	TEXT_COPY(group->vpc_id, vpc->o.id);
	TEXT_COPY(group->name, "default");
	TEXT_COPY(group->description, "default VPC security group");
	*in = (struct rule){ .o = in->o, .protocol = -1, .from_port = -1, .to_port = -1 };
	TEXT_COPY(in->group_id, group->o.id);
	TEXT_COPY(in->peer_group_id, group->o.id);
	*out = (struct rule){ .o = out->o, .egress = true, .protocol = -1, .from_port = -1, .to_port = -1 };
	TEXT_COPY(out->group_id, group->o.id);

	for (unsigned i = 0; i < CONFIG_ZONES; i++) {
		struct subnet *s = (void *)objects[4 + i];

		TEXT_COPY(s->vpc_id, vpc->o.id);
		snprintf(s->zone, sizeof s->zone, "%.60s%c", r->config.region, 'a' + (char)i);
		s->cidr.addr = vpc->cidr.addr + (i << (32 - SUBNET_PREFIX));
		s->cidr.prefix = SUBNET_PREFIX;
		s->default_for_az = s->map_public_ip = true;
	}
}

int world_create(struct region *r, struct error *err)
{
	static const enum object_kind what[WORLD_OBJECTS] = { KIND_VPC,    KIND_GROUP,  KIND_RULE,   KIND_RULE,
							      KIND_SUBNET, KIND_SUBNET, KIND_SUBNET, KIND_SUBNET };
	struct object *objects[WORLD_OBJECTS] = { NULL };
	struct change changes[WORLD_OBJECTS];
	size_t n;

	if (world_default_vpc(r))
		return 0;
	for (n = 0; n < WORLD_OBJECTS; n++) {
		objects[n] = model_new(what[n]);
		if (!objects[n]) {
			error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
			goto bad;
		}
		changes[n] = (struct change){ NULL, objects[n] };
	}
	fill(r, objects);
	if (model_commit(r->model, changes, WORLD_OBJECTS, err) == 0)
		return 0;
bad:
	while (n > 0)
		object_free(objects[--n]);
	return -1;
}
