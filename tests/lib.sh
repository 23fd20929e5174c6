# Sourced by each tests/ring2/*.t and tests/ring4/*.t: TAP, a region of the test's own, calls to it, waiting, and the look for what
# stayed. The test runs itself again in namespaces of its own (network, mounts, processes), so it can be run alone, as root.
# shellcheck shell=bash

SELF=$(readlink -f "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
FLAVOUR=${FLAVOUR:-release}
BUILD=$PWD/build/$FLAVOUR

# --- TAP ---------------------------------------------------------------------------

tap_count=0 tap_failed=0

diag() { printf '%s\n' "$@" | sed 's/^/# /'; }
pass() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $1"; }
# fail NAME [DIAGNOSTIC...]
fail() {
	tap_count=$((tap_count + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	[ $# = 0 ] || diag "$@"
	return 1
}
# ok NAME COMMAND...: the command succeeds
ok() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then pass "$name"; else fail "$name" "$* ended with status $?" "${said:0:2000}"; fi
}
# nok NAME COMMAND...: the command fails
nok() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then fail "$name" "$* ended with status 0" "${said:0:2000}"; else pass "$name"; fi
}
is() { if [ "$1" = "$2" ]; then pass "$3"; else fail "$3" "got  ${1:0:2000}" "want $2"; fi; }           # GOT WANT NAME
isnt() { if [ "$1" != "$2" ]; then pass "$3"; else fail "$3" "got  ${1:0:2000}, which it should not be"; fi; }
# GOT REGEX NAME
like() { if [[ $1 =~ $2 ]]; then pass "$3"; else fail "$3" "got  ${1:0:2000}" "want a match of $2"; fi; }
unlike() { if [[ $1 =~ $2 ]]; then fail "$3" "got  ${1:0:2000}" "want no match of $2"; else pass "$3"; fi; }
# at_most GOT MOST NAME
at_most() { if [ "$1" -le "$2" ]; then pass "$3"; else fail "$3" "got $1, want at most $2"; fi; }

# skip NAME REASON: one test that can't run here
skip() {
	if [ -n "${VPCLAB_MUST_WORK:-}" ]; then
		fail "$1" "skipped: $2, but VPCLAB_MUST_WORK is set"
	else
		tap_count=$((tap_count + 1))
		echo "ok $tap_count - $1 # SKIP $2"
	fi
}
# skip_all REASON: the whole file, before anything was done
skip_all() {
	if [ -n "${VPCLAB_MUST_WORK:-}" ]; then echo "1..1"; echo "not ok 1 - skipped: $1, but VPCLAB_MUST_WORK is set"; exit 1; fi
	echo "1..0 # SKIP $1"
	exit 0
}
bail() { echo "Bail out! $1"; exit 1; }

# --- a place of its own --------------------------------------------------------------

if [ "${LIB_INSIDE:-}" != yes ]; then
	[ "$(id -u)" = 0 ] || skip_all "must be root"
	[ -x "$BUILD/vpclab" ] || bail "$BUILD/vpclab is not built (make)"
	export LIB_INSIDE=yes
	exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc -- "$SELF" "$@"
fi
unset LIB_INSIDE
ip link set lo up

T=$(mktemp -d "${TMPDIR:-/tmp}/t.XXXXXX") || bail "no temporary directory"
chmod 755 "$T"
export TMPDIR=$T/tmp HOME=$T/home TZ=${TZ:-Asia/Kathmandu}
mkdir -m 1777 "$TMPDIR"
mkdir -m 700 "$HOME"
for name in ${!VPCLAB_*}; do
	case $name in VPCLAB_TEST_* | VPCLAB_MUST_WORK) ;; *) unset "$name" ;; esac
done
if [ "$FLAVOUR" = asan ] && [ -z "${ASAN_OPTIONS:-}" ]; then
	export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
fi

# The test's own end, whatever it was: nothing outlives the process namespace, and T goes.
trap 'rm -rf --one-file-system "$T"' EXIT

vpclab() { "$BUILD/vpclab" "$@"; }

