#!/bin/bash
# What happens to the region from outside: guests, dnsmasq and the uplink killed, the host restarted, images altered or gone,
# memory and disk short, stale names in the way, thirty launches at once.
. "$(dirname "$0")/../lib.sh"
. tests/tiny.sh

region_up embedded
VPC=$(vpc_id)
log() { cat "$VPCLAB_STATE_DIR/daemon.log"; }
# until CONDITION...: it becomes true within ten seconds
until_() {
	local n
	for n in {1..100}; do
		"$@" && return 0
		read -rt 0.1 <> <(:)
	done
	return 1
}

# --- names in the way ---
ip link add vpclab0 type bridge
tiny
ok "a launch where a stranger's bridge has our name ends" await "$ID" terminated 60
like "$(field "$ID" stateReason/message)" "vpclab0 that isn't vpclab's" "with a reason that names it"
ip link delete vpclab0
mkdir -p "$VPCLAB_RUN_DIR/netns"
: >"$VPCLAB_RUN_DIR/netns/$VPC" # what a restart of the host leaves where run_dir is on a disk
ip netns add stale 2>/dev/null && rm -f "$VPCLAB_RUN_DIR/netns/vpc-0123456789abcdef0" && : >"$VPCLAB_RUN_DIR/netns/vpc-0123456789abcdef0" &&
	mount --bind /run/netns/stale "$VPCLAB_RUN_DIR/netns/vpc-0123456789abcdef0" && ip netns delete stale
ip link add vpclab0 type bridge && ip link set vpclab0 alias "vpclab public addresses 203.0.113.0/24"
tiny
WEB=$ID
ok "with a stale file for the namespace and a stale bridge of ours it runs" await "$ID" running 60
agree "stale names"

# --- killed from outside ---
kill -9 "$(qemus "$WEB")"
ok "a guest that is killed is stopped" await "$WEB" stopped
is "$(field "$WEB" stateReason/code)" Server.InternalError "with EC2's reason"
like "$(field "$WEB" stateReason/message)" 'ended unexpectedly' "and a sentence"
agree "a guest was killed"
api Action=StartInstances InstanceId.1="$WEB"
ok "it starts again" await "$WEB" running 60
tiny ends
ok "a guest that powers itself off is stopped" await "$ID" stopped 60
is "$(field "$ID" stateReason/code)" Client.InstanceInitiatedShutdown "by itself"
ENDS=$ID

pid=$(named dnsmasq)
kill -9 "$pid"
another() { [ -n "$(named "$1")" ] && [ "$(named "$1" | head -n 1)" != "$2" ]; }
ok "a dnsmasq that is killed is started again" until_ another dnsmasq "$pid"
ok "the log says so" until_ grep -q 'had ended and was started again' "$VPCLAB_STATE_DIR/daemon.log"
if type -P pasta >/dev/null; then
	uplink() { named pasta.avx2; named pasta; named passt.avx2; named passt; }
	pid=$(uplink | head -n 1)
	kill -9 "$pid"
	up_again() { vpc_run ip link show uplink >/dev/null 2>&1; }
	uplink_again() { [ -n "$(uplink)" ] && [ "$(uplink | head -n 1)" != "$pid" ]; }
	ok "a pasta that is killed is started again" until_ uplink_again
	ok "the guests' way out is a link again" until_ up_again
else
	uplink() { :; }
	skip "a pasta that is killed is started again" "pasta is not installed"
fi
agree "dnsmasq and the uplink were killed"

