/* An instance as DescribeInstances tells it (EC2 API reference, data type Instance). */
#include <string.h>

#include "region/instance.h"
#include "region/reply.h"
#include "region/types.h"

static const struct param state_members[] = { INTEGER("code"), TEXT("name"), PARAM_END };
static const struct param placement_members[] = { TEXT("availabilityZone"), TEXT("groupName"), TEXT("tenancy"), PARAM_END };
static const struct param monitoring_members[] = { TEXT("state"), PARAM_END };
static const struct param group_members[] = { TEXT("groupId"), TEXT("groupName"), PARAM_END };
static const struct param reason_members[] = { TEXT("code"), TEXT("message"), PARAM_END };
static const struct param ebs_members[] = {
	TEXT("volumeId"), TEXT("status"), TIMESTAMP("attachTime"), BOOLEAN("deleteOnTermination"), PARAM_END
};
const struct param instance_device_members[] = { TEXT("deviceName"), STRUCTURE("ebs", ebs_members), PARAM_END };
const struct param eni_association_members[] = { TEXT("publicIp"), TEXT("publicDnsName"), TEXT("ipOwnerId"), PARAM_END };
static const struct param attachment_members[] = {
	TEXT("attachmentId"), INTEGER("deviceIndex"), TEXT("status"), TIMESTAMP("attachTime"), BOOLEAN("deleteOnTermination"), PARAM_END
};
static const struct param address_members[] = {
	TEXT("privateIpAddress"), TEXT("privateDnsName"), BOOLEAN("primary"), STRUCTURE("association", eni_association_members), PARAM_END
};
static const struct param interface_members[] = {
	TEXT("networkInterfaceId"), TEXT("subnetId"), TEXT("vpcId"), TEXT("ownerId"), TEXT("status"), TEXT("macAddress"),
	TEXT("privateIpAddress"), TEXT("privateDnsName"), BOOLEAN("sourceDestCheck"), LIST("groupSet", group_members),
	STRUCTURE("attachment", attachment_members), STRUCTURE("association", eni_association_members),
	LIST("privateIpAddressesSet", address_members), TEXT("interfaceType"), PARAM_END
};
static const struct param cpu_members[] = { INTEGER("coreCount"), INTEGER("threadsPerCore"), PARAM_END };

const struct param instance_reply_members[] = {
	TEXT("instanceId"),
	TEXT("imageId"),
	STRUCTURE("instanceState", state_members),
	TEXT("privateDnsName"),
	TEXT("dnsName"),
	TEXT("reason"),
	TEXT("keyName"),
	INTEGER("amiLaunchIndex"),
	TEXT("instanceType"),
	TIMESTAMP("launchTime"),
	STRUCTURE("placement", placement_members),
	STRUCTURE("monitoring", monitoring_members),
	TEXT("subnetId"),
	TEXT("vpcId"),
	TEXT("privateIpAddress"),
	TEXT("ipAddress"),
	BOOLEAN("sourceDestCheck"),
	LIST("groupSet", group_members),
	STRUCTURE("stateReason", reason_members),
	TEXT("architecture"),
	TEXT("rootDeviceType"),
	TEXT("rootDeviceName"),
	LIST("blockDeviceMapping", instance_device_members),
	TEXT("virtualizationType"),
	TEXT("clientToken"),
	REPLY_TAGS,
	TEXT("hypervisor"),
	LIST("networkInterfaceSet", interface_members),
	BOOLEAN("ebsOptimized"),
	STRUCTURE("cpuOptions", cpu_members),
	TEXT("platformDetails"),
	TEXT("usageOperation"),
	PARAM_END,
};

void eni_put_groups(struct region *r, json_t *o, const struct eni *eni)
{
	json_t *list = put_list(o, "groupSet");

	for (int k = 0; eni && k < eni->group_count; k++) {
		const struct group *g = model_find(r->model, KIND_GROUP, eni->groups[k]);
		json_t *item = add_item(list);

		put_text(item, "groupId", eni->groups[k]);
		put_text(item, "groupName", g ? g->name : "");
	}
}

void eni_put_association(struct region *r, json_t *o, const struct eni *eni)
{
	char dns[SENTENCE_MAX];
	json_t *a;

	if (!eni->public_ip)
		return;
	a = put_structure(o, "association");
	address_public_dns(r, eni->public_ip, dns);
	put_address(a, "publicIp", eni->public_ip);
	put_text(a, "publicDnsName", dns);
	put_text(a, "ipOwnerId", address_of_eni(r, eni->o.id) ? r->config.account_id : "amazon");
}

void eni_put_private_addresses(struct region *r, json_t *o, const struct eni *eni)
{
	json_t *address = add_item(put_list(o, "privateIpAddressesSet"));
	char dns[SENTENCE_MAX];

	address_private_dns(r, eni->private_ip, dns);
	put_address(address, "privateIpAddress", eni->private_ip);
	put_text(address, "privateDnsName", dns);
	put_bool(address, "primary", true);
	eni_put_association(r, address, eni);
}

