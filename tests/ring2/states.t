#!/bin/bash
# The states of an instance: which moves there are, what each keeps and loses, which are refused.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)
id=$(launch TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=web)
ok "an instance runs" await "$id" running
private=$(field "$id" privateIpAddress) public=$(field "$id" ipAddress) mac=$(field "$id" networkInterfaceSet/item/macAddress)
eni=$(field "$id" networkInterfaceSet/item/networkInterfaceId) volume=$(field "$id" blockDeviceMapping/item/ebs/volumeId)
launched=$(field "$id" launchTime)

# --- starting what runs, rebooting ---
answers "starting what runs is no error" Action=StartInstances InstanceId.1="$id"
is "$(x 'string(//previousState/name)') $(x 'string(//currentState/name)')" "running running" "and changes nothing"
answers "reboot" Action=RebootInstances InstanceId.1="$id"
is "$(x 'string(//return)')" true "answers true"
is "$(state "$id")" running "it runs on"
is "$(field "$id" privateIpAddress) $(field "$id" ipAddress)" "$private $public" "a reboot keeps both addresses"

# --- stop ---
answers "stop" Action=StopInstances InstanceId.1="$id"
is "$(x 'string(//previousState/name)') $(x 'string(//currentState/name)')" "running stopping" "goes from running to stopping"
is "$(x 'string(//currentState/code)')" 64 "stopping is code 64"
ok "then it is stopped" await "$id" stopped
is "$(field "$id" instanceState/code)" 80 "stopped is code 80"
is "$(field "$id" privateIpAddress)" "$private" "it keeps its private address"
is "$(field "$id" ipAddress)" "" "and loses its public one"
is "$(field "$id" stateReason/code)" Client.UserInitiatedShutdown "the reason is the user"
like "$(field "$id" reason)" '^User initiated \(20[0-9-]{8} [0-9:]{8} GMT\)$' "and when, in EC2's words"
answers "stopping what is stopped is no error" Action=StopInstances InstanceId.1="$id"
refuses IncorrectInstanceState "rebooting what is stopped" Action=RebootInstances InstanceId.1="$id"
like "$MESSAGE" "$id.*stopped" "the sentence names the instance and its state"

# --- start ---
answers "start" Action=StartInstances InstanceId.1="$id"
is "$(x 'string(//previousState/name)') $(x 'string(//currentState/name)')" "stopped pending" "goes from stopped to pending"
ok "then it runs" await "$id" running
is "$(field "$id" privateIpAddress)" "$private" "the private address is the same"
isnt "$(field "$id" ipAddress)" "$public" "the public one is another"
isnt "$(field "$id" ipAddress)" "" "and there is one"
is "$(field "$id" networkInterfaceSet/item/macAddress)" "$mac" "the MAC is the same"
is "$(field "$id" networkInterfaceSet/item/networkInterfaceId)" "$eni" "the interface is the same"
is "$(field "$id" blockDeviceMapping/item/ebs/volumeId)" "$volume" "the volume is the same"
is "$(field "$id" tagSet/item/value)" web "the name is the same"
is "$(field "$id" stateReason/code)" "" "there is no reason left"
ok "the launch time is the start's" test "$(date -d "$(field "$id" launchTime)" +%s)" -ge "$(date -d "$launched" +%s)"

# --- many at once: all or none ---
second=$(launch)
ok "a second runs" await "$second" running
answers "two in one call" Action=StopInstances InstanceId.1="$id" InstanceId.2="$second" InstanceId.3="$id"
is "$(x 'count(//instancesSet/item)')" 2 "an id named twice is done once"
ok "one stops" await "$id" stopped
ok "the other too" await "$second" stopped
refuses InvalidInstanceID.NotFound "one unknown among them" Action=StartInstances InstanceId.1="$id" InstanceId.2=i-0123456789abcdef0
is "$(state "$id")" stopped "nothing was started"

# --- ids ---
running=$(launch)
await "$running" running
for action in StartInstances StopInstances RebootInstances TerminateInstances; do
	refuses InvalidInstanceID.Malformed "$action of a malformed id" Action=$action InstanceId.1=web
	refuses InvalidInstanceID.NotFound "$action of an unknown id" Action=$action InstanceId.1=i-0123456789abcdef0
	refuses MissingParameter "$action of nothing" Action=$action
	refuses DryRunOperation "$action in a dry run" Action=$action InstanceId.1="$running" DryRun=true
	is "$(state "$running")" running "and nothing was done"
