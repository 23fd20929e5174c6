/* Objects as the store's documents and back; the store and the model: a change is whole or not at all. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "region/document.h"
#include "region/model.h"
#include "region/store.h"

static char dir[] = "/tmp/vpclab-model.XXXXXX";

/* Writes o, reads it into a fresh object, writes that: the texts must be the same. */
static void round_trip(struct object *o, const char *what)
{
	AUTO_FREE char *first = NULL, *second = NULL;
	struct object *copy = model_new(o->kind);
	struct error err = { 0 };

	first = document_write(o, &err);
	ok(first && document_read(copy, first, &err) == 0, "%s is read back: %s", what, err.message);
	second = document_write(copy, &err);
	is_str(second, first, what);
	is_str(copy->id, o->id, "its id too");
	object_free(copy);
	object_free(o);
}

static void test_round_trips(void)
{
	struct vpc *vpc = model_new(KIND_VPC);
	struct subnet *subnet = model_new(KIND_SUBNET);
	struct group *group = model_new(KIND_GROUP);
	struct rule *rule = model_new(KIND_RULE);
	struct eni *eni = model_new(KIND_ENI);
	struct instance *i = model_new(KIND_INSTANCE);
	struct key_pair *key;
	struct address *address = model_new(KIND_ADDRESS);

	cidr_parse("172.31.0.0/16", &vpc->cidr, NULL, NULL);
	vpc->is_default = true;
	vpc->igw_address = 0xcb007102;
	cidr_parse("203.0.113.0/24", &vpc->public_pool, NULL, NULL);
	tags_set(&vpc->o.tags, "Name", "웹 🦄 \"'<", NULL);
	tags_set(&vpc->o.tags, "empty", "", NULL);
	round_trip(&vpc->o, "a VPC");
	TEXT_COPY(subnet->vpc_id, "vpc-0123456789abcdef0");
	TEXT_COPY(subnet->zone, "ap-northeast-2c");
	cidr_parse("172.31.32.0/20", &subnet->cidr, NULL, NULL);
	subnet->default_for_az = subnet->map_public_ip = true;
	round_trip(&subnet->o, "a subnet");
	TEXT_COPY(group->name, "web \\ \"x\"");
	TEXT_COPY(group->description, "for the web");
	round_trip(&group->o, "a group");
	TEXT_COPY(rule->group_id, "sg-0123456789abcdef0");
	rule->egress = true;
	rule->protocol = 6;
	rule->from_port = 80;
	rule->to_port = 65535;
	cidr_parse("10.0.0.0/8", &rule->cidr, NULL, NULL);
	TEXT_COPY(rule->description, "line\nline");
	round_trip(&rule->o, "a rule");
	TEXT_COPY(eni->mac, "02:00:00:00:00:01");
	TEXT_COPY(eni->groups[0], "sg-0123456789abcdef0");
	TEXT_COPY(eni->groups[1], "sg-0123456789abcdef1");
	eni->group_count = 2;
	eni->private_ip = 0xac1f000a;
	eni->public_ip = 0;
	eni->wants_public_ip = eni->attached = true;
	eni->attach_time = 1795342497000;
	round_trip(&eni->o, "an interface");
	TEXT_COPY(i->type, "t2.small");
	i->state = STATE_STOPPED;
	i->root_gib = 20;
	i->launch_time = 1795342497000;
	i->ready = i->launched = true;
	i->user_data = strdup("I2Nsb3VkLWNvbmZpZwo=");
	round_trip(&i->o, "an instance");
	i = model_new(KIND_INSTANCE);
	round_trip(&i->o, "an instance without anything");
	i = model_new(KIND_INSTANCE);
	TEXT_COPY(i->key_name, "my \"laptop\"");
	i->public_key = strdup("ssh-ed25519 AAAA my \"laptop\"");
	i->disable_stop = true;
	round_trip(&i->o, "an instance with a key pair");
	key = model_new(KIND_KEY);
	TEXT_COPY(key->name, "my \"laptop\"");
	TEXT_COPY(key->type, "ed25519");
	TEXT_COPY(key->fingerprint, "bGrUtrPTGYIdo4sRZWv1GJ7XDUXZhxBMvVxRXBj9Ws4=");
	key->public_key = strdup("ssh-ed25519 AAAA my \"laptop\"");
	key->create_time = 1795342497123;
	tags_set(&key->o.tags, "course", "클라우드", NULL);
	round_trip(&key->o, "a key pair");
	address->public_ip = 0xcb007109;
	TEXT_COPY(address->association_id, "eipassoc-0123456789abcdef0");
	TEXT_COPY(address->eni_id, "eni-0123456789abcdef0");
	round_trip(&address->o, "an Elastic IP address");
}

