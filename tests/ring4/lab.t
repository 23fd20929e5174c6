#!/bin/bash
# A real guest from `up` to `down`: what the lecture shows, and what a teacher does to it. The slow test: three boots, minutes each
# without KVM. A second guest boots beside the first; its user data is broken on purpose.
. "$(dirname "$0")/../lib.sh"

[ -n "${VPCLAB_TEST_IMAGES:-}" ] || skip_all "no guest image (tests/run.sh builds one)"

# check_ids STATUS: the ids of verify's checks that ended so, of the JSON in $T/verify
check_ids() { python3 -c 'import json, sys; print(" ".join(c["id"] for c in json.load(open(sys.argv[1]))["checkSet"] if c["status"] == sys.argv[2]))' "$T/verify" "$1"; }
verify() { # INSTANCE: its JSON in $T/verify, its exit status in STATUS
	run vpclab verify "$1" --json
	cp "$T/out" "$T/verify"
}
http() { curl -s -o "$T/page" -w '%{http_code}' --max-time "${2:-20}" "http://$1:8000/" || true; }
# await_http ADDRESS SECONDS: until Django answers 200; the connection attempts themselves are what is waited for
await_http() {
	local deadline=$((SECONDS + $2))
	until [ "$(http "$1" 10)" = 200 ]; do
		[ $SECONDS -lt $deadline ] || return 1
		read -rt 1 <> <(:) || :
	done
}

region_up embedded

printf '#cloud-config\nruncmd: [ "echo hello"\n  - broken: here\n' >"$T/broken.yaml"
run vpclab launch broken --image debian-12 --type t2.nano --user-data "$T/broken.yaml"
is "$STATUS" 0 "user data that is not YAML is accepted, as in EC2" || diag "$ERR"

run vpclab up --image debian-12
is "$STATUS" 0 "up ends with success" || diag "$OUT" "$ERR" "$(tail -n 30 "$VPCLAB_STATE_DIR/daemon.log")"
said="$OUT$ERR"
like "$said" 'dropped' "port 8000 is dropped until a rule opens it"
like "$said" 'answers 200' "then it answers 200"
like "$said" 'http://203\.0\.113\.[0-9]+:8000/' "up prints the URL"
like "$said" 'cloud-init' "up shows cloud-init's stages"
like "$said" 'pip install Django|django' "up shows Django's installation"
WEB=$(vpclab show web --json | python3 -c 'import json, sys; r = json.load(sys.stdin); print(json.dumps(r))' | grep -o 'i-[0-9a-f]\{17\}' | head -n 1)
like "$WEB" '^i-[0-9a-f]{17}$' "web is an instance"
PUBLIC=$(field "$WEB" ipAddress) PRIVATE=$(field "$WEB" privateIpAddress)
is "$(http "$PUBLIC")" 200 "the host reads the page at the public address"
ok "and it is Django's" grep -q 'The install worked successfully' "$T/page"

SECONDS=0
run vpclab up --image debian-12
is "$STATUS" 0 "up again is fine" || diag "$ERR"
at_most $SECONDS 60 "and launches nothing: it is done in seconds"
is "$(api Action=DescribeInstances && x 'count(//instancesSet/item)')" 2 "there are two instances still"

answers "DescribeInstances tells EC2's XML" Action=DescribeInstances InstanceId.1="$WEB"
is "$(x 'string(//instanceState/name)') $(x 'string(//instanceType)') $(x 'string(//placement/availabilityZone)' | cut -c1-14)" \
	"running t2.small ap-northeast-2" "of the running guest"

run vpclab verify web --junit "$T/r.xml"
is "$STATUS" 0 "verify passes" || diag "$OUT" "$ERR"
ok "its JUnit report is XML" xmllint --noout "$T/r.xml"
is "$(xmllint --xpath 'string(//testsuite/@failures)' "$T/r.xml")" 0 "without a failure"
at_most 10 "$(xmllint --xpath 'string(//testsuite/@tests)' "$T/r.xml")" "of ten checks and more"
verify web
is "$(check_ids fail)" "" "no check fails"
is "$(check_ids skip)" "" "none is skipped"
like "$(check_ids pass)" 'type os cloud-init venv django listen inbound http outbound' "each fact of the lab is looked at"

