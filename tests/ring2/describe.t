#!/bin/bash
# What every Describe shares: ids, filters with wildcards, tags, pages; and what each shows of the fresh region.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)

# --- the fresh region ---
answers "regions" Action=DescribeRegions
is "$(x 'string(//regionName)') $(x 'string(//regionEndpoint)')" "ap-northeast-2 ec2.ap-northeast-2.amazonaws.com" "are one, Seoul"
refuses InvalidParameterValue "an unknown region" Action=DescribeRegions RegionName.1=eu-west-1
answers "zones" Action=DescribeAvailabilityZones
is "$(x 'count(//availabilityZoneInfo/item)')" 4 "are four"
is "$(x 'string(//item[4]/zoneName)') $(x 'string(//item[4]/zoneId)')" "ap-northeast-2d apne2-az4" "a to d, with their ids"
answers "a zone by its id" Action=DescribeAvailabilityZones ZoneId.1=apne2-az2
is "$(x 'count(//availabilityZoneInfo/item)') $(x 'string(//zoneName)')" "1 ap-northeast-2b" "is that zone"
answers "VPCs" Action=DescribeVpcs
is "$(x 'string(//cidrBlock)') $(x 'string(//isDefault)') $(x 'string(//state)')" "172.31.0.0/16 true available" "are the default one"
vpc=$(x 'string(//vpcId)')
like "$(x 'string(//cidrBlockAssociationSet/item/associationId)')" '^vpc-cidr-assoc-0[0-9a-f]{16}$' "its block's association has a whole id"
refuses InvalidVpcID.NotFound "an unknown VPC" Action=DescribeVpcs VpcId.1=vpc-0123456789abcdef0
answers "subnets" Action=DescribeSubnets
is "$(x 'count(//subnetSet/item)')" 4 "are one a zone"
is "$(x 'string(//item[1]/cidrBlock) ') $(x 'string(//item[4]/cidrBlock)')" "172.31.0.0/20 172.31.48.0/20" "a /20 each"
is "$(x 'string(//item[1]/availableIpAddressCount)')" 4091 "with all but five addresses free"
is "$(x 'string(//item[1]/mapPublicIpOnLaunch) ') $(x 'string(//item[1]/defaultForAz)')" "true true" "that give public addresses"
refuses InvalidSubnetID.NotFound "an unknown subnet" Action=DescribeSubnets SubnetId.1=subnet-0123456789abcdef0
answers "security groups" Action=DescribeSecurityGroups
is "$(x 'count(//securityGroupInfo/item)') $(x 'string(//groupName)')" "1 default" "are the default one"
group=$(x 'string(//groupId)')
is "$(x 'string(//groupDescription)')" "default VPC security group" "described as AWS's"
is "$(x 'count(//ipPermissions/item)') $(x 'string(//ipPermissions/item/groups/item/groupId)')" "1 $group" "that admits itself"
is "$(x 'string(//ipPermissionsEgress/item/ipRanges/item/cidrIp)')" "0.0.0.0/0" "and lets all out"
answers "images" Action=DescribeImages
is "$(x 'count(//imagesSet/item)')" 3 "are the catalogue's"
answers "by a wildcard of their name" Action=DescribeImages Owner.1=amazon Filter.1.Name=name Filter.1.Value.1="ubuntu-2?.04"
is "$(x 'count(//imagesSet/item)')" 2 "two Ubuntus"
answers "of nobody we know" Action=DescribeImages Owner.1=123456789012
is "$(x 'count(//imagesSet/item)')" 0 "are none"
refuses InvalidAMIID.Malformed "a malformed image id" Action=DescribeImages ImageId.1=ubuntu-22.04
refuses InvalidAMIID.NotFound "an unknown image" Action=DescribeImages ImageId.1=ami-0123456789abcdef0
answers "instance types" Action=DescribeInstanceTypes
is "$(x 'count(//instanceTypeSet/item)')" 14 "are t2 and t3, nano to 2xlarge"
answers "one" Action=DescribeInstanceTypes InstanceType.1=t3.xlarge
is "$(x 'string(//defaultVCpus)') $(x 'string(//sizeInMiB)')" "4 16384" "with its vCPUs and memory"
answers "the free tier's" Action=DescribeInstanceTypes Filter.1.Name=free-tier-eligible Filter.1.Value.1=true
is "$(x 'string(//instanceType)') $(x 'count(//instanceTypeSet/item)')" "t2.micro 1" "is t2.micro"
refuses InvalidInstanceType "an unknown type" Action=DescribeInstanceTypes InstanceType.1=m9.huge
answers "import tasks" Action=DescribeImportImageTasks
answers "the region's status" Action=DescribeRegionStatus
is "$(x 'string(//instances)') $(x 'string(//libvirtUri)')" "0 test:///default" "is what it runs on"

