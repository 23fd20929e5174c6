/* Regions, zones, VPCs and subnets as they are described. */
#include <stdio.h>
#include <string.h>

#include "region/internal.h"
#include "region/reply.h"

#define RESERVED_PER_SUBNET 5

/* A list of ids: each must be well formed and name one of them; then only those are kept. */
static int pick(const json_t *ids, json_t *items, const char *key, const char *code, const char *what, json_t **ret, struct error *err)
{
	json_t *picked, *item;
	const json_t *v;
	size_t i, k;

	if (!ids) {
		*ret = items;
		return 0;
	}
	picked = json_array();
	json_array_foreach(ids, i, v)
	{
		bool found = false;

		json_array_foreach(items, k, item)
		{
			if (strcmp(in_text(item, key), json_string_value(v)) == 0) {
				json_array_append(picked, item);
				found = true;
			}
		}
		if (!found) {
			json_decref(picked);
			json_decref(items);
			return error_set_code(err, ERROR_USAGE, code, "The %s '%.64s' does not exist", what, json_string_value(v));
		}
	}
	json_decref(items);
	*ret = picked;
	return 0;
}

static const struct param regions_params[] = { TEXTS("RegionName"), BOOLEAN("AllRegions"), PARAM_FILTERS, PARAM_END };
static const struct param region_members[] = { TEXT("regionName"), TEXT("regionEndpoint"), TEXT("optInStatus"), PARAM_END };
static const struct param regions_reply[] = { LIST("regionInfo", region_members), PARAM_END };
static const struct filter_path region_filters[] = {
	{ "region-name", "regionName" }, { "endpoint", "regionEndpoint" }, { "opt-in-status", "optInStatus" }, { NULL, NULL }
};

static int describe_regions(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	json_t *items = json_array(), *item = add_item(items);
	char endpoint[SENTENCE_MAX];

	(void)caller;
	snprintf(endpoint, sizeof endpoint, "ec2.%.64s.amazonaws.com", r->config.region);
	put_text(item, "regionName", r->config.region);
	put_text(item, "regionEndpoint", endpoint);
	put_text(item, "optInStatus", "opt-in-not-required");
	if (pick(json_object_get(in, "RegionName"), items, "regionName", "InvalidParameterValue", "region", &items,
		 err) < 0)
		return -1;
	return describe_finish(in, out, "regionInfo", items, region_filters, false, err);
}

static const struct param zones_params[] = {
	TEXTS("ZoneName"), TEXTS("ZoneId"), BOOLEAN("AllAvailabilityZones"), PARAM_FILTERS, PARAM_END
};
static const struct param zone_members[] = {
	TEXT("zoneState"), TEXT("optInStatus"), TEXT("regionName"), TEXT("zoneName"), TEXT("zoneId"),
	TEXT("groupName"), TEXT("networkBorderGroup"), TEXT("zoneType"), PARAM_END
};
static const struct param zones_reply[] = { LIST("availabilityZoneInfo", zone_members), PARAM_END };
static const struct filter_path zone_filters[] = {
	{ "state", "zoneState" },     { "zone-name", "zoneName" },   { "zone-id", "zoneId" },
	{ "region-name", "regionName" }, { "group-name", "groupName" }, { "zone-type", "zoneType" },
	{ "opt-in-status", "optInStatus" }, { NULL, NULL }
};

/* "apne2-az1": AWS's short form of the region's name, words cut to their first letters and the number kept. */
static void zone_id(const char *region, unsigned number, char out[WORD_MAX])
{
	static const struct {
		const char *word, *letters;
	} cut[] = { { "northeast", "ne" }, { "southeast", "se" }, { "northwest", "nw" }, { "southwest", "sw" }, { "north", "n" },
		    { "south", "s" },	   { "east", "e" },	  { "west", "w" },	 { "central", "c" } };
	char copy[CONFIG_VALUE_MAX], *save = NULL;
	size_t used = 0;

	snprintf(copy, sizeof copy, "%s", region);
	for (char *word = strtok_r(copy, "-", &save); word && used + 16 < WORD_MAX; word = strtok_r(NULL, "-", &save)) {
		const char *letters = word;

		for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
			if (strcmp(word, cut[i].word) == 0)
				letters = cut[i].letters;
		used += (size_t)snprintf(out + used, WORD_MAX - used, "%.10s", letters);
	}
	snprintf(out + used, WORD_MAX - used, "-az%u", number);
}

