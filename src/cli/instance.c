#include "cli/instance.h"

#include <string.h>

#include "base/id.h"
#include "cli/client.h"
#include "cli/format.h"
#include "cli/suggest.h"

#define NAMES_SHOWN 8

json_t *instances_all(struct cli *cli, struct error *err)
{
	AUTO_JSON json_t *reply = client_get(cli, "DescribeInstances", err);
	AUTO_JSON json_t *all = json_array();
	size_t i, k;
	json_t *reservation, *instance;

	if (!reply)
		return NULL;
	json_array_foreach(json_object_get(reply, "reservationSet"), i, reservation)
		json_array_foreach(json_object_get(reservation, "instancesSet"), k, instance)
			json_array_append(all, instance);
	return TAKE_PTR(all);
}

const char *instance_id(const json_t *instance)
{
	return text_of(instance, "instanceId");
}

const char *instance_state(const json_t *instance)
{
	return text_of(json_object_get(instance, "instanceState"), "name");
}

bool instance_gone(const json_t *instance)
{
	const char *state = instance_state(instance);

	return strcmp(state, "terminated") == 0 || strcmp(state, "shutting-down") == 0;
}

void instance_label(char out[128], const json_t *instance)
{
	const char *name = tag_of(instance, "Name");

	if (*name)
		snprintf(out, 128, "%.80s (%.32s)", name, instance_id(instance));
	else
		snprintf(out, 128, "%.32s", instance_id(instance));
}

const json_t *instance_named(const json_t *all, const char *name, struct error *err)
{
	AUTO_BUFFER struct buffer ids = BUFFER_INIT(512);
	const json_t *found = NULL, *instance;
	size_t i, count = 0;

	json_array_foreach(all, i, instance) {
		if (instance_gone(instance) || strcmp(tag_of(instance, "Name"), name) != 0)
			continue;
		found = instance;
		if (count++ < NAMES_SHOWN)
			buffer_addf(&ids, "%s%s", ids.len ? ", " : "", instance_id(instance));
	}
	if (count <= 1)
		return found;
	error_set(err, ERROR_USAGE, "%zu instances are named %.64s; use an id: %s%s.", count, name, buffer_text(&ids),
		  count > NAMES_SHOWN ? ", ..." : "");
	return NULL;
}

static void unknown(const json_t *all, const char *name, struct error *err)
{
	AUTO_BUFFER struct buffer list = BUFFER_INIT(1024);
	const char *names[64], *guess;
	const json_t *instance;
	size_t i, live = 0, n = 0;

	json_array_foreach(all, i, instance) {
		const char *tag = tag_of(instance, "Name");

		if (instance_gone(instance))
			continue;
		if (live++ < NAMES_SHOWN)
			buffer_addf(&list, "%s%.64s", list.len ? ", " : "", *tag ? tag : instance_id(instance));
		if (*tag && n < ARRAY_SIZE(names) - 1)
			names[n++] = tag;
	}
	names[n] = NULL;
	guess = suggest(name, names);
	if (live == 0)
		error_set(err, ERROR_USAGE, "There is no instance named %.64s, nor any other that is not terminated; `vpclab up` launches one.", name);
	else if (guess)
		error_set(err, ERROR_USAGE, "There is no instance named %.64s; did you mean %.64s?", name, guess);
	else
		error_set(err, ERROR_USAGE, "There is no instance named %.64s; there is %s%s.", name, buffer_text(&list),
			  live > NAMES_SHOWN ? ", ..." : "");
}

const json_t *instance_pick(const json_t *all, const char *name, struct error *err)
{
	const json_t *instance;
	struct error several = { 0 };
	size_t i;

	json_array_foreach(all, i, instance)
		if (strcmp(instance_id(instance), name) == 0)
			return instance;
	instance = instance_named(all, name, &several);
	if (instance)
		return instance;
	if (several.kind != ERROR_NONE) {
		if (err)
			*err = several;
	} else if (id_well_formed(name, "i")) {
		error_set_code(err, ERROR_USAGE, "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", name);
	} else {
		unknown(all, name, err);
	}
	return NULL;
}

json_t *instance_get(struct cli *cli, const char *name, struct error *err)
{
	AUTO_JSON json_t *all = instances_all(cli, err);
	const json_t *found = all ? instance_pick(all, name, err) : NULL;

	return found ? json_incref((json_t *)(uintptr_t)found) : NULL;
}

json_t *instance_get_default(struct cli *cli, const struct arguments *a, struct error *err)
{
	AUTO_JSON json_t *all = NULL;
	const json_t *instance, *only = NULL;
	size_t i, live = 0;

	if (a->word_count)
		return instance_get(cli, a->words[0], err);
	all = instances_all(cli, err);
	if (!all)
		return NULL;
	json_array_foreach(all, i, instance) {
		if (instance_gone(instance))
			continue;
		only = instance;
		live++;
	}
	if (live != 1)
		only = instance_pick(all, NAME_DEFAULT, err);
	return only ? json_incref((json_t *)(uintptr_t)only) : NULL;
}
