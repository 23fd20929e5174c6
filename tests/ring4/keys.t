#!/bin/bash
# A real guest with a key pair: its public key lets ssh in; groups, rules, the type and user data are modified, and the guest sees it.
# Two boots, minutes each without KVM.
. "$(dirname "$0")/../lib.sh"

[ -n "${VPCLAB_TEST_IMAGES:-}" ] || skip_all "no guest image (tests/run.sh builds one)"
region_up embedded
AMI=$(image)

status() { # INSTANCE: its instance status
	api Action=DescribeInstanceStatus InstanceId.1="$1"
	x 'string(//instanceStatus/status)'
}
# await_status INSTANCE STATUS SECONDS: by the long poll for progress
await_status() {
	local deadline=$((SECONDS + $3)) after=0
	until [ "$(status "$1")" = "$2" ]; do
		api Action=DescribeInstanceProgress InstanceId="$1" After="$after" WaitSeconds=10
		after=$(x 'string(/*/lastSequence)')
		[ $SECONDS -lt $deadline ] || return 1
	done
}
login() { # ADDRESS COMMAND
	ssh -F /dev/null -i "$T/mine.pem" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR -o ConnectTimeout="${TIMEOUT:-60}" "ubuntu@$1" "$2"
}

run vpclab key create mine --file "$T/mine.pem"
is "$STATUS" 0 "a key pair" || diag "$ERR"
api Action=CreateSecurityGroup GroupName=open GroupDescription=x
open=$(x 'string(//groupId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$open" IpProtocol=tcp FromPort=22 ToPort=22 CidrIp=0.0.0.0/0
rule=$(x 'string(//securityGroupRuleId)')
api Action=CreateSecurityGroup GroupName=closed GroupDescription=x
closed=$(x 'string(//groupId)')
run vpclab launch web --image debian-12 --type t2.nano --key mine --group open
is "$STATUS" 0 "a launch with it" || diag "$ERR"
id=$(grep -o 'i-[0-9a-f]\{17\}' <<<"$OUT")
public=$(field "$id" ipAddress)
is "$(status "$id")" initializing "its status is initializing"
ok "and ok when its boot came to its end" await_status "$id" ok 600
is "$(x 'string(//systemStatus/status)')" ok "its system's too"

is "$(login "$public" 'echo in' 2>&1)" in "the key pair's private key lets in"
is "$(login "$public" 'cut -d" " -f3 .ssh/authorized_keys' 2>&1)" mine "the guest has the public key, with the pair's name"
ssh-keygen -q -t ed25519 -N '' -f "$T/other"
nok "another key does not" ssh -F /dev/null -i "$T/other" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no \
	-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "ubuntu@$public" true

answers "another group" Action=ModifyInstanceAttribute InstanceId="$id" GroupId.1="$closed"
TIMEOUT=4
nok "closes the port when the call returns" login "$public" true
answers "the first again" Action=ModifyInstanceAttribute InstanceId="$id" GroupId.1="$open"
TIMEOUT=60
is "$(login "$public" 'echo in' 2>&1)" in "opens it"
answers "the rule modified" Action=ModifySecurityGroupRules GroupId="$open" SecurityGroupRule.1.SecurityGroupRuleId="$rule" \
	SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp SecurityGroupRule.1.SecurityGroupRule.FromPort=2222 \
	SecurityGroupRule.1.SecurityGroupRule.ToPort=2222 SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=0.0.0.0/0
TIMEOUT=4
nok "closes it" login "$public" true
answers "and back" Action=ModifySecurityGroupRules GroupId="$open" SecurityGroupRule.1.SecurityGroupRuleId="$rule" \
	SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp SecurityGroupRule.1.SecurityGroupRule.FromPort=22 \
	SecurityGroupRule.1.SecurityGroupRule.ToPort=22 SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=0.0.0.0/0
TIMEOUT=60
is "$(login "$public" 'echo in' 2>&1)" in "opens it"

run vpclab key rm mine
run vpclab stop web
is "$STATUS" 0 "it stops" || diag "$ERR"
answers "another type" Action=ModifyInstanceAttribute InstanceId="$id" InstanceType.Value=t2.micro
answers "and other user data" Action=ModifyInstanceAttribute InstanceId="$id" \
	UserData.Value="$(printf '#cloud-boothook\n#!/bin/sh\ntouch /run/modified\n' | base64 -w0)"
run vpclab start web
is "$STATUS" 0 "it starts" || diag "$ERR"
ok "and its boot comes to its end" await_status "$id" ok 600
public=$(field "$id" ipAddress)
is "$(login "$public" 'ls /run/modified' 2>&1)" /run/modified "the new user data ran, and the key lets in though the pair is deleted"
at_most 700000 "$(login "$public" "awk '/MemTotal/{print \$2}' /proc/meminfo" 2>&1)" "the guest has the new type's memory"
region_down
done_testing