# --- instances to look at ---
n=0
tag() { echo "TagSpecification.1.Tag.$1.Key=$2" "TagSpecification.1.Tag.$1.Value=$3"; }
for name in web-1 web-2 db; do
	n=$((n + 1))
	# shellcheck disable=SC2046
	id[n]=$(launch InstanceType=t2.$([ $name = db ] && echo micro || echo nano) TagSpecification.1.ResourceType=instance \
		$(tag 1 Name $name) $(tag 2 "class" "a") $(tag 3 "order" "$n") Placement.AvailabilityZone=ap-northeast-2b)
	await "${id[n]}" running
done
api Action=StopInstances InstanceId.1="${id[3]}"
await "${id[3]}" stopped

count() { # WANT NAME FILTERS: "name=value,value" each
	local want=$1 name=$2 args=() f=0 v value values
	shift 2
	for filter in "$@"; do
		f=$((f + 1)) v=0
		args+=("Filter.$f.Name=${filter%%=*}")
		IFS=, read -ra values <<<"${filter#*=}"
		for value in "${values[@]}"; do v=$((v + 1)); args+=("Filter.$f.Value.$v=$value"); done
	done
	api Action=DescribeInstances "${args[@]}"
	[ "$STATUS" = 200 ] || diag "$CODE $MESSAGE"
	is "$(x 'count(//instancesSet/item)')" "$want" "filter: $name"
}
count 2 "a state" instance-state-name=running
count 3 "two states" instance-state-name=running,stopped
count 1 "a state by its code" instance-state-code=80
count 2 "a type" instance-type=t2.nano
count 2 "a wildcard" "tag:Name=web-*"
count 2 "a single character" "tag:Name=web-?"
count 0 "a star that is meant" "tag:Name=web-\\*"
count 0 "letters count" "tag:Name=WEB-1"
count 1 "two filters are both to hold" "tag:Name=web-*" tag:order=2
count 3 "a tag's key" tag-key=class
count 1 "a tag's value" tag-value=db
count 0 "a tag that nobody has" tag:none=x
count 3 "the VPC" "vpc-id=$vpc"
count 3 "the group's name" instance.group-name=default
count 3 "the zone" availability-zone=ap-northeast-2b
count 1 "an address" "private-ip-address=$(field "${id[1]}" privateIpAddress)"
count 1 "an id" "instance-id=${id[2]}"
count 3 "the image" "image-id=$AMI"
api Action=DescribeInstances
is "$(x 'count(//reservationSet/item/instancesSet/item)') $(x 'count(//reservationSet/item)')" "3 3" "three launches are three reservations"
refuses InvalidParameterValue "an unknown filter" Action=DescribeInstances Filter.1.Name=colour Filter.1.Value.1=green
like "$MESSAGE" colour "the sentence names it"
refuses InvalidParameterValue "a filter without values" Action=DescribeInstances Filter.1.Name=vpc-id
answers "lists numbered from 0, with gaps" Action=DescribeInstances InstanceId.0="${id[1]}" InstanceId.7="${id[2]}"
is "$(x 'count(//instancesSet/item)')" 2 "are lists"
answers "two ids and a filter" Action=DescribeInstances InstanceId.1="${id[1]}" InstanceId.2="${id[3]}" Filter.1.Name=instance-state-name Filter.1.Value.1=stopped
is "$(x 'string(//instancesSet/item/instanceId)') $(x 'count(//instancesSet/item)')" "${id[3]} 1" "are both obeyed"

# --- pages ---
answers "a page" Action=DescribeInstanceTypes MaxResults=5
seen=$(xmllint --xpath '//*[local-name()="instanceType"]/text()' "$T/body" | tr '\n' ' ')
pages=1
while token=$(x 'string(/*/nextToken)') && [ -n "$token" ] && [ $pages -lt 10 ]; do
	api Action=DescribeInstanceTypes MaxResults=5 NextToken="$token"
	seen+="$(xmllint --xpath '//*[local-name()="instanceType"]/text()' "$T/body" | tr '\n' ' ')"
	pages=$((pages + 1))
done
is "$pages" 3 "fourteen types are three pages of five"
is "$(tr ' ' '\n' <<<"$seen" | grep -c .) $(tr ' ' '\n' <<<"$seen" | sort -u | grep -c .)" "14 14" "that show each once"
refuses InvalidParameterValue "pages of four" Action=DescribeInstances MaxResults=4
refuses InvalidParameterValue "pages of 1001" Action=DescribeInstances MaxResults=1001
refuses InvalidParameterCombination "pages of named instances" Action=DescribeInstances MaxResults=5 InstanceId.1="${id[1]}"
for token in x p1- p1--1 p1-99999999999999999 "p1-5 "; do
	refuses InvalidNextToken "the token $token" Action=DescribeInstances MaxResults=5 NextToken="$token"
done
answers "a token beyond the end" Action=DescribeInstances MaxResults=5 NextToken=p1-5000
is "$(x 'count(//instancesSet/item)')" 0 "is an empty page"

# --- dry runs of what changes nothing ---
for action in DescribeInstances DescribeVpcs DescribeSubnets DescribeImages DescribeSecurityGroups DescribeInstanceTypes DescribeRegions; do
	refuses DryRunOperation "$action in a dry run" Action=$action DryRun=true
done
region_down
done_testing
