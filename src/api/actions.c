/* All actions of all tables, and the server that serves them. */
#include "api/dispatch.h"
#include "api/server.h"
#include "lesson/lesson.h"
#include "region/event.h"

const struct action *const api_tables[] = { instance_actions, image_actions,  network_actions, group_actions,
					    tag_actions,      region_actions, guest_actions, type_actions, event_actions, lesson_actions,
					    key_actions,      rule_actions, attribute_actions, status_actions, interface_actions, address_actions, NULL };

const struct action *api_action_find(const char *name)
{
	return api_table_find(api_tables, name);
}

void api_action_each(void (*fn)(void *arg, const struct action *a), void *arg)
{
	for (const struct action *const *t = api_tables; *t; t++) {
		for (const struct action *a = *t; a->name; a++)
			fn(arg, a);
	}
}

struct api_server *api_server_start(struct region *r, const struct config *config, struct error *err)
{
	const struct api_limits limits = { .record = event_record };

	return api_server_start_with(r, config, api_tables, &limits, err);
}

void api_reference(struct buffer *out)
{
	api_reference_of(api_tables, out);
}
