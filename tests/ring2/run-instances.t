#!/bin/bash
# RunInstances: what a launch may ask for, what it gets, and what it is told when it can't be.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)
one=(Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1)

# --- the happy path ---
answers "a launch with nothing but an image and counts" "${one[@]}"
id=$(x 'string(//instancesSet/item/instanceId)')
like "$id" '^i-0[0-9a-f]{16}$' "the instance id is EC2's form"
like "$(x 'string(//reservationId)')" '^r-0[0-9a-f]{16}$' "and so is the reservation's"
is "$(x 'string(//instanceState/name)')" pending "the reply says pending"
is "$(x 'string(//instanceState/code)')" 0 "which is state code 0"
is "$(x 'string(//instanceType)')" t2.small "the type is the lecture's when none is named"
is "$(x 'string(//ownerId)')" 000000000000 "the owner is the account"
is "$(x 'count(//reservationSet)')" 0 "the reply is one reservation, not a set"
ok "it runs" await "$id" running
is "$(x 'string(//instanceState/code)')" 16 "running is state code 16"
like "$(field "$id" privateIpAddress)" '^172\.31\.[0-9]+\.[0-9]+$' "its private address is of the default VPC"
like "$(field "$id" ipAddress)" '^203\.0\.113\.[0-9]+$' "its public address is of the pool"
like "$(field "$id" privateDnsName)" '^ip-172-31-[0-9]+-[0-9]+\.ap-northeast-2\.compute\.internal$' "its private name is EC2's form"
like "$(field "$id" dnsName)" '^ec2-203-0-113-[0-9]+\.ap-northeast-2\.compute\.amazonaws\.com$' "its public name is EC2's form"
like "$(field "$id" launchTime)" '^20[0-9-]{8}T[0-9:]{8}\.000Z$' "the launch time is in whole seconds, UTC, whatever TZ is"
launched=$(date -u -d "$(field "$id" launchTime)" +%s)
at_most $(($(date +%s) - launched)) 60 "and about now"
is "$(field "$id" groupSet/item/groupName)" default "its group is the default one"
like "$(field "$id" networkInterfaceSet/item/macAddress)" '^02(:[0-9a-f]{2}){5}$' "its MAC is locally administered"
is "$(field "$id" blockDeviceMapping/item/deviceName)" /dev/sda1 "its root device is named"
is "$(x 'count(//keyName)')" 0 "no key pair is shown where none was asked for"

# --- counts ---
answers "MaxCount instances are launched" "${one[@]/#MaxCount=1/MaxCount=3}"
is "$(x 'count(//instancesSet/item)')" 3 "three of them"
is "$(x 'string(//instancesSet/item[3]/amiLaunchIndex)')" 2 "each with its launch index"
is "$(x 'count(//reservationId)')" 1 "in one reservation"
refuses InvalidParameterValue "a count of 0" "${one[@]/#MinCount=1/MinCount=0}"
refuses InvalidParameterValue "a negative count" "${one[@]/#MaxCount=1/MaxCount=-1}"
refuses InvalidParameterCombination "MinCount over MaxCount" Action=RunInstances ImageId="$AMI" MinCount=2 MaxCount=1
refuses InstanceLimitExceeded "more than one call may launch" Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=101
refuses InvalidParameterValue "a count that is no number" Action=RunInstances ImageId="$AMI" MinCount=one MaxCount=1
refuses MissingParameter "no counts" Action=RunInstances ImageId="$AMI"
like "$MESSAGE" 'M(in|ax)Count' "the sentence names the parameter"

# --- the image ---
refuses MissingParameter "no image" Action=RunInstances MinCount=1 MaxCount=1
refuses InvalidAMIID.Malformed "a malformed image id" Action=RunInstances ImageId=debian MinCount=1 MaxCount=1
refuses InvalidAMIID.NotFound "an unknown image id" Action=RunInstances ImageId=ami-0123456789abcdef0 MinCount=1 MaxCount=1
like "$MESSAGE" 'ami-0123456789abcdef0' "the sentence names it"

# --- the type ---
answers "a named type" "${one[@]}" InstanceType=t3.micro
is "$(x 'string(//instanceType)')" t3.micro "is the instance's"
refuses InvalidParameterValue "an unknown type" "${one[@]}" InstanceType=t2.smal
like "$MESSAGE" 'mean t2\.small\?' "the nearest is suggested"
if [ "$(awk '/^MemTotal/{print int($2/1024)}' /proc/meminfo)" -lt 32768 ]; then
	refuses InsufficientInstanceCapacity "a type larger than this machine" "${one[@]}" InstanceType=t3.2xlarge
	like "$MESSAGE" '32768 MiB' "the sentence says how much it wants"
