# Sourced after lib.sh by the tests of faults: regions with real QEMU, real taps and networks, whose guests are one boot sector
# each, so that a launch takes seconds; and ways to stop the daemon's work at a known point.
#
# The product has no code for this. Its programs are found on PATH, where a wrapper of each can be told to hold: it says that it
# was reached and waits. The database is held by another connection's transaction. So the daemon can be killed, for certain, while
# the image is built, the disk or the seed is made, dnsmasq or the uplink starts, QEMU starts, or just before a state is stored.
# shellcheck shell=bash
# shellcheck source=tests/lib.sh

for program in qemu-system-x86_64 qemu-img cloud-localds dnsmasq; do
	type -P "$program" >/dev/null || skip_all "the program $program is missing"
done

HOLD=$T/hold
mkdir -m 755 "$T/bin" "$T/data" "$T/data/images"
mkdir -m 1777 "$HOLD"
mkfifo -m 666 "$HOLD/reached" "$HOLD/go"
# the ends stay open, so that no open of them ever blocks
exec {reached_fd}<>"$HOLD/reached" {go_fd}<>"$HOLD/go"

for program in qemu-system-x86_64 qemu-img cloud-localds dnsmasq pasta; do
	real=$(type -P "$program") || continue
	cat >"$T/bin/$program" <<-END
		#!/bin/bash
		# libvirt asks QEMU what it can do, too: only a guest's start is meant
		if [ -e "$HOLD/at-$program" ] && { [ $program != qemu-system-x86_64 ] || [[ \$* == *guest=i-* ]]; }; then
			echo "$program \$\$" >"$HOLD/reached"
			read -r _ <"$HOLD/go"
		fi
		exec $real "\$@"
	END
	chmod 755 "$T/bin/$program"
done
export PATH=$T/bin:$PATH

# hold PROGRAM: from now on it waits when it is started. reached PROGRAM: waits until one does; its pid in REACHED.
hold() { : >"$HOLD/at-$1"; }
unhold() { rm -f "$HOLD/at-$1"; }
reached() {
	local who
	read -r -t "${2:-60}" -u "$reached_fd" who REACHED && [ "$who" = "$1" ]
}
drain() { while read -rt 0.01 -u "$go_fd" _ || read -rt 0.01 -u "$reached_fd" _; do :; done; }
# busy_network: a dnsmasq is killed and the next one held, so that whatever changes the network waits until release dnsmasq
busy_network() {
	hold dnsmasq
	kill -9 "$(named dnsmasq)"
	ok "dnsmasq is killed and started again, held" reached dnsmasq
}
# release PROGRAM: it waits no more, and one that does goes on
release() {
	unhold "$1"
	echo go >&"$go_fd"
}

# The catalogue: `hangs` is a guest that halts for ever, `ends` one that powers off, both built in a moment; `fetched` is a download.
cp -r cloud-init "$T/data/"
cat >"$T/data/images/build.sh" <<-END
	#!/bin/bash
	# a cylinder, or SeaBIOS finds no geometry to read by
	set -e
	case \$0 in *ends*) code='\xb8\x07\x53\xbb\x01\x00\xb9\x03\x00\xcd\x15\xeb\xfe' ;; *) code='\xfb\xf4\xeb\xfd' ;; esac
	echo "phase: sector"
	echo "os: One sector 1"
	if [ -e "$HOLD/at-build" ]; then
		sleep 1000 & # what an unfinished build has under way
		echo "build \$\$" >"$HOLD/reached"
		read -r _ <"$HOLD/go"
	fi
	truncate -s 1M "\$4/raw"
	printf "\$code" | dd of="\$4/raw" conv=notrunc status=none
	printf '\x55\xaa' | dd of="\$4/raw" bs=1 seek=510 conv=notrunc status=none
	qemu-img convert -f raw -O qcow2 "\$4/raw" "\$2"
END
chmod 755 "$T/data/images/build.sh"
cp "$T/data/images/build.sh" "$T/data/images/ends.sh"
entry() { # NAME LINE...
	local name=$1
	shift
	printf '%s\n' "description = A guest of one sector" "os = One sector" "architecture = x86_64" "default user = ubuntu" \
		"root device = /dev/sda1" "$@" >"$T/data/images/$name.image"
}
entry hangs "build = build.sh"
entry ends "build = ends.sh"
export VPCLAB_DATA_DIR=$T/data VPCLAB_ACCELERATOR=tcg

# a default route, so that there is an uplink
ip link add up0 type veth peer name up1
ip addr add 192.0.2.2/24 dev up0
ip link set up1 up
ip link set up0 up
ip route add default via 192.0.2.1

