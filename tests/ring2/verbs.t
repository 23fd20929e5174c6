#!/bin/bash
# The verbs as a person types them: names and ids, help, exit codes, one sentence for each thing that is wrong.
. "$(dirname "$0")/../lib.sh"
region_at lab
export VPCLAB_LIBVIRT_URI=test:///default

# --- help ---
run vpclab
is "$STATUS" 2 "no verb is a usage error"
like "$ERR" 'usage: vpclab VERB' "with the list of verbs"
run vpclab --help
is "$STATUS" 0 "--help is none"
verbs=$(sed -n 's/^  \([a-z]*\) .*/\1/p' <<<"$OUT" | sort -u)
for verb in up down verify why cp events launch ls show stop start reboot terminate allow deny rules connect exec log image doctor daemon; do
	ok "help lists $verb" grep -qx "$verb" <<<"$verbs"
	run vpclab help $verb
	is "$STATUS" 0 "help $verb"
	like "$OUT" "^usage: vpclab $verb" "begins with its usage"
	run vpclab $verb --help
	like "$STATUS $OUT" "^0 usage: vpclab $verb" "$verb --help says the same"
done
run vpclab version
like "$OUT" '^vpclab [0-9a-z.-]+' "version"
is "$(processes)" "" "none of this starts a region"

# --- usage errors: exit status 2 ---
says 2 'no verb "lst"; did you mean "ls"\?' "a misspelt verb" vpclab lst
says 2 'did you mean "terminate"\?' "a word of other tools" vpclab delete web
says 2 'no flag --tpye; did you mean --type\?' "a misspelt flag" vpclab launch --tpye t2.nano
says 2 'needs a value' "a flag without its value" vpclab launch --type
says 2 'one word too many' "a word too many" vpclab launch a b
says 2 'Name the instances' "no word" vpclab stop
says 2 'Too few words' "a word too few" vpclab allow web
says 2 'whole number' "a count that is none" vpclab launch x --count many
says 2 'whole number' "a count of 0" vpclab launch x --count 0
is "$(processes)" "" "none of this starts a region either"

# --- settings ---
says 2 'no setting named colour' "an unknown setting" vpclab ls --set colour=green
says 2 'KEY=VALUE' "a setting without a value" vpclab ls --set uplink
says 2 'public_cidr' "a bad public_cidr" vpclab ls --set public_cidr=203.0.113.0
says 2 'public_cidr.*/16 and /28' "a pool too small" vpclab ls --set public_cidr=203.0.113.0/30
says 2 'account_id.*12 digits' "a bad account_id" vpclab ls --set account_id=12
says 2 'uplink can.t be maybe' "a bad uplink" vpclab ls --set uplink=maybe
says 2 'accelerator can.t be fast' "a bad accelerator" vpclab ls --set accelerator=fast
says 2 'log_level' "a bad log_level" vpclab ls --set log_level=loud
says 2 'region must look like' "a bad region" vpclab ls --set region=Seoul
says 2 'public_bridge' "a bad bridge" vpclab ls --set public_bridge=a-name-that-is-too-long
says 2 'state_dir.*absolute' "a relative state_dir in the environment" env VPCLAB_STATE_DIR=here "$BUILD/vpclab" ls
says 2 'run_dir.*too long' "a run_dir too long for a socket" vpclab ls --run-dir "/$(printf 'x%.0s' {1..120})"
printf 'uplink = none\nbogus\n' >"$T/bad.conf"
says 2 'bad.conf line 2' "a bad line of a configuration file" vpclab --config "$T/bad.conf" ls
printf '# mine\n\n  region = us-east-1\n' >"$T/good.conf"
says 3 'nowhere.conf' "a configuration file that is not there" vpclab --config "$T/nowhere.conf" ls
says 3 'images' "a data directory without images" vpclab launch x --image debian-12 --data-dir "$T"
is "$(processes)" "" "and no daemon stays"

# --- not root ---
chmod 755 "$T" "$TMPDIR"
# shellcheck disable=SC2016
says 3 'only root can start it' "not root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	env -u VPCLAB_LIBVIRT_URI VPCLAB_STATE_DIR="$T/nobody/state" VPCLAB_RUN_DIR="$T/nobody/run" "$BUILD/vpclab" launch