# run COMMAND...: its exit status in STATUS, what it said in OUT and ERR
run() {
	STATUS=0
	"$@" >"$T/out" 2>"$T/err" || STATUS=$?
	OUT=$(<"$T/out") ERR=$(<"$T/err")
}
# says STATUS REGEX NAME COMMAND...: it ends with that status and says, on standard error, one whole sentence that matches
says() {
	local want=$1 regex=$2 name=$3
	shift 3
	run "$@"
	if [ "$STATUS" != "$want" ]; then
		fail "$name" "status $STATUS, want $want" "$OUT" "$ERR"
	elif ! [[ $ERR =~ $regex ]]; then
		fail "$name" "it said: $ERR" "want a match of $regex"
	elif [ "$(wc -l <"$T/err")" != 1 ]; then
		fail "$name" "not one line: $ERR"
	else
		pass "$name"
	fi
}

# --- a region ------------------------------------------------------------------------

# region_at NAME: the verbs and calls from here on go to the region of that name (its directories are made by its daemon)
region_at() {
	export VPCLAB_STATE_DIR=$T/$1/state VPCLAB_RUN_DIR=$T/$1/run
	mkdir -p "$T/$1"
	chmod 755 "$T/$1"
	SOCKET=$VPCLAB_RUN_DIR/api.sock
}
# region_up [test|embedded] [NAME]: a private region with its daemon running; test is libvirt's driver without guests
region_up() {
	region_at "${2:-lab}"
	case ${1:-test} in
	test) export VPCLAB_LIBVIRT_URI=test:///default ;;
	embedded)
		unset VPCLAB_LIBVIRT_URI
		if [ -n "${VPCLAB_TEST_IMAGES:-}" ]; then
			mkdir -p "$VPCLAB_STATE_DIR"
			cp -al "$VPCLAB_TEST_IMAGES" "$VPCLAB_STATE_DIR/images" 2>/dev/null ||
				cp -a --reflink=auto "$VPCLAB_TEST_IMAGES" "$VPCLAB_STATE_DIR/images"
		fi
		;;
	*) bail "region_up: no driver $1" ;;
	esac
	run vpclab daemon
	[ "$STATUS" = 0 ] || { diag "$ERR" "$(tail -n 20 "$VPCLAB_STATE_DIR/daemon.log" 2>&1)"; bail "the region did not start"; }
}
daemon_pid() { cat "$VPCLAB_RUN_DIR/daemon.lock"; }
# Waits until a process has ended (its zombie is reaped by us, process 1 of the namespace).
await_exit() { # PID SECONDS
	timeout "$2" tail --pid="$1" -s 0.05 -f /dev/null
}