fi

# --- user data ---
b64() { head -c "$1" /dev/zero | tr '\0' x | base64 -w0; }
answers "user data of 16 KiB" "${one[@]}" UserData="$(b64 16384)"
refuses InvalidParameterValue "user data of one byte more" "${one[@]}" UserData="$(b64 16385)"
like "$MESSAGE" '16384' "the sentence says the limit"
refuses InvalidUserData.Malformed "user data that is not base64" "${one[@]}" "UserData=#cloud-config"
answers "user data whose YAML is broken is taken, as EC2 does" "${one[@]}" UserData="$(printf '#cloud-config\npackages: [a\n' | base64 -w0)"

# --- what isn't built is refused, not ignored ---
refuses InvalidKeyPair.NotFound "an unknown key pair" "${one[@]}" KeyName=laptop
like "$MESSAGE" laptop "the sentence names it"
refuses UnsupportedOperation "detailed monitoring" "${one[@]}" Monitoring.Enabled=true
refuses UnsupportedOperation "a second device" "${one[@]}" BlockDeviceMapping.1.DeviceName=/dev/sdb BlockDeviceMapping.1.Ebs.VolumeSize=8
refuses UnsupportedOperation "termination as the guest's own shutdown" "${one[@]}" InstanceInitiatedShutdownBehavior=terminate
answers "what EC2's clients send by default is taken" "${one[@]}" Monitoring.Enabled=false EbsOptimized=false HibernationOptions.Configured=false
refuses UnknownParameter "a parameter that EC2 doesn't have" "${one[@]}" Colour=green
like "$MESSAGE" Colour "the sentence names it"

# --- the root volume ---
answers "a larger root volume" "${one[@]}" BlockDeviceMapping.1.DeviceName=/dev/sda1 BlockDeviceMapping.1.Ebs.VolumeSize=20
refuses InvalidParameterValue "a root volume of 0 GiB" "${one[@]}" BlockDeviceMapping.1.DeviceName=/dev/sda1 BlockDeviceMapping.1.Ebs.VolumeSize=0

# --- where ---
answers "a zone" "${one[@]}" Placement.AvailabilityZone=ap-northeast-2c
is "$(x 'string(//placement/availabilityZone)')" ap-northeast-2c "is the instance's"
subnet=$(x 'string(//instancesSet/item/subnetId)')
api Action=DescribeSubnets SubnetId.1="$subnet"
is "$(x 'string(//availabilityZone)')" ap-northeast-2c "and its subnet's"
before=$(x 'string(//availableIpAddressCount)')
answers "a subnet" "${one[@]}" SubnetId="$subnet"
is "$(x 'string(//instancesSet/item/subnetId)')" "$subnet" "is the instance's"
api Action=DescribeSubnets SubnetId.1="$subnet"
is "$(x 'string(//availableIpAddressCount)')" $((before - 1)) "and has one free address fewer"
refuses InvalidParameterValue "an unknown zone" "${one[@]}" Placement.AvailabilityZone=ap-northeast-2e
refuses InvalidSubnetID.NotFound "an unknown subnet" "${one[@]}" SubnetId=subnet-0123456789abcdef0
refuses InvalidParameterValue "a subnet of another zone" "${one[@]}" SubnetId="$subnet" Placement.AvailabilityZone=ap-northeast-2a

# --- addresses ---
answers "a private address" "${one[@]}" SubnetId="$subnet" PrivateIpAddress=172.31.35.77
is "$(x 'string(//instancesSet/item/privateIpAddress)')" 172.31.35.77 "is the instance's"
refuses InvalidIPAddress.InUse "the same again" "${one[@]}" SubnetId="$subnet" PrivateIpAddress=172.31.35.77
refuses InvalidIPAddress.InUse "and in a dry run" "${one[@]}" SubnetId="$subnet" PrivateIpAddress=172.31.35.77 DryRun=true
refuses InvalidParameterValue "an address of another subnet" "${one[@]}" SubnetId="$subnet" PrivateIpAddress=172.31.0.77
refuses InvalidParameterValue "the router's address" "${one[@]}" SubnetId="$subnet" PrivateIpAddress=172.31.32.1
refuses InvalidParameterValue "no address at all" "${one[@]}" SubnetId="$subnet" PrivateIpAddress=172.31.32
refuses InvalidParameterCombination "one address for two" Action=RunInstances ImageId="$AMI" MinCount=2 MaxCount=2 SubnetId="$subnet" PrivateIpAddress=172.31.35.78
answers "no public address" "${one[@]}" NetworkInterface.1.DeviceIndex=0 NetworkInterface.1.AssociatePublicIpAddress=false NetworkInterface.1.SubnetId="$subnet"
plain=$(x 'string(//instancesSet/item/instanceId)')
is "$(x 'count(//ipAddress)')" 0 "leaves the member out"
ok "it runs" await "$plain" running
is "$(field "$plain" dnsName)" "" "and there is no public name"
refuses InvalidParameterCombination "an interface and a subnet beside it" "${one[@]}" SubnetId="$subnet" NetworkInterface.1.DeviceIndex=0

