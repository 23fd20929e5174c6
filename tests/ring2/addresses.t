#!/bin/bash
# Elastic IP addresses: allocating, associating in every way, what stays over stop, start and termination, describing; the verb ip.
. "$(dirname "$0")/../lib.sh"
export VPCLAB_QUOTA_ADDRESSES=7
region_up
AMI=$(image)
a=$(launch TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=a)
b=$(launch)
await "$a" running
await "$b" running
eni_a=$(field "$a" networkInterfaceSet/item/networkInterfaceId) eni_b=$(field "$b" networkInterfaceSet/item/networkInterfaceId)
auto_a=$(field "$a" ipAddress)
is "$(field "$a" networkInterfaceSet/item/association/ipOwnerId)" amazon "a public address of the pool is amazon's"

# --- allocating ---
refuses DryRunOperation "a dry run" Action=AllocateAddress DryRun=true
api Action=DescribeAddresses
is "$(x 'count(//addressesSet/item)')" 0 "allocates nothing"
answers "an address" Action=AllocateAddress Domain=vpc TagSpecification.1.ResourceType=elastic-ip \
	TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=웹
one=$(x 'string(//allocationId)') ip=$(x 'string(//publicIp)')
like "$one" '^eipalloc-0[0-9a-f]{16}$' "its allocation id is EC2's form"
like "$ip" '^203\.0\.113\.[0-9]+$' "it is of the pool"
is "$(x 'string(//domain)') $(x 'string(//publicIpv4Pool)') $(x 'string(//networkBorderGroup)')" "vpc amazon ap-northeast-2" "as EC2 says it"
answers "it is described" Action=DescribeAddresses AllocationId.1="$one"
is "$(x 'string(//publicIp)') $(x 'string(//allocationId)') $(x 'string(//domain)') $(x 'string(//tagSet/item/value)')" "$ip $one vpc 웹" "as it was made"
is "$(x 'count(//associationId)') $(x 'count(//instanceId)')" "0 0" "associated with nothing"
answers "another" Action=AllocateAddress
two=$(x 'string(//allocationId)') ip2=$(x 'string(//publicIp)')
isnt "$ip" "$ip2" "is another address"
refuses InvalidParameterValue "EC2-Classic's domain" Action=AllocateAddress Domain=standard
refuses InvalidParameterValue "another pool" Action=AllocateAddress PublicIpv4Pool=ipv4pool-ec2-012345
refuses InvalidParameterValue "another border group" Action=AllocateAddress NetworkBorderGroup=us-east-1
refuses InvalidAddress.Malformed "an address that is none" Action=AllocateAddress Address=203.0.113
refuses InvalidAddress.NotFound "an address of another range" Action=AllocateAddress Address=198.51.100.9
refuses InvalidAddress.NotFound "the machine's own" Action=AllocateAddress Address=203.0.113.1
refuses InvalidAddress.NotFound "the broadcast address" Action=AllocateAddress Address=203.0.113.255
refuses InvalidIPAddress.InUse "the gateway's" Action=AllocateAddress Address=203.0.113.2
refuses InvalidIPAddress.InUse "an instance's" Action=AllocateAddress Address="$auto_a"
refuses InvalidIPAddress.InUse "one that is allocated" Action=AllocateAddress Address="$ip"