# --- before there is anything ---
run vpclab ls
is "$STATUS" 0 "ls without a region"
like "$OUT$ERR" 'no instances' "says that there are none"
is "$(processes)" "" "and starts none"
says 2 'InvalidInstanceID.NotFound|no instance' "show of an unknown name" vpclab show web

# --- launching ---
run vpclab launch web --image debian-12 --type t2.micro --zone c
is "$STATUS" 0 "launch" || diag "$ERR"
like "$OUT" '^web \(i-0[0-9a-f]{16}\) is running, public IPv4 address 203\.0\.113\.[0-9]+$' "says what runs where"
id=$(grep -o 'i-0[0-9a-f]*' <<<"$OUT")
is "$(field "$id" placement/availabilityZone) $(field "$id" instanceType)" "ap-northeast-2c t2.micro" "as asked"
run vpclab launch many --image debian-12 --count 3 --type t2.nano --json
is "$STATUS" 0 "three of one name"
is "$(python3 -c 'import json,sys; print(len(json.load(sys.stdin)["instancesSet"]))' <<<"$OUT")" 3 "in the reply's JSON"
run vpclab launch --image debian-12 --type t2.nano
is "$STATUS" 0 "one without a name"
says 2 't2.smal.*mean t2.small.*InvalidParameterValue' "an unknown type" vpclab launch x --image debian-12 --type t2.smal
says 2 'debian-21' "an unknown image" vpclab launch x --image debian-21
says 2 'zone' "an unknown zone" vpclab launch x --image debian-12 --zone q
says 2 'nobody.*InvalidGroup.NotFound' "an unknown group" vpclab launch x --image debian-12 --group nobody
head -c 20000 /dev/zero | tr '\0' x >"$T/big"
says 2 '16384.*InvalidParameterValue' "user data of 20 KB" vpclab launch x --image debian-12 --user-data "$T/big"
says 2 'nowhere' "user data that is not there" vpclab launch x --image debian-12 --user-data "$T/nowhere"

# --- looking ---
run vpclab ls
like "$OUT" "web +$id +running" "ls shows the name, the id and the state"
run vpclab ls --json
ok "its JSON is JSON" python3 -m json.tool <<<"$OUT"
run vpclab show web
like "$OUT" "Instance ID +$id" "show by name"
run vpclab show "$id" --json
is "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["instanceId"])' <<<"$OUT" 2>&1)" "$id" "show by id, as JSON" || diag "${OUT:0:300}"
says 2 'many' "a name that three have" vpclab show many
says 2 'wbe' "a name that nobody has" vpclab show wbe
says 2 'i-0123456789abcdef0.*InvalidInstanceID.NotFound' "an id that nobody has" vpclab show i-0123456789abcdef0

# --- watching ---
"$BUILD/vpclab" ls --watch >"$T/watched" 2>&1 &
watcher=$!
"$BUILD/vpclab" ls --watch --json >"$T/watched.json" 2>&1 &
watcher_json=$!
seen() { # REGEX FILE: comes within ten seconds
	local deadline=$((SECONDS + 10))
	until grep -qE "$1" "$2"; do
		[ $SECONDS -lt $deadline ] || return 1
		read -rt 0.1 <> <(:) || :
	done
}
ok "ls --watch prints the list" seen "web +$id +running" "$T/watched"
ok "and as JSON" seen "$id" "$T/watched.json"
api Action=CreateTags ResourceId.1="$id" Tag.1.Key=Name Tag.1.Value=renamed
ok "and again when something changed" seen "renamed +$id" "$T/watched"
ok "in JSON too" seen renamed "$T/watched.json"
api Action=CreateTags ResourceId.1="$id" Tag.1.Key=Name Tag.1.Value=web
kill $watcher $watcher_json
wait $watcher $watcher_json 2>/dev/null
is "$(grep -c "^NAME" "$T/watched")" "$(($(grep -c "^$" "$T/watched") + 1))" "lists are parted by an empty line, and only changes are printed"
ok "one JSON document a line" python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$T/watched.json"

