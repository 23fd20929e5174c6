# Sourced by each tests/ring3/*.t: a network of its own (nothing of the machine's is seen or touched), guests as network
# namespaces behind real taps, and TAP. A test's model is the text of tests/ring3/netdriver.c.
#
# The test runs itself again in namespaces of its own: network, mounts, and processes, so that nothing outlives it.

if [ "${RING3_INSIDE:-}" != yes ]; then
	if [ "$(id -u)" != 0 ]; then
		if [ -n "${VPCLAB_MUST_WORK:-}" ]; then echo "1..1"; echo "not ok 1 - must be root"; exit 1; fi
		echo "1..0 # SKIP must be root"
		exit 0
	fi
	export RING3_INSIDE=yes
	exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc -- "$0" "$@"
fi

set -u
BUILD=${BUILD:-build/${FLAVOUR:-release}}
netdriver=$BUILD/ring3/netdriver
probe=$BUILD/ring3/probe
for program in "$netdriver" "$probe"; do
	[ -x "$program" ] || { echo "Bail out! $program is not built (make)"; exit 1; }
done

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/guests
RUN=/run/vpclab
ip link set lo up

tests=0
failures=0

ok() { # STATUS NAME
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
	fi
}

is() { # GOT WANT NAME; WANT is a shell pattern
	# shellcheck disable=SC2053
	[[ $1 == $2 ]]
	ok $? "$3"
	# shellcheck disable=SC2053
	[[ $1 == $2 ]] || printf '#   got  %s\n#   want %s\n' "$1" "$2"
}

finish() {
	echo "1..$tests"
	exit $((failures > 0))
}

# ---- the model ----

subnets_text="vpc vpc-1 172.31.0.0/16 igw1 203.0.113.2
subnet subnet-a ba 172.31.0.0/20
subnet subnet-b bb 172.31.16.0/20"
groups_text=""
enis_text=""

model() { printf '%s\n%s\n%s\n' "$subnets_text" "$groups_text" "$enis_text"; }
lab() { model | "$netdriver" ${LAB_OPTIONS:-} "$RUN" "$@"; } # COMMAND...: with the model
lab_only() { "$netdriver" ${LAB_OPTIONS:-} "$RUN" "$@" </dev/null; }

mac_of() { printf '02:00:00:00:00:%02x' "$1"; }

# eni NUMBER SUBNET PRIVATE PUBLIC GROUPS [check|nocheck] [attached|detached]: adds, or replaces, interface NUMBER
eni() {
	enis_text=$(printf '%s\n' "$enis_text" | grep -v "^eni eni-$1 ")
	enis_text="$enis_text
eni eni-$1 $2 t$1 $(mac_of "$1") $3 $4 ${7:-attached} ${6:-check} $5"
}

# ---- guests ----

vpc_run() { nsenter --net="$RUN/netns/vpc-1" "$@"; }
guest() { local n=$1; shift; ip netns exec "g$n" "$@"; } # NUMBER COMMAND...

background_pids=()
# start NAME COMMAND...: runs it in the background and waits for its "ready"
start() {
	local name=$1 line fd
	shift
	exec {fd}< <(exec "$@" 2>&1)
	eval "pid_$name=$!"
	background_pids+=($!)
	read -r -t 10 -u "$fd" line || line="nothing"
	[ "$line" = ready ] || { echo "Bail out! $name said: $line"; exit 1; }
	eval "out_$name=$fd"
}
stop() { local pid; eval "pid=\$pid_$1"; kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
output() { local fd; eval "fd=\$out_$1"; cat <&"$fd"; } # what it said until it ended

# guest_plug NUMBER: the guest's namespace (made if missing), its end of the tap of interface NUMBER, no address
guest_plug() {
	[ -e "/run/netns/g$1" ] || ip netns add "g$1"
	start "shuttle$1" "$probe" shuttle "$RUN/netns/vpc-1" "t$1" "/run/netns/g$1" eth0
	guest "$1" sh -c "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up
		ip link set eth0 address $(mac_of "$1"); ip link set eth0 up"
}

# guest_up NUMBER ADDRESS/20: plugged, with its address and the subnet's router as its default
guest_up() {
	local router=${2%/*}
	guest_plug "$1"
	case $2 in 172.31.16.*) router=172.31.16.1 ;; *) router=172.31.0.1 ;; esac
	guest "$1" sh -c "ip addr add $2 dev eth0; ip route add default via $router"
}

guest_serve() { local n=$1; shift; start "serve$n" ip netns exec "g$n" "$probe" serve "$@"; } # NUMBER PORT...

# from GUEST|host PROBE-COMMAND...: what the probe saw
from() {
	local who=$1
	shift
	if [ "$who" = host ]; then "$probe" "$@"; else guest "$who" "$probe" "$@"; fi
}

# sees WANT NAME GUEST PROBE-COMMAND...; what must not come is waited for shortly, what must come longer
sees() {
	local want=$1 name=$2 ms=4000
	shift 2
	[ "$want" = timeout ] && ms=400
	case $2 in tcp | udp | ping) set -- "$@" $ms ;; esac
	is "$(from "$@")" "$want" "$name"
}

# ---- the end: nothing may be left ----

leftovers() {
	ip -o link show | awk -F': ' '$2 != "lo" { sub("@.*", "", $2); print "link " $2 }' | grep -vE "${LEFT_ALONE:-^$}"
	grep " $RUN" /proc/mounts
	find "$RUN" -mindepth 1 2>/dev/null
	for p in /proc/[0-9]*; do
		case $(cat "$p/comm" 2>/dev/null) in
		dnsmasq | pasta* | passt* | slirp4netns) echo "process $(tr '\0' ' ' <"$p/cmdline")" ;;
		esac
	done
}

# removes VPC 1 and the host's part, and looks for what stayed
remove_all() {
	local p
	for p in "${background_pids[@]}"; do kill "$p" 2>/dev/null; done
	lab_only remove vpc-1 igw1
	ok $? "the VPC is removed"
	lab_only removehost
	ok $? "the host's bridge is removed"
	is "$(leftovers)" "" "nothing is left behind"
}