static int describe_zones(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	json_t *items = json_array();

	(void)caller;
	for (unsigned i = 0; i < CONFIG_ZONES; i++) {
		json_t *item = add_item(items);
		char name[WORD_MAX], id[WORD_MAX];

		snprintf(name, sizeof name, "%.60s%c", r->config.region, 'a' + (char)i);
		zone_id(r->config.region, i + 1, id);
		put_text(item, "zoneState", "available");
		put_text(item, "optInStatus", "opt-in-not-required");
		put_text(item, "regionName", r->config.region);
		put_text(item, "zoneName", name);
		put_text(item, "zoneId", id);
		put_text(item, "groupName", r->config.region);
		put_text(item, "networkBorderGroup", r->config.region);
		put_text(item, "zoneType", "availability-zone");
	}
	if (pick(json_object_get(in, "ZoneName"), items, "zoneName", "InvalidParameterValue", "Availability Zone", &items,
		 err) < 0 ||
	    pick(json_object_get(in, "ZoneId"), items, "zoneId", "InvalidParameterValue", "Availability Zone id", &items,
		 err) < 0)
		return -1;
	return describe_finish(in, out, "availabilityZoneInfo", items, zone_filters, false, err);
}

static const struct param vpcs_params[] = { TEXTS("VpcId"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param cidr_state_members[] = { TEXT("state"), PARAM_END };
static const struct param cidr_association_members[] = {
	TEXT("associationId"), TEXT("cidrBlock"), STRUCTURE("cidrBlockState", cidr_state_members), PARAM_END
};
static const struct param vpc_members[] = {
	TEXT("vpcId"), TEXT("ownerId"), TEXT("state"), TEXT("cidrBlock"),
	LIST("cidrBlockAssociationSet", cidr_association_members), TEXT("dhcpOptionsId"), TEXT("instanceTenancy"),
	BOOLEAN("isDefault"), REPLY_TAGS, PARAM_END
};
static const struct param vpcs_reply[] = { LIST("vpcSet", vpc_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path vpc_filters[] = {
	{ "vpc-id", "vpcId" },         { "state", "state" }, { "cidr", "cidrBlock" }, { "cidr-block-association.cidr-block", "cidrBlockAssociationSet/cidrBlock" },
	{ "isDefault", "isDefault" },  { "is-default", "isDefault" }, { "owner-id", "ownerId" }, { "dhcp-options-id", "dhcpOptionsId" },
	{ NULL, NULL }
};

static int describe_vpcs(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	json_t *items = json_array();

	(void)caller;
	region_lock(r);
	for (size_t i = 0; i < model_count(r->model, KIND_VPC); i++) {
		const struct vpc *v = model_at(r->model, KIND_VPC, i);
		json_t *item = add_item(items), *association;
		char id[ID_MAX];

		put_text(item, "vpcId", v->o.id);
		put_text(item, "ownerId", r->config.account_id);
		put_text(item, "state", "available");
		put_cidr(item, "cidrBlock", v->cidr);
		association = add_item(put_list(item, "cidrBlockAssociationSet"));
		id_from_text(id, "vpc-cidr-assoc", v->o.id);
		put_text(association, "associationId", id);
		put_cidr(association, "cidrBlock", v->cidr);
		put_text(put_structure(association, "cidrBlockState"), "state", "associated");
		id_from_text(id, "dopt", r->config.region);
		put_text(item, "dhcpOptionsId", id);
		put_text(item, "instanceTenancy", "default");
		put_bool(item, "isDefault", v->is_default);
		put_tags(item, &v->o.tags);
	}
	region_unlock(r);
	if (pick(json_object_get(in, "VpcId"), items, "vpcId", "InvalidVpcID.NotFound", "vpc ID", &items, err) < 0)
		return -1;
	return describe_finish(in, out, "vpcSet", items, vpc_filters, json_object_get(in, "VpcId") != NULL, err);
}

static const struct param subnets_params[] = { TEXTS("SubnetId"), PARAM_FILTERS, PARAM_PAGES, PARAM_END };
static const struct param subnet_members[] = {
	TEXT("subnetId"), TEXT("subnetArn"), TEXT("state"), TEXT("ownerId"), TEXT("vpcId"), TEXT("cidrBlock"),
	INTEGER("availableIpAddressCount"), TEXT("availabilityZone"), TEXT("availabilityZoneId"), BOOLEAN("defaultForAz"),
	BOOLEAN("mapPublicIpOnLaunch"), BOOLEAN("assignIpv6AddressOnCreation"), REPLY_TAGS, PARAM_END
};
static const struct param subnets_reply[] = { LIST("subnetSet", subnet_members), TEXT("nextToken"), PARAM_END };
static const struct filter_path subnet_filters[] = {
	{ "subnet-id", "subnetId" },
	{ "vpc-id", "vpcId" },
	{ "state", "state" },
	{ "cidr-block", "cidrBlock" },
	{ "cidrBlock", "cidrBlock" },
	{ "cidr", "cidrBlock" },
	{ "availability-zone", "availabilityZone" },
	{ "availabilityZone", "availabilityZone" },
	{ "availability-zone-id", "availabilityZoneId" },
	{ "default-for-az", "defaultForAz" },
	{ "defaultForAz", "defaultForAz" },
	{ "map-public-ip-on-launch", "mapPublicIpOnLaunch" },
	{ "available-ip-address-count", "availableIpAddressCount" },
	{ "owner-id", "ownerId" },
	{ "subnet-arn", "subnetArn" },
	{ NULL, NULL }
};

static int64_t free_addresses(struct region *r, const struct subnet *s)
{
	int64_t n = (int64_t)cidr_size(s->cidr) - RESERVED_PER_SUBNET;

	for (size_t i = 0; i < model_count(r->model, KIND_ENI); i++)
		n -= strcmp(((const struct eni *)model_at(r->model, KIND_ENI, i))->subnet_id, s->o.id) == 0;
	return n;
}

static int describe_subnets(struct region *r, const struct caller *caller, const json_t *in, json_t *out, struct error *err)
{
	json_t *items = json_array();

	(void)caller;
	region_lock(r);
	for (size_t i = 0; i < model_count(r->model, KIND_SUBNET); i++) {
		const struct subnet *s = model_at(r->model, KIND_SUBNET, i);
		json_t *item = add_item(items);
		char arn[SENTENCE_MAX], id[WORD_MAX];
		size_t len = strlen(s->zone);

		put_text(item, "subnetId", s->o.id);
		snprintf(arn, sizeof arn, "arn:aws:ec2:%.64s:%.12s:subnet/%s", r->config.region, r->config.account_id, s->o.id);
		put_text(item, "subnetArn", arn);
		put_text(item, "state", "available");
		put_text(item, "ownerId", r->config.account_id);
		put_text(item, "vpcId", s->vpc_id);
		put_cidr(item, "cidrBlock", s->cidr);
		put_int(item, "availableIpAddressCount", free_addresses(r, s));
		put_text(item, "availabilityZone", s->zone);
		zone_id(r->config.region, len ? (unsigned)(s->zone[len - 1] - 'a') + 1 : 0, id);
		put_text(item, "availabilityZoneId", id);
		put_bool(item, "defaultForAz", s->default_for_az);
		put_bool(item, "mapPublicIpOnLaunch", s->map_public_ip);
		put_bool(item, "assignIpv6AddressOnCreation", false);
		put_tags(item, &s->o.tags);
	}
	region_unlock(r);
	if (pick(json_object_get(in, "SubnetId"), items, "subnetId", "InvalidSubnetID.NotFound", "subnet ID",
		 &items, err) < 0)
		return -1;
	return describe_finish(in, out, "subnetSet", items, subnet_filters, json_object_get(in, "SubnetId") != NULL, err);
}

const struct action network_actions[] = {
	{ "DescribeRegions", "ec2", "Lists the one region that this machine is.", regions_params, regions_reply, false, describe_regions },
	{ "DescribeAvailabilityZones", "ec2", "Lists the region's Availability Zones.", zones_params, zones_reply, false, describe_zones },
	{ "DescribeVpcs", "ec2", "Lists the VPCs.", vpcs_params, vpcs_reply, false, describe_vpcs },
	{ "DescribeSubnets", "ec2", "Lists the subnets with their free addresses.", subnets_params, subnets_reply, false, describe_subnets },
	{ NULL, NULL, NULL, NULL, NULL, false, NULL },
};
