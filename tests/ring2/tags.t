#!/bin/bash
# CreateTags, DescribeTags, DeleteTags: on every kind of resource, overwriting, EC2's limits.
. "$(dirname "$0")/../lib.sh"
region_up
id=$(launch)
await "$id" running
eni=$(field "$id" networkInterfaceSet/item/networkInterfaceId)
api Action=DescribeVpcs
vpc=$(x 'string(//vpcId)')
api Action=DescribeSubnets
subnet=$(x 'string(//subnetId)')
api Action=CreateSecurityGroup GroupName=web GroupDescription=x
group=$(x 'string(//groupId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$group" IpProtocol=tcp FromPort=1 ToPort=1 CidrIp=10.0.0.0/8
rule=$(x 'string(//securityGroupRuleId)')

answers "one tag on all kinds at once" Action=CreateTags ResourceId.1="$id" ResourceId.2="$vpc" ResourceId.3="$subnet" ResourceId.4="$group" \
	ResourceId.5="$rule" ResourceId.6="$eni" Tag.1.Key=course Tag.1.Value=클라우드
is "$(x 'string(//return)')" true "answers true"
is "$(field "$id" tagSet/item/value)" 클라우드 "the instance has it"
api Action=DescribeVpcs Filter.1.Name=tag:course Filter.1.Value.1=클라우드
is "$(x 'string(//vpcId)')" "$vpc" "the VPC is found by it"
api Action=DescribeSubnets Filter.1.Name=tag-key Filter.1.Value.1=course
is "$(x 'count(//subnetSet/item)') $(x 'string(//subnetId)')" "1 $subnet" "the subnet too"
api Action=DescribeSecurityGroups Filter.1.Name=tag:course Filter.1.Value.1='클*'
is "$(x 'string(//groupId)')" "$group" "and the group"
answers "lists numbered from 0" Action=CreateTags ResourceId.0="$id" Tag.0.Key=course Tag.0.Value=other
is "$(field "$id" tagSet/item/value)" other "overwrite as well"
answers "a tag without a value" Action=CreateTags ResourceId.1="$id" Tag.1.Key=bare
is "$(x 'string(//return)')" true "is a tag"
api Action=DescribeInstances InstanceId.1="$id" Filter.1.Name=tag:bare Filter.1.Value.1=
is "$(x 'count(//instancesSet/item)')" 1 "and found by its empty value"
answers "Name is a tag" Action=CreateTags ResourceId.1="$id" Tag.1.Key=Name Tag.1.Value=web
run vpclab show web
is "$STATUS" 0 "by which the verbs know the instance"

refuses InvalidInstanceID.NotFound "an unknown instance" Action=CreateTags ResourceId.1=i-0123456789abcdef0 Tag.1.Key=a Tag.1.Value=b
refuses InvalidGroup.NotFound "an unknown group" Action=CreateTags ResourceId.1="$id" ResourceId.2=sg-0123456789abcdef0 Tag.1.Key=half Tag.1.Value=done
is "$(field "$id" 'tagSet/item[key="half"]/value')" "" "and nothing is half done"
refuses InvalidID "no id at all" Action=CreateTags ResourceId.1=web Tag.1.Key=a Tag.1.Value=b
refuses MissingParameter "no resource" Action=CreateTags Tag.1.Key=a
refuses MissingParameter "no tag" Action=CreateTags ResourceId.1="$id"
refuses MissingParameter "a tag without a key" Action=CreateTags ResourceId.1="$id" Tag.1.Value=b
refuses InvalidParameterValue "an empty key" Action=CreateTags ResourceId.1="$id" Tag.1.Key= Tag.1.Value=b
refuses InvalidParameterValue "a key of 128 characters" Action=CreateTags ResourceId.1="$id" Tag.1.Key="$(printf '가%.0s' {1..128})" Tag.1.Value=b
answers "a key of 127" Action=CreateTags ResourceId.1="$id" Tag.1.Key="$(printf '가%.0s' {1..127})" Tag.1.Value=b
refuses InvalidParameterValue "a value of 256" Action=CreateTags ResourceId.1="$id" Tag.1.Key=long Tag.1.Value="$(printf '가%.0s' {1..256})"
answers "a value of 255" Action=CreateTags ResourceId.1="$id" Tag.1.Key=long Tag.1.Value="$(printf '가%.0s' {1..255})"
refuses InvalidParameterValue "a key of AWS's own" Action=CreateTags ResourceId.1="$id" Tag.1.Key=aws:mine Tag.1.Value=b
refuses DryRunOperation "a dry run" Action=CreateTags ResourceId.1="$id" Tag.1.Key=dry Tag.1.Value=b DryRun=true
have=$(field "$id" 'tagSet/item[key="dry"]/key')$(x 'count(//instancesSet/item/tagSet/item)')
is "$have" 5 "tags nothing"
args=()
for n in {6..50}; do args+=("Tag.$n.Key=k$n" "Tag.$n.Value=v"); done
answers "fifty tags" Action=CreateTags ResourceId.1="$id" "${args[@]}"
refuses TagLimitExceeded "one more" Action=CreateTags ResourceId.1="$id" Tag.1.Key=k51 Tag.1.Value=v
answers "but one of them anew" Action=CreateTags ResourceId.1="$id" Tag.1.Key=k50 Tag.1.Value=w
refuses InvalidParameterValue "a resource that is named twice" Action=CreateTags ResourceId.1="$id" ResourceId.2="$id" Tag.1.Key=k50 Tag.1.Value=w
refuses MissingParameter "tags at a launch without what they are for" Action=RunInstances ImageId="$(image)" MinCount=1 MaxCount=1 \
	TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=x

# --- describing ---
api Action=CreateSecurityGroup GroupName=tagged GroupDescription=x
group=$(x 'string(//groupId)')
api Action=CreateTags ResourceId.1="$group" ResourceId.2="$eni" Tag.1.Key=team Tag.1.Value=빨강 Tag.2.Key=stage Tag.2.Value=
answers "all tags" Action=DescribeTags
like "$(x 'count(//tagSet/item)')" '^[0-9]{2,}$' "are many"
answers "of one resource" Action=DescribeTags Filter.1.Name=resource-id Filter.1.Value.1="$group"
is "$(x 'count(//tagSet/item)')" 2 "are its two"
is "$(x 'string(//tagSet/item[1]/resourceId)') $(x 'string(//tagSet/item[1]/resourceType)') $(x 'string(//tagSet/item[1]/key)') $(x 'string(//tagSet/item[1]/value)')" \
	"$group security-group team 빨강" "each with what it belongs to"
is "$(x 'count(//tagSet//tagSet)')" 0 "and nothing else"
answers "by type and key" Action=DescribeTags Filter.1.Name=resource-type Filter.1.Value.1=network-interface Filter.2.Name=key Filter.2.Value.1='te*'
is "$(x 'count(//tagSet/item)') $(x 'string(//resourceId)')" "1 $eni" "is one"
answers "by value, even an empty one" Action=DescribeTags Filter.1.Name=value Filter.1.Value.1= Filter.2.Name=resource-id Filter.2.Value.1="$group"
is "$(x 'count(//tagSet/item)') $(x 'string(//key)')" "1 stage" "is one"
answers "by tag:KEY" Action=DescribeTags Filter.1.Name=tag:team Filter.1.Value.1=빨강
is "$(x 'count(//tagSet/item)')" 2 "are two"
answers "a page" Action=DescribeTags MaxResults=5 Filter.1.Name=resource-id Filter.1.Value.1="$id"
is "$(x 'count(//tagSet/item)')" 5 "of five"
token=$(x 'string(//nextToken)')
first=$(x 'string(//tagSet/item[1]/key)')
answers "the next" Action=DescribeTags MaxResults=5 NextToken="$token" Filter.1.Name=resource-id Filter.1.Value.1="$id"
isnt "$(x 'string(//tagSet/item[1]/key)')" "$first" "is another"
refuses InvalidParameterValue "a page of four" Action=DescribeTags MaxResults=4
refuses InvalidParameterValue "an unknown filter" Action=DescribeTags Filter.1.Name=colour Filter.1.Value.1=red

# --- deleting ---
tags() { api Action=DescribeTags Filter.1.Name=resource-id Filter.1.Value.1="$1"; xmllint --xpath '//*[local-name()="key"]/text()' "$T/body" 2>/dev/null | sort | tr '\n' ' '; }
refuses DryRunOperation "a dry run" Action=DeleteTags ResourceId.1="$group" Tag.1.Key=team DryRun=true
answers "a tag with another value" Action=DeleteTags ResourceId.1="$group" Tag.1.Key=team Tag.1.Value=blue
is "$(x 'string(//return)')" true "answers true"
answers "with an empty value" Action=DeleteTags ResourceId.1="$group" Tag.1.Key=team Tag.1.Value=
is "$(tags "$group")" "stage team " "and it stays"
answers "with its value" Action=DeleteTags ResourceId.1="$group" ResourceId.2="$eni" Tag.1.Key=team Tag.1.Value=빨강
is "$(tags "$group")" "stage " "it goes"
is "$(tags "$eni")" "course stage " "from each that is named"
answers "whatever its value" Action=DeleteTags ResourceId.1="$group" Tag.1.Key=stage
is "$(tags "$group")" "" "it goes"
answers "a tag that is not there" Action=DeleteTags ResourceId.1="$group" Tag.1.Key=stage
answers "all of one resource" Action=DeleteTags ResourceId.1="$id"
is "$(tags "$id")" "" "go"
is "$(field "$id" tagSet/item/key)" "" "from its description too"
refuses InvalidGroup.NotFound "an unknown resource" Action=DeleteTags ResourceId.1="$eni" ResourceId.2=sg-0123456789abcdef0 Tag.1.Key=stage
is "$(tags "$eni")" "course stage " "and nothing is half done"
refuses MissingParameter "no resource" Action=DeleteTags Tag.1.Key=stage
refuses MissingParameter "a tag without a key" Action=DeleteTags ResourceId.1="$eni" Tag.1.Value=x
region_down
done_testing
