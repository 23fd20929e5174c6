#!/bin/bash
# `vpclab why` in a real guest: one breakage after the other is made, the named hop is looked at, and where the printed command can
# mend it, it does. One guest, two boots.
. "$(dirname "$0")/../lib.sh"

# Nineteen breakages of one guest take a quarter of an hour without KVM, more than the whole of `make test` may.
[ -n "${VPCLAB_TEST_SLOW:-}${VPCLAB_MUST_WORK:-}" ] || skip_all "slow: set VPCLAB_TEST_SLOW=1"
[ -n "${VPCLAB_TEST_IMAGES:-}" ] || skip_all "no guest image (tests/run.sh builds one)"

http() { curl -s -o "$T/page" -w '%{http_code}' --max-time 20 "http://$PUBLIC:8000/" || true; }
# await_http STATUS: until the page has that status
await_http() {
	local deadline=$((SECONDS + 300))
	until [ "$(http)" = "$1" ]; do
		[ $SECONDS -lt $deadline ] || { diag "no $1 from $PUBLIC after 300 s"; return 1; }
		read -rt 1 <> <(:) || :
	done
}
# why ARGUMENTS...: its JSON's members in HOP, SENTENCE, COMMAND, LOG; its exit status in STATUS
why() {
	run vpclab why "$@" --json
	HOP='' SENTENCE='' COMMAND='' LOG=''
	if [ -n "$OUT" ]; then
		# shellcheck disable=SC2046
		eval "$(python3 -c 'import json, shlex, sys
r = json.load(sys.stdin)
for name, key in ("HOP", "brokenHop"), ("SENTENCE", "sentence"), ("COMMAND", "command"), ("LOG", "log"):
    print(name + "=" + shlex.quote(r.get(key, "")))' <<<"$OUT")"
	fi
}
# names HOP REGEX NAME ARGUMENTS...: why names that hop, in a sentence that matches
names() {
	local hop=$1 regex=$2 name=$3
	shift 3
	why "$@"
	if [ "$STATUS $HOP" != "1 $hop" ]; then
		fail "$name" "status $STATUS, hop $HOP, want $hop" "$SENTENCE" "$OUT" "$ERR"
	elif ! [[ $SENTENCE =~ $regex ]]; then
		fail "$name" "it says: $SENTENCE" "want a match of $regex"
	else
		pass "$name"
		diag "$SENTENCE" "mend: $COMMAND"
	fi
}
# names_soon HOP REGEX NAME ARGUMENTS...: asks until that hop is named with such a sentence and last lines, at most five minutes
names_soon() {
	local hop=$1 regex=$2 name=$3 deadline=$((SECONDS + 300))
	shift 3
	until
		why "$@"
		[[ $HOP == "$hop" && "$SENTENCE $LOG" =~ $regex ]]
	do
		if [ $SECONDS -ge $deadline ]; then
			fail "$name" "hop $HOP, want $hop" "$SENTENCE" "$LOG" "want a match of $regex"
			return 1
		fi
	done
	pass "$name"
	diag "$SENTENCE" "$LOG" "mend: $COMMAND"
}
mend() { (PATH=$BUILD:$PATH eval "$COMMAND") >"$T/mend" 2>&1; }
guest() { vpclab exec web -- "$1"; }
# later SCRIPT: in the guest, as root, when the connection that asked for it is over
later() { guest "sudo systemd-run --collect sh -c 'sleep 2; $1'" >/dev/null 2>&1; }
SETTINGS=nanodegree/sample/sample/settings.py

region_up embedded
run vpclab up --image debian-12
is "$STATUS" 0 "up" || { diag "$OUT" "$ERR"; bail "no lab"; }
WEB=$(vpclab show web --json | grep -o 'i-[0-9a-f]\{17\}' | head -n 1)
PUBLIC=$(field "$WEB" ipAddress) PRIVATE=$(field "$WEB" privateIpAddress)

# --- nothing broken ---
why web
is "$STATUS $HOP" "0 " "nothing is broken" || diag "$OUT" "$ERR"
why "http://$PUBLIC:8000/"
is "$STATUS $HOP" "0 " "by the URL neither"
why web 22
is "$STATUS $HOP" "0 " "nor is SSH"
run vpclab why web
like "$OUT" 'ok +gateway.*ok +rule.*Nothing is broken' "it prints the way"

# --- what is asked for ---
says 2 'no instance named wbe.*did you mean web' "1. an unknown name" vpclab why wbe
names address "203.0.113.250.*web has $PUBLIC" "2. an address that nobody has" http://203.0.113.250:8000/
names address "private address of web" "3. the private address" "http://$PRIVATE:8000/"

# --- the security group ---
vpclab deny web 8000 >/dev/null
names rule "No inbound rule admits TCP 8000 from 203\.0\.113\.1; looked at: launch-wizard-1" "4. the rule was removed" web
ok "the command mends it" mend
await_http 200
vpclab deny web 8000 >/dev/null
vpclab allow web 8000 --from 10.0.0.0/8 >/dev/null
names rule 'there is only: .*10\.0\.0\.0/8' "5. a rule for others" "http://$PUBLIC:8000/"
ok "the command mends it" mend

