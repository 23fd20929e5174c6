#!/bin/bash
# The range of public addresses on a machine that uses it: another is taken and kept, or a sentence says which and by whom.
. "$(dirname "$0")/../lib.sh"
. tests/ring3/region.sh
sector_data
# this kernel need not have dummy links: one end of a pair will do
ip link add busy type veth peer name busy-peer
ip addr add 203.0.113.77/25 dev busy
range() { api Action=DescribeRegionStatus; x 'string(//publicCidr)'; }
allocate() { api Action=AllocateAddress "$@"; ALLOCATED=$(x 'string(//publicIp)'); }
# a region's own links are no fault of it
daemon_gone() {
	local pid
	pid=$(daemon_pid)
	kill "$pid"
	await_exit "$pid" 20
}

down() {
	run vpclab down
	is "$STATUS" 0 "the region goes down" || diag "$ERR"
	is "$(leftovers | grep -v '^link busy')" "" "nothing is left of it"
}

run vpclab doctor
like "$OUT" '203\.0\.113\.0/24 is taken \(busy has 203\.0\.113\.77\); 198\.51\.100\.0/24 is free' "doctor says which range will do"
region_up embedded
is "$(range)" 198.51.100.0/24 "where the first range is in use another is taken"
ok "the log says so" grep -q '203.0.113.0/24 is in use on this machine: busy has 203.0.113.77/25. Public addresses are from 198.51.100.0/24' "$VPCLAB_STATE_DIR/daemon.log"
AMI=$(sector_image)
api Action=DescribeSecurityGroups
api Action=AuthorizeSecurityGroupIngress GroupId="$(x 'string(//groupId)')" IpProtocol=tcp FromPort=8000 ToPort=8000 CidrIp=0.0.0.0/0
allocate
like "$ALLOCATED" '^198\.51\.100\.' "an Elastic IP address is of it"
a=$(launch InstanceType=t2.nano)
ok "a machine runs" await "$a" running 120
like "$(field "$a" ipAddress)" '^198\.51\.100\.' "its public address is of it"
is "$(arrives "$(field "$a" ipAddress)" "$a")" "$a" "and packets come"
like "$(ip -4 -o addr show dev vpclab0)" '198\.51\.100\.1/24' "the bridge has its first address"

ip addr del 203.0.113.77/25 dev busy
another_daemon
is "$STATUS $(range)" "0 198.51.100.0/24" "the choice stays when the first range is free again" || diag "$ERR"
is "$(arrives "$(field "$a" ipAddress)" "$a")" "$a" "and so do the guests"

# --- a change is for a region whose addresses nobody has ---
daemon_gone
says 3 "can't become 203\\.0\\.113\\.0/24: 2 instances and Elastic IP addresses have addresses of 198\\.51\\.100\\.0/24" \
	"another range is refused while somebody has an address" vpclab daemon --set public_cidr=203.0.113.0/24
says 3 "can't become 198\\.51\\.100\\.0/25" "a smaller one too" vpclab daemon --set public_cidr=198.51.100.0/25
run vpclab daemon
api Action=ReleaseAddress PublicIp="$ALLOCATED"
api Action=TerminateInstances InstanceId.1="$a"
ok "terminated" await "$a" terminated 60
daemon_gone
run vpclab daemon
is "$(range)" 198.51.100.0/24 "auto keeps what it chose even then"
daemon_gone
run vpclab daemon --set public_cidr=203.0.113.0/24
is "$STATUS $(range)" "0 203.0.113.0/24" "now another range is possible" || diag "$ERR"
a=$(launch InstanceType=t2.nano)
ok "a machine runs" await "$a" running 120
like "$(field "$a" ipAddress)" '^203\.0\.113\.' "its address is of the new range"
is "$(arrives "$(field "$a" ipAddress)" "$a")" "$a" "and packets come"
down

# --- explicit and in use: a sentence ---
ip addr add 203.0.113.77/25 dev busy
run vpclab daemon --set public_cidr=203.0.113.0/24
is "$STATUS" 0 "a region with a range that is in use" || diag "$ERR"
refuses InternalError "launches nothing" Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1
like "$MESSAGE" '203\.0\.113\.0/24 is in use on this machine: busy has 203\.0\.113\.77/25; choose another range with public_cidr' "says which, by whom and what to do"
refuses InternalError "allocates nothing" Action=AllocateAddress
says 3 '203\.0\.113\.0/24 is in use' "a verb says it" vpclab launch x --image sector
is "$(range)" 203.0.113.0/24 "and takes no other"
api Action=DescribeInstances Filter.1.Name=instance-state-name Filter.1.Value.1=pending Filter.1.Value.2=running
is "$(x 'count(//instancesSet/item)')" 0 "nothing is half there"
down

# --- auto: what becomes taken after the choice, and all that can be taken ---
ip addr del 203.0.113.77/25 dev busy
run vpclab daemon
is "$(range)" 203.0.113.0/24 "the range that the store has"
ip addr add 203.0.113.77/25 dev busy
ip addr add 198.51.100.7/32 dev busy
ip link set busy up
ip route add 192.0.2.128/25 dev busy
allocate DryRun=true
is "$(range)" 203.0.113.0/24 "a dry run changes nothing"
allocate
like "$ALLOCATED" '^198\.18\.0\.' "a range taken between start and first use is passed over, and so is one with a route, or one address"
is "$(range)" 198.18.0.0/24 "the benchmark's range is next"
ip addr add 198.18.0.9/32 dev busy
refuses InternalError "the range becomes taken while an address is allocated" Action=AllocateAddress
like "$MESSAGE" '198\.18\.0\.0/24 is in use on this machine: busy has 198\.18\.0\.9/32; instances or Elastic IP' "which is said"
api Action=ReleaseAddress PublicIp="$ALLOCATED"
allocate
like "$ALLOCATED" '^198\.18\.1\.' "released, the next range is taken"
api Action=ReleaseAddress PublicIp="$ALLOCATED"
ip addr add 198.18.3.3/15 dev busy
refuses InternalError "all are taken" Action=AllocateAddress
like "$MESSAGE" 'Every range.*203\.0\.113\.0/24: busy has 203\.0\.113\.77/25.*public_cidr' "which is said, with what to do"
ip link del busy
region_down
done_testing
