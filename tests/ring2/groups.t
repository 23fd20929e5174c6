#!/bin/bash
# Security groups: making, describing, deleting; rules by permission and by id, what they may be, how many.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)
api Action=DescribeVpcs
vpc=$(x 'string(//vpcId)')
api Action=DescribeSecurityGroups
default=$(x 'string(//groupId)')

# --- groups ---
answers "a group" Action=CreateSecurityGroup GroupName=web GroupDescription="for the web" VpcId="$vpc" \
	TagSpecification.1.ResourceType=security-group TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=웹
web=$(x 'string(//groupId)')
like "$web" '^sg-0[0-9a-f]{16}$' "its id is EC2's form"
is "$(x 'string(//tagSet/item/value)')" 웹 "its tags are answered"
answers "it is described" Action=DescribeSecurityGroups GroupId.1="$web"
is "$(x 'string(//groupName)') $(x 'string(//vpcId)') $(x 'string(//groupDescription)')" "web $vpc for the web" "as it was made"
is "$(x 'count(//ipPermissions/item)')" 0 "nothing may come in"
is "$(x 'string(//ipPermissionsEgress/item/ipProtocol)') $(x 'string(//ipPermissionsEgress/item/ipRanges/item/cidrIp)')" "-1 0.0.0.0/0" "all may go out"
is "$(x 'count(//ipPermissionsEgress/item/fromPort)')" 0 "a rule of all protocols shows no ports"
answers "by its name" Action=DescribeSecurityGroups GroupName.1=web
is "$(x 'string(//groupId)')" "$web" "it is found"
refuses InvalidGroup.Duplicate "the name again" Action=CreateSecurityGroup GroupName=web GroupDescription=x
refuses InvalidGroup.Reserved "the name default" Action=CreateSecurityGroup GroupName=default GroupDescription=x
refuses InvalidParameterValue "a name like an id" Action=CreateSecurityGroup GroupName=sg-web GroupDescription=x
refuses InvalidParameterValue "a name beyond ASCII" Action=CreateSecurityGroup GroupName=웹 GroupDescription=x
refuses InvalidParameterValue "a name of 256" Action=CreateSecurityGroup GroupName="$(printf 'x%.0s' {1..256})" GroupDescription=x
answers "a name of 255" Action=CreateSecurityGroup GroupName="$(printf 'x%.0s' {1..255})" GroupDescription=x
refuses MissingParameter "no description" Action=CreateSecurityGroup GroupName=other
refuses InvalidVpcID.NotFound "an unknown VPC" Action=CreateSecurityGroup GroupName=other GroupDescription=x VpcId=vpc-0123456789abcdef0
refuses InvalidGroup.NotFound "describing an unknown group" Action=DescribeSecurityGroups GroupId.1=sg-0123456789abcdef0
refuses InvalidGroup.NotFound "or name" Action=DescribeSecurityGroups GroupName.1=nobody
refuses InvalidGroupId.Malformed "or a malformed id" Action=DescribeSecurityGroups GroupId.1=web
refuses DryRunOperation "a dry run" Action=CreateSecurityGroup GroupName=dry GroupDescription=x DryRun=true
refuses InvalidGroup.NotFound "makes nothing" Action=DescribeSecurityGroups GroupName.1=dry

