#!/bin/bash
# The wire: XML and JSON say the same, calls come by POST and GET, errors have EC2's form, foreign bytes do no harm.
. "$(dirname "$0")/../lib.sh"
region_up
AMI=$(image)
id=$(launch TagSpecification.1.ResourceType=instance TagSpecification.1.Tag.1.Key=Name "TagSpecification.1.Tag.1.Value=웹 <1> & \"2\"")
await "$id" running
api Action=CreateSecurityGroup GroupName=web GroupDescription="<web>"
web=$(x 'string(//groupId)')
api Action=AuthorizeSecurityGroupIngress GroupId="$web" IpProtocol=tcp FromPort=8000 ToPort=8000 CidrIp=0.0.0.0/0
api Action=DescribeInstances
cp "$T/body" "$T/all"

# every action that only looks, in both forms
same() { # ACTION KEY=VALUE...
	local action=$1
	shift
	api Action="$action" "$@"
	cp "$T/body" "$T/xml"
	[ "$STATUS" = 200 ] || diag "$CODE $MESSAGE"
	apij Action="$action" "$@"
	ok "$action says the same in XML and in JSON" tests/same_reply.py "$T/xml" "$T/body"
}
same DescribeInstances
same DescribeInstances Filter.1.Name=instance-id Filter.1.Value.1=i-none
same DescribeImages
same DescribeInstanceTypes MaxResults=5
same DescribeRegions
same DescribeAvailabilityZones
same DescribeVpcs
same DescribeSubnets
same DescribeSecurityGroups
same DescribeImportImageTasks
same DescribeKeyPairs
same DescribeTags
same DescribeSecurityGroupRules
same DescribeInstanceStatus IncludeAllInstances=true
same DescribeNetworkInterfaces
same DescribeAccountAttributes
for attribute in instanceType kernel userData disableApiStop groupSet blockDeviceMapping sourceDestCheck enclaveOptions; do
	same DescribeInstanceAttribute InstanceId="$id" Attribute=$attribute
done
same DescribeRegionStatus
same DescribeInstanceProgress InstanceId="$id"
same GetConsoleOutput InstanceId="$id"
same CreateTags ResourceId.1="$id" Tag.1.Key=a Tag.1.Value=b
same StartInstances InstanceId.1="$id"

# --- the forms of a call ---
get() { STATUS=$(curl -s --unix-socket "$SOCKET" -o "$T/body" -w '%{http_code}' "$@"); BODY=$(<"$T/body"); }
get "http://region/?Action=DescribeVpcs&Version=2016-11-15"
like "$STATUS $BODY" '^200 .*<DescribeVpcsResponse ' "GET with a query is as good as a form"
get -X POST "http://region/?Action=DescribeVpcs"
like "$STATUS $BODY" '^200 .*<DescribeVpcsResponse ' "a POST may have its parameters in the query"
get -d Action=DescribeVpcs -d ContentType=JSON http://region/
like "$STATUS $BODY" '^200 \{"requestId' "ContentType=JSON asks for JSON too"
get -D "$T/headers" -d Action=DescribeVpcs http://region/
like "$(tr -d '\r' <"$T/headers")" 'Content-Type: text/xml;charset=UTF-8' "XML is sent as EC2 sends it"
get -D "$T/headers" -H 'Accept: application/json' -d Action=DescribeVpcs http://region/
like "$(tr -d '\r' <"$T/headers")" 'Content-Type: application/json' "and JSON as JSON"
get -H 'Expect: 100-continue' --data-binary @- http://region/ < <(printf 'Action=DescribeVpcs&Filter.1.Name=vpc-id&Filter.1.Value.1=%s' "$(head -c 20000 /dev/zero | tr '\0' x)")
is "$STATUS" 200 "a large body is taken"
get -X PUT -d Action=DescribeVpcs http://region/
like "$STATUS" '^4' "PUT is not"

# --- errors ---
refuses MissingAction "no action" Nothing=x
refuses InvalidAction "an unknown action" Action=DescribeUnicorns
refuses InvalidAction "an action in other letters" Action=describevpcs
refuses InvalidParameterValue "a DryRun that is neither true nor false" Action=DescribeVpcs DryRun=maybe
refuses UnknownParameter "a parameter that the action doesn't have" Action=DescribeVpcs InstanceId.1="$id"
api Action=DescribeInstances InstanceId.1=i-0123456789abcdef0
is "$STATUS $(x 'string(/Response/Errors/Error/Code)')" "400 InvalidInstanceID.NotFound" "an error is 400 and EC2's document"
like "$(x 'string(/Response/RequestID)')" '^[0-9a-f-]{36}$' "with its request id"
apij Action=DescribeInstances InstanceId.1=i-0123456789abcdef0
is "$STATUS $(j 'r["Errors"][0]["Code"]') $(j 'r["Kind"]')" "400 InvalidInstanceID.NotFound usage" "in JSON too"
refuses InvalidInstanceID.Malformed "markup in an id" Action=DescribeInstances "InstanceId.1=<b>&\"'"
like "$MESSAGE" '&lt;b&gt;&amp;' "is escaped in the message"
get --data-binary "Action=DescribeInstances&InstanceId.1=%ff%fe%00" http://region/
like "$STATUS" '^400$' "bytes that are no UTF-8 are refused"
ok "in well-formed XML" xmllint --noout "$T/body"
get --data-binary "Action=DescribeInstances&InstanceId.1=%zz" http://region/
ok "and so are broken escapes" xmllint --noout "$T/body"
head -c 3000000 /dev/zero | tr '\0' a >"$T/big"
get --data-binary @"$T/big" http://region/
like "$STATUS" '^(413|400|000)$' "a body of 3 MB is turned away"
api Action=DescribeVpcs
is "$STATUS" 200 "and the region goes on"

# --- who may call ---
is "$(stat -c %a "$SOCKET")" 660 "the socket is the owner's and the group's"
nobody=$(setpriv --reuid=65534 --regid=65534 --clear-groups curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" -d Action=DescribeVpcs http://region/)
is "$nobody" 000 "nobody else can connect"
region_down
done_testing
