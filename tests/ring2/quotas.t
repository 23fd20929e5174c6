#!/bin/bash
# Quotas: each is a setting, each has EC2's code, and a limit that was lowered takes nothing away.
. "$(dirname "$0")/../lib.sh"

# --- the settings ---
says 2 'quota_vcpus must be a whole number' "a quota that is no number" vpclab ls --set quota_vcpus=many
says 2 'quota_vcpus.*0 to 100000' "below zero" vpclab ls --set quota_vcpus=-1
says 2 'quota_groups.*2500' "too large" vpclab ls --set quota_groups=2501
says 2 'quota_rules_per_group.*1000' "too large for rules" vpclab ls --set quota_rules_per_group=1001
says 2 'quota_addresses' "empty" vpclab ls --set quota_addresses=

export VPCLAB_QUOTA_VCPUS=5 VPCLAB_QUOTA_GROUPS=3 VPCLAB_QUOTA_RULES_PER_GROUP=3 VPCLAB_QUOTA_ADDRESSES=1
region_up
AMI=$(image)

# --- vCPUs ---
run=(Action=RunInstances ImageId="$AMI")
one=$(launch InstanceType=t3.nano)
two=$(launch InstanceType=t3.nano)
ok "four of five vCPUs" await "$one" running
ok "run" await "$two" running
refuses VcpuLimitExceeded "two more" "${run[@]}" MinCount=1 MaxCount=1 InstanceType=t3.nano
like "$MESSAGE" '^You have requested more vCPU capacity than your current vCPU limit of 5 allows for the instance bucket' "in EC2's words"
refuses VcpuLimitExceeded "a dry run says so" "${run[@]}" MinCount=1 MaxCount=1 InstanceType=t3.nano DryRun=true
refuses VcpuLimitExceeded "two of one" "${run[@]}" MinCount=2 MaxCount=2 InstanceType=t2.nano
answers "one to three of one" "${run[@]}" MinCount=1 MaxCount=3 InstanceType=t2.nano
is "$(x 'count(//instancesSet/item)')" 1 "are as many as may run"
three=$(x 'string(//instanceId)')
await "$three" running
api Action=StopInstances InstanceId.1="$one" InstanceId.2="$three"
await "$one" stopped
await "$three" stopped
four=$(launch InstanceType=t2.medium)
ok "what is stopped does not count" await "$four" running
refuses VcpuLimitExceeded "starting is launching" Action=StartInstances InstanceId.1="$one"
refuses VcpuLimitExceeded "all or none" Action=StartInstances InstanceId.1="$three" InstanceId.2="$one"
is "$(state "$three")" stopped "none was started"
answers "what fits may start" Action=StartInstances InstanceId.1="$three"
answers "and what runs may be named" Action=StartInstances InstanceId.1="$two"
api Action=TerminateInstances InstanceId.1="$four"
await "$four" terminated
answers "a termination makes room" Action=StartInstances InstanceId.1="$one"
await "$one" running

# --- groups ---
for n in 1 2; do answers "group $n beside the default one" Action=CreateSecurityGroup GroupName=g$n GroupDescription=x; done
g=$(x 'string(//groupId)')
refuses SecurityGroupLimitExceeded "a fourth" Action=CreateSecurityGroup GroupName=g3 GroupDescription=x
like "$MESSAGE" ': 3\.' "the sentence has the number"
answers "one deleted" Action=DeleteSecurityGroup GroupName=g1
answers "makes room" Action=CreateSecurityGroup GroupName=g3 GroupDescription=x

# --- rules ---
rules() { # COUNT FROM
	local n
	for ((n = 1; n <= $1; n++)); do
		echo "IpPermissions.$n.IpProtocol=tcp" "IpPermissions.$n.FromPort=$(($2 + n))" "IpPermissions.$n.ToPort=$(($2 + n))" "IpPermissions.$n.IpRanges.1.CidrIp=10.0.0.0/8"
	done
}
# shellcheck disable=SC2046
{
	answers "two rules" Action=AuthorizeSecurityGroupIngress GroupId="$g" $(rules 2 100)
	refuses RulesPerSecurityGroupLimitExceeded "two more" Action=AuthorizeSecurityGroupIngress GroupId="$g" $(rules 2 200)
	like "$MESSAGE" ': 3\.' "the sentence has the number"
	answers "one more" Action=AuthorizeSecurityGroupIngress GroupId="$g" $(rules 1 200)
	answers "outbound ones are counted by themselves" Action=AuthorizeSecurityGroupEgress GroupId="$g" $(rules 2 300)
	refuses RulesPerSecurityGroupLimitExceeded "with the one that is there" Action=AuthorizeSecurityGroupEgress GroupId="$g" $(rules 1 400)
}

# --- addresses ---
answers "one address" Action=AllocateAddress
refuses AddressLimitExceeded "two" Action=AllocateAddress
answers "released" Action=ReleaseAddress PublicIp="$(api Action=DescribeAddresses; x 'string(//publicIp)')"
answers "another" Action=AllocateAddress

# --- another daemon with other quotas ---
pid=$(daemon_pid)
kill "$pid"
await_exit "$pid" 15
export VPCLAB_QUOTA_VCPUS=0 VPCLAB_QUOTA_GROUPS=0 VPCLAB_QUOTA_ADDRESSES=0
run vpclab ls
is "$STATUS" 0 "lower quotas than what is there are no fault" || diag "$ERR"
api Action=DescribeAddresses
is "$(x 'count(//addressesSet/item)')" 1 "nothing is taken away"
refuses VcpuLimitExceeded "nothing is added" "${run[@]}" MinCount=1 MaxCount=1
refuses SecurityGroupLimitExceeded "nor groups" Action=CreateSecurityGroup GroupName=g4 GroupDescription=x
refuses AddressLimitExceeded "nor addresses" Action=AllocateAddress
region_down
done_testing
