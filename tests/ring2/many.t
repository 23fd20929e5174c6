#!/bin/bash
# More at once than there are threads for: nothing is refused, nothing is left half done.
. "$(dirname "$0")/../lib.sh"

region_up test
AMI=$(image)
answers "a hundred instances in one call" Action=RunInstances ImageId="$AMI" MinCount=100 MaxCount=100
is "$(x 'count(//instancesSet/item)')" 100 "are a hundred in the reply"
answers "and a hundred more" Action=RunInstances ImageId="$AMI" MinCount=100 MaxCount=100
last=$(x 'string((//instancesSet/item/instanceId)[last()])')
ok "the last of them runs" await "$last" running 60
api Action=DescribeInstances Filter.1.Name=instance-state-name Filter.1.Value.1=running
for _ in $(seq 100); do # the last may overtake others
	[ "$(x 'count(//instancesSet/item)')" != 200 ] || break
	api Action=DescribeInstanceProgress InstanceId="$last" WaitSeconds=1 After=1000
	api Action=DescribeInstances Filter.1.Name=instance-state-name Filter.1.Value.1=running
done
is "$(x 'count(//instancesSet/item)')" 200 "all two hundred run"
is "$(x 'count(//instancesSet/item/ipAddress)')" 200 "each with a public address"
is "$(grep -o '<ipAddress>[^<]*' "$T/body" | sort -u | wc -l)" 200 "of its own"
is "$(grep -o '<privateIpAddress>[^<]*' "$T/body" | sort -u | wc -l)" 200 "and a private one of its own"
refuses InsufficientAddressCapacity "the pool ends at last" Action=RunInstances ImageId="$AMI" MinCount=60 MaxCount=60
api Action=DescribeInstances Filter.1.Name=instance-state-name Filter.1.Value.1=pending Filter.1.Value.2=running
is "$(x 'count(//instancesSet/item)')" 200 "and of that call nothing stays"
region_down
done_testing
