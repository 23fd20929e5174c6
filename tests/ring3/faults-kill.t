#!/bin/bash
# kill -9 of the daemon in every phase of what it does, then a new daemon: half-made things are finished or undone.
. "$(dirname "$0")/../lib.sh"
. tests/tiny.sh

region_up embedded
VPC=$(vpc_id)

# killed_at PROGRAM [WANT]: with a launch under way whose PROGRAM has just been reached, the daemon is killed and started again
killed_at() {
	local what=$1
	ok "a launch reaches $what" reached "$what"
	daemon_kill
	unhold "$what"
	# a daemon of the network outlives the daemon and goes on
	case $what in dnsmasq | pasta | qemu*) echo go >&"$go_fd" ;; esac
	daemon_start || fail "a daemon starts after a kill at $what"
	ok "$what: the launch is finished by the next daemon" await "$ID" running 60 || diag "$(tail -n 8 "$VPCLAB_STATE_DIR/daemon.log")"
	agree "killed at $what"
	drain
}

# --- launch ---
hold build
tiny
killed_at build
for phase in dnsmasq pasta qemu-img cloud-localds qemu-system-x86_64; do
	case $phase in
	dnsmasq | pasta) # they start with the network: there is none yet
		type -P $phase >/dev/null || { skip "killed at $phase" "$phase is not installed"; continue; }
		vpclab down >/dev/null 2>&1
		daemon_start
		;;
	esac
	hold $phase
	tiny
	killed_at $phase
done
SECOND=$ID

# QEMU runs and nobody has written that down yet
hold qemu-system-x86_64
tiny
reached qemu-system-x86_64
store_hold
release qemu-system-x86_64
timeout 30 tail -n +1 -f "$VPCLAB_STATE_DIR/instances/$ID/console.log" 2>/dev/null | grep -q -m 1 SeaBIOS
pid=$(qemus "$ID")
daemon_kill
store_release
daemon_start
ok "killed before running is stored: the next daemon takes the machine up" await "$ID" running 30
is "$(qemus "$ID")" "$pid" "it is the same QEMU, not a second one"
agree "killed before running is stored"
isnt "$(qemus "$SECOND")" "" "what ran before still runs"

# --- rule change ---
api Action=DescribeSecurityGroups GroupName.1=default
GROUP=$(x 'string(//groupId)')
store_hold
curl -s --unix-socket "$SOCKET" -o /dev/null --max-time 20 -d "Action=AuthorizeSecurityGroupIngress&GroupId=$GROUP&IpProtocol=tcp&FromPort=7001&ToPort=7001&CidrIp=0.0.0.0/0&Version=2016-11-15" http://region/ &
call=$!
daemon_kill
wait $call
store_release
daemon_start
api Action=DescribeSecurityGroups GroupId.1="$GROUP"
unlike "$BODY" 7001 "a rule change killed before it is stored is undone"
unlike "$(vpc_run nft list ruleset)" 7001 "in the kernel too"

api Action=StopInstances InstanceId.1="$ID" Force=true
await "$ID" stopped
busy_network
api Action=StopInstances InstanceId.1="$SECOND" Force=true
curl -s --unix-socket "$SOCKET" -o /dev/null --max-time 20 -d "Action=AuthorizeSecurityGroupIngress&GroupId=$GROUP&IpProtocol=tcp&FromPort=7002&ToPort=7002&CidrIp=0.0.0.0/0&Version=2016-11-15" http://region/ &
call=$!
for _ in {1..100}; do # until it is stored
	api Action=DescribeSecurityGroups GroupId.1="$GROUP"
	[[ $BODY != *7002* ]] || break
done
daemon_kill
release dnsmasq
wait $call
daemon_start
like "$BODY" 7002 "a rule change is stored while the network is busy"
ok "killed while a stop unmakes the network: the stop is finished" await "$SECOND" stopped
like "$(vpc_run nft list ruleset)" 7002 "and the rule is in the kernel after the next start"
agree "killed in a stop and a rule change"
drain

# --- stop: the guest does not answer the power button ---
api Action=StartInstances InstanceId.1="$SECOND"
await "$SECOND" running
api Action=StopInstances InstanceId.1="$SECOND"
is "$(state "$SECOND")" stopping "a guest that ignores the power button is stopping"
daemon_kill
daemon_start
is "$(state "$SECOND")" stopping "after a kill it still is"
isnt "$(qemus "$SECOND")" "" "and its machine runs"
api Action=StopInstances InstanceId.1="$SECOND" Force=true
ok "force ends the wait" await "$SECOND" stopped 20
agree "killed while stopping"

# --- stop: before the end is stored ---
api Action=StartInstances InstanceId.1="$SECOND"
await "$SECOND" running
pid=$(qemus "$SECOND")
busy_network
api Action=StopInstances InstanceId.1="$SECOND" Force=true
await_exit "$pid" 10
store_hold
release dnsmasq
read -rt 1 <> <(:) # the stop is at the store by now, or will be held there
daemon_kill
store_release
daemon_start
ok "killed before stopped is stored: it is stopped" await "$SECOND" stopped
agree "killed before stopped is stored"

# --- terminate: while the network is unmade, and before the end is stored ---
for how in network store; do
	tiny
	await "$ID" running 60
	pid=$(qemus "$ID")
	busy_network
	api Action=TerminateInstances InstanceId.1="$ID"
	await_exit "$pid" 10
	if [ $how = store ]; then
		store_hold
		release dnsmasq
		for _ in {1..100}; do [ ! -e "$VPCLAB_STATE_DIR/instances/$ID" ] || read -rt 0.05 <> <(:); done
		daemon_kill
		store_release
	else
		daemon_kill
		release dnsmasq
	fi
	daemon_start
	ok "killed in a termination ($how): it is terminated" await "$ID" terminated
	agree "killed in a termination ($how)"
	drain
done

# --- a dnsmasq that nobody noted down ---
daemon_kill
rm "$VPCLAB_RUN_DIR/dnsmasq/$VPC/process"
daemon_start
tiny
ok "a dnsmasq whose pid was never written does not stand in the way" await "$ID" running 60 || diag "$(tail -n 4 "$VPCLAB_STATE_DIR/daemon.log")"
agree "a dnsmasq that nobody noted down"

tiny_down
done_testing