# --- associating ---
as=(Action=AssociateAddress AllocationId="$one")
refuses MissingParameter "with nothing" "${as[@]}"
refuses MissingParameter "nothing with it" Action=AssociateAddress InstanceId="$a"
refuses InvalidParameterCombination "two addresses" "${as[@]}" PublicIp="$ip" InstanceId="$a"
refuses InvalidParameterCombination "two targets" "${as[@]}" InstanceId="$a" NetworkInterfaceId="$eni_a"
refuses InvalidAllocationID.NotFound "an unknown allocation" Action=AssociateAddress AllocationId=eipalloc-0123456789abcdef0 InstanceId="$a"
refuses InvalidAddress.NotFound "an unknown address" Action=AssociateAddress PublicIp=203.0.113.3 InstanceId="$a"
refuses InvalidAddress.Malformed "no address" Action=AssociateAddress PublicIp=web InstanceId="$a"
refuses InvalidInstanceID.NotFound "an unknown instance" "${as[@]}" InstanceId=i-0123456789abcdef0
refuses InvalidInstanceID.Malformed "no instance" "${as[@]}" InstanceId=web
refuses InvalidNetworkInterfaceID.NotFound "an unknown interface" "${as[@]}" NetworkInterfaceId=eni-0123456789abcdef0
refuses InvalidParameterValue "another private address" "${as[@]}" InstanceId="$a" PrivateIpAddress=172.31.0.9
refuses DryRunOperation "a dry run" "${as[@]}" InstanceId="$a" DryRun=true
is "$(field "$a" ipAddress)" "$auto_a" "changes nothing"
answers "an instance" "${as[@]}" InstanceId="$a" PrivateIpAddress="$(field "$a" privateIpAddress)"
is "$(x 'string(//return)')" true "answers true"
assoc=$(x 'string(//associationId)')
like "$assoc" '^eipassoc-0[0-9a-f]{16}$' "and the association's id"
is "$(field "$a" ipAddress)" "$ip" "the instance has the address"
is "$(field "$a" dnsName)" "ec2-${ip//./-}.ap-northeast-2.compute.amazonaws.com" "and its name"
is "$(field "$a" networkInterfaceSet/item/association/ipOwnerId)" 000000000000 "which is the account's"
is "$(field "$a" networkInterfaceSet/item/privateIpAddressesSet/item/association/publicIp)" "$ip" "in every place"
api Action=DescribeInstances Filter.1.Name=network-interface.addresses.association.ip-owner-id Filter.1.Value.1=000000000000
is "$(x 'string(//instanceId)') $(x 'count(//instancesSet/item)')" "$a 1" "instances are found by whose address they have"
api Action=DescribeAddresses PublicIp.1="$ip"
is "$(x 'string(//associationId)') $(x 'string(//instanceId)') $(x 'string(//networkInterfaceId)') $(x 'string(//networkInterfaceOwnerId)') $(x 'string(//privateIpAddress)')" \
	"$assoc $a $eni_a 000000000000 $(field "$a" privateIpAddress)" "the address tells its association"
answers "the address that the instance had is free" Action=AllocateAddress Address="$auto_a"
answers "and given back" Action=ReleaseAddress PublicIp="$auto_a"
answers "the same again" "${as[@]}" InstanceId="$a"
is "$(x 'string(//associationId)')" "$assoc" "is the same association"
answers "also where reassociation isn't allowed" "${as[@]}" NetworkInterfaceId="$eni_a" AllowReassociation=false
refuses InvalidIPAddress.InUse "releasing it" Action=ReleaseAddress AllocationId="$one"
like "$MESSAGE" "$assoc" "says by what"

# --- reassociating ---
refuses Resource.AlreadyAssociated "an associated address, where that isn't allowed" "${as[@]}" InstanceId="$b" AllowReassociation=false
like "$MESSAGE" "resource $one is already associated with associate-id $assoc" "in EC2's words"
refuses Resource.AlreadyAssociated "an instance that has one" Action=AssociateAddress AllocationId="$two" InstanceId="$a" AllowReassociation=false
refuses DryRunOperation "a dry run of it" "${as[@]}" InstanceId="$b" DryRun=true
answers "to another instance" "${as[@]}" NetworkInterfaceId="$eni_b"
isnt "$(x 'string(//associationId)')" "$assoc" "a new association"
is "$(field "$b" ipAddress)" "$ip" "has it"
auto_a=$(field "$a" ipAddress)
like "$auto_a" '^203\.0\.113\.' "the former one has a public address of the pool again"
isnt "$auto_a" "$ip" "another"
answers "the second address in place of the first" Action=AssociateAddress PublicIp="$ip2" InstanceId="$b"
is "$(field "$b" ipAddress)" "$ip2" "is the instance's"
api Action=DescribeAddresses AllocationId.1="$one"
is "$(x 'count(//associationId)')" 0 "the first is nobody's, and stays allocated"
answers "swapping: the first to b" "${as[@]}" InstanceId="$b"
answers "the second to a" Action=AssociateAddress AllocationId="$two" InstanceId="$a"
answers "the first to a, who has the second" "${as[@]}" InstanceId="$a"
is "$(field "$a" ipAddress)" "$ip" "a has the first"
like "$(field "$b" ipAddress)" '^203\.0\.113\.' "b one of the pool"
isnt "$(field "$b" ipAddress)" "$ip2" "which is not the second"
api Action=DescribeAddresses AllocationId.1="$two"
is "$(x 'count(//associationId)')" 0 "the second is nobody's"

