/* Tags: docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "region/internal.h"
#include "region/reply.h"

static const struct param create_params[] = {
	{ "ResourceId", PARAM_LIST, PARAM_STRING, NULL, true, NULL },
	{ "Tag", PARAM_LIST, PARAM_STRUCTURE, tag_members, true, NULL },
	PARAM_END,
};

static struct object *find_any(struct region *r, const char *id)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		struct object *o = model_find(r->model, (enum object_kind)k, id);

		if (o)
			return o;
	}
	return NULL;
}

/* EC2 names the kind by the id's prefix. */
static int not_found(const char *id, struct error *err)
{
	static const struct {
		const char *prefix, *code;
	} codes[] = {
		{ "i", "InvalidInstanceID.NotFound" },	     { "sg", "InvalidGroup.NotFound" },
		{ "sgr", "InvalidSecurityGroupRuleId.NotFound" }, { "vpc", "InvalidVpcID.NotFound" },
		{ "subnet", "InvalidSubnetID.NotFound" },    { "eni", "InvalidNetworkInterfaceID.NotFound" },
		{ "eipalloc", "InvalidAllocationID.NotFound" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (id_well_formed(id, codes[i].prefix))
			return error_set_code(err, ERROR_USAGE, codes[i].code, "The ID '%.64s' does not exist", id);
	return error_set_code(err, ERROR_USAGE, "InvalidID", "The ID '%.64s' is not valid", id);
}

struct tagging {
	union {
		struct object o;
		struct vpc vpc;
		struct subnet subnet;
		struct group group;
		struct rule rule;
		struct eni eni;
		struct instance instance;
		struct address address;
	} next;
	struct tags old;
	struct object *live;
};

static size_t size_of(enum object_kind kind)
{
	switch (kind) {
	case KIND_VPC:
		return sizeof(struct vpc);
	case KIND_SUBNET:
		return sizeof(struct subnet);
	case KIND_GROUP:
		return sizeof(struct group);
	case KIND_RULE:
		return sizeof(struct rule);
	case KIND_ENI:
		return sizeof(struct eni);
	case KIND_INSTANCE:
		return sizeof(struct instance);
	case KIND_ADDRESS:
		return sizeof(struct address);
	case KIND_COUNT:
		break;
	}
	return sizeof(struct object);
}

static int prepare(struct region *r, const char *id, const json_t *tags, struct tagging *t, struct error *err)
{
	const json_t *tag;
	size_t i;

	t->live = find_any(r, id);
	if (!t->live)
		return not_found(id, err);
	memcpy(&t->next, t->live, size_of(t->live->kind));
	t->old = t->live->tags;
	t->next.o.tags = (struct tags){ NULL, 0 };
	if (tags_copy(&t->next.o.tags, &t->old, err) < 0)
		return -1;
	json_array_foreach(tags, i, tag)
	{
		const char *value = in_text(tag, "Value");

		if (tags_set(&t->next.o.tags, in_text(tag, "Key"), value ? value : "", err) < 0) {
			tags_free(&t->next.o.tags);
			return -1;
		}
	}
	return 0;
}

static int create_tags(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "ResourceId"), *tags = json_object_get(in, "Tag");
	size_t n = json_array_size(ids), done = 0;
	AUTO_FREE struct tagging *all = calloc(n ? n : 1, sizeof *all);
	AUTO_FREE struct change *changes = calloc(n ? n : 1, sizeof *changes);
	int rc = -1;

	(void)out;
	if (!all || !changes)
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	region_lock(r);
	for (; done < n; done++) {
		const char *id = json_string_value(json_array_get(ids, done));

		for (size_t k = 0; k < done; k++) {
			if (strcmp(all[k].live->id, id) == 0) {
				error_set_code(err, ERROR_USAGE, "InvalidParameterValue", "The ID '%.64s' is named twice.", id);
				goto out;
			}
		}
		if (prepare(r, id, tags, &all[done], err) < 0)
			goto out;
		changes[done] = (struct change){ all[done].live, &all[done].next.o };
	}
	if (action_dry_run(caller, err) == 0)
		rc = region_commit(r, changes, n, err);
out:
	for (size_t k = 0; k < done; k++)
		tags_free(rc == 0 ? &all[k].old : &all[k].next.o.tags);
	region_unlock(r);
	return rc;
}

const struct action tag_actions[] = {
	{ "CreateTags", "ec2", "Adds or overwrites tags of one or more resources.", create_params, NULL, true, create_tags },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