# --- the image ---
images=$VPCLAB_STATE_DIR/images
api Action=StopInstances InstanceId.1="$WEB" Force=true
await "$WEB" stopped
cp "$images/hangs.json" "$T/hangs.json"
mv "$images/hangs.qcow2" "$images/away"
api Action=StartInstances InstanceId.1="$WEB"
ok "a start whose image is gone ends as stopped" await "$WEB" stopped 60
like "$(field "$WEB" stateReason/message)" 'image hangs is not on this machine' "and says what is gone"
ok "the disk is kept" test -s "$VPCLAB_STATE_DIR/instances/$WEB/disk.qcow2"
is "$(disagreements)" "" "and nothing else is amiss"
tiny hangs # whose image is built anew
ok "a launch builds the image again" await "$ID" running 60
api Action=TerminateInstances InstanceId.1="$ID"
await "$ID" terminated
sed -i 's/"sha256": *"./&0/;s/\("sha256": *"[0-9a-f]\{64\}\)./\1/' "$images/hangs.json" # this build comes out the same: make it another
api Action=StartInstances InstanceId.1="$WEB"
ok "a start whose image was built anew ends as stopped" await "$WEB" stopped 60
like "$(field "$WEB" stateReason/message)" 'another than the one that the disk of' "and says that the disk has lost its base"
rm "$images/hangs.json" "$images/hangs.qcow2"
cp "$T/hangs.json" "$images/hangs.json"
cp -p "$images/away" "$images/hangs.qcow2"
printf x | dd of="$images/hangs.qcow2" bs=1 seek=300000 conv=notrunc status=none
api Action=StartInstances InstanceId.1="$WEB"
ok "a start whose image was altered ends as stopped" await "$WEB" stopped 60
like "$(field "$WEB" stateReason/message)" 'image hangs was (altered|truncated)' "and says so"
tiny hangs
ok "so does a launch" await "$ID" terminated 60
like "$(field "$ID" stateReason/message)" 'image hangs was (altered|truncated)' "with the same words"
mv "$images/away" "$images/hangs.qcow2"
api Action=StartInstances InstanceId.1="$WEB"
ok "with the image back it starts" await "$WEB" running 60
agree "images gone and altered"

# --- memory and disk short ---
sed 's/^MemAvailable:.*/MemAvailable:     100000 kB/' /proc/meminfo >"$T/meminfo"
mount --bind "$T/meminfo" /proc/meminfo
# the daemon sees this mount: it is in the test's namespace
refuses InsufficientInstanceCapacity "a launch without memory is refused" Action=RunInstances ImageId="$(tiny_image hangs)" MinCount=1 MaxCount=1 InstanceType=t2.nano
like "$MESSAGE" '97 MiB of memory left' "with what is left"
api Action=StartInstances InstanceId.1="$ENDS"
is "$CODE $(state "$ENDS")" "InsufficientInstanceCapacity stopped" "a start too"
umount /proc/meminfo
refuses InsufficientInstanceCapacity "a type larger than the machine is refused" Action=RunInstances ImageId="$(tiny_image hangs)" MinCount=1 MaxCount=1 InstanceType=t2.2xlarge

# --- the host restarts: every process and namespace is gone, the state directory is not ---
pid=$(qemus "$WEB")
mapfile -t all < <(daemon_pid; echo "$pid"; named dnsmasq; uplink)
kill -9 "${all[@]}"
await_exit "$pid" 10
umount "$VPCLAB_RUN_DIR"/netns/* 2>/dev/null
rm -rf "$VPCLAB_RUN_DIR"
for link in $(ip -o link show | awk -F': ' '{ sub("@.*", "", $2) } $2 !~ /^(lo|up[01])$/ { print $2 }'); do ip link delete "$link"; done
# somebody else has got the old machine's process number
echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
setsid sleep 1000 &
stranger=$!
is "$stranger" "$pid" "after the restart a stranger has the machine's process number"
daemon_start
is "$(state "$WEB")" stopped "after a restart of the host the instance is stopped"
like "$(field "$WEB" stateReason/message)" 'was gone when the region started' "with a reason"
ok "the stranger lives" test -d "/proc/$stranger"
kill "$stranger"
wait "$stranger" 2>/dev/null
api Action=StartInstances InstanceId.1="$WEB"
ok "and it starts again" await "$WEB" running 60
agree "the host restarted"

# --- thirty launches at once ---
AMI=$(tiny_image hangs)
for n in {1..30}; do
	curl -s --unix-socket "$SOCKET" -o "$T/run$n" -d "Action=RunInstances&ImageId=$AMI&MinCount=1&MaxCount=1&InstanceType=t2.nano&Version=2016-11-15" http://region/ &
	calls[n]=$!
done
wait "${calls[@]}"
is "$(cat "$T"/run? "$T"/run?? | grep -c '<instanceId>')" 30 "thirty launches at once are accepted"
bad=0
for id in $(sed -n 's/.*<instanceId>\(.*\)<.*/\1/p' "$T"/run? "$T"/run??); do await "$id" running 120 || bad=$((bad + 1)); done
is $bad 0 "and all run" || diag "$(grep error "$VPCLAB_STATE_DIR/daemon.log" | tail -n 5)"
daemon_kill
daemon_start
is "$(state "$WEB")" running "with thirty running the daemon is killed and finds them again"
agree "thirty found again"
tiny_down
done_testing