# --- many at once ---
for n in {1..12}; do
	case $((n % 4)) in
	0) call="Action=AssociateAddress&AllocationId=$one&InstanceId=$a" ;;
	1) call="Action=AssociateAddress&AllocationId=$one&InstanceId=$b" ;;
	2) call="Action=AssociateAddress&AllocationId=$two&InstanceId=$a" ;;
	3) call="Action=DisassociateAddress&PublicIp=$ip" ;;
	esac
	curl -s --unix-socket "$SOCKET" -o "$T/call$n" -w '%{http_code}\n' -d "$call" http://region/ >>"$T/codes" &
	calls[n]=$!
done
wait "${calls[@]}"
is "$(sort -u "$T/codes")" 200 "twelve calls at once for the same addresses and instances" || diag "$(cat "$T"/call*)"
api Action=DescribeInstances
is "$(xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="ipAddress"]/text()' "$T/body" | sort | uniq | wc -l)" 2 "each instance has an address of its own"
api Action=DescribeAddresses
for n in 1 2; do
	holder=$(x "string(//addressesSet/item[$n]/instanceId)") held=$(x "string(//addressesSet/item[$n]/publicIp)")
	[ -z "$holder" ] || is "$(field "$holder" ipAddress)" "$held" "whoever an address is associated with has it"
	api Action=DescribeAddresses
done
answers "one known state again: the second to nobody" Action=DisassociateAddress PublicIp="$ip2"
answers "the first to a" "${as[@]}" InstanceId="$a"

# --- stop and start, and a daemon that dies ---
api Action=StopInstances InstanceId.1="$a" InstanceId.2="$b"
ok "stopped" await "$a" stopped
ok "both" await "$b" stopped
is "$(field "$a" ipAddress)" "$ip" "an Elastic IP address stays with a stopped instance"
is "$(field "$b" ipAddress)" "" "a public address of the pool does not"
answers "a stopped instance can be given one" Action=AssociateAddress AllocationId="$two" InstanceId="$b"
is "$(field "$b" ipAddress)" "$ip2" "it has it"
pid=$(daemon_pid)
kill -9 "$pid"
await_exit "$pid" 10
vpclab ls >/dev/null
api Action=DescribeAddresses
is "$(x 'count(//associationId)')" 2 "addresses and associations outlive the daemon"
is "$(field "$a" ipAddress) $(field "$b" ipAddress)" "$ip $ip2" "the instances have them"
api Action=StartInstances InstanceId.1="$a" InstanceId.2="$b"
await "$a" running
await "$b" running
is "$(field "$a" ipAddress) $(field "$b" ipAddress)" "$ip $ip2" "and they stay over a start"

# --- disassociating ---
dis=(Action=DisassociateAddress)
refuses MissingParameter "nothing" "${dis[@]}"
refuses InvalidParameterCombination "both" "${dis[@]}" PublicIp="$ip" AssociationId="$assoc"
refuses InvalidAssociationID.NotFound "an association that is over" "${dis[@]}" AssociationId="$assoc"
refuses InvalidAssociationID.NotFound "an empty one" "${dis[@]}" AssociationId=
refuses InvalidAddress.NotFound "an unknown address" "${dis[@]}" PublicIp=203.0.113.3
api Action=DescribeAddresses Filter.1.Name=instance-id Filter.1.Value.1="$a"
assoc=$(x 'string(//associationId)')
refuses DryRunOperation "a dry run" "${dis[@]}" AssociationId="$assoc" DryRun=true
is "$(field "$a" ipAddress)" "$ip" "changes nothing"
answers "by the association" "${dis[@]}" AssociationId="$assoc"
is "$(x 'string(//return)')" true "answers true"
now=$(field "$a" ipAddress)
like "$now" '^203\.0\.113\.' "the running instance gets a public address of the pool"
isnt "$now" "$ip" "another one"
is "$(field "$a" networkInterfaceSet/item/association/ipOwnerId)" amazon "of amazon's"
answers "by the address" "${dis[@]}" PublicIp="$ip2"
answers "once more is no error" "${dis[@]}" PublicIp="$ip2"
like "$(field "$b" ipAddress)" '^203\.0\.113\.' "b too has one of the pool"
private=$(launch NetworkInterface.1.DeviceIndex=0 NetworkInterface.1.AssociatePublicIpAddress=false)
await "$private" running
is "$(field "$private" ipAddress)" "" "an instance without a public address"
answers "can be given one" "${as[@]}" InstanceId="$private"
is "$(field "$private" ipAddress)" "$ip" "it has it"
answers "taken from it" "${dis[@]}" PublicIp="$ip"
is "$(field "$private" ipAddress)" "" "it has none, as it was launched"
api Action=StopInstances InstanceId.1="$b"
await "$b" stopped
answers "to a stopped instance" Action=AssociateAddress AllocationId="$two" InstanceId="$b"
answers "and taken from it" "${dis[@]}" PublicIp="$ip2"
is "$(field "$b" ipAddress)" "" "which has none until it starts"
api Action=StartInstances InstanceId.1="$b"
await "$b" running
like "$(field "$b" ipAddress)" '^203\.0\.113\.' "then one of the pool"

