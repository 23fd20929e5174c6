#!/bin/bash
# `vpclab why` as far as it goes without a guest: what is asked for, states, addresses, rules. tests/ring4/why.t has the rest.
. "$(dirname "$0")/../lib.sh"
region_up

id=$(launch TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=web)
await "$id" running
public=$(field "$id" ipAddress) private=$(field "$id" privateIpAddress)

says 2 'no instance named wbe.*did you mean web' "an unknown name" vpclab why wbe
says 2 'Too few words' "nothing" vpclab why
says 2 'number of 1 to 65535' "a bad port" vpclab why web http
says 2 'one word too many' "a URL and a port" vpclab why "http://$public:8000/" 80
says 2 'begin with http://' "a URL of another kind" vpclab why "https://$public/"
refuses InvalidParameterCombination "neither instance nor address" Action=ExplainConnection Port=80
refuses InvalidParameterCombination "both" Action=ExplainConnection Port=80 InstanceId="$id" Address="$public"
refuses InvalidParameterValue "an address that is none" Action=ExplainConnection Port=80 Address=web
refuses InvalidParameterValue "port 0" Action=ExplainConnection Port=0 InstanceId="$id"
refuses InvalidParameterValue "a path with spaces" Action=ExplainConnection Port=80 InstanceId="$id" Path='/a b'
refuses InvalidParameterValue "no time" Action=ExplainConnection Port=80 InstanceId="$id" Timeout=0
refuses InvalidInstanceID.NotFound "an unknown id" Action=ExplainConnection Port=80 InstanceId=i-0123456789abcdef0
refuses MissingParameter "no port" Action=ExplainConnection InstanceId="$id"

# hop NAME SENTENCE COMMAND WHAT ARGUMENTS...
hop() {
	local name=$1 sentence=$2 command=$3 what=$4
	shift 4
	run vpclab why "$@"
	is "$STATUS" 1 "$what: exit status" || diag "$ERR"
	like "$OUT" "BROKEN +$name " "$what: the hop $name"
	like "$OUT" "$sentence" "$what: the sentence"
	like "$OUT" "
  $command" "$what: the command"
}
hop rule 'No inbound rule admits TCP 8000 from 203\.0\.113\.1; looked at: default \(sg-[0-9a-f]+\); for that port there is only: peer: sg-' 'vpclab allow web 8000' "no rule" web
hop rule 'TCP 81 ' 'vpclab allow web 81' "another port" web 81
hop rule 'TCP 80 ' 'vpclab allow web 80' "a URL without a port" "http://$public/x"
hop address "203.0.113.99 now.*web has $public" 'vpclab ls' "an address of nobody" http://203.0.113.99:8000/
hop address 'is the private address of web' 'vpclab why web 8000' "the private address" "http://$private:8000/"
vpclab allow web 8000 --from 10.0.0.0/8 >/dev/null
hop rule 'there is only: .*10\.0\.0\.0/8' 'vpclab allow web 8000' "a rule for others" web
vpclab allow web 8000 --from 203.0.113.1/32 >/dev/null
refuses UnsupportedOperation "behind the rule the test driver has no guest" Action=ExplainConnection Port=8000 InstanceId="$id"
answers "the action itself" Action=ExplainConnection Port=9 InstanceId="$id"
is "$(x 'string(/*/reachable)') $(x 'string(/*/brokenHop)') $(x 'count(//hopSet/item)')" "false rule 4" "names the hop after those before it"

vpclab stop web >/dev/null 2>&1
hop instance 'Instance web is stopped\.' 'vpclab start web' "a stopped instance" web
hop address "$public now" 'vpclab ls' "the address that it had" "http://$public:8000/"
bare=$(launch NetworkInterface.1.DeviceIndex=0 NetworkInterface.1.AssociatePublicIpAddress=false)
await "$bare" running
hop address 'no public IPv4 address' 'vpclab terminate' "no public address" "$bare"
vpclab terminate web >/dev/null 2>&1
hop instance 'terminated instance doesn.t come back' 'vpclab up' "a terminated one" "$id"
region_down
done_testing
