#!/bin/bash
# Who may do what on this machine (docs/security.md): the socket's group, files of secrets, what the daemon can't do any more.
. "$(dirname "$0")/../lib.sh"

# a machine with the group vpclab and one member's worth of it: our own copies of its lists
cp /etc/group "$T/group"
sed -i '/^vpclab:/d' "$T/group"
echo 'vpclab:x:64999:' >>"$T/group"
mount --bind "$T/group" /etc/group || bail "/etc/group can't be covered"

region_up test
mode() { stat -c '%a %U:%G' "$1"; }

# --- the socket ---
is "$(mode "$SOCKET")" "660 root:vpclab" "the socket is root's and the group's"
is "$(mode "$VPCLAB_RUN_DIR")" "755 root:root" "its directory is root's"
as() { setpriv --reuid 65534 --regid 65534 "$@"; } # OPTIONS COMMAND...
call='curl -s -o /dev/null -w %{http_code} --unix-socket '$SOCKET' -d Action=DescribeInstances&Version=2016-11-15 http://region/'
# shellcheck disable=SC2086
is "$(as --clear-groups $call)" 000 "who isn't in the group is refused by the kernel"
# shellcheck disable=SC2086
is "$(as --groups 64999 $call)" 200 "a member is answered"
as --groups 64999 curl -s -o "$TMPDIR/group" --unix-socket "$SOCKET" -d 'Action=CreateSecurityGroup&GroupName=m&GroupDescription=x&Version=2016-11-15' http://region/
ok "the log tells who did what" grep -q 'CreateSecurityGroup.*nobody\|nobody.*CreateSecurityGroup' "$VPCLAB_STATE_DIR/daemon.log"
nok "nobody else can replace it" as --groups 64999 rm -f "$SOCKET"
is "$(mode "$SOCKET")" "660 root:vpclab" "it is there still"

# --- files ---
launch UserData="$(printf '#!/bin/sh\n# a secret\n' | base64)" >/dev/null
is "$(mode "$VPCLAB_STATE_DIR")" "711 root:root" "the state directory isn't listed by others"
for f in region.db region.db-wal region.db-shm daemon.log; do
	if [ -e "$VPCLAB_STATE_DIR/$f" ]; then
		is "$(mode "$VPCLAB_STATE_DIR/$f")" "600 root:root" "$f is root's alone"
	else
		fail "$f is there"
	fi
done
nok "others can't read the user data" as --groups 64999 grep -r secret "$VPCLAB_STATE_DIR"
is "$(find "$VPCLAB_STATE_DIR" "$VPCLAB_RUN_DIR" -perm -002 ! -type l)" "" "nothing is anybody's to write"
is "$(find "$VPCLAB_STATE_DIR" -type f -perm -004 ! -path '*/images/*' ! -name '*.lock')" "" "nothing but images and locks is anybody's to read"

# --- the daemon ---
pid=$(daemon_pid)
field_of() { awk -v f="$1:" '$1 == f {print $2}' "/proc/$pid/status"; }
# the numbers of capability.h that src/api/privilege.c keeps
want=0
for bit in 0 1 2 3 4 5 6 7 8 10 12 13 18 19 21 24 27 29 31; do want=$((want | 1 << bit)); done
for set in CapBnd CapPrm CapEff; do
	is $((0x$(field_of $set) & ~want)) 0 "$set: nothing beside what a region needs"
	is $((0x$(field_of $set) >> 16 & 1)) 0 "$set: no kernel module can be loaded"
done
isnt "$(field_of CapEff)" 0000000000000000 "what it needs it has"
is "$((0x$(field_of CapInh))) $((0x$(field_of CapAmb)))" "0 0" "nothing is handed on unasked"
is "$(field_of NoNewPrivs)" 1 "nor got back by a setuid program"

# --- calls that are too large ---
head -c 1200000 /dev/zero | tr '\0' a >"$T/large"
is "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" --data-binary @"$T/large" http://region/)" 413 "a body of more than 1 MiB is refused"
answers "and the region goes on" Action=DescribeInstances

region_down
is "$(find "$VPCLAB_STATE_DIR" -type f -perm -004 ! -path '*/images/*' ! -name '*.lock')" "" "and down nothing is readable either"

# a log that an older version left open to others
chmod 644 "$VPCLAB_STATE_DIR/daemon.log"
region_up test
is "$(mode "$VPCLAB_STATE_DIR/daemon.log")" "600 root:root" "a log that was readable is so no more"
region_down
done_testing