# --- inbound rules ---
in=(Action=AuthorizeSecurityGroupIngress GroupId="$web")
rule() { # PROTOCOL FROM TO CIDR [N]
	echo "IpPermissions.${5:-1}.IpProtocol=$1" "IpPermissions.${5:-1}.FromPort=$2" "IpPermissions.${5:-1}.ToPort=$3" "IpPermissions.${5:-1}.IpRanges.1.CidrIp=$4"
}
# shellcheck disable=SC2046
{
	answers "a rule" "${in[@]}" $(rule tcp 8000 8000 0.0.0.0/0) IpPermissions.1.IpRanges.1.Description=Django
	is "$(x 'string(//return)')" true "answers true"
	sgr=$(x 'string(//securityGroupRuleSet/item/securityGroupRuleId)')
	like "$sgr" '^sgr-0[0-9a-f]{16}$' "and the rule's id"
	is "$(x 'string(//item/isEgress)') $(x 'string(//item/fromPort)') $(x 'string(//item/cidrIpv4)') $(x 'string(//item/description)')" \
		"false 8000 0.0.0.0/0 Django" "and the rule"
	api Action=DescribeSecurityGroups GroupId.1="$web"
	is "$(x 'string(//ipPermissions/item/fromPort)') $(x 'string(//ipPermissions/item/toPort)') $(x 'string(//ipPermissions/item/ipProtocol)')" "8000 8000 tcp" "it is described"
	is "$(x 'string(//ipPermissions/item/ipRanges/item/description)')" Django "with its description"
	refuses InvalidPermission.Duplicate "the rule again" "${in[@]}" $(rule tcp 8000 8000 0.0.0.0/0)
	like "$MESSAGE" 'peer: 0.0.0.0/0, TCP, from port: 8000, to port: 8000, ALLOW' "the sentence has EC2's words"
	refuses InvalidPermission.Duplicate "whatever its description" "${in[@]}" $(rule tcp 8000 8000 0.0.0.0/0) IpPermissions.1.IpRanges.1.Description=other
	refuses InvalidPermission.Duplicate "one rule twice in one call" "${in[@]}" $(rule tcp 1 1 0.0.0.0/0) $(rule tcp 1 1 0.0.0.0/0 2)
	api Action=DescribeSecurityGroups GroupId.1="$web"
	is "$(x 'count(//ipPermissions/item)')" 1 "and neither was made"
	answers "host bits are cut off, as EC2 does" "${in[@]}" $(rule tcp 22 22 198.51.100.77/24)
	is "$(x 'string(//cidrIpv4)')" 198.51.100.0/24 "the rule is the block"
	refuses InvalidPermission.Duplicate "and the same as the block's" "${in[@]}" $(rule tcp 22 22 198.51.100.0/24)
	for cidr in 300.0.0.0/8 10.0.0.0 10.0.0.0/33 10.0.0.0/ 10.0.0/8 010.0.0.0/8 "10.0.0.0/8 " anywhere ""; do
		refuses InvalidParameterValue "the CIDR block '$cidr'" "${in[@]}" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=1 "IpPermissions.1.IpRanges.1.CidrIp=$cidr"
	done
	for ports in "70000 70000" "80 70000" "-2 80" "90 80" "65536 65536"; do
		refuses InvalidParameterValue "the ports $ports" "${in[@]}" $(rule tcp $ports 0.0.0.0/0)
	done
	like "$MESSAGE" 65536 "the sentence names the port"
	refuses InvalidParameterValue "no ports" "${in[@]}" IpPermissions.1.IpProtocol=tcp IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
	refuses InvalidPermission.Malformed "an unknown protocol" "${in[@]}" $(rule carrier-pigeon 1 1 0.0.0.0/0)
	refuses InvalidPermission.Malformed "the protocol 256" "${in[@]}" $(rule 256 1 1 0.0.0.0/0)
	refuses MissingParameter "no source" "${in[@]}" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=1
	refuses MissingParameter "no rule at all" "${in[@]}"
	refuses UnsupportedOperation "IPv6" "${in[@]}" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=1 IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0
	answers "all ports of UDP" "${in[@]}" $(rule udp 0 65535 10.0.0.0/8)
	answers "ICMP of any type" "${in[@]}" $(rule icmp -1 -1 0.0.0.0/0)
	answers "one ICMP type" "${in[@]}" $(rule icmp 8 -1 10.0.0.0/8)
	refuses InvalidParameterValue "the ICMP type 256" "${in[@]}" $(rule icmp 256 -1 0.0.0.0/0)
	answers "a protocol by its number" "${in[@]}" $(rule 47 -1 -1 10.1.0.0/16)
	answers "all protocols, whatever the ports" "${in[@]}" $(rule -1 0 0 10.2.0.0/16)
	is "$(x 'string(//ipProtocol)') $(x 'string(//fromPort)')" "-1 -1" "without ports"
	answers "several rules in one call" "${in[@]}" $(rule tcp 80 80 0.0.0.0/0) $(rule tcp 443 443 0.0.0.0/0 2) IpPermissions.2.IpRanges.2.CidrIp=10.0.0.0/8
	is "$(x 'count(//securityGroupRuleSet/item)')" 3 "are several rules"
	answers "the older form, in the call's own parameters" Action=AuthorizeSecurityGroupIngress GroupName=web IpProtocol=tcp FromPort=9000 ToPort=9010 CidrIp=10.0.0.0/8
	is "$(x 'string(//fromPort)') $(x 'string(//toPort)')" "9000 9010" "is a rule too"
	refuses DryRunOperation "a dry run" "${in[@]}" $(rule tcp 7000 7000 0.0.0.0/0) DryRun=true
	refuses InvalidGroup.NotFound "a rule for an unknown group" Action=AuthorizeSecurityGroupIngress GroupId=sg-0123456789abcdef0 $(rule tcp 7000 7000 0.0.0.0/0)
	refuses MissingParameter "a rule for no group" Action=AuthorizeSecurityGroupIngress $(rule tcp 7000 7000 0.0.0.0/0)
}

