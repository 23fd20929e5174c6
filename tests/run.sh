#!/bin/bash
# Runs the tests in namespaces of their own (network, mounts, processes), so that nothing of the machine's is touched and nothing
# stays: prove over ring 1 (unit tests, built), ring 2 (the region without guests), ring 3 (the network), ring 4 (a real guest).
#
#   run.sh [--no-guests] [FILE...]      FILE: some tests only, such as tests/ring2/groups.t
#
# FLAVOUR=asan runs the build with sanitizers. VPCLAB_MUST_WORK=1 makes a failure of every skip; VPCLAB_TEST_SLOW=1 runs what
# takes a quarter of an hour. GOLDEN_UPDATE=1 rewrites the
# golden files. Rings 3 and 4 run one test at a time, for they measure time.
set -eu
cd "$(dirname "$0")/.."
export FLAVOUR=${FLAVOUR:-release}

guests=yes
files=()
for arg in "$@"; do
	case $arg in
	--no-guests) guests=no ;;
	-h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
	-*) echo "run.sh: there is no option $arg; see --help." >&2; exit 2 ;;
	*) files+=("$arg") ;;
	esac
done

every_test() {
	local f
	for f in tests/unit/*.c; do
		f=${f##*/}
		echo "build/$FLAVOUR/tests/${f%.c}"
	done
	for f in tests/fuzz/*.c; do
		f=${f##*/}
		[ "$f" = run_corpus.c ] || echo "build/$FLAVOUR/tests/fuzz_${f%.c}"
	done
	ls tests/ring2/*.t tests/ring3/*.t 2>/dev/null || true
	[ $guests = no ] || ls tests/ring4/*.t 2>/dev/null || true
}

# --- inside ------------------------------------------------------------------------

# Processes and mounts that the tests left, links that are there beside lo: one a line.
leaks() {
	local p pid line
	for p in /proc/[0-9]*; do
		pid=${p#/proc/}
		[ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
		line=$(tr '\0' ' ' <"$p/cmdline" 2>/dev/null) || continue
		# without a command line: a zombie that nobody could wait for any more
		[ -z "$line" ] || [ "$(awk '/^PPid:/{print $2}' "$p/status" 2>/dev/null)" = "$BASHPID" ] || echo "process $pid $line"
	done
	awk -v t="$VPCLAB_TEST_DIR" 'index($2, t) == 1 {print "mount " $2}' /proc/self/mounts
	ip -o link show | awk -F': ' '{ sub("@.*", "", $2) } $2 != "lo" { print "link " $2 }'
}

inside() {
	local status=0 left
	ip link set lo up
	# rings 1 and 2 two at a time; what measures time (rings 3 and 4) one after the other
	prove --exec '' --timer --jobs 2 --rules "par=build/**" --rules "par=tests/ring2/*" --rules "seq=**" "$@" || status=$?
	left=$(leaks)
	if [ -n "$left" ]; then
		printf 'The tests left something behind:\n%s\n' "$left" >&2
		status=1
	fi
	exit $status
}

if [ "${VPCLAB_TEST_INSIDE:-}" = yes ]; then
	inside "${files[@]}"
fi

# --- outside -----------------------------------------------------------------------

[ -x "build/$FLAVOUR/vpclab" ] || { echo "run.sh: build/$FLAVOUR/vpclab is not built; run make." >&2; exit 3; }
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || {
		echo "run.sh: the tests make network namespaces and machines, which only root can; run this as root, for there is no sudo." >&2
		exit 3
	}
	exec sudo --preserve-env=FLAVOUR,VPCLAB_MUST_WORK,VPCLAB_TEST_SLOW,GOLDEN_UPDATE -- "$0" "$@"
fi
unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc true || {
	echo "run.sh: this machine does not let root make namespaces (a container without CAP_SYS_ADMIN?), which every lab needs." >&2
	exit 3
}
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(every_test)

images=
if [ $guests = yes ] && [[ " ${files[*]} " == *" tests/ring4/"* ]]; then
	images=$(tests/image.sh)
fi

# QEMU runs as a user of its own and must pass through.
# short: libvirt makes unix sockets below it, whose paths the kernel limits
dir=$(mktemp -d /tmp/vl.XXXXXX)
trap 'rm -rf --one-file-system "$dir"' EXIT
chmod 755 "$dir"
mkdir -m 1777 "$dir/tmp"
mkdir -m 700 "$dir/home"
if [ -n "$images" ]; then
	cp -a --reflink=auto --sparse=always "$images" "$dir/images"
fi

environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$dir/home" TMPDIR="$dir/tmp"
	TZ=Asia/Kathmandu LC_ALL=C.UTF-8 TERM=dumb FLAVOUR="$FLAVOUR" VPCLAB_TEST_INSIDE=yes VPCLAB_TEST_DIR="$dir"
	VPCLAB_TEST_IMAGES="${images:+$dir/images}")
for name in VPCLAB_MUST_WORK VPCLAB_TEST_SLOW GOLDEN_UPDATE; do
	[ -z "${!name:-}" ] || environment+=("$name=${!name}")
done
# libvirt and GnuTLS keep what they allocate once; a leak of ours is found by the unit tests and at the daemon's end
[ "$FLAVOUR" != asan ] || environment+=("ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=66:log_path=$dir/tmp/asan"
	"UBSAN_OPTIONS=print_stacktrace=1" "LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0")

status=0
unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
	env -i "${environment[@]}" "$PWD/tests/run.sh" "${files[@]}" || status=$?
if compgen -G "$dir/tmp/asan.*" >/dev/null; then
	cat "$dir"/tmp/asan.* >&2
	echo "The sanitizers found the above." >&2
	status=1
fi
exit $status
