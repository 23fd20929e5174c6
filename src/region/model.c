#include "region/model.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "region/document.h"
#include "region/store.h"

static const struct {
	const char *prefix, *resource_type;
	size_t size;
} kinds[KIND_COUNT] = {
	[KIND_VPC] = { "vpc", "vpc", sizeof(struct vpc) },
	[KIND_SUBNET] = { "subnet", "subnet", sizeof(struct subnet) },
	[KIND_GROUP] = { "sg", "security-group", sizeof(struct group) },
	[KIND_RULE] = { "sgr", "security-group-rule", sizeof(struct rule) },
	[KIND_ENI] = { "eni", "network-interface", sizeof(struct eni) },
	[KIND_INSTANCE] = { "i", "instance", sizeof(struct instance) },
	[KIND_KEY] = { "key", "key-pair", sizeof(struct key_pair) },
	[KIND_ADDRESS] = { "eipalloc", "elastic-ip", sizeof(struct address) },
};

struct list {
	struct object **items;
	size_t count, cap;
};

struct model {
	struct store *store;
	struct list live[KIND_COUNT];
	struct list gone;
	void *by_id; /* tsearch tree */
};

const char *kind_prefix(enum object_kind kind)
{
	return kinds[kind].prefix;
}

const char *kind_resource_type(enum object_kind kind)
{
	return kinds[kind].resource_type;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct object *)a)->id, ((const struct object *)b)->id);
}

static int list_add(struct list *l, struct object *o, struct error *err)
{
	if (l->count == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct object **items = realloc(l->items, cap * sizeof *items);

		if (!items)
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		l->items = items;
		l->cap = cap;
	}
	l->items[l->count++] = o;
	return 0;
}

static void list_remove(struct list *l, const struct object *o)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i] == o) {
			memmove(l->items + i, l->items + i + 1, (l->count - i - 1) * sizeof *l->items);
			l->count--;
			return;
		}
	}
}

void *model_new(enum object_kind kind)
{
	struct object *o = calloc(1, kinds[kind].size);

	if (o) {
		o->kind = kind;
		id_new(o->id, kinds[kind].prefix);
	}
	return o;
}

void object_free(struct object *o)
{
	if (!o)
		return;
	tags_free(&o->tags);
	if (o->kind == KIND_INSTANCE) {
		free(((struct instance *)(void *)o)->user_data);
		free(((struct instance *)(void *)o)->public_key);
	}
	if (o->kind == KIND_KEY)
		free(((struct key_pair *)(void *)o)->public_key);
	free(o);
}

static int insert(struct model *m, struct object *o, struct error *err)
{
	if (!tsearch(o, &m->by_id, by_id))
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	return list_add(&m->live[o->kind], o, err);
}

static int load_one(void *arg, const char *kind, const char *id, const char *body, struct error *err)
{
	struct model *m = arg;

	for (int k = 0; k < KIND_COUNT; k++) {
		struct object *o;

		if (strcmp(kinds[k].prefix, kind) != 0)
			continue;
		o = model_new((enum object_kind)k);
		if (!o)
			return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		if (document_read(o, body, err) < 0) {
			object_free(o);
			return error_prefix(err, "stored object %s", id);
		}
		return insert(m, o, err);
	}
	return error_set(err, ERROR_ENVIRONMENT, "The store holds an object of the unknown kind %s.", kind);
}

struct model *model_load(struct store *s, struct error *err)
{
	struct model *m = calloc(1, sizeof *m);

	if (!m) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	m->store = s;
	if (store_each(s, load_one, m, err) < 0) {
		model_free(m);
		return NULL;
	}
	return m;
}

static void no_free(void *p)
{
	(void)p;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	tdestroy(m->by_id, no_free);
	for (int k = 0; k < KIND_COUNT; k++) {
		for (size_t i = 0; i < m->live[k].count; i++)
			object_free(m->live[k].items[i]);
		free(m->live[k].items);
	}
	for (size_t i = 0; i < m->gone.count; i++)
		object_free(m->gone.items[i]);
	free(m->gone.items);
	free(m);
}

static int write_changes(struct model *m, const struct change *changes, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct change *c = &changes[i];
		AUTO_FREE char *body = NULL;

		if (!c->next) {
			if (store_delete(m->store, c->live->id, err) < 0)
				return -1;
			continue;
		}
		body = document_write(c->next, err);
		if (!body || store_put(m->store, kinds[c->next->kind].prefix, c->next->id, body, err) < 0)
			return -1;
	}
	return 0;
}

static int write_store(struct model *m, const struct change *changes, size_t count, struct error *err)
{
	if (store_begin(m->store, err) < 0)
		return -1;
	if (write_changes(m, changes, count, err) == 0 && store_commit(m->store, err) == 0)
		return 0;
	store_rollback(m->store);
	return -1;
}

int model_commit(struct model *m, const struct change *changes, size_t count, struct error *err)
{
	/* memory that the second half needs is taken before the store is touched */
	for (size_t i = 0; i < count; i++) {
		struct list *l = changes[i].next ? &m->live[changes[i].next->kind] : &m->gone;

		if (l->cap < l->count + count) {
			size_t cap = (l->count + count) * 2;
			struct object **items = realloc(l->items, cap * sizeof *items);

			if (!items)
				return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
			l->items = items;
			l->cap = cap;
		}
	}
	if (write_store(m, changes, count, err) < 0) {
		if (!store_give_way(m->store))
			return -1;
		error_clear(err);
		if (write_store(m, changes, count, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		const struct change *c = &changes[i];

		if (!c->live) {
			insert(m, c->next, NULL);
		} else if (!c->next) {
			tdelete(c->live, &m->by_id, by_id);
			list_remove(&m->live[c->live->kind], c->live);
			list_add(&m->gone, c->live, NULL);
		} else {
			memcpy(c->live, c->next, kinds[c->live->kind].size);
		}
	}
	return 0;
}

void *model_find(const struct model *m, enum object_kind kind, const char *id)
{
	struct object key = { .kind = kind };
	struct object **found;

	if (strlen(id) >= sizeof key.id)
		return NULL;
	TEXT_COPY(key.id, id);
	found = tfind(&key, &m->by_id, by_id);
	return found && (*found)->kind == kind ? *found : NULL;
}

size_t model_count(const struct model *m, enum object_kind kind)
{
	return m->live[kind].count;
}

void *model_at(const struct model *m, enum object_kind kind, size_t i)
{
	return m->live[kind].items[i];
}

const char *instance_state_name(int state)
{
	switch (state) {
	case STATE_PENDING:
		return "pending";
	case STATE_RUNNING:
		return "running";
	case STATE_SHUTTING_DOWN:
		return "shutting-down";
	case STATE_TERMINATED:
		return "terminated";
	case STATE_STOPPING:
		return "stopping";
	default:
		return "stopped";
	}
}
