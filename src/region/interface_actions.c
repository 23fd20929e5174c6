/* Network interfaces, which live and die with their instances. */
#include <string.h>

#include "region/instance.h"
#include "region/reply.h"

static const struct param group_members[] = { TEXT("groupId"), TEXT("groupName"), PARAM_END };
static const struct param attachment_members[] = {
	TEXT("attachmentId"), TEXT("instanceId"), TEXT("instanceOwnerId"), INTEGER("deviceIndex"), TEXT("status"), TIMESTAMP("attachTime"),
	BOOLEAN("deleteOnTermination"), PARAM_END
};
static const struct param address_members[] = {
	TEXT("privateIpAddress"), TEXT("privateDnsName"), BOOLEAN("primary"), STRUCTURE("association", eni_association_members), PARAM_END
};
static const struct param interface_members[] = {
	TEXT("networkInterfaceId"), TEXT("subnetId"), TEXT("vpcId"), TEXT("availabilityZone"), TEXT("description"), TEXT("ownerId"),
	BOOLEAN("requesterManaged"), TEXT("status"), TEXT("macAddress"), TEXT("privateIpAddress"), TEXT("privateDnsName"),
	BOOLEAN("sourceDestCheck"), LIST("groupSet", group_members), STRUCTURE("attachment", attachment_members),
	STRUCTURE("association", eni_association_members), REPLY_TAGS, LIST("privateIpAddressesSet", address_members), TEXT("interfaceType"),
	PARAM_END
};
static const struct param describe_params[] = { TEXTS("NetworkInterfaceId"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param describe_reply[] = { LIST("networkInterfaceSet", interface_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path interface_filters[] = {
	{ "network-interface-id", "networkInterfaceId" },
	{ "subnet-id", "subnetId" },
	{ "vpc-id", "vpcId" },
	{ "availability-zone", "availabilityZone" },
	{ "description", "description" },
	{ "owner-id", "ownerId" },
	{ "requester-managed", "requesterManaged" },
	{ "status", "status" },
	{ "mac-address", "macAddress" },
	{ "private-ip-address", "privateIpAddress" },
	{ "private-dns-name", "privateDnsName" },
	{ "source-dest-check", "sourceDestCheck" },
	{ "interface-type", "interfaceType" },
	{ "group-id", "groupSet/groupId" },
	{ "group-name", "groupSet/groupName" },
	{ "attachment.attachment-id", "attachment/attachmentId" },
	{ "attachment.instance-id", "attachment/instanceId" },
	{ "attachment.instance-owner-id", "attachment/instanceOwnerId" },
	{ "attachment.device-index", "attachment/deviceIndex" },
	{ "attachment.status", "attachment/status" },
	{ "attachment.attach-time", "attachment/attachTime" },
	{ "attachment.delete-on-termination", "attachment/deleteOnTermination" },
	{ "association.public-ip", "association/publicIp" },
	{ "association.public-dns-name", "association/publicDnsName" },
	{ "association.ip-owner-id", "association/ipOwnerId" },
	{ "addresses.private-ip-address", "privateIpAddressesSet/privateIpAddress" },
	{ "addresses.primary", "privateIpAddressesSet/primary" },
	{ "addresses.association.public-ip", "privateIpAddressesSet/association/publicIp" },
	{ NULL, NULL },
};

static void put_interface(struct region *r, json_t *item, const struct eni *eni)
{
	const struct subnet *s = model_find(r->model, KIND_SUBNET, eni->subnet_id);
	const struct instance *i = model_find(r->model, KIND_INSTANCE, eni->instance_id);
	char dns[SENTENCE_MAX], id[ID_MAX];
	json_t *o;

	address_private_dns(r, eni->private_ip, dns);
	put_text(item, "networkInterfaceId", eni->o.id);
	put_text(item, "subnetId", eni->subnet_id);
	put_text(item, "vpcId", eni->vpc_id);
	put_text(item, "availabilityZone", s ? s->zone : NULL);
	put_text(item, "description", "");
	put_text(item, "ownerId", r->config.account_id);
	put_bool(item, "requesterManaged", false);
	put_text(item, "status", "in-use");
	put_text(item, "macAddress", eni->mac);
	put_address(item, "privateIpAddress", eni->private_ip);
	put_text(item, "privateDnsName", dns);
	put_bool(item, "sourceDestCheck", eni->source_dest_check);
	eni_put_groups(r, item, eni);
	o = put_structure(item, "attachment");
	id_from_text(id, "eni-attach", eni->o.id);
	put_text(o, "attachmentId", id);
	put_text(o, "instanceId", eni->instance_id);
	put_text(o, "instanceOwnerId", r->config.account_id);
	put_int(o, "deviceIndex", 0);
	put_text(o, "status", i && i->state == STATE_PENDING ? "attaching" : "attached");
	put_time(o, "attachTime", eni->attach_time);
	put_bool(o, "deleteOnTermination", true);
	eni_put_association(r, item, eni);
	put_tags(item, &eni->o.tags);
	eni_put_private_addresses(r, item, eni);
	put_text(item, "interfaceType", "interface");
}

static int check_found(struct region *r, const json_t *ids, struct error *err)
{
	const json_t *v;
	size_t i;

	json_array_foreach(ids, i, v)
	{
		const char *id = json_string_value(v);

		if (!id_well_formed(id, "eni"))
			return error_set_code(err, ERROR_USAGE, "InvalidNetworkInterfaceId.Malformed", "Invalid id: \"%.64s\" (expecting \"eni-...\")",
					      id);
		if (!model_find(r->model, KIND_ENI, id))
			return error_set_code(err, ERROR_USAGE, "InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%.64s' does not exist",
					      id);
	}
	return 0;
}

static int describe_interfaces(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	const json_t *ids = json_object_get(in, "NetworkInterfaceId");
	json_t *items = json_array();
	int rc;

	(void)caller;
	region_lock(r);
	rc = check_found(r, ids, err);
	for (size_t i = 0; rc == 0 && i < model_count(r->model, KIND_ENI); i++) {
		const struct eni *eni = model_at(r->model, KIND_ENI, i);

		if (!ids || in_list(ids, eni->o.id))
			put_interface(r, add_item(items), eni);
	}
	region_unlock(r);
	if (rc < 0) {
		json_decref(items);
		return -1;
	}
	return describe_finish(in, out, "networkInterfaceSet", items, interface_filters, ids != NULL, err);
}

const struct action interface_actions[] = {
	{ "DescribeNetworkInterfaces", "ec2", "Lists network interfaces: each instance has one.", describe_params, describe_reply, false,
	  describe_interfaces },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
