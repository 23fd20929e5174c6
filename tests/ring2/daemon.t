#!/bin/bash
# The daemon: it starts once, outlives nothing it should not, finds its world again after kill -9, and ends without a trace.
. "$(dirname "$0")/../lib.sh"
region_at lab
export VPCLAB_LIBVIRT_URI=test:///default

# --- starting ---
run vpclab down
is "$STATUS" 0 "down where nothing runs is fine"
is "$(processes)" "" "and starts nothing"
vpclab ls >"$T/a" 2>&1 & a=$!
vpclab ls >"$T/b" 2>&1 & b=$!
vpclab image ls >"$T/c" 2>&1 & c=$!
wait $a && wait $b && wait $c
is "$?" 0 "three verbs at once start the daemon" || diag "$(cat "$T/a" "$T/b" "$T/c")"
is "$(processes | wc -l)" 1 "one daemon"
pid=$(daemon_pid)
ok "its pid is in the lock file" test -d "/proc/$pid"
api Action=DescribeRegionStatus
is "$(x 'string(//pid)')" "$pid" "and in its own words"
run vpclab daemon
like "$OUT" "was running already, process $pid" "a second daemon is not started"
says 3 "$pid" "a daemon in the foreground says who has the region" vpclab daemon --foreground

# --- parallel calls ---
AMI=$(image)
for n in {1..30}; do
	curl -s --unix-socket "$SOCKET" -o "$T/run$n" -d "Action=RunInstances&ImageId=$AMI&MinCount=1&MaxCount=1&InstanceType=t2.nano" \
		-d "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=p$n" http://region/ &
	calls[n]=$!
done
wait "${calls[@]}"
is "$(cat "$T"/run* | grep -c '<instanceId>')" 30 "thirty RunInstances at once all launch"
for n in {1..30}; do
	cp "$T/run$n" "$T/body"
	ids[n]=$(x 'string(//instanceId)')
done
bad=0
for n in {1..30}; do await "${ids[n]}" running || bad=1; done
is $bad 0 "and all run"
api Action=DescribeInstances Filter.1.Name=instance-state-name Filter.1.Value.1=running
is "$(x 'count(//instancesSet/item)')" 30 "thirty run"
for member in ipAddress privateIpAddress instanceId; do
	is "$(xmllint --xpath "//*[local-name()='instancesSet']/*/*[local-name()='$member']/text()" "$T/body" | sort -u | wc -l)" 30 "each with its own $member"
done

# --- the same token at once ---
for n in 1 2 3 4 5; do
	curl -s --unix-socket "$SOCKET" -o "$T/token$n" -d "Action=RunInstances&ImageId=$AMI&MinCount=1&MaxCount=1&ClientToken=once" http://region/ &
	calls[n]=$!
done
wait "${calls[@]}" 2>/dev/null
is "$(sed -n 's/.*<instanceId>\(.*\)<.*/\1/p' "$T"/token? | sort -u | wc -l)" 1 "five calls with one client token are one instance"

# --- kill -9 and again ---
api Action=CreateSecurityGroup GroupName=web GroupDescription=x
web=$(x 'string(//groupId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$web" IpProtocol=tcp FromPort=8000 ToPort=8000 CidrIp=0.0.0.0/0
api Action=StopInstances InstanceId.1="${ids[1]}"
await "${ids[1]}" stopped
api Action=TerminateInstances InstanceId.1="${ids[2]}"
await "${ids[2]}" terminated
api Action=DescribeSecurityGroups
sed 's/<requestId>.*//' "$T/body" >"$T/groups"
api Action=DescribeVpcs
vpc=$(x 'string(//vpcId)')
address=$(field "${ids[1]}" privateIpAddress)
kill -9 "$pid"
await_exit "$pid" 10
ok "the socket is still there" test -S "$SOCKET"
run vpclab ls
is "$STATUS" 0 "after kill -9 the next verb starts another daemon"
isnt "$(daemon_pid)" "$pid" "of another pid"
api Action=DescribeSecurityGroups
is "$(sed 's/<requestId>.*//' "$T/body")" "$(<"$T/groups")" "groups and rules are as they were"
api Action=DescribeVpcs
is "$(x 'string(//vpcId)')" "$vpc" "the VPC too"
is "$(state "${ids[1]}") $(field "${ids[1]}" privateIpAddress)" "stopped $address" "what was stopped is stopped, with its private address"
is "$(state "${ids[2]}")" terminated "what was terminated is terminated"
is "$(field "${ids[3]}" 'tagSet/item[key="Name"]/value')" p3 "names are kept"
# libvirt's test driver lives in the daemon, so its machines went with it: the store and the world must agree on that
ok "what ran and is gone is stopped" await "${ids[3]}" stopped
is "$(field "${ids[3]}" stateReason/code)" Server.InternalError "with a reason"
is "$(field "${ids[3]}" ipAddress)" "" "and without a public address"
api Action=StartInstances InstanceId.1="${ids[3]}"
ok "and it starts again" await "${ids[3]}" running

# --- killed in the middle of things ---
pid=$(daemon_pid)
for n in {1..10}; do
	curl -s --unix-socket "$SOCKET" -o /dev/null -d "Action=RunInstances&ImageId=$AMI&MinCount=5&MaxCount=5&InstanceType=t2.nano" http://region/ &
done
curl -s -o /dev/null --unix-socket "$SOCKET" -d "Action=DescribeVpcs" http://region/
kill -9 "$pid"
wait
await_exit "$pid" 10
run vpclab ls --json
is "$STATUS" 0 "after kill -9 in the middle of ten calls the next verb works"
api Action=DescribeInstances
addresses=$(xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="privateIpAddress"]/text()' "$T/body" | sort | uniq -d)
is "$addresses" "" "no address is given twice"
for id in $(xmllint --xpath '//*[local-name()="instanceId"]/text()' "$T/body"); do echo "$id"; done >"$T/ids"
settled=0
while read -r id; do
	case $(state "$id") in
	pending | stopping | shutting-down) await "$id" running 20 >/dev/null || settled=1 ;;
	esac
