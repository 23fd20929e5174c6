#!/bin/bash
# Elastic IP addresses in a whole region: what DescribeInstances says is where packets go, when the call returns. The guests are
# machines without a system; their packets are seen at their taps.
. "$(dirname "$0")/../lib.sh"
. tests/ring3/region.sh
sector_data
region_up embedded
AMI=$(sector_image)
api Action=DescribeSecurityGroups
api Action=AuthorizeSecurityGroupIngress GroupId="$(x 'string(//groupId)')" IpProtocol=tcp FromPort=8000 ToPort=8000 CidrIp=203.0.113.0/24

answers "an address, before there is a network" Action=AllocateAddress
one=$(x 'string(//allocationId)') ip=$(x 'string(//publicIp)')
a=$(launch InstanceType=t2.nano)
b=$(launch InstanceType=t2.nano)
ok "a machine runs" await "$a" running 120
ok "and another" await "$b" running 120
auto=$(field "$a" ipAddress)
is "$(arrives "$auto" "$a" "$b")" "$a" "the host's packets for a public address come to its machine"
is "$(arrives "$ip" "$a" "$b")" "" "for the Elastic IP address of nobody to none"

answers "associated" Action=AssociateAddress AllocationId="$one" InstanceId="$a"
is "$(arrives "$ip" "$a" "$b")" "$a" "they come to the machine at once"
is "$(arrives "$auto" "$a" "$b")" "" "for the address that it had to none"
answers "reassociated" Action=AssociateAddress AllocationId="$one" InstanceId="$b"
is "$(arrives "$ip" "$a" "$b")" "$b" "they come to the other machine"
auto=$(field "$a" ipAddress)
is "$(arrives "$auto" "$a" "$b")" "$a" "and for the former one's new address to that"

api Action=StopInstances InstanceId.1="$b" Force=true
ok "stopped" await "$b" stopped 60
is "$(field "$b" ipAddress) $(arrives "$ip" "$a" "$b")" "$ip " "a stopped machine keeps it, and gets no packets"
another_daemon
is "$STATUS" 0 "another daemon" || diag "$ERR"
api Action=StartInstances InstanceId.1="$b"
ok "started" await "$b" running 120
is "$(arrives "$ip" "$a" "$b")" "$b" "the address is there again"
another_daemon -9
is "$STATUS" 0 "after kill -9" || diag "$ERR"
is "$(arrives "$ip" "$a" "$b")" "$b" "it is as it was"

answers "disassociated" Action=DisassociateAddress PublicIp="$ip"
auto=$(field "$b" ipAddress)
isnt "$auto" "$ip" "the running machine has another address"
is "$(arrives "$auto" "$a" "$b")" "$b" "by which packets come"
is "$(arrives "$ip" "$a" "$b")" "" "and by the former none"

# --- the kernel refuses: all is as before ---
ip link del vpclab0
refuses InternalError "an address that can't be put in force" Action=AssociateAddress AllocationId="$one" InstanceId="$a"
like "$MESSAGE" 'all is as before.*vpclab0 is gone' "says why"
api Action=DescribeAddresses
is "$(x 'count(//associationId)')" 0 "it is associated with nothing"
isnt "$(field "$a" ipAddress)" "$ip" "the instance has its own address still"
another_daemon
is "$STATUS" 0 "another daemon makes the bridge again" || diag "$ERR"
answers "then it is possible" Action=AssociateAddress AllocationId="$one" InstanceId="$a"
is "$(arrives "$ip" "$a" "$b")" "$a" "and packets come"

api Action=TerminateInstances InstanceId.1="$a"
ok "terminated" await "$a" terminated 60
api Action=DescribeAddresses
is "$(x 'string(//publicIp)') $(x 'count(//associationId)')" "$ip 0" "the address is nobody's"
is "$(arrives "$ip" "$b")" "" "nobody gets its packets"
answers "given to the other" Action=AssociateAddress AllocationId="$one" InstanceId="$b"
is "$(arrives "$ip" "$b")" "$b" "who gets them"
region_down
done_testing