static void test_reading(void)
{
	static const char *const bad[] = { "", "[]", "{", "{}", "{\"id\":7}", "{\"id\":\"vpc-1\",\"cidr\":\"10.0.0.0\"}", "{\"id\":\"vpc-1\",\"is_default\":1}",
					   "{\"id\":\"vpc-1\",\"igw_address\":\"x\"}", "{\"id\":\"vpc-0123456789012345678901234567890123456789\"}" };
	struct vpc *vpc = model_new(KIND_VPC);
	struct eni *eni = model_new(KIND_ENI);
	struct error err = { 0 };

	ok(document_read(&vpc->o, "{\"id\":\"vpc-1\",\"later\":[1]}", &err) == 0, "an older or a newer document is read: %s", err.message);
	is_str(vpc->o.id, "vpc-1", "with what it has");
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		object_free(&vpc->o);
		vpc = model_new(KIND_VPC);
		ok(document_read(&vpc->o, bad[k], &err) < 0, "a damaged one is not: %s (%s)", bad[k], err.message);
	}
	object_free(&vpc->o);
	ok(document_read(&eni->o, "{\"id\":\"eni-1\",\"groups\":[1,2]}", &err) < 0, "nor groups that are numbers");
	object_free(&eni->o);
}

static struct group *new_group(const char *name)
{
	struct group *g = model_new(KIND_GROUP);

	TEXT_COPY(g->name, name);
	return g;
}

static const char *names(const struct model *m)
{
	static char text[4096];

	text[0] = '\0';
	for (size_t i = 0; i < model_count(m, KIND_GROUP); i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof text - n, "%s,", ((const struct group *)model_at(m, KIND_GROUP, i))->name);
	}
	return text;
}

static void reopen(struct store **s, struct model **m, const char *path)
{
	struct error err = { 0 };

	model_free(*m);
	store_close(*s);
	*s = store_open(path, &err);
	*m = *s ? model_load(*s, &err) : NULL;
	if (!*m)
		printf("# %s\n", err.message);
}

static void test_commits(void)
{
	AUTO_FREE char *path = file_path(NULL, "%s/region.db", dir);
	struct store *s = store_open(path, NULL);
	struct model *m = model_load(s, NULL);
	struct group *a = new_group("a"), *b = new_group("b"), *c = new_group("c"), next;
	struct change add[] = { { NULL, &a->o }, { NULL, &b->o }, { NULL, &c->o } }, change;
	struct error err = { 0 };

	ok(model_commit(m, add, 3, &err) == 0, "three objects in one change: %s", err.message);
	is_str(names(m), "a,b,c,", "are there in order");
	ok(model_find(m, KIND_GROUP, b->o.id) == b, "and found");
	ok(model_find(m, KIND_VPC, b->o.id) == NULL && model_find(m, KIND_GROUP, "") == NULL &&
		   model_find(m, KIND_GROUP, "sg-00000000000000000000000000000000000000000000000") == NULL,
	   "only by their kind and id");
	next = *b;
	TEXT_COPY(next.name, "B");
	change = (struct change){ &b->o, &next.o };
	ok(model_commit(m, &change, 1, &err) == 0, "one is changed");
	is_str(names(m), "a,B,c,", "where it stands");
	change = (struct change){ &a->o, NULL };
	ok(model_commit(m, &change, 1, &err) == 0, "one is deleted");
	is_str(names(m), "B,c,", "and gone");
	is_str(a->name, "a", "though whoever holds it may still look at it");
	reopen(&s, &m, path);
	is_str(names(m), "B,c,", "all of it is in the store");
	model_free(m);
	store_close(s);
}