# processes: what runs in the namespace beside the test itself and what it has in its own process group (its pipes, its waiting calls)
processes() {
	local p pid line stat ours group
	stat=$(</proc/$$/stat) stat=${stat##*) }
	read -r _ _ ours _ <<<"$stat"
	for p in /proc/[0-9]*; do
		pid=${p#/proc/}
		stat=$(cat "$p/stat" 2>/dev/null) || continue
		read -r _ _ group _ <<<"${stat##*) }"
		[ "$group" != "$ours" ] || continue
		line=$(tr '\0' ' ' 2>/dev/null <"$p/cmdline") || continue
		echo "process $pid ${line:-$stat}"
	done
}
# leftovers: what a region that is down must not leave
leftovers() {
	processes
	awk -v t="$T" 'index($2, t) == 1 {print "mount " $2}' /proc/self/mounts
	ip -o link show | awk -F': ' '{ sub("@.*", "", $2) } $2 != "lo" { print "link " $2 }'
	find "$VPCLAB_RUN_DIR" -mindepth 1 2>/dev/null | sed 's/^/file /'
	find "$VPCLAB_STATE_DIR/instances" -mindepth 1 2>/dev/null | sed 's/^/disk /'
}
# region_down: by its own verb; then nothing may be left
region_down() {
	run vpclab down
	is "$STATUS" 0 "the region goes down" || diag "$ERR"
	is "$(leftovers)" "" "nothing is left of it"
}

# done_testing: the plan, and the exit status
done_testing() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# --- calls ---------------------------------------------------------------------------

# api Action=NAME KEY=VALUE...: one call; the reply is in BODY, HTTP's status in STATUS, EC2's error code and message in CODE and
# MESSAGE ("" without one). Values are sent as they are, encoded by curl.
api() {
	local args=() pair
	for pair in "$@"; do args+=(--data-urlencode "$pair"); done
	STATUS=$(curl -s --unix-socket "$SOCKET" --max-time 100 -o "$T/body" -w '%{http_code}' "${API_HEADERS[@]}" \
		"${args[@]}" --data-urlencode Version=2016-11-15 http://region/) || STATUS="curl $?"
	BODY=$(<"$T/body")
	CODE='' MESSAGE=''
	if [[ $BODY =~ \<Code\>([^<]*)\</Code\> ]]; then CODE=${BASH_REMATCH[1]}; fi
	if [[ $BODY =~ \<Message\>([^<]*)\</Message\> ]]; then MESSAGE=${BASH_REMATCH[1]}; fi
	ACTION=${1#Action=}
}
API_HEADERS=()
# apij ...: the same with a JSON reply
apij() {
	API_HEADERS=(-H 'Accept: application/json')
	api "$@"
	API_HEADERS=()
}

# x XPATH: of the last reply, whose names are without namespace here. `x 'string(//groupId)'`, `x 'count(//item)'`
x() { sed 's/ xmlns="[^"]*"//' "$T/body" | xmllint --xpath "$1" - 2>&1; }
# j EXPRESSION: Python's, of the last JSON reply as r
j() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); v = eval(sys.argv[2]); print(v if isinstance(v, str) else json.dumps(v))' "$T/body" "$1" 2>&1; }

# answers NAME Action=...: a reply as EC2's, well formed and in its namespace
answers() {
	local name=$1 said
	shift
	api "$@"
	if [ "$STATUS" != 200 ]; then
		fail "$name" "status $STATUS $CODE: $MESSAGE"
	elif ! said=$(xmllint --noout "$T/body" 2>&1); then
		fail "$name" "$said"
	elif [[ $BODY != *"<${ACTION}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"* ]]; then
		fail "$name" "${BODY:0:300}"
	elif ! [[ $(x 'string(/*/requestId)') =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]; then
		fail "$name" "requestId is $(x 'string(/*/requestId)')"
	else
		pass "$name"
	fi
}
# refuses CODE NAME Action=...: an error of EC2's code, with a sentence
refuses() {
	local want=$1 name=$2
	shift 2
	api "$@"
	if [ "$CODE" != "$want" ]; then
		fail "$name" "status $STATUS, code $CODE, want $want: $MESSAGE${CODE:+}" "${BODY:0:600}"
	elif [[ $STATUS != 4?? && $STATUS != 5?? ]] || ! xmllint --noout "$T/body" 2>/dev/null; then
		fail "$name" "status $STATUS: $BODY"
	elif [ ${#MESSAGE} -lt 10 ]; then
		fail "$name" "no sentence: $MESSAGE"
	else
		pass "$name"
	fi
}

# --- instances -------------------------------------------------------------------------

# image: the id of debian-12
image() {
	api Action=DescribeImages Filter.1.Name=name Filter.1.Value.1=debian-12
	x 'string(//imageId)'
}
# launch [KEY=VALUE...]: one instance of debian-12; prints its id
launch() {
	[ -n "${AMI:-}" ] || AMI=$(image)
	api Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1 "$@"
	[ "$STATUS" = 200 ] || { diag "launch: $CODE $MESSAGE" >&2; return 1; }
	x 'string(//instancesSet/item/instanceId)'
}
# state ID
state() {
	api Action=DescribeInstances InstanceId.1="$1"
	x 'string(//instanceState/name)'
}
# field ID NAME: a member of the instance as DescribeInstances has it
field() {
	api Action=DescribeInstances InstanceId.1="$1"
	x "string(//instancesSet/item/$2)"
}
# await ID STATE [SECONDS]: waits by the region's own long poll, not by the clock
await() {
	local deadline=$((SECONDS + ${3:-30})) after=0 now
	while :; do
		api Action=DescribeInstanceProgress InstanceId="$1" After="$after" WaitSeconds=$((deadline - SECONDS > 5 ? 5 : 1))
		[ "$STATUS" = 200 ] || { diag "await: $CODE $MESSAGE"; return 1; }
		now=$(x 'string(//instanceState/name)')
		[ "$now" != "$2" ] || return 0
		after=$(x 'string(/*/lastSequence)')
		[ $SECONDS -lt $deadline ] || { diag "$1 is $now, not $2, after ${3:-30} s"; return 1; }
	done
}
