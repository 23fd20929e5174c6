#!/bin/bash
# The event log: each mutating call with who, what, how it ended; asked for with filters, pages and a long poll; by the verb.
. "$(dirname "$0")/../lib.sh"
region_up

answers "an empty log" Action=DescribeEvents
is "$(x 'count(//eventSet/item)') $(x 'string(/*/lastSequence)')" "0 0" "has nothing in it"

SECRET=$(printf '#cloud-config\npassword: hunter2\n' | base64 -w0)
id=$(launch UserData="$SECRET" TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name TagSpecification.1.Tag.1.Value=web)
launch_request=$(x 'string(/*/requestId)')
await "$id" running
api Action=CreateSecurityGroup GroupName=g GroupDescription=d
group=$(x 'string(//groupId)')
answers "a rule" Action=AuthorizeSecurityGroupIngress GroupId="$group" IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=8000 \
	IpPermissions.1.ToPort=8000 IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8
refuses InvalidPermission.Duplicate "the same again" Action=AuthorizeSecurityGroupIngress GroupId="$group" IpPermissions.1.IpProtocol=tcp \
	IpPermissions.1.FromPort=8000 IpPermissions.1.ToPort=8000 IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8
refuses DryRunOperation "a dry run" Action=StopInstances InstanceId.1="$id" DryRun=true
refuses MissingParameter "a call that can't be understood" Action=StopInstances
answers "a look, which changes nothing" Action=DescribeInstances

apij Action=DescribeEvents
is "$(j '" ".join(e["action"] + ":" + e["result"] for e in r["eventSet"])')" \
	"RunInstances:ok CreateSecurityGroup:ok AuthorizeSecurityGroupIngress:ok AuthorizeSecurityGroupIngress:InvalidPermission.Duplicate StopInstances:DryRunOperation StopInstances:MissingParameter" \
	"every mutating call is there, in order, with its result; looks are not"
is "$(j 'r["eventSet"][0]["requestId"]')" "$launch_request" "with the request's id"
is "$(j 'r["eventSet"][0]["caller"] + str(r["eventSet"][0]["uid"]) + str(r["eventSet"][0]["pid"] > 0)')" "root0True" "who called"
like "$(j 'r["eventSet"][0]["time"]')" '^20[0-9-]+T[0-9:.]+Z$' "when"
is "$(j '{p["name"]: p["value"] for p in r["eventSet"][2]["parameterSet"]}["IpPermissions.1.IpRanges.1.CidrIp"]')" 10.0.0.0/8 "with what parameters"
like "$(j '{p["name"]: p["value"] for p in r["eventSet"][0]["parameterSet"]}["UserData"]')" 'not kept' "but for user data"
unlike "$BODY" 'hunter2|aHVudGVy' "of which nothing is kept"
nok "nor is it in the table" sh -c "strings '$VPCLAB_STATE_DIR'/region.db* | grep '^{\"time\"' | grep -F '$SECRET'"
like "$(j 'r["eventSet"][3]["message"]')" 'already exists' "a failure has its sentence"
ok "the launch names what it made" test "$(j "'$id' in r['eventSet'][0]['resourceSet']")" = true

answers "filtered by a resource" Action=DescribeEvents Filter.1.Name=resource Filter.1.Value.1="$group"
is "$(x 'count(//eventSet/item)')" 3 "has its three"
answers "by action and result" Action=DescribeEvents Filter.1.Name=action Filter.1.Value.1='Authorize*' Filter.2.Name=result Filter.2.Value.1=ok
is "$(x 'count(//eventSet/item)')" 1 "has the one"
answers "by caller" Action=DescribeEvents Filter.1.Name=caller Filter.1.Value.1=nobody
is "$(x 'count(//eventSet/item)')" 0 "has none of somebody else's"
refuses InvalidParameterValue "an unknown filter" Action=DescribeEvents Filter.1.Name=colour Filter.1.Value.1=x