# --- rules by group ---
api Action=CreateSecurityGroup GroupName=db GroupDescription="for the database"
db=$(x 'string(//groupId)')
answers "a group as the source" Action=AuthorizeSecurityGroupIngress GroupId="$db" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=5432 \
	IpPermissions.1.ToPort=5432 IpPermissions.1.Groups.1.GroupId="$web"
is "$(x 'string(//referencedGroupInfo/groupId)')" "$web" "is the rule's"
answers "by its name" Action=AuthorizeSecurityGroupIngress GroupId="$db" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=5433 \
	IpPermissions.1.ToPort=5433 IpPermissions.1.Groups.1.GroupName=web
is "$(x 'string(//referencedGroupInfo/groupId)')" "$web" "is the same group"
refuses InvalidPermission.Duplicate "the same source again" Action=AuthorizeSecurityGroupIngress GroupId="$db" IpPermissions.1.IpProtocol=tcp \
	IpPermissions.1.FromPort=5432 IpPermissions.1.ToPort=5432 IpPermissions.1.Groups.1.GroupId="$web"
refuses InvalidGroup.NotFound "an unknown source" Action=AuthorizeSecurityGroupIngress GroupId="$db" IpPermissions.1.IpProtocol=-1 \
	IpPermissions.1.Groups.1.GroupId=sg-0123456789abcdef0
answers "filters by a rule" Action=DescribeSecurityGroups Filter.1.Name=ip-permission.group-id Filter.1.Value.1="$web"
is "$(x 'count(//securityGroupInfo/item)') $(x 'string(//securityGroupInfo/item/groupId)')" "1 $db" "find the group"

# --- outbound rules ---
refuses InvalidPermission.Duplicate "what a new group has already" Action=AuthorizeSecurityGroupEgress GroupId="$db" IpPermissions.1.IpProtocol=-1 \
	IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
answers "all out is revoked, with ports as some clients send them" Action=RevokeSecurityGroupEgress GroupId="$db" IpPermissions.1.IpProtocol=-1 \
	IpPermissions.1.FromPort=0 IpPermissions.1.ToPort=0 IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
refuses InvalidPermission.NotFound "the same of IPv6 was never there" Action=RevokeSecurityGroupEgress GroupId="$db" IpPermissions.1.IpProtocol=-1 \
	IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0
api Action=DescribeSecurityGroups GroupId.1="$db"
is "$(x 'count(//ipPermissionsEgress/item)')" 0 "nothing may go out"
answers "one way out" Action=AuthorizeSecurityGroupEgress GroupId="$db" IpPermissions.1.IpProtocol=udp IpPermissions.1.FromPort=53 IpPermissions.1.ToPort=53 \
	IpPermissions.1.IpRanges.1.CidrIp=172.31.0.0/16
is "$(x 'string(//isEgress)')" true "is an outbound rule"

# --- revoke ---
answers "by permission" Action=RevokeSecurityGroupIngress GroupId="$web" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=80 IpPermissions.1.ToPort=80 \
	IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
refuses InvalidPermission.NotFound "twice" Action=RevokeSecurityGroupIngress GroupId="$web" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=80 \
	IpPermissions.1.ToPort=80 IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
