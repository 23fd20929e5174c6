#!/bin/bash
# DHCP and DNS as guests ask for them, and after each change.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

groups_text="group sg-1
out sg-1 -1 -1 -1 0.0.0.0/0"
eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-1
eni 2 subnet-b 172.31.16.12 - sg-1
eni 4 subnet-a 172.31.0.14 - sg-1
domain=ap-northeast-2.compute.internal
lab apply
ok $? "the VPC is made"
guest_plug 1
guest_plug 2
guest_plug 4
dnsmasq_pid=$(cut -d' ' -f1 "$RUN/dnsmasq/vpc-1/process")
uid=$(awk '/^Uid/ { print $2 }' "/proc/$dnsmasq_pid/status")
[ "$uid" != 0 ]
ok $? "dnsmasq doesn't run as root ($uid)"

sees "ack 172.31.0.11 mask 255.255.240.0 router 172.31.0.1 dns 172.31.0.2 name ip-172-31-0-11 domain $domain lease 3600" \
	"DHCP in the first subnet" 1 dhcp eth0
sees "ack 172.31.16.12 mask 255.255.240.0 router 172.31.16.1 dns 172.31.0.2 name ip-172-31-16-12 domain $domain lease 3600" \
	"DHCP in the second" 2 dhcp eth0
sees "ack 172.31.0.11 *" "asked again: the same" 1 dhcp eth0
sees timeout "a stranger's MAC gets nothing" 1 dhcp eth0 02:00:00:00:00:99
sees timeout "nor one of another subnet" 1 dhcp eth0 "$(mac_of 2)"

guest 1 sh -c "ip addr add 172.31.0.11/20 dev eth0; ip route add default via 172.31.0.1"
sees 172.31.16.12 "a neighbour's name" 1 dns 172.31.0.2 ip-172-31-16-12.$domain
sees ip-172-31-16-12.$domain "and its address" 1 dns 172.31.0.2 172.31.16.12
sees 172.31.0.11 "a public name is the private address" 1 dns 172.31.0.2 ec2-203-0-113-11.ap-northeast-2.compute.amazonaws.com
sees ip-172-31-0-11.$domain "whose name is the private one" 1 dns 172.31.0.2 172.31.0.11
sees nxdomain "a name of nobody" 1 dns 172.31.0.2 ip-172-31-0-99.$domain
sees nxdomain "an address of nobody" 1 dns 172.31.0.2 172.31.0.99
sees refused "without an uplink, names of the internet" 1 dns 172.31.0.2 www.example.com
sees 172.31.16.12 "the link-local resolver" 1 dns 169.254.169.253 ip-172-31-16-12.$domain

# a new one: known when the call returns
eni 3 subnet-a 172.31.0.13 - sg-1
lab attach eni-3 0 0
ok $? "an interface is attached"
sees 172.31.0.13 "its name is known at once" 1 dns 172.31.0.2 ip-172-31-0-13.$domain
is "$(cut -d' ' -f1 "$RUN/dnsmasq/vpc-1/process")" "$dnsmasq_pid" "by the same dnsmasq"
guest_plug 3
sees "ack 172.31.0.13 *" "and its lease" 3 dhcp eth0
eni 1 subnet-a 172.31.0.11 203.0.113.111 sg-1
lab apply
sees 172.31.0.11 "a new public address' name" 1 dns 172.31.0.2 ec2-203-0-113-111.ap-northeast-2.compute.amazonaws.com
is "$(from 1 dns 172.31.0.2 ec2-203-0-113-11.ap-northeast-2.compute.amazonaws.com)" refused "the former one's is gone"

# thirty more, each answered for as soon as its call is back
bad=0
for i in $(seq 40 59); do
	eni "$i" subnet-a 172.31.0.$i - sg-1 check detached
	lab apply || bad=$((bad + 1))
	[ "$(from 1 dns 172.31.0.2 172.31.0.$i)" = ip-172-31-0-$i.$domain ] || bad=$((bad + 1))
done
is "$bad" 0 "twenty times: in force when the call returns"

# a dnsmasq that is slow to take it up holds the call up
kill -STOP "$dnsmasq_pid"
eni 60 subnet-a 172.31.0.60 - sg-1 check detached
lab apply &
applying=$!
! timeout 2 tail -s 0.1 --pid=$applying -f /dev/null
ok $? "while dnsmasq sleeps the call isn't back"
kill -CONT "$dnsmasq_pid"
wait $applying
ok $? "it is when dnsmasq has read its files"
sees ip-172-31-0-60.$domain "which then has the name" 1 dns 172.31.0.2 172.31.0.60

# an address goes to another interface while its lease is remembered
sees "ack 172.31.0.14 *" "the fourth has its lease" 4 dhcp eth0
stop shuttle4
enis_text=$(printf '%s\n' "$enis_text" | grep -v '^eni eni-4 ')
lab detach t4
ok $? "the fourth is gone"
vpc_run ip link show t4 2>/dev/null
[ $? != 0 ]
ok $? "with its tap"
sees nxdomain "and its name" 1 dns 172.31.0.2 172.31.0.14
eni 5 subnet-a 172.31.0.14 - sg-1
lab attach eni-5 0 0
ok $? "another has its address"
guest_plug 5
sees "ack 172.31.0.14 *" "and gets the lease" 5 dhcp eth0

# dead: found and started again
kill -9 "$(cut -d' ' -f1 "$RUN/dnsmasq/vpc-1/process")"
sees timeout "a killed dnsmasq doesn't answer" 5 dhcp eth0
is "$(lab check)" repaired "that is noticed"
sees "ack 172.31.0.14 *" "and mended" 5 dhcp eth0
is "$(lab check)" well "then all is well"
# a pid that is another process' now
printf '1 12345\n' >"$RUN/dnsmasq/vpc-1/process.other"
pid=$(cut -d' ' -f1 "$RUN/dnsmasq/vpc-1/process")
kill "$pid"
tail -s 0.1 --pid="$pid" -f /dev/null
sleep 1000 &
printf '%s 1\n' $! >"$RUN/dnsmasq/vpc-1/process"
rm "$RUN/dnsmasq/vpc-1/process.other"
lab apply
ok $? "a process file that names a stranger"
kill -0 $!
ok $? "the stranger lives"
kill $!
sees "ack 172.31.0.14 *" "and dnsmasq again" 5 dhcp eth0

remove_all
finish