# --- the listener ---
vpclab allow web 9000 >/dev/null
names listener 'Nobody listens on port 9000; the guest listens on: .*8000' "6. the wrong port" web 9000

guest 'sudo systemctl stop django'
names service 'django.service is stopped' "7. the service was stopped" web
ok "the command mends it" mend
await_http 200

guest "echo 'def broken(' >>$SETTINGS"
names_soon service 'crashes.*(SyntaxError|broken\()' "8. the server crashes: a syntax error in settings.py" web
run vpclab why web
like "$OUT" '\| .*(SyntaxError|def broken)' "and its last lines are printed"
guest "sed -i '\$d' $SETTINGS && sudo systemctl restart django"
ok "it is mended" await_http 200

guest 'sudo systemctl stop django && sudo systemd-run --collect --unit=mine --uid=1000 --working-directory=$HOME/nanodegree/sample \
	$HOME/nanodegree/venv/bin/python manage.py runserver --noreload 127.0.0.1:8000' >/dev/null 2>&1
names_soon listener '127\.0\.0\.1:8000.*runserver 0:8000' "9. it listens on 127.0.0.1 alone" web
guest 'sudo systemctl stop mine; sudo systemctl start django'
ok "it is mended" await_http 200

# --- Django ---
guest "sed -i 's/^ALLOWED_HOSTS = .*/ALLOWED_HOSTS = []/' $SETTINGS"
await_http 400
names application "ALLOWED_HOSTS lacks $PUBLIC" "10. ALLOWED_HOSTS = []" web
ok "the command mends it" mend
ok "it is mended" await_http 200
names application 'answers 404' "11. a page that there is not" "http://$PUBLIC:8000/nosuch"

# --- the guest's firewall: the guest has no nft, but is of this machine's release ---
mapfile -t libraries < <(ldd "$(command -v nft)" | grep -o '/[^ ]*\.so[^ ]*')
tar -chf - "$(command -v nft)" "${libraries[@]}" 2>/dev/null | guest 'sudo mkdir -p /opt/nft && sudo tar -xf - -C /opt/nft'
LIBDIRS=$(dirname "${libraries[@]}" | sort -u | sed 's|^|/opt/nft|' | tr '\n' ':')
guest "printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec /opt/nft%s \"\$@\"\n' \
	'$LIBDIRS' '$(command -v nft)' | sudo tee /usr/local/sbin/nft >/dev/null && sudo chmod 755 /usr/local/sbin/nft"
ok "nft in the guest" guest "sudo nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp dport 8000 drop'"
names guest-firewall 'firewall drops port 8000: ".*dport 8000 drop' "12. a drop rule in the guest" web
ok "the command mends it" mend
ok "it is mended" await_http 200
guest "sudo nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in tcp dport 8000 reject with tcp reset'"
names guest-firewall 'firewall rejects port 8000' "13. a reject rule" web
mend

# --- the guest's network; it mends itself after a while, for nobody could reach it ---
read -r DEVICE ROUTER < <(guest "ip -4 route show default" | sed -E 's/.*via ([^ ]+) dev ([^ ]+).*/\2 \1/')
later "ip route replace default via ${PRIVATE%.*}.251 dev $DEVICE onlink; sleep 90; ip route replace default via $ROUTER dev $DEVICE"
names_soon guest-network 'answers go astray.*251' "14. a wrong default route" web
ok "it is mended" await_http 200

PREFIX=$(guest "ip -4 -o addr show dev $DEVICE" | grep -o "$PRIVATE/[0-9]*")
later "ip addr flush dev $DEVICE; sleep 120; ip addr add $PREFIX dev $DEVICE; ip route replace default via $ROUTER dev $DEVICE"
names_soon guest "answers nobody at $PRIVATE" "15. the guest's address is gone" web
ok "it is mended" await_http 200

# --- the instance ---
vpclab stop web >/dev/null 2>&1
names instance 'is stopped' "16. the instance is stopped" web
is "$COMMAND" "vpclab start web" "with the command that starts it"
run vpclab start web --no-wait
ok "it runs again" await "$WEB" running 120
names guest 'still booting' "17. the guest is booting" web
OLD=$PUBLIC PUBLIC=$(field "$WEB" ipAddress)
names address "$OLD.*web has $PUBLIC" "18. the address from before the stop" "http://$OLD:8000/"
vpclab terminate web >/dev/null 2>&1

launch InstanceType=t2.nano NetworkInterface.1.DeviceIndex=0 NetworkInterface.1.AssociatePublicIpAddress=false \
	TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=bare >"$T/bare"
await "$(<"$T/bare")" running 120
names address 'no public IPv4 address' "19. no public address" bare
region_down
done_testing