static void put_interface(struct region *r, json_t *list, const struct instance *i, const struct eni *eni)
{
	json_t *item = add_item(list), *attachment;
	char dns[SENTENCE_MAX], id[ID_MAX];

	address_private_dns(r, eni->private_ip, dns);
	put_text(item, "networkInterfaceId", eni->o.id);
	put_text(item, "subnetId", eni->subnet_id);
	put_text(item, "vpcId", eni->vpc_id);
	put_text(item, "ownerId", r->config.account_id);
	put_text(item, "status", "in-use");
	put_text(item, "macAddress", eni->mac);
	put_address(item, "privateIpAddress", eni->private_ip);
	put_text(item, "privateDnsName", dns);
	put_bool(item, "sourceDestCheck", eni->source_dest_check);
	eni_put_groups(r, item, eni);
	attachment = put_structure(item, "attachment");
	id_from_text(id, "eni-attach", eni->o.id);
	put_text(attachment, "attachmentId", id);
	put_int(attachment, "deviceIndex", 0);
	put_text(attachment, "status", i->state == STATE_PENDING ? "attaching" : "attached");
	put_time(attachment, "attachTime", eni->attach_time);
	put_bool(attachment, "deleteOnTermination", true);
	eni_put_association(r, item, eni);
	eni_put_private_addresses(r, item, eni);
	put_text(item, "interfaceType", "interface");
}

void instance_reply(struct region *r, json_t *item, const struct instance *i)
{
	const struct eni *eni = instance_eni(r, i);
	const struct image *image = image_find(r->images, i->image_id, NULL);
	char dns[SENTENCE_MAX] = "", public_dns[SENTENCE_MAX] = "";
	const char *root = image ? image->root_device : "/dev/sda1";
	json_t *o;

	if (eni)
		address_private_dns(r, eni->private_ip, dns);
	if (eni && eni->public_ip)
		address_public_dns(r, eni->public_ip, public_dns);
	put_text(item, "instanceId", i->o.id);
	put_text(item, "imageId", i->image_id);
	o = put_structure(item, "instanceState");
	put_int(o, "code", i->state);
	put_text(o, "name", instance_state_name(i->state));
	put_text(item, "privateDnsName", dns);
	put_text(item, "dnsName", public_dns);
	put_text(item, "reason", i->transition_reason);
	put_text(item, "keyName", *i->key_name ? i->key_name : NULL);
	put_int(item, "amiLaunchIndex", i->launch_index);
	put_text(item, "instanceType", i->type);
	put_time(item, "launchTime", i->launch_time);
	o = put_structure(item, "placement");
	put_text(o, "availabilityZone", i->zone);
	put_text(o, "groupName", "");
	put_text(o, "tenancy", "default");
	put_text(put_structure(item, "monitoring"), "state", "disabled");
	if (eni) {
		put_text(item, "subnetId", i->subnet_id);
		put_text(item, "vpcId", i->vpc_id);
		put_address(item, "privateIpAddress", eni->private_ip);
		put_address(item, "ipAddress", eni->public_ip);
		put_bool(item, "sourceDestCheck", eni->source_dest_check);
	}
	eni_put_groups(r, item, eni);
	if (*i->state_reason_code) {
		o = put_structure(item, "stateReason");
		put_text(o, "code", i->state_reason_code);
		put_text(o, "message", i->state_reason);
	}
	put_text(item, "architecture", image ? image->architecture : "x86_64");
	put_text(item, "rootDeviceType", "ebs");
	put_text(item, "rootDeviceName", root);
	o = put_list(item, "blockDeviceMapping");
	if (i->state != STATE_TERMINATED) {
		json_t *device = add_item(o), *ebs;

		put_text(device, "deviceName", root);
		ebs = put_structure(device, "ebs");
		put_text(ebs, "volumeId", i->volume_id);
		put_text(ebs, "status", i->state == STATE_PENDING ? "attaching" : "attached");
		put_time(ebs, "attachTime", i->launch_time);
		put_bool(ebs, "deleteOnTermination", true);
	}
	put_text(item, "virtualizationType", "hvm");
	put_text(item, "clientToken", i->client_token);
	put_tags(item, &i->o.tags);
	put_text(item, "hypervisor", "xen"); /* what EC2 answers for every type, Nitro or not */
	o = put_list(item, "networkInterfaceSet");
	if (eni)
		put_interface(r, o, i, eni);
	put_bool(item, "ebsOptimized", false);
	o = put_structure(item, "cpuOptions");
	for (const struct instance_type *t = instance_types; t->name; t++) {
		if (strcmp(t->name, i->type) == 0) {
			put_int(o, "coreCount", t->vcpus);
			put_int(o, "threadsPerCore", 1);
		}
	}
	put_text(item, "platformDetails", "Linux/UNIX");
	put_text(item, "usageOperation", "RunInstances");
}