# tiny_image NAME: its id
tiny_image() {
	api Action=DescribeImages Filter.1.Name=name Filter.1.Value.1="$1"
	x 'string(//imageId)'
}
# tiny [IMAGE] [KEY=VALUE...]: begins a launch, its id in ID
tiny() {
	local ami
	ami=$(tiny_image "${1:-hangs}")
	shift
	api Action=RunInstances ImageId="$ami" MinCount=1 MaxCount=1 InstanceType=t2.nano "$@"
	ID=$(x 'string(//instancesSet/item/instanceId)')
	[ "$STATUS" = 200 ] || { diag "$CODE $MESSAGE"; return 1; }
}
vpc_id() {
	api Action=DescribeVpcs
	x 'string(//vpcId)'
}

# daemon_kill: SIGKILL, as if it had never been warned
daemon_kill() {
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	await_exit "$pid" 10
}
daemon_start() {
	run vpclab daemon
	[ "$STATUS" = 0 ] || { diag "$OUT" "$ERR" "$(tail -n 20 "$VPCLAB_STATE_DIR/daemon.log" 2>&1)"; return 1; }
}
# store_hold: nobody else can write to the region's store until store_release
store_hold() {
	coproc STORE { exec python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
' "$VPCLAB_STATE_DIR/region.db"; }
	store_pid=$STORE_PID
	read -r -t 60 -u "${STORE[0]}" _
}
store_release() {
	kill -9 "$store_pid"
	wait "$store_pid" 2>/dev/null
}

# qemus ID: the pids of its QEMUs
qemus() { grep -als "guest=$1[,]" /proc/[0-9]*/cmdline | cut -d/ -f3; } # [,]: grep is not to find itself
# named PROGRAM: pids by the name of the program
named() {
	grep -lsx "$1" /proc/[0-9]*/comm | cut -d/ -f3
}
tap_of() { # INSTANCE
	local eni
	eni=$(field "$1" 'networkInterfaceSet/item/networkInterfaceId')
	eni=${eni#eni-}
	echo "t${eni:0:13}"
}
vpc_run() { nsenter --net="$VPCLAB_RUN_DIR/netns/$VPC" "$@"; }

# disagreements: where the store and the world say different things, one a line
disagreements() {
	local id now taps=0 dirs=0 n p
	api Action=DescribeInstances
	xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="instanceId"]/text()' "$T/body" >"$T/all" 2>/dev/null
	while read -r id; do
		now=$(state "$id")
		n=$(qemus "$id" | wc -l)
		case $now in
		running)
			[ "$n" = 1 ] || echo "$id is running with $n machines"
			vpc_run ip link show "$(tap_of "$id")" >/dev/null 2>&1 || echo "$id is running without a tap"
			taps=$((taps + 1)) dirs=$((dirs + 1))
			;;
		stopped)
			[ "$n" = 0 ] || echo "$id is stopped with $n machines"
			[ -s "$VPCLAB_STATE_DIR/instances/$id/disk.qcow2" ] || echo "$id is stopped and lost its disk"
			dirs=$((dirs + 1))
			;;
		terminated)
			[ "$n" = 0 ] || echo "$id is terminated with $n machines"
			[ ! -e "$VPCLAB_STATE_DIR/instances/$id" ] || echo "$id is terminated and has a disk"
			;;
		*) echo "$id hangs: it is $now" ;;
		esac
	done <"$T/all"
	n=$(find "$VPCLAB_STATE_DIR/instances" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)
	[ "$n" = $dirs ] || echo "$n directories of instances, want $dirs"
	if [ -e "$VPCLAB_RUN_DIR/netns/$VPC" ]; then
		n=$(vpc_run ip -o link show type tun | grep -c ' t[0-9a-f]\{13\}')
		[ "$n" = $taps ] || echo "$n taps, want $taps"
		n=0
		for p in $(named dnsmasq); do
			[ "$(readlink "/proc/$p/ns/net")" != "net:[$(stat -c %i "$VPCLAB_RUN_DIR/netns/$VPC")]" ] || n=$((n + 1))
		done
		[ $n -le 1 ] && { [ $taps = 0 ] || [ $n = 1 ]; } || echo "$n dnsmasqs serve the VPC"
	fi
	find "$VPCLAB_STATE_DIR" -name '*.new' -o -name '*.building' -o -name '*.work' -o -name 'seed.iso.*'
	for p in $(named qemu-img) $(named cloud-localds) $(named genisoimage) $(named build.sh) $(named sleep); do
		echo "process $p $(tr '\0' ' ' <"/proc/$p/cmdline")"
	done
}
agree() { is "$(disagreements)" "" "$1: the store and the world agree, and nothing is left half made"; }
# tiny_down: region_down; the uplink's link is the test's own
tiny_down() {
	run vpclab down
	is "$STATUS" 0 "the region goes down" || diag "$ERR" "$(tail -n 5 "$VPCLAB_STATE_DIR/daemon.log")"
	is "$(leftovers | grep -v '^link up[01]$')" "" "nothing is left of it"
}