run vpclab exec web -- sh -c 'id -un; echo to-stderr >&2; exit 7'
is "$STATUS $OUT $ERR" "7 ubuntu to-stderr" "exec passes output and exit status on"
is "$(vpclab exec web -- hostname)" "ip-${PRIVATE//./-}" "the guest's name is its private address"
is "$(vpclab exec web -- getent hosts "ip-${PRIVATE//./-}.ap-northeast-2.compute.internal" | awk '{print $1}')" "$PRIVATE" "which the VPC's resolver knows"
at_most 7 "$(vpclab exec web -- df --output=size -BG / | tail -n 1 | tr -dc 0-9)" "the root volume was grown to 8 GiB"
run vpclab log web
like "$OUT" 'Linux version' "log shows the serial console"

mkdir -p "$T/site/a dir"
head -c 300000 /dev/urandom >"$T/site/blob"
echo 웹 >"$T/site/a dir/a file"
run vpclab cp "$T/site" web:
is "$STATUS" 0 "cp of a directory into the guest" || diag "$ERR"
is "$(vpclab exec web -- cat 'site/a dir/a file')" 웹 "has all of it"
run vpclab cp web:site "$T/back"
is "$STATUS $(diff -r "$T/site" "$T/back" 2>&1)" "0 " "and out of it the same" || diag "$ERR"
run vpclab cp web:/etc/hostname web:site/blob "$T/back"
is "$STATUS $(<"$T/back/hostname")" "0 ip-${PRIVATE//./-}" "several files into a directory"
(cd "$T" && printf x >'a:b' && vpclab cp ./a:b web:/tmp/) >/dev/null 2>&1
is "$(vpclab exec web -- cat /tmp/a:b)" x "a name with a colon"
run vpclab cp web:nowhere "$T"
is "$STATUS" 3 "what is not there can't be copied"
like "$ERR" 'nowhere.*No such file' "and scp says why"
run vpclab cp "$T/site/blob" web:/root/
is "$STATUS" 3 "nor can what the guest refuses"

# QEMU's own rights
qemu=$(pgrep -f "guest=$WEB" | head -n 1)
isnt "$(awk '/^Uid:/{print $2}' "/proc/$qemu/status")" 0 "QEMU doesn't run as root"
is "$(awk '/^Seccomp:/{print $2}' "/proc/$qemu/status")" 2 "and is behind a seccomp filter"

like "$(grep -c . /proc/$qemu/status) $(awk '/^Cap(Prm|Eff|Bnd):/{print $2}' "/proc/$qemu/status" | sort -u | tr '\n' ' ')" ' 0+ ' "it has no capability, nor can it get one"
is "$(awk '/^NoNewPrivs:/{print $2}' "/proc/$qemu/status")" 1 "no program that it could start gives it one"
ok "its disk, seed and console are nobody else's to read" \
	test "$(stat -c %a "$VPCLAB_STATE_DIR/instances/$WEB"/{disk.qcow2,seed.iso,console.log} | sort -u)" = 600
is "$(stat -c '%a %U' "$VPCLAB_STATE_DIR"/ca "$VPCLAB_STATE_DIR"/ca/ca | tr '\n' ' ')" "700 root 600 root " "the key that opens every guest is root's alone"

# what the machine serves beside the region is not the guests' to find
python3 -m http.server --bind 203.0.113.1 8080 >/dev/null 2>&1 & own=$!
ok "the machine itself reaches it" curl -s -o /dev/null --retry 20 --retry-connrefused --retry-delay 1 http://203.0.113.1:8080/
nok "a guest doesn't reach what the machine serves" vpclab exec web -- curl -s -m 5 -o /dev/null http://203.0.113.1:8080/
kill $own

# rules, between the host, the guest and its neighbour
run vpclab deny web 8000
is "$STATUS" 0 "deny closes the port"
is "$(http "$PUBLIC" 3)" 000 "the page is gone"
verify web
is "$STATUS" 1 "verify fails then"
is "$(check_ids fail)" "inbound http" "on the inbound rule and the page alone"
BROKEN=$(vpclab show broken --json | grep -o 'i-[0-9a-f]\{17\}' | head -n 1)
SG=$(field "$WEB" 'groupSet/item/groupId') NEIGHBOUR=$(field "$BROKEN" 'groupSet/item/groupId')
run vpclab allow broken 22
run vpclab exec broken -- curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$PRIVATE:8000/"
is "$OUT" 000 "its neighbour is dropped as well"
answers "a rule for the neighbour's group" Action=AuthorizeSecurityGroupIngress GroupId="$SG" IpPermissions.1.IpProtocol=tcp \
	IpPermissions.1.FromPort=8000 IpPermissions.1.ToPort=8000 IpPermissions.1.Groups.1.GroupId="$NEIGHBOUR"
run vpclab exec broken -- curl -s -m 20 -o /dev/null -w '%{http_code}' "http://$PRIVATE:8000/"
is "$OUT" 200 "lets the neighbour in by the private address"
is "$(http "$PUBLIC" 3)" 000 "and the host not"
run vpclab allow web 8000
is "$(http "$PUBLIC")" 200 "allow opens it again"

# user data that cloud-init could not read
verify broken
is "$STATUS" 1 "verify of the instance with broken user data fails"
like "$(python3 -c 'import json, sys; print([c["seen"] + c["advice"] for c in json.load(open(sys.argv[1]))["checkSet"] if c["id"] == "cloud-init"])' "$T/verify")" \
	'not valid YAML.*cloud-init says' "in cloud-init's own words"

# the daemon's sudden end changes nothing for guests
pid=$(daemon_pid)
kill -9 "$pid"
await_exit "$pid" 20
is "$(http "$PUBLIC")" 200 "Django answers although the daemon was killed"
run vpclab ls
like "$OUT" "web +$WEB +running" "a new daemon finds the guest running"
is "$(field "$WEB" ipAddress)" "$PUBLIC" "with its address"

run vpclab reboot web
is "$STATUS" 0 "reboot" || diag "$ERR"
await_http "$PUBLIC" 600
is "$(http "$PUBLIC")" 200 "after a reboot Django answers by itself, at the same public address"
is "$(field "$WEB" privateIpAddress)" "$PRIVATE" "and the private one stayed"

# the other guest powers itself off
vpclab exec broken -- sudo systemctl poweroff >/dev/null 2>&1
ok "a guest that powers itself off is stopped" await "$BROKEN" stopped 180
is "$(field "$BROKEN" stateReason/code)" Client.InstanceInitiatedShutdown "by its own doing"

# QEMU dies
kill -9 "$(pgrep -f "guest=$WEB" | head -n 1)"
ok "a guest whose QEMU was killed is stopped" await "$WEB" stopped 60
is "$(field "$WEB" stateReason/code)" Server.InternalError "and the reason says so"
is "$(field "$WEB" ipAddress)" "" "its public address is free"
run vpclab start web
is "$STATUS" 0 "it starts again" || diag "$ERR"
is "$(field "$WEB" privateIpAddress)" "$PRIVATE" "with its private address"
NEW=$(field "$WEB" ipAddress)
like "$NEW" '^203\.0\.113\.' "and a public one"
await_http "$NEW" 600
is "$(http "$NEW")" 200 "where Django answers"
SECONDS=0
run vpclab stop web
is "$STATUS" 0 "stop powers the guest off" || diag "$ERR"
is "$(field "$WEB" stateReason/code)" Client.UserInitiatedShutdown "as the user said"
unlike "$(vpclab show web)" 'power is cut' "by the guest's own hand"

run vpclab terminate web
is "$STATUS $(state "$WEB")" "0 terminated" "terminate"
region_down
done_testing