answers "a page" Action=DescribeEvents MaxResults=5
is "$(x 'count(//eventSet/item)')" 5 "of five"
answers "and the next" Action=DescribeEvents MaxResults=5 NextToken="$(x 'string(//nextToken)')"
is "$(x 'count(//eventSet/item)') $(x 'count(//nextToken)')" "1 0" "with the rest"
answers "the newest" Action=DescribeEvents Newest=2
is "$(x 'string(//eventSet/item[1]/result)') $(x 'string(//eventSet/item[2]/result)')" "DryRunOperation MissingParameter" "two"
refuses InvalidParameterCombination "both" Action=DescribeEvents Newest=2 MaxResults=5
refuses InvalidParameterValue "Newest=0" Action=DescribeEvents Newest=0
refuses InvalidParameterValue "a wait too long" Action=DescribeEvents WaitSeconds=61
answers "those after one" Action=DescribeEvents After=5
is "$(x 'count(//eventSet/item)') $(x 'string(/*/lastSequence)')" "1 6" "are one"

# the long poll wakes for what passes its filter, and for nothing else
(
	curl -s --unix-socket "$SOCKET" --max-time 60 -d Action=DescribeEvents -d After=6 -d WaitSeconds=30 -d Filter.1.Name=action \
		-d Filter.1.Value.1=DeleteSecurityGroup http://region/ >"$T/polled"
	date +%s%3N >"$T/polled-at"
) &
poller=$!
began=$(date +%s%3N)
answers "something else" Action=CreateTags ResourceId.1="$id" Tag.1.Key=a Tag.1.Value=b
answers "what is waited for" Action=DeleteSecurityGroup GroupId="$group"
wait $poller
at_most $(($(<"$T/polled-at") - began)) 10000 "the poll is answered when it happens"
is "$(sed 's/ xmlns="[^"]*"//' "$T/polled" | xmllint --xpath 'concat(count(//eventSet/item), string(//action), string(//lastSequence))' -)" \
	"1DeleteSecurityGroup8" "with that entry alone"

# the verb
run vpclab events
is "$STATUS" 0 "events" || diag "$ERR"
like "$OUT" "RunInstances +ok +.*$id" "lists the launch and what it made"
like "$OUT" 'AuthorizeSecurityGroupIngress +InvalidPermission.Duplicate' "and what failed"
run vpclab events web
is "$(grep -c RunInstances <<<"$OUT") $(grep -c DeleteSecurityGroup <<<"$OUT")" "1 0" "events of one instance, by name"
run vpclab events "$group" --json
is "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["eventSet"]))' <<<"$OUT")" 4 "of anything by id, as JSON"
run vpclab events --failed --lines 1
like "$OUT" 'StopInstances +MissingParameter' "--failed, --lines"
is "$(grep -c 'StopInstances\|Authorize' <<<"$OUT")" 1 "one line"
run vpclab events --action Nothing
like "$OUT" 'Nothing of that kind' "none"
says 2 'wbe' "an unknown name" vpclab events wbe
says 2 'whole number' "a bad count" vpclab events --lines many

"$BUILD/vpclab" events --follow --json --lines 1 >"$T/followed" 2>&1 &
follower=$!
answers "a tag while somebody follows" Action=CreateTags ResourceId.1="$id" Tag.1.Key=followed Tag.1.Value=yes
for _ in $(seq 100); do
	grep -q followed "$T/followed" && break
	read -rt 0.1 <> <(:) || :
done
kill $follower
wait $follower 2>/dev/null
ok "--follow prints what comes" grep -q '"value":"followed"' "$T/followed"
ok "an object a line" python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$T/followed"

# a new daemon
pid=$(daemon_pid)
kill "$pid"
ok "the daemon ends" await_exit "$pid" 20
run vpclab events --lines 1000
is "$(grep -c RunInstances <<<"$OUT")" 1 "a new daemon has the old entries"
region_down
done_testing