# --- copying: what can be told without a guest ---
says 2 'Neither a nor b is in a guest' "a copy within this machine" vpclab cp a b
says 2 'Both web:a and web:b are in a guest' "a copy within a guest" vpclab cp web:a web:b
says 2 'web and db are two instances' "a copy between guests" vpclab cp web:a db:b .
says 2 'no instance named wbe' "a copy to an unknown name" vpclab cp "$T/big" wbe:
says 2 'Too few words' "a copy to nowhere" vpclab cp web:a
says 3 'No inbound rule.*vpclab allow web 22' "a copy while SSH is closed" vpclab cp "$T/big" web:

# --- rules ---
run vpclab allow web 8000
is "$STATUS" 0 "allow" || diag "$ERR"
api Action=DescribeSecurityGroups
is "$(x 'string(//ipPermissions/item[fromPort=8000]/ipRanges/item/cidrIp)')" 0.0.0.0/0 "opens the port to everybody"
says 2 'InvalidPermission.Duplicate' "allow again" vpclab allow web 8000
says 2 '70000' "the port 70000" vpclab allow web 70000
says 2 'CIDR|300' "a bad source" vpclab allow web 80 --from 300.0.0.0/8
run vpclab allow web 53/udp --from 10.0.0.0/8 --description "name service"
is "$STATUS" 0 "UDP, from somewhere"
run vpclab rules web
like "$OUT" 'inbound +(UDP|udp) +53 +10\.0\.0\.0/8 +name service' "rules lists it" || diag "$OUT"
run vpclab allow web icmp --from 172.31.0.0/16
is "$STATUS" 0 "ICMP"
run vpclab deny web 8000
is "$STATUS" 0 "deny"
says 2 'InvalidPermission.NotFound' "deny again" vpclab deny web 8000
run vpclab deny web all --out
is "$STATUS" 0 "deny all that goes out"
run vpclab allow web all --out
is "$STATUS" 0 "and allow it again"
run vpclab rules --json
ok "rules as JSON are JSON" python3 -m json.tool <<<"$OUT"

# --- the life of an instance ---
public=$(field "$id" ipAddress)
run vpclab stop web
is "$STATUS $(state "$id")" "0 stopped" "stop waits until it is stopped" || diag "$ERR"
says 2 'IncorrectInstanceState' "reboot of what is stopped" vpclab reboot web
run vpclab start web
is "$STATUS $(state "$id")" "0 running" "start waits until it runs"
isnt "$(field "$id" ipAddress)" "$public" "with another public address"
run vpclab terminate web
is "$STATUS $(state "$id")" "0 terminated" "terminate"
says 2 'web' "the name is free again" vpclab show web
run vpclab ls --all
like "$OUT" "$id +terminated" "ls --all still shows it"
run vpclab terminate many
isnt "$STATUS" 0 "a name that three have is not terminated by guess"
run vpclab stop --all
is "$STATUS" 0 "stop --all"

# --- output that can't be written, an interrupt ---
run bash -c "'$BUILD/vpclab' ls >/dev/full"
is "$STATUS" 3 "a result that can't be written is no success"
run bash -c "'$BUILD/vpclab' ls | true; exit \${PIPESTATUS[0]}"
like "$STATUS" '^[03]$' "a reader that is gone is no crash"

# --- images ---
run vpclab image ls
like "$OUT" 'ubuntu-22\.04' "image ls"
says 2 'debian-12.*built|downloaded, not built' "building what is downloaded" vpclab image build ubuntu-22.04
says 2 'Which image' "an image of no name" vpclab image pull
says 2 'did you mean pull' "a misspelt word" vpclab image pul
says 2 'nosuch' "an unknown image" vpclab image verify nosuch

region_down
run vpclab down
is "$STATUS" 0 "down twice"

# --- a region of other settings ---
region_at seoul
run vpclab --config "$T/good.conf" launch x --image debian-12
is "$STATUS" 0 "a configuration file's region" || diag "$ERR"
api Action=DescribeAvailabilityZones
is "$(x 'string(//zoneName)') $(x 'string(//zoneId)')" "us-east-1a use1-az1" "has its own zones"
region_down
done_testing
