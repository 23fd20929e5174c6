#!/bin/bash
# Security group rules by their ids: described, modified, their descriptions.
. "$(dirname "$0")/../lib.sh"
region_up
api Action=CreateSecurityGroup GroupName=web GroupDescription=x
web=$(x 'string(//groupId)')
api Action=CreateSecurityGroup GroupName=db GroupDescription=x
db=$(x 'string(//groupId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$web" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=22 IpPermissions.1.ToPort=22 \
	IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 IpPermissions.1.IpRanges.1.Description=ssh \
	TagSpecification.1.ResourceType=security-group-rule TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=login
ssh=$(x 'string(//securityGroupRuleId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$web" IpProtocol=tcp FromPort=8000 ToPort=8000 CidrIp=0.0.0.0/0
http=$(x 'string(//securityGroupRuleId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$db" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=5432 IpPermissions.1.ToPort=5432 \
	IpPermissions.1.Groups.1.GroupId="$web"
sql=$(x 'string(//securityGroupRuleId)')

# --- describing ---
answers "all rules" Action=DescribeSecurityGroupRules
is "$(x 'count(//securityGroupRuleSet/item)')" 7 "are seven: those made, two ways out of new groups, the default group's two"
answers "of one group" Action=DescribeSecurityGroupRules Filter.1.Name=group-id Filter.1.Value.1="$web"
is "$(x 'count(//securityGroupRuleSet/item)')" 3 "are three"
is "$(x 'count(//item[isEgress="true"])')" 1 "one of them outbound"
answers "by id" Action=DescribeSecurityGroupRules SecurityGroupRuleId.1="$ssh"
is "$(x 'string(//groupId)') $(x 'string(//isEgress)') $(x 'string(//ipProtocol)') $(x 'string(//fromPort)') $(x 'string(//toPort)') $(x 'string(//cidrIpv4)') $(x 'string(//description)') $(x 'string(//tagSet/item/value)')" \
	"$web false tcp 22 22 0.0.0.0/0 ssh login" "is the whole rule"
api Action=DescribeSecurityGroupRules SecurityGroupRuleId.1="$sql"
is "$(x 'string(//referencedGroupInfo/groupId)')" "$web" "one by group names the group"
answers "by a filter of ids" Action=DescribeSecurityGroupRules Filter.1.Name=security-group-rule-id Filter.1.Value.1="$ssh" Filter.1.Value.2="$sql"
is "$(x 'count(//securityGroupRuleSet/item)')" 2 "are two"
answers "by tag" Action=DescribeSecurityGroupRules Filter.1.Name=tag:Name Filter.1.Value.1='log*'
is "$(x 'count(//securityGroupRuleSet/item)') $(x 'string(//securityGroupRuleId)')" "1 $ssh" "is the tagged one"
answers "a page" Action=DescribeSecurityGroupRules MaxResults=5
is "$(x 'count(//securityGroupRuleSet/item)')" 5 "of five"
answers "the rest" Action=DescribeSecurityGroupRules MaxResults=5 NextToken="$(x 'string(//nextToken)')"
is "$(x 'count(//securityGroupRuleSet/item)') $(x 'count(//nextToken)')" "2 0" "are two, and no more follow"
refuses InvalidSecurityGroupRuleId.NotFound "an unknown id" Action=DescribeSecurityGroupRules SecurityGroupRuleId.1=sgr-0123456789abcdef0
refuses InvalidSecurityGroupRuleId.Malformed "a malformed id" Action=DescribeSecurityGroupRules SecurityGroupRuleId.1=22
refuses InvalidParameterCombination "ids and pages" Action=DescribeSecurityGroupRules SecurityGroupRuleId.1="$ssh" MaxResults=5
refuses InvalidParameterValue "an unknown filter" Action=DescribeSecurityGroupRules Filter.1.Name=port Filter.1.Value.1=22

# --- modifying ---
modify=(Action=ModifySecurityGroupRules GroupId="$web")
one() { # ID PROTOCOL FROM TO CIDR [N]
	local p=SecurityGroupRule.${6:-1}
	echo "$p.SecurityGroupRuleId=$1" "$p.SecurityGroupRule.IpProtocol=$2" "$p.SecurityGroupRule.FromPort=$3" "$p.SecurityGroupRule.ToPort=$4" "$p.SecurityGroupRule.CidrIpv4=$5"
}
rule() { # ID: as one line
	api Action=DescribeSecurityGroupRules SecurityGroupRuleId.1="$1"
	echo "$(x 'string(//ipProtocol)') $(x 'string(//fromPort)')-$(x 'string(//toPort)') $(x 'string(//cidrIpv4)')$(x 'string(//referencedGroupInfo/groupId)') $(x 'string(//description)')"
}
# shellcheck disable=SC2046
{
	answers "a rule" "${modify[@]}" $(one "$ssh" tcp 22 22 10.1.2.3/8) SecurityGroupRule.1.SecurityGroupRule.Description=inside
	is "$(x 'string(//return)')" true "answers true"
	is "$(rule "$ssh")" "tcp 22-22 10.0.0.0/8 inside" "is what was sent, its id the same"
	is "$(x 'string(//tagSet/item/value)')" login "and its tags"
	api Action=DescribeSecurityGroups GroupId.1="$web"
	is "$(x 'string(//ipPermissions/item[fromPort=22]/ipRanges/item/cidrIp)')" 10.0.0.0/8 "the group shows it"
	answers "without a description" "${modify[@]}" $(one "$ssh" udp 53 54 10.0.0.0/8)
	is "$(rule "$ssh")" "udp 53-54 10.0.0.0/8 " "it has none any more"
	answers "two at once, which change places" "${modify[@]}" $(one "$ssh" tcp 8000 8000 0.0.0.0/0) $(one "$http" udp 53 54 10.0.0.0/8 2)
	is "$(rule "$ssh")$(rule "$http")" "tcp 8000-8000 0.0.0.0/0 udp 53-54 10.0.0.0/8 " "are both changed"
	answers "a rule as it is" "${modify[@]}" $(one "$ssh" tcp 8000 8000 0.0.0.0/0)
	refuses InvalidPermission.Duplicate "a rule like another" "${modify[@]}" $(one "$ssh" udp 53 54 10.0.0.0/8)
	refuses InvalidPermission.Duplicate "two that become the same" "${modify[@]}" $(one "$ssh" tcp 1 1 10.0.0.0/8) $(one "$http" tcp 1 1 10.0.0.0/8 2)
	is "$(rule "$ssh")$(rule "$http")" "tcp 8000-8000 0.0.0.0/0 udp 53-54 10.0.0.0/8 " "and nothing is changed"
	refuses InvalidParameterValue "one rule twice" "${modify[@]}" $(one "$ssh" tcp 1 1 10.0.0.0/8) $(one "$ssh" tcp 2 2 10.0.0.0/8 2)
	refuses InvalidParameterValue "a block made a group" "${modify[@]}" SecurityGroupRule.1.SecurityGroupRuleId="$ssh" SecurityGroupRule.1.SecurityGroupRule.IpProtocol=-1 \
		SecurityGroupRule.1.SecurityGroupRule.ReferencedGroupId="$db"
	answers "another group instead of the group" Action=ModifySecurityGroupRules GroupId="$db" SecurityGroupRule.1.SecurityGroupRuleId="$sql" \
		SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp SecurityGroupRule.1.SecurityGroupRule.FromPort=5432 SecurityGroupRule.1.SecurityGroupRule.ToPort=5432 \
		SecurityGroupRule.1.SecurityGroupRule.ReferencedGroupId="$db"
	is "$(rule "$sql")" "tcp 5432-5432 $db " "is what the rule names"
	refuses InvalidSecurityGroupRuleId.NotFound "a rule of another group" "${modify[@]}" $(one "$sql" tcp 1 1 10.0.0.0/8)
	refuses InvalidSecurityGroupRuleId.NotFound "an unknown rule" "${modify[@]}" $(one sgr-0123456789abcdef0 tcp 1 1 10.0.0.0/8)
	refuses InvalidGroup.NotFound "an unknown group" Action=ModifySecurityGroupRules GroupId=sg-0123456789abcdef0 $(one "$ssh" tcp 1 1 10.0.0.0/8)
	refuses InvalidParameterValue "a bad port" "${modify[@]}" $(one "$ssh" tcp 1 70000 10.0.0.0/8)
	refuses InvalidParameterValue "a bad block" "${modify[@]}" $(one "$ssh" tcp 1 1 10.0.0.0/33)
	refuses InvalidPermission.Malformed "a bad protocol" "${modify[@]}" $(one "$ssh" pigeon 1 1 10.0.0.0/8)
	refuses UnsupportedOperation "IPv6" "${modify[@]}" SecurityGroupRule.1.SecurityGroupRuleId="$ssh" SecurityGroupRule.1.SecurityGroupRule.IpProtocol=-1 \
		SecurityGroupRule.1.SecurityGroupRule.CidrIpv6=::/0
	refuses MissingParameter "no other side" "${modify[@]}" SecurityGroupRule.1.SecurityGroupRuleId="$ssh" SecurityGroupRule.1.SecurityGroupRule.IpProtocol=-1
	refuses InvalidParameterCombination "two other sides" "${modify[@]}" $(one "$ssh" tcp 1 1 10.0.0.0/8) SecurityGroupRule.1.SecurityGroupRule.ReferencedGroupId="$db"
	refuses MissingParameter "no rule" "${modify[@]}"
	refuses MissingParameter "no group" Action=ModifySecurityGroupRules $(one "$ssh" tcp 1 1 10.0.0.0/8)
	refuses DryRunOperation "a dry run" "${modify[@]}" $(one "$ssh" tcp 1 1 10.0.0.0/8) DryRun=true
	is "$(rule "$ssh")" "tcp 8000-8000 0.0.0.0/0 " "changes nothing"
}

# --- descriptions ---
update=(Action=UpdateSecurityGroupRuleDescriptionsIngress GroupId="$web")
answers "a description by id" "${update[@]}" SecurityGroupRuleDescription.1.SecurityGroupRuleId="$ssh" SecurityGroupRuleDescription.1.Description=Django
is "$(rule "$ssh")" "tcp 8000-8000 0.0.0.0/0 Django" "is the rule's"
answers "by permission" "${update[@]}" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=8000 IpPermissions.1.ToPort=8000 \
	IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 IpPermissions.1.IpRanges.1.Description="the lab"
is "$(rule "$ssh")" "tcp 8000-8000 0.0.0.0/0 the lab" "is the rule's"
answers "by the group's name, none" Action=UpdateSecurityGroupRuleDescriptionsIngress GroupName=web SecurityGroupRuleDescription.1.SecurityGroupRuleId="$ssh"
is "$(rule "$ssh")" "tcp 8000-8000 0.0.0.0/0 " "removes it"
answers "of an outbound rule" Action=UpdateSecurityGroupRuleDescriptionsEgress GroupId="$web" IpPermissions.1.IpProtocol=-1 \
	IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0 IpPermissions.1.IpRanges.1.Description=all
api Action=DescribeSecurityGroups GroupId.1="$web"
is "$(x 'string(//ipPermissionsEgress/item/ipRanges/item/description)')" all "is the rule's"
refuses InvalidPermission.NotFound "of a rule that isn't there" "${update[@]}" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=1 \
	IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0
refuses InvalidSecurityGroupRuleId.NotFound "an inbound rule is no outbound one" Action=UpdateSecurityGroupRuleDescriptionsEgress GroupId="$web" \
	SecurityGroupRuleDescription.1.SecurityGroupRuleId="$ssh"
refuses InvalidSecurityGroupRuleId.NotFound "a rule of another group" "${update[@]}" SecurityGroupRuleDescription.1.SecurityGroupRuleId="$sql"
refuses InvalidParameterValue "a description of 256" "${update[@]}" SecurityGroupRuleDescription.1.SecurityGroupRuleId="$ssh" \
	SecurityGroupRuleDescription.1.Description="$(printf 'x%.0s' {1..256})"
refuses InvalidParameterCombination "both forms" "${update[@]}" SecurityGroupRuleDescription.1.SecurityGroupRuleId="$ssh" IpPermissions.1.IpProtocol=-1
refuses MissingParameter "neither" "${update[@]}"
refuses MissingParameter "no id" "${update[@]}" SecurityGroupRuleDescription.1.Description=x
refuses DryRunOperation "a dry run" "${update[@]}" SecurityGroupRuleDescription.1.SecurityGroupRuleId="$ssh" SecurityGroupRuleDescription.1.Description=dry DryRun=true
is "$(rule "$ssh")" "tcp 8000-8000 0.0.0.0/0 " "describes nothing"
region_down
done_testing
