#!/bin/bash
# Attributes of instances, described and modified; the status of instances; network interfaces; the account.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)
data=$(printf '#!/bin/sh\necho hello\n' | base64 -w0)
id=$(launch UserData="$data" InstanceType=t2.nano SubnetId="$(api Action=DescribeSubnets; x 'string(//subnetId)')")
ok "an instance runs" await "$id" running
api Action=CreateSecurityGroup GroupName=web GroupDescription=x
web=$(x 'string(//groupId)')
attribute() { # NAME: its value
	api Action=DescribeInstanceAttribute InstanceId="$id" Attribute="$1"
	x "string(/*/$1/value)"
}
modify=(Action=ModifyInstanceAttribute InstanceId="$id")

# --- describing ---
answers "the type" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=instanceType
is "$(x 'string(//instanceId)') $(x 'string(/*/instanceType/value)')" "$id t2.nano" "is the launch's"
is "$(x 'count(/*/*)')" 3 "beside the ids there is nothing else"
is "$(attribute userData)" "$data" "user data"
is "$(attribute disableApiTermination) $(attribute disableApiStop)" "false false" "nothing is forbidden"
is "$(attribute instanceInitiatedShutdownBehavior)" stop "a guest's own shutdown stops"
is "$(attribute rootDeviceName)" /dev/sda1 "the root device's name"
is "$(attribute sourceDestCheck) $(attribute ebsOptimized) $(attribute enaSupport)" "true false false" "checks and options"
for name in kernel ramdisk sriovNetSupport; do
	answers "$name" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=$name
	is "$(x "count(/*/$name)") $(attribute $name)" "1 " "is there and empty"
done
answers "the groups" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=groupSet
is "$(x 'string(//groupSet/item/groupName)')" default "are the launch's"
answers "the devices" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=blockDeviceMapping
is "$(x 'string(//blockDeviceMapping/item/deviceName)')" /dev/sda1 "are one"
like "$(x 'string(//blockDeviceMapping/item/ebs/volumeId)')" '^vol-0[0-9a-f]{16}$' "with its volume"
answers "product codes" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=productCodes
answers "enclaves" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=enclaveOptions
is "$(x 'string(//enabled)')" false "are off"
refuses InvalidParameterValue "an unknown attribute" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=colour
refuses MissingParameter "no attribute" Action=DescribeInstanceAttribute InstanceId="$id"
refuses InvalidInstanceID.NotFound "an unknown instance" Action=DescribeInstanceAttribute InstanceId=i-0123456789abcdef0 Attribute=instanceType

# --- modifying, while it runs ---
refuses IncorrectInstanceState "the type of a running instance" "${modify[@]}" InstanceType.Value=t2.micro
refuses IncorrectInstanceState "or its user data" "${modify[@]}" UserData.Value="$data"
answers "protection from termination" "${modify[@]}" DisableApiTermination.Value=true
is "$(x 'string(//return)') $(attribute disableApiTermination)" "true true" "is on"
refuses OperationNotPermitted "then it can't be terminated" Action=TerminateInstances InstanceId.1="$id"
answers "the older form" "${modify[@]}" Attribute=disableApiTermination Value=False
is "$(attribute disableApiTermination)" false "turns it off"
answers "protection from a stop" "${modify[@]}" DisableApiStop.Value=true
is "$(attribute disableApiStop)" true "is on"
refuses OperationNotPermitted "then it can't be stopped" Action=StopInstances InstanceId.1="$id"
answers "and off again" "${modify[@]}" DisableApiStop.Value=false
answers "another group" "${modify[@]}" GroupId.1="$web"
is "$(field "$id" groupSet/item/groupName) $(x 'count(//instancesSet/item/groupSet/item)')" "web 1" "instead of the first"
is "$(x 'string(//networkInterfaceSet/item/groupSet/item/groupId)')" "$web" "at its interface too"
refuses DependencyViolation "the group is in use now" Action=DeleteSecurityGroup GroupId="$web"
api Action=DescribeSecurityGroups GroupName.1=default
default=$(x 'string(//groupId)')
answers "two groups, one named twice" "${modify[@]}" GroupId.1="$web" GroupId.2="$default" GroupId.3="$web"
is "$(field "$id" groupSet/item[2]/groupName) $(x 'count(//instancesSet/item/groupSet/item)')" "default 2" "are two"
refuses InvalidGroup.NotFound "an unknown group" "${modify[@]}" GroupId.1="$web" GroupId.2=sg-0123456789abcdef0
refuses InvalidGroupId.Malformed "a malformed one" "${modify[@]}" GroupId.1=web
is "$(field "$id" groupSet/item[2]/groupName)" default "leave them as they are"
groups=()
for n in 1 2 3 4 5 6; do
	api Action=CreateSecurityGroup GroupName="g$n" GroupDescription=g
	groups+=("GroupId.$n=$(x 'string(//groupId)')")
done
refuses SecurityGroupsPerInterfaceLimitExceeded "six groups" "${modify[@]}" "${groups[@]}"
answers "five" "${modify[@]}" "${groups[@]:0:5}"
answers "the source check off" "${modify[@]}" SourceDestCheck.Value=false
is "$(attribute sourceDestCheck) $(field "$id" sourceDestCheck)" "false false" "is off"
answers "and on, in the older form" "${modify[@]}" Attribute=sourceDestCheck Value=true
is "$(attribute sourceDestCheck)" true "is on"
answers "what is so anyhow" "${modify[@]}" InstanceInitiatedShutdownBehavior.Value=stop
refuses UnsupportedOperation "what isn't built" "${modify[@]}" InstanceInitiatedShutdownBehavior.Value=terminate
refuses UnsupportedOperation "EBS optimization" "${modify[@]}" EbsOptimized.Value=true
refuses InvalidParameterValue "nonsense" "${modify[@]}" InstanceInitiatedShutdownBehavior.Value=explode
refuses InvalidParameterValue "a boolean that is none" "${modify[@]}" Attribute=disableApiStop Value=maybe
refuses InvalidParameterValue "an unknown attribute" "${modify[@]}" Attribute=colour Value=green
refuses MissingParameter "an attribute without its value" "${modify[@]}" Attribute=instanceType
refuses MissingParameter "nothing to modify" "${modify[@]}"
refuses InvalidParameterCombination "two at once" "${modify[@]}" DisableApiStop.Value=true SourceDestCheck.Value=true
refuses InvalidInstanceID.NotFound "an unknown instance" Action=ModifyInstanceAttribute InstanceId=i-0123456789abcdef0 DisableApiStop.Value=true
refuses DryRunOperation "a dry run" "${modify[@]}" DisableApiStop.Value=true DryRun=true
is "$(attribute disableApiStop)" false "modifies nothing"

# --- modifying, while it is stopped ---
api Action=StopInstances InstanceId.1="$id"
ok "stopped" await "$id" stopped
answers "the type" "${modify[@]}" InstanceType.Value=t2.micro
is "$(field "$id" instanceType)" t2.micro "is another"
answers "the older form" "${modify[@]}" Attribute=instanceType Value=t3.nano
is "$(field "$id" instanceType) $(x 'string(//cpuOptions/coreCount)')" "t3.nano 2" "is another again, with its vCPUs"
refuses InvalidParameterValue "an unknown type" "${modify[@]}" InstanceType.Value=t2.smal
if [ "$(awk '/^MemTotal/{print int($2/1024)}' /proc/meminfo)" -lt 32768 ]; then
	refuses InsufficientInstanceCapacity "a type larger than this machine" "${modify[@]}" InstanceType.Value=t3.2xlarge
fi
refuses DryRunOperation "a dry run" "${modify[@]}" InstanceType.Value=t2.nano DryRun=true
other=$(printf '#!/bin/sh\necho other\n' | base64 -w0)
answers "user data" "${modify[@]}" UserData.Value="$other"
is "$(attribute userData)" "$other" "is another"
refuses InvalidParameterValue "of 16385 bytes" "${modify[@]}" UserData.Value="$(head -c 16385 /dev/zero | tr '\0' x | base64 -w0)"
refuses InvalidUserData.Malformed "that is no base64, in the older form" "${modify[@]}" Attribute=userData Value='#!'
refuses DryRunOperation "a dry run" "${modify[@]}" UserData.Value="$data" DryRun=true
is "$(attribute userData)" "$other" "leaves it"
answers "none" "${modify[@]}" UserData.Value=
is "$(attribute userData)" "" "removes it"
answers "groups of a stopped instance" "${modify[@]}" GroupId.1="$web"
api Action=StartInstances InstanceId.1="$id"
ok "and it starts" await "$id" running
is "$(field "$id" instanceType)" t3.nano "as the new type"

# --- status ---
still=$(launch InstanceType=t2.nano)
ok "another" await "$still" running
api Action=StopInstances InstanceId.1="$still"
ok "stops" await "$still" stopped
answers "the status of what runs" Action=DescribeInstanceStatus
is "$(x 'count(//instanceStatusSet/item)') $(x 'string(//instanceId)')" "1 $id" "is of one"
is "$(x 'string(//instanceState/name)') $(x 'string(//systemStatus/status)') $(x 'string(//systemStatus/details/item/status)')" "running ok passed" "its machine runs"
is "$(x 'string(//instanceStatus/status)') $(x 'string(//instanceStatus/details/item/name)') $(x 'string(//instanceStatus/details/item/status)')" \
	"initializing reachability initializing" "its guest's console has said nothing"
answers "of all" Action=DescribeInstanceStatus IncludeAllInstances=true
is "$(x 'count(//instanceStatusSet/item)')" 2 "are two"
is "$(x "string(//item[instanceId='$still']/instanceStatus/status)") $(x "count(//item[instanceId='$still']//details)")" "not-applicable 0" "one not applicable"
answers "by id" Action=DescribeInstanceStatus InstanceId.1="$still"
is "$(x 'count(//instanceStatusSet/item)')" 0 "what doesn't run is not shown"
answers "by state" Action=DescribeInstanceStatus IncludeAllInstances=true Filter.1.Name=instance-state-name Filter.1.Value.1=stopped
is "$(x 'string(//instanceId)')" "$still" "is the stopped one"
for filter in "system-status.status ok" "system-status.reachability passed" "instance-status.status init*" "instance-state-code 16" \
	"availability-zone $(field "$id" placement/availabilityZone)"; do
	answers "the filter ${filter% *}" Action=DescribeInstanceStatus Filter.1.Name="${filter% *}" Filter.1.Value.1="${filter#* }"
	is "$(x 'string(//instanceId)')" "$id" "finds it"
done
refuses InvalidInstanceID.NotFound "of an unknown instance" Action=DescribeInstanceStatus InstanceId.1=i-0123456789abcdef0
refuses InvalidParameterValue "an unknown filter" Action=DescribeInstanceStatus Filter.1.Name=colour Filter.1.Value.1=green
refuses InvalidParameterCombination "ids and pages" Action=DescribeInstanceStatus InstanceId.1="$id" MaxResults=5

# --- network interfaces ---
eni=$(field "$id" networkInterfaceSet/item/networkInterfaceId) mac=$(x 'string(//macAddress)') public=$(x 'string(//ipAddress)')
private=$(x 'string(//instancesSet/item/privateIpAddress)') attached=$(x 'string(//attachment/attachmentId)')
api Action=CreateTags ResourceId.1="$eni" Tag.1.Key=Name Tag.1.Value=first
answers "interfaces" Action=DescribeNetworkInterfaces
is "$(x 'count(//networkInterfaceSet/item)')" 2 "are two"
answers "one by id" Action=DescribeNetworkInterfaces NetworkInterfaceId.1="$eni"
is "$(x 'count(//networkInterfaceSet/item)') $(x 'string(//macAddress)') $(x 'string(//networkInterfaceSet/item/privateIpAddress)') $(x 'string(//association/publicIp)')" \
	"1 $mac $private $public" "is as the instance shows it"
is "$(x 'string(//attachment/instanceId)') $(x 'string(//attachment/attachmentId)') $(x 'string(//attachment/status)') $(x 'string(//networkInterfaceSet/item/status)')" \
	"$id $attached attached in-use" "attached to it"
is "$(x 'string(//groupSet/item/groupName)') $(x 'string(//tagSet/item/value)')" "web first" "with its groups and tags"
for filter in "attachment.instance-id $id" "mac-address $mac" "private-ip-address $private" "addresses.private-ip-address $private" \
	"association.public-ip $public" "group-name we?" "tag:Name first" "network-interface-id $eni" "attachment.attachment-id $attached"; do
	answers "the filter ${filter% *}" Action=DescribeNetworkInterfaces Filter.1.Name="${filter% *}" Filter.1.Value.1="${filter#* }"
	is "$(x 'count(//networkInterfaceSet/item)') $(x 'string(//networkInterfaceId)')" "1 $eni" "finds it"
done
refuses InvalidNetworkInterfaceID.NotFound "an unknown id" Action=DescribeNetworkInterfaces NetworkInterfaceId.1=eni-0123456789abcdef0
refuses InvalidNetworkInterfaceId.Malformed "a malformed id" Action=DescribeNetworkInterfaces NetworkInterfaceId.1=eth0
refuses InvalidParameterValue "an unknown filter" Action=DescribeNetworkInterfaces Filter.1.Name=colour Filter.1.Value.1=green

# --- what is terminated ---
api Action=TerminateInstances InstanceId.1="$id"
ok "terminated" await "$id" terminated
answers "the interfaces" Action=DescribeNetworkInterfaces
is "$(x 'count(//networkInterfaceSet/item)')" 1 "are one fewer"
refuses IncorrectInstanceState "groups of a terminated instance" "${modify[@]}" GroupId.1="$web"
answers "its source check" Action=DescribeInstanceAttribute InstanceId="$id" Attribute=sourceDestCheck
is "$(x 'count(//sourceDestCheck)') $(x 'count(//sourceDestCheck/value)')" "1 0" "has no value"

# --- the account ---
answers "the account's attributes" Action=DescribeAccountAttributes
is "$(x 'count(//accountAttributeSet/item)') $(x 'string(//item[attributeName="supported-platforms"]//attributeValue)')" "4 VPC" "are four"
api Action=DescribeVpcs
vpc=$(x 'string(//vpcId)')
answers "one" Action=DescribeAccountAttributes AttributeName.1=default-vpc
is "$(x 'count(//accountAttributeSet/item)') $(x 'string(//attributeValue)')" "1 $vpc" "is the default VPC"
refuses InvalidParameterValue "an unknown one" Action=DescribeAccountAttributes AttributeName.1=colour
region_down
done_testing