# --- groups ---
api Action=CreateSecurityGroup GroupName=web GroupDescription="for the web"
web=$(x 'string(//groupId)')
answers "a group by id" "${one[@]}" SecurityGroupId.1="$web"
is "$(x 'string(//instancesSet/item/groupSet/item/groupName)')" web "is the instance's, and the default one is not"
is "$(x 'count(//instancesSet/item/groupSet/item)')" 1 "alone"
answers "two groups, one by name" "${one[@]}" SecurityGroupId.1="$web" SecurityGroup.1=default
is "$(x 'count(//instancesSet/item/groupSet/item)')" 2 "are both the instance's"
refuses InvalidGroup.NotFound "an unknown group" "${one[@]}" SecurityGroupId.1=sg-0123456789abcdef0
refuses InvalidGroup.NotFound "an unknown group's name" "${one[@]}" SecurityGroup.1=nobody
refuses InvalidGroupId.Malformed "a malformed group id" "${one[@]}" SecurityGroupId.1=web
for n in 1 2 3 4 5; do
	api Action=CreateSecurityGroup GroupName="g$n" GroupDescription=g
done
refuses SecurityGroupsPerInstanceLimitExceeded "six groups" "${one[@]}" SecurityGroup.1=g1 SecurityGroup.2=g2 SecurityGroup.3=g3 \
	SecurityGroup.4=g4 SecurityGroup.5=g5 SecurityGroup.6=web

# --- names of every script ---
answers "a Korean name with an emoji" "${one[@]}" TagSpecification.1.ResourceType=instance \
	TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value="웹 서버 🦄 <&\"'>"
is "$(x 'string(//tagSet/item/value)')" "웹 서버 🦄 <&\"'>" "comes back as it was"
api Action=DescribeInstances "Filter.1.Name=tag:Name" "Filter.1.Value.1=웹*"
is "$(x 'count(//instancesSet/item)')" 1 "and is found by it"

# --- client tokens ---
answers "a client token" "${one[@]}" ClientToken=token-1
first=$(x 'string(//instancesSet/item/instanceId)')
answers "the same call again" "${one[@]}" ClientToken=token-1
is "$(x 'string(//instancesSet/item/instanceId)')" "$first" "is the same instance"
refuses IdempotentParameterMismatch "the token with another type" "${one[@]}" ClientToken=token-1 InstanceType=t3.nano
refuses InvalidParameterValue "a token of 65 characters" "${one[@]}" ClientToken="$(printf 'x%.0s' {1..65})"
answers "a token of 64" "${one[@]}" ClientToken="$(printf 'x%.0s' {1..64})"

# --- dry run ---
api Action=DescribeInstances
count=$(x 'count(//instancesSet/item)')
refuses DryRunOperation "a dry run that would have worked" "${one[@]}" DryRun=true
is "$STATUS" 412 "is status 412"
refuses InvalidAMIID.NotFound "a dry run that would not" Action=RunInstances ImageId=ami-0123456789abcdef0 MinCount=1 MaxCount=1 DryRun=true
api Action=DescribeInstances
is "$(x 'count(//instancesSet/item)')" "$count" "and nothing was launched"

# --- the pool of public addresses ---
for n in 1 2 3; do answers "a hundred more" Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=100 InstanceType=t2.nano || break; done
refuses InsufficientAddressCapacity "then the public pool is used up" "${one[@]}"
like "$MESSAGE" '203\.0\.113\.0/24' "the sentence names it"
api Action=DescribeInstances
is "$(xmllint --xpath '//*[local-name()="ipAddress"]/text()' "$T/body" | sort | uniq -d)" "" "no public address twice"
is "$(xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="privateIpAddress"]/text()' "$T/body" | sort | uniq -d)" "" "no private address twice"
is "$(xmllint --xpath '//*[local-name()="macAddress"]/text()' "$T/body" | sort | uniq -d)" "" "no MAC twice"
region_down
done_testing