answers "by id" Action=RevokeSecurityGroupIngress GroupId="$web" SecurityGroupRuleId.1="$sgr"
refuses InvalidSecurityGroupRuleId.NotFound "by an id that is gone" Action=RevokeSecurityGroupIngress GroupId="$web" SecurityGroupRuleId.1="$sgr"
api Action=DescribeSecurityGroups GroupId.1="$web"
is "$(x 'count(//ipPermissions/item[fromPort=8000])')" 0 "the rule is gone"
api Action=AuthorizeSecurityGroupIngress GroupId="$web" IpProtocol=tcp FromPort=7001 ToPort=7001 CidrIp=10.0.0.0/8
sgr=$(x 'string(//securityGroupRuleId)')
answers "a rule named twice in one call" Action=RevokeSecurityGroupIngress GroupId="$web" SecurityGroupRuleId.1="$sgr" SecurityGroupRuleId.2="$sgr"
is "$(x 'count(//revokedSecurityGroupRuleSet/item)')" 1 "is revoked once"
api Action=AuthorizeSecurityGroupIngress GroupId="$web" IpProtocol=tcp FromPort=7001 ToPort=7001 CidrIp=10.0.0.0/8
answers "and it can be made again, and revoked by one permission sent twice" Action=RevokeSecurityGroupIngress GroupId="$web" \
	IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=7001 IpPermissions.1.ToPort=7001 IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8 IpPermissions.1.IpRanges.2.CidrIp=10.0.0.0/8
refuses InvalidSecurityGroupRuleId.NotFound "an inbound rule is no outbound one" Action=RevokeSecurityGroupEgress GroupId="$db" SecurityGroupRuleId.1="$(
	api Action=AuthorizeSecurityGroupIngress GroupId="$db" IpProtocol=tcp FromPort=1 ToPort=1 CidrIp=10.0.0.0/8; x 'string(//securityGroupRuleId)')"

# --- how many ---
api Action=CreateSecurityGroup GroupName=full GroupDescription=x
full=$(x 'string(//groupId)')
args=()
for n in {1..60}; do args+=("IpPermissions.1.IpRanges.$n.CidrIp=10.0.$n.0/24"); done
answers "sixty rules" Action=AuthorizeSecurityGroupIngress GroupId="$full" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=1 "${args[@]}"
refuses RulesPerSecurityGroupLimitExceeded "one more" Action=AuthorizeSecurityGroupIngress GroupId="$full" IpProtocol=tcp FromPort=2 ToPort=2 CidrIp=10.0.0.0/8
answers "but one outbound" Action=AuthorizeSecurityGroupEgress GroupId="$full" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=2 IpPermissions.1.ToPort=2 \
	IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8
api Action=DescribeSecurityGroups GroupId.1="$full"
is "$(x 'count(//ipPermissions/item)') $(x 'count(//ipPermissions/item/ipRanges/item)')" "1 60" "they are gathered by protocol and ports"

# --- delete ---
refuses DependencyViolation "a group that another's rule names" Action=DeleteSecurityGroup GroupId="$web"
like "$MESSAGE" "$db" "the sentence says which"
id=$(launch SecurityGroupId.1="$db")
await "$id" running
refuses DependencyViolation "a group in use" Action=DeleteSecurityGroup GroupId="$db"
like "$MESSAGE" "$id" "the sentence says by whom"
api Action=StopInstances InstanceId.1="$id"
await "$id" stopped
refuses DependencyViolation "a stopped instance uses its groups too" Action=DeleteSecurityGroup GroupName=db
api Action=TerminateInstances InstanceId.1="$id"
await "$id" terminated
refuses DryRunOperation "then a dry run" Action=DeleteSecurityGroup GroupId="$db" DryRun=true
answers "and it is deleted" Action=DeleteSecurityGroup GroupId="$db"
answers "and the one that it named" Action=DeleteSecurityGroup GroupName=web
refuses InvalidGroup.NotFound "but not twice" Action=DeleteSecurityGroup GroupId="$web"
refuses CannotDelete "the default group" Action=DeleteSecurityGroup GroupId="$default"
refuses MissingParameter "no group" Action=DeleteSecurityGroup
answers "a group of one's own name that names itself" Action=CreateSecurityGroup GroupName=self GroupDescription=x
self=$(x 'string(//groupId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$self" IpPermissions.1.IpProtocol=-1 IpPermissions.1.Groups.1.GroupId="$self"
answers "can be deleted" Action=DeleteSecurityGroup GroupId="$self"
region_down
done_testing