/* A store on a file system of 256 KiB that a file fills. */
static void test_full_disk(void)
{
	AUTO_FREE char *small = file_path(NULL, "%s/small", dir), *path = file_path(NULL, "%s/small/region.db", dir);
	AUTO_FREE char *filler = file_path(NULL, "%s/small/filler", dir);
	struct store *s;
	struct model *m;
	struct group *kept = new_group("kept"), *lost[8] = { NULL }, next;
	struct change changes[8], one;
	struct error err = { 0 };
	char block[4096];
	int fd;

	if (file_mkdirs(small, 0700, NULL) < 0 || mount("tmpfs", small, "tmpfs", 0, "size=256k") < 0) {
		ok(true, "a full disk # SKIP no tmpfs can be mounted here: %s", strerrorname_np(errno));
		object_free(&kept->o);
		return;
	}
	s = store_open(path, &err);
	m = s ? model_load(s, &err) : NULL;
	ok(m != NULL, "a store on a small disk: %s", err.message);
	one = (struct change){ NULL, &kept->o };
	ok(model_commit(m, &one, 1, &err) == 0, "takes an object");
	memset(block, 'x', sizeof block);
	fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof block) > 0)
		;
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		lost[i] = new_group("lost");
		for (int k = 0; k < TAGS_PER_RESOURCE_MAX; k++) {
			char key[128];

			snprintf(key, sizeof key, "%0100d", k);
			tags_set(&lost[i]->o.tags, key, key, NULL);
		}
		changes[i] = (struct change){ NULL, &lost[i]->o };
	}
	ok(model_commit(m, changes, ARRAY_SIZE(lost), &err) < 0 && err.kind == ERROR_ENVIRONMENT, "on the full disk a change fails: %s", err.message);
	ok(strstr(err.message, "disk is full") != NULL, "and says why");
	is_str(names(m), "kept,", "the memory is as it was");
	ok(model_find(m, KIND_GROUP, lost[0]->o.id) == NULL, "nothing of the change is found");
	next = *kept;
	TEXT_COPY(next.name, "changed");
	file_unlink(filler, NULL);
	one = (struct change){ &kept->o, &next.o };
	ok(model_commit(m, &one, 1, &err) == 0, "with room again the next change works: %s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		object_free(&lost[i]->o);
	reopen(&s, &m, path);
	is_str(m ? names(m) : "", "changed,", "and the store has just that");
	model_free(m);
	store_close(s);
	umount(small);
}

static void test_strange_stores(void)
{
	AUTO_FREE char *path = file_path(NULL, "%s/strange.db", dir);
	struct error err = { 0 };
	struct store *s;

	file_write_atomic(path, "this is no database, however long it may be", 43, 0600, NULL);
	ok(store_open(path, &err) == NULL && err.kind == ERROR_ENVIRONMENT, "a file that is no store: %s", err.message);
	file_unlink(path, NULL);
	s = store_open(path, NULL);
	store_begin(s, NULL);
	store_put(s, "unicorn", "unicorn-1", "{\"id\":\"unicorn-1\"}", NULL);
	store_commit(s, NULL);
	ok(model_load(s, &err) == NULL && strstr(err.message, "unicorn"), "an object of no kind: %s", err.message);
	store_begin(s, NULL);
	store_delete(s, "unicorn-1", NULL);
	store_put(s, "sg", "sg-1", "{\"id\":\"sg-1\",\"name\":7}", NULL);
	store_commit(s, NULL);
	ok(model_load(s, &err) == NULL && strstr(err.message, "sg-1"), "a damaged object is named: %s", err.message);
	store_close(s);
	ok(store_open("/nowhere/region.db", &err) == NULL && strstr(err.message, "/nowhere/region.db"), "a missing directory: %s", err.message);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	if (unshare(CLONE_NEWNS) == 0) /* the small disk is nobody else's */
		mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	test_round_trips();
	test_reading();
	test_commits();
	test_full_disk();
	test_strange_stores();
	file_remove_tree(dir, NULL);
	return tap_done();
}
