/* The event log: what of a call is kept and what is not, the table with its cap, and a store of the version before it. */
#include "tap.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "region/event.h"
#include "region/reply.h"
#include "region/store.h"

static const struct param data_members[] = { { "Data", PARAM_STRING, 0, NULL, false, NULL }, PARAM_END };
static const struct param range_members[] = { TEXT("CidrIp"), PARAM_END };
static const struct param permission[] = { INTEGER("FromPort"), LIST("IpRanges", range_members), PARAM_END };
static const struct param params[] = {
	TEXT("InstanceId"), BOOLEAN("Force"), LIST("IpPermissions", permission), TEXTS("SecurityGroupId"),
	{ "Blob", PARAM_BLOB, 0, NULL, false, NULL }, TEXT("SSHPublicKey"), STRUCTURE("UserData", data_members),
	TEXT("Description"), PARAM_END,
};

static const char *value_of(const json_t *entry, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(entry, "parameterSet"), i, item)
	{
		if (strcmp(in_text(item, "name"), name) == 0)
			return in_text(item, "value");
	}
	return "(absent)";
}

static void test_parameters(void)
{
	json_t *entry = json_object(), *long_text = json_object(), *many = json_object(), *list = json_array();
	json_t *in = json_pack("{s:s, s:b, s:[{s:i, s:[{s:s}]}], s:[s,s], s:s, s:{s:s}}", "InstanceId", "i-0123456789abcdef0", "Force", 1,
			       "IpPermissions", "FromPort", 8000, "IpRanges", "CidrIp", "0.0.0.0/0", "SecurityGroupId", "a", "b", "Blob",
			       "aGlkZGVu", "UserData", "Data", "password: hunter2");
	char text[400];
	char *dump;

	event_parameters(entry, params, in);
	is_str(value_of(entry, "InstanceId"), "i-0123456789abcdef0", "a string");
	is_str(value_of(entry, "Force"), "true", "a boolean");
	is_str(value_of(entry, "IpPermissions.1.FromPort"), "8000", "a number in a list's structure, named as on the wire");
	is_str(value_of(entry, "IpPermissions.1.IpRanges.1.CidrIp"), "0.0.0.0/0", "and deeper");
	is_str(value_of(entry, "SecurityGroupId.2"), "b", "a list of strings");
	is_str(value_of(entry, "Blob"), "(8 bytes, not kept)", "a blob is left out");
	is_str(value_of(entry, "UserData.Data"), "(17 bytes, not kept)", "so is user data of any type");
	dump = json_dumps(entry, 0);
	ok(!strstr(dump, "hunter2") && !strstr(dump, "aGlkZGVu"), "no secret is anywhere in it");
	free(dump);

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	memcpy(text + EVENT_VALUE_MAX - 1, "웹", 3); /* would be cut within */
	json_object_set_new(long_text, "Description", json_string(text));
	event_parameters(long_text, params, long_text);
	ok(strlen(value_of(long_text, "Description")) < EVENT_VALUE_MAX + 48 && strstr(value_of(long_text, "Description"), "(399 bytes)"),
	   "a long value is cut, between characters: %s", value_of(long_text, "Description"));

	for (int i = 0; i < 500; i++)
		json_array_append_new(list, json_string("sg"));
	json_object_set_new(many, "SecurityGroupId", list);
	event_parameters(many, params, many);
	is_int((long long)json_array_size(json_object_get(many, "parameterSet")), EVENT_PARAMETERS_MAX, "no more than there is room for");
	is_str(value_of(many, "..."), "and more", "which is said");
	json_decref(entry);
	json_decref(long_text);
	json_decref(many);
	json_decref(in);

	entry = json_object();
	event_parameters(entry, params, NULL);
	is_int((long long)json_array_size(json_object_get(entry, "parameterSet")), 0, "a call that was not understood has none");
	json_decref(entry);
}

static void test_resources(void)
{
	json_t *entry = json_object(), *in = json_pack("{s:[s,s,s]}", "InstanceId", "i-0123456789abcdef0", "web", "i-0123456789ABCDEF0");
	json_t *out = json_pack("{s:[{s:s, s:s, s:s, s:i}]}", "set", "groupId", "sg-0123456789abcdef0", "again", "i-0123456789abcdef0", "x",
				"subnet-cidr-assoc-0123456789abcdef0", "n", 1);
	char *dump;

	event_resources(entry, in, out);
	dump = json_dumps(json_object_get(entry, "resourceSet"), JSON_COMPACT);
	is_str(dump, "[\"i-0123456789abcdef0\",\"sg-0123456789abcdef0\",\"subnet-cidr-assoc-0123456789abcdef0\"]",
	       "ids of the request and of the reply, each once, and nothing else");
	free(dump);
	json_decref(entry);
	json_decref(in);
	json_decref(out);
}

struct seen {
	int count;
	int64_t first, last;
	char body[32];
};

static int see(void *arg, int64_t sequence, const char *body, struct error *err)
{
	struct seen *s = arg;

	(void)err;
	s->first = s->count++ ? s->first : sequence;
	s->last = sequence;
	snprintf(s->body, sizeof s->body, "%s", body);
	return 0;
}

static int see_object(void *arg, const char *kind, const char *id, const char *body, struct error *err)
{
	(void)err;
	snprintf(arg, 64, "%s %s %s", kind, id, body);
	return 0;
}

static void test_store(const char *path)
{
	struct error err = { 0 };
	struct store *s = store_open(path, &err);
	struct seen seen = { 0 };
	char body[32], object[64] = "";
	int failed = 0;

	ok(s != NULL, "a store of version 1 is opened: %s", err.message);
	ok(store_each(s, see_object, object, &err) == 0, "its documents are read");
	is_str(object, "vpc vpc-1 {}", "and are what they were");
	for (int i = 1; i <= 25; i++) {
		snprintf(body, sizeof body, "{\"n\":%d}", i);
		failed += store_event_add(s, body, 10, &err) < 0;
	}
	is_int(failed, 0, "events are added");
	ok(store_event_each(s, 0, see, &seen, &err) == 0, "and read");
	is_int(seen.count, 10, "the newest ten are kept");
	is_int(seen.first, 16, "the oldest of them");
	is_str(seen.body, "{\"n\":25}", "the newest is last");
	store_close(s);

	s = store_open(path, &err);
	memset(&seen, 0, sizeof seen);
	ok(s && store_event_each(s, 23, see, &seen, &err) == 0 && seen.count == 2, "they are there after a new start, and read from one on");
	ok(store_event_add(s, "{}", 10, &err) == 0 && (memset(&seen, 0, sizeof seen), store_event_each(s, 0, see, &seen, &err)) == 0,
	   "one more");
	is_int(seen.last, 26, "sequences go on");
	store_close(s);
}

int main(void)
{
	char dir[] = "/tmp/vpclab-event.XXXXXX";
	AUTO_FREE char *path = NULL;
	sqlite3 *db = NULL;

	test_parameters();
	test_resources();
	if (!mkdtemp(dir))
		return 1;
	path = file_path(NULL, "%s/region.db", dir);
	/* as version 1 wrote it */
	ok(sqlite3_open(path, &db) == SQLITE_OK &&
		   sqlite3_exec(db,
				"CREATE TABLE object (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
				" body TEXT NOT NULL); INSERT INTO object (id, kind, body) VALUES ('vpc-1', 'vpc', '{}');"
				" PRAGMA user_version = 1",
				NULL, NULL, NULL) == SQLITE_OK,
	   "a store of version 1");
	sqlite3_close(db);
	test_store(path);
	file_remove_tree(dir, NULL);
	return tap_done();
}