# --- termination ---
answers "an association" "${as[@]}" InstanceId="$b"
api Action=TerminateInstances InstanceId.1="$b"
ok "terminated" await "$b" terminated
api Action=DescribeAddresses AllocationId.1="$one"
is "$(x 'string(//publicIp)') $(x 'count(//associationId)') $(x 'count(//instanceId)')" "$ip 0 0" "the address is nobody's and stays allocated"
refuses InvalidInstanceID "a terminated instance is given none" "${as[@]}" InstanceId="$b"
answers "another instance is" "${as[@]}" InstanceId="$a"

# --- describing ---
by() { # FILTER VALUE WANT
	api Action=DescribeAddresses Filter.1.Name="$1" Filter.1.Value.1="$2"
	is "$(x 'string(//item/allocationId)') $(x 'count(//addressesSet/item)')" "$3 1" "by $1"
}
api Action=DescribeAddresses AllocationId.1="$one"
by association-id "$(x 'string(//associationId)')" "$one"
by allocation-id "$two" "$two"
by public-ip "$ip2" "$two"
by instance-id "$a" "$one"
by network-interface-id "$eni_a" "$one"
by network-interface-owner-id 000000000000 "$one"
by private-ip-address "$(field "$a" privateIpAddress)" "$one"
by tag:Name '웹' "$one"
by tag-key 'Na*' "$one"
api Action=DescribeAddresses Filter.1.Name=domain Filter.1.Value.1=vpc Filter.2.Name=network-border-group Filter.2.Value.1='ap-*'
is "$(x 'count(//addressesSet/item)')" 2 "by domain and border group"
api Action=DescribeAddresses PublicIp.1="$ip" AllocationId.1="$two"
is "$(x 'count(//addressesSet/item)')" 2 "by address and by allocation"
refuses InvalidParameterValue "an unknown filter" Action=DescribeAddresses Filter.1.Name=colour Filter.1.Value.1=x
refuses InvalidAllocationID.NotFound "an unknown allocation" Action=DescribeAddresses AllocationId.1="$one" AllocationId.2=eipalloc-0123456789abcdef0
refuses InvalidAddress.NotFound "an unknown address" Action=DescribeAddresses PublicIp.1="$ip" PublicIp.2=203.0.113.3
refuses InvalidAddress.Malformed "no address" Action=DescribeAddresses PublicIp.1=x
for form in xml json; do
	if [ $form = xml ]; then api Action=DescribeAddresses; cp "$T/body" "$T/xml"; else apij Action=DescribeAddresses; fi
done
ok "XML and JSON say the same" tests/same_reply.py "$T/xml" "$T/body"
answers "tags" Action=CreateTags ResourceId.1="$two" Tag.1.Key=Name Tag.1.Value=second
by tag:Name second "$two"
refuses InvalidAllocationID.NotFound "tags of an unknown one" Action=CreateTags ResourceId.1=eipalloc-0123456789abcdef0 Tag.1.Key=a Tag.1.Value=b