done
refuses InvalidInstanceID.Malformed "DescribeInstances of a malformed id" Action=DescribeInstances InstanceId.1=i-xyz
refuses InvalidInstanceID.NotFound "DescribeInstances of an unknown id" Action=DescribeInstances InstanceId.1=i-0123456789abcdef0

# --- terminate ---
answers "a forced stop" Action=StartInstances InstanceId.1="$second"
ok "starts" await "$second" running
api Action=StopInstances InstanceId.1="$second" Force=true
ok "and stops" await "$second" stopped
refuses UnsupportedHibernationConfiguration "hibernation" Action=StopInstances InstanceId.1="$id" Hibernate=true
answers "terminate" Action=TerminateInstances InstanceId.1="$id"
is "$(x 'string(//previousState/name)') $(x 'string(//currentState/name)')" "stopped shutting-down" "goes from stopped to shutting-down"
ok "then it is terminated" await "$id" terminated
is "$(field "$id" instanceState/code)" 48 "terminated is code 48"
is "$(field "$id" privateIpAddress)$(field "$id" ipAddress)" "" "its addresses are gone"
is "$(x 'count(//networkInterfaceSet/item)')" 0 "its interface too"
answers "a terminated instance is still shown" Action=DescribeInstances InstanceId.1="$id"
answers "terminating it again is no error" Action=TerminateInstances InstanceId.1="$id"
is "$(x 'string(//previousState/name)') $(x 'string(//currentState/name)')" "terminated terminated" "and changes nothing"
refuses IncorrectInstanceState "starting it" Action=StartInstances InstanceId.1="$id"
refuses IncorrectInstanceState "stopping it" Action=StopInstances InstanceId.1="$id"
refuses IncorrectInstanceState "rebooting it" Action=RebootInstances InstanceId.1="$id"
api Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1 DisableApiTermination=true
protected=$(x 'string(//instancesSet/item/instanceId)')
refuses OperationNotPermitted "terminating a protected instance" Action=TerminateInstances InstanceId.1="$protected"
like "$MESSAGE" "disableApiTermination" "the sentence says what protects it"
pending=$(launch)
answers "terminating what is just launched" Action=TerminateInstances InstanceId.1="$pending"
ok "ends it" await "$pending" terminated
stopped=$(launch)
await "$stopped" running
api Action=StopInstances InstanceId.1="$stopped"
answers "terminating what is stopping" Action=TerminateInstances InstanceId.1="$stopped"
ok "ends it" await "$stopped" terminated
rebooted=$(launch)
await "$rebooted" running
api Action=RebootInstances InstanceId.1="$rebooted"
api Action=StopInstances InstanceId.1="$rebooted"
ok "a stop does not wait for a reboot that is under way" await "$rebooted" stopped 10

# --- the long poll of progress ---
answers "progress from the beginning" Action=DescribeInstanceProgress InstanceId="$second"
last=$(x 'string(/*/lastSequence)')
is "$(x 'string(//progressSet/item[1]/phase)')" pending "begins with pending"
is "$(x 'string(//progressSet/item[last()]/sequence)')" "$last" "the last entry's sequence is lastSequence"
began=$(date +%s%3N)
answers "after the last entry" Action=DescribeInstanceProgress InstanceId="$second" After="$last" WaitSeconds=1
is "$(x 'count(//progressSet/item)')" 0 "there is nothing"
ok "and that takes the time that it may" test $(($(date +%s%3N) - began)) -ge 950
(api Action=DescribeInstanceProgress InstanceId="$second" After="$last" WaitSeconds=30; cp "$T/body" "$T/progress"; date +%s%3N >"$T/woken") &
poll=$!
began=$(date +%s%3N)
curl -s -o /dev/null --unix-socket "$SOCKET" -d "Action=StartInstances&InstanceId.1=$second" http://region/
wait $poll
at_most $(($(<"$T/woken") - began)) 5000 "a change wakes who waits for it"
cp "$T/progress" "$T/body"
is "$(x 'string(//progressSet/item[1]/phase)')" pending "with the new entry"
refuses InvalidParameterValue "a wait of over a minute" Action=DescribeInstanceProgress InstanceId="$second" WaitSeconds=61
refuses InvalidInstanceID.NotFound "progress of an unknown instance" Action=DescribeInstanceProgress InstanceId=i-0123456789abcdef0

# --- the console of a guest that isn't there ---
answers "console output" Action=GetConsoleOutput InstanceId="$second"
is "$(x 'string(//instanceId)')" "$second" "of the instance"
refuses MissingParameter "of no instance" Action=GetConsoleOutput
region_down
done_testing