done <"$T/ids"
is $settled 0 "and no instance hangs between two states"

# --- SIGTERM: the daemon ends, the region does not ---
pid=$(daemon_pid)
kill "$pid"
ok "SIGTERM ends the daemon" await_exit "$pid" 15
ok "its socket is gone" test ! -e "$SOCKET"
is "$(processes)" "" "and no process is left"
run vpclab show p1
is "$STATUS" 0 "the next verb finds the region as it was" || diag "$ERR"

# --- waiting calls end with the daemon ---
pid=$(daemon_pid)
last=$(api Action=DescribeInstanceProgress InstanceId="${ids[1]}"; x 'string(/*/lastSequence)')
(curl -s -o "$T/waited" -w '%{http_code}' --unix-socket "$SOCKET" -d "Action=DescribeInstanceProgress&InstanceId=${ids[1]}&After=$last&WaitSeconds=60" http://region/ >"$T/status") &
waiter=$!
api Action=DescribeVpcs # the daemon took the connection before this one
began=$SECONDS
kill "$pid"
ok "a call that waits does not hold the daemon up" await_exit "$pid" 10
at_most $((SECONDS - began)) 8 "it ends at once"
wait $waiter
is "$(<"$T/status")" 200 "and the call is answered"

# --- two regions side by side ---
vpclab ls >/dev/null 2>&1
api Action=DescribeVpcs
one=$(x 'string(//vpcId)')
region_at other
run vpclab launch solo --image debian-12
is "$STATUS" 0 "a second region beside the first" || diag "$ERR"
api Action=DescribeVpcs
isnt "$(x 'string(//vpcId)')" "$one" "has a VPC of its own"
run vpclab ls --json
unlike "$OUT" "${ids[1]}" "and none of the other's instances"
is "$(processes | wc -l)" 2 "two daemons"
says 3 "." "a third daemon in the first one's state directory is refused" env VPCLAB_STATE_DIR="$T/lab/state" VPCLAB_RUN_DIR="$T/third/run" "$BUILD/vpclab" ls
run vpclab down
is "$STATUS" 0 "the second goes down"
region_at lab
run vpclab ls
is "$STATUS $(processes | wc -l)" "0 1" "the first does not notice"

# --- a damaged store ---
region_down
region_at broken
mkdir -p "$VPCLAB_STATE_DIR"
head -c 8192 /dev/urandom >"$VPCLAB_STATE_DIR/region.db"
says 3 'store' "a store that is no database is one sentence" vpclab launch x --image debian-12
is "$(processes)" "" "and no daemon stays"
ok "the file is left alone" test "$(stat -c %s "$VPCLAB_STATE_DIR/region.db")" = 8192

# --- purge ---
region_at purged
run vpclab launch x --image debian-12
run vpclab down --purge
is "$STATUS" 0 "down --purge"
is "$(find "$VPCLAB_STATE_DIR" -mindepth 1 2>/dev/null)" "" "leaves nothing of the state"
is "$(leftovers)" "" "and nothing else"
done_testing