# --- the quota, and pages ---
for n in 3 4 5 6 7; do answers "address $n" Action=AllocateAddress; done
refuses AddressLimitExceeded "one more than the quota" Action=AllocateAddress
like "$MESSAGE" '7.*quota_addresses' "which the sentence names"
refuses AddressLimitExceeded "a dry run says so too" Action=AllocateAddress DryRun=true
api Action=DescribeAddresses MaxResults=5
is "$(x 'count(//addressesSet/item)')" 5 "a page"
api Action=DescribeAddresses MaxResults=5 NextToken="$(x 'string(//nextToken)')"
is "$(x 'count(//addressesSet/item)') $(x 'count(//nextToken)')" "2 0" "and the rest"
refuses InvalidParameterCombination "pages of what is named" Action=DescribeAddresses AllocationId.1="$one" MaxResults=5
refuses InvalidNextToken "a token that isn't one" Action=DescribeAddresses NextToken=x

# --- releasing ---
refuses MissingParameter "nothing" Action=ReleaseAddress
refuses InvalidAllocationID.NotFound "an unknown allocation" Action=ReleaseAddress AllocationId=eipalloc-0123456789abcdef0
refuses InvalidParameterValue "another border group" Action=ReleaseAddress AllocationId="$two" NetworkBorderGroup=us-east-1
refuses DryRunOperation "a dry run" Action=ReleaseAddress AllocationId="$two" DryRun=true
answers "released" Action=ReleaseAddress AllocationId="$two"
refuses InvalidAllocationID.NotFound "it is gone" Action=ReleaseAddress AllocationId="$two"
answers "and can be had again by its number" Action=AllocateAddress Address="$ip2"
isnt "$(x 'string(//allocationId)')" "$two" "as another allocation"
is "$(x 'string(//publicIp)')" "$ip2" "of the same address"

# --- the verb ---
api Action=DescribeAddresses
for id in $(xmllint --xpath '//*[local-name()="allocationId"]/text()' "$T/body"); do
	[ "$id" = "$one" ] || api Action=ReleaseAddress AllocationId="$id"
done
run vpclab ip
is "$STATUS" 0 "ip lists" || diag "$ERR"
like "$OUT" "웹 +$ip +$one +a \($a\)" "the address and whose it is"
run vpclab ip ls --json
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["addressesSet"][0]["publicIp"])' "$T/out")" "$ip" "as JSON too"
run vpclab show a
like "$OUT" "Elastic IP address +$ip" "show tells it"
run vpclab ip disassociate "$one"
is "$STATUS $OUT" "0 $one is not associated any more." "disassociate by the allocation" || diag "$ERR"
run vpclab show a
unlike "$OUT" "Elastic IP" "show tells it no more"
run vpclab ip allocate --name lab
like "$STATUS $OUT" '^0 Allocated 203\.0\.113\.[0-9]+ \(eipalloc-[0-9a-f]{17}\)\.$' "allocate"
new=$(sed 's/^Allocated \([0-9.]*\).*/\1/' "$T/out")
run vpclab ip associate "$new" a
like "$STATUS $OUT" "^0 Associated $new with a \($a\) \(eipassoc-" "associate" || diag "$ERR"
is "$(field "$a" ipAddress)" "$new" "the instance has it"
says 2 'Resource.AlreadyAssociated' "--no-reassociation" vpclab ip associate "$ip" a --no-reassociation
run vpclab ip associate "$one" a
is "$STATUS" 0 "by the allocation's id" || diag "$ERR"
says 2 'InvalidIPAddress.InUse' "releasing what is associated" vpclab ip release "$ip"
run vpclab ip disassociate "$ip" --json
is "$STATUS" 0 "by the address"
run vpclab ip release "$ip"
is "$STATUS $OUT" "0 Released $ip." "release"
run vpclab ip release "$new"
run vpclab ip ls
like "$OUT" 'no Elastic IP addresses; `vpclab ip allocate`' "none is left"
run vpclab ip allocate 203.0.113.77
like "$OUT" '^Allocated 203\.0\.113\.77 ' "a certain address"
says 2 'associate' "a word mistyped" vpclab ip asociate
says 2 'ls, allocate' "a word unknown" vpclab ip xyzzy
says 2 'vpclab ip associate ADDRESS NAME' "too few words" vpclab ip associate 203.0.113.77
says 2 'vpclab ip ls' "too many" vpclab ip ls 203.0.113.77
says 2 'did you mean "ip"' "another tool's word" vpclab eip
run vpclab help ip
like "$OUT" 'AllocateAddress' "help tells the actions"
region_down
done_testing
