/* Tags: docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "region/instance.h"
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
		{ "key", "InvalidKeyPair.NotFound" },
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
		struct key_pair key;
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
	case KIND_KEY:
		return sizeof(struct key_pair);
	case KIND_ADDRESS:
		return sizeof(struct address);
	case KIND_COUNT:
		break;
	}
	return sizeof(struct object);
}

/* What a call does to the tags of each of its resources. */
typedef int (*edit_tags)(struct tags *t, const json_t *tags, struct error *err);

static int add_tags(struct tags *t, const json_t *tags, struct error *err)
{
	const json_t *tag;
	size_t i;

	json_array_foreach(tags, i, tag)
	{
		const char *value = in_text(tag, "Value");

		if (tags_set(t, in_text(tag, "Key"), value ? value : "", err) < 0)
			return -1;
	}
	return 0;
}

/* A tag that isn't there, or has another value than the one named, is no error; no tag named means all. */
static int remove_tags(struct tags *t, const json_t *tags, struct error *err)
{
	const json_t *tag;
	size_t i;

	(void)err;
	if (!json_array_size(tags))
		tags_free(t);
	json_array_foreach(tags, i, tag)
		tags_remove(t, in_text(tag, "Key"), in_text(tag, "Value"));
	return 0;
}

static int prepare(struct region *r, const char *id, const json_t *tags, edit_tags edit, struct tagging *t, struct error *err)
{
	t->live = find_any(r, id);
	if (!t->live)
		return not_found(id, err);
	memcpy(&t->next, t->live, size_of(t->live->kind));
	t->old = t->live->tags;
	t->next.o.tags = (struct tags){ NULL, 0 };
	if (tags_copy(&t->next.o.tags, &t->old, err) < 0)
		return -1;
	if (edit(&t->next.o.tags, tags, err) < 0) {
		tags_free(&t->next.o.tags);
		return -1;
	}
	return 0;
}

/* All resources or none. */
static int change_tags(struct region *r, const struct caller *caller, const json_t *in, edit_tags edit, struct error *err)
{
	const json_t *ids = json_object_get(in, "ResourceId"), *tags = json_object_get(in, "Tag");
	size_t n = json_array_size(ids), done = 0;
	AUTO_FREE struct tagging *all = calloc(n ? n : 1, sizeof *all);
	AUTO_FREE struct change *changes = calloc(n ? n : 1, sizeof *changes);
	int rc = -1;

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
		if (prepare(r, id, tags, edit, &all[done], err) < 0)
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

static int create_tags(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	(void)out;
	return change_tags(r, caller, in, add_tags, err);
}

static const struct param delete_members[] = {
	{ "Key", PARAM_STRING, 0, NULL, true, NULL },
	{ "Value", PARAM_STRING, 0, NULL, false, "the tag goes only if it has this value; any when absent" },
	PARAM_END,
};
static const struct param delete_params[] = {
	{ "ResourceId", PARAM_LIST, PARAM_STRING, NULL, true, NULL },
	{ "Tag", PARAM_LIST, PARAM_STRUCTURE, delete_members, false, "all tags when absent" },
	PARAM_END,
};

static int delete_tags(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	(void)out;
	return change_tags(r, caller, in, remove_tags, err);
}

static const struct param describe_params[] = { PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param tag_description_members[] = { TEXT("resourceId"), TEXT("resourceType"), TEXT("key"), TEXT("value"), PARAM_END };
static const struct param describe_reply[] = { LIST("tagSet", tag_description_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path tag_filters[] = {
	{ "key", "key" }, { "value", "value" }, { "resource-id", "resourceId" }, { "resource-type", "resourceType" }, { NULL, NULL }
};

/* One item a tag. For the filter tag:KEY each has its own tag as a tagSet, which is taken off again. */
static void add_descriptions(json_t *items, const struct object *o)
{
	for (size_t i = 0; i < o->tags.count; i++) {
		struct tags one = { &o->tags.items[i], 1 };
		json_t *item = add_item(items);

		put_text(item, "resourceId", o->id);
		put_text(item, "resourceType", kind_resource_type(o->kind));
		put_text(item, "key", o->tags.items[i].key);
		put_text(item, "value", o->tags.items[i].value);
		put_tags(item, &one);
	}
}

static int describe_tags(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	json_t *items = json_array(), *item;
	size_t i;

	(void)caller;
	region_lock(r);
	for (int k = 0; k < KIND_COUNT; k++) {
		for (i = 0; i < model_count(r->model, (enum object_kind)k); i++) {
			const struct object *o = model_at(r->model, (enum object_kind)k, i);

			if (k != KIND_INSTANCE || instance_visible((const struct instance *)(const void *)o))
				add_descriptions(items, o);
		}
	}
	region_unlock(r);
	if (describe_finish(in, out, "tagSet", items, tag_filters, false, err) < 0)
		return -1;
	json_array_foreach(json_object_get(out, "tagSet"), i, item)
		json_object_del(item, "tagSet");
	return 0;
}

const struct action tag_actions[] = {
	{ "CreateTags", "ec2", "Adds or overwrites tags of one or more resources.", create_params, NULL, true, create_tags },
	{ "DeleteTags", "ec2", "Removes tags of one or more resources.", delete_params, NULL, true, delete_tags },
	{ "DescribeTags", "ec2", "Lists tags, one by one, with what they belong to.", describe_params, describe_reply, false, describe_tags },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
