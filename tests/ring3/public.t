#!/bin/bash
# Public addresses: in, out, between guests, and when they change hands.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

groups_text="group sg-1
in sg-1 tcp 80 80 203.0.113.1/32
in sg-1 tcp 81 81 203.0.113.11/32
in sg-1 tcp 82 82 sg-1
in sg-1 tcp 83 83 172.31.0.0/16
in sg-1 udp 84 84 0.0.0.0/0
in sg-1 icmp -1 -1 0.0.0.0/0
out sg-1 tcp 0 65535 0.0.0.0/0
out sg-1 udp 0 65535 0.0.0.0/0
out sg-1 icmp -1 -1 203.0.113.0/24
group sg-2
in sg-2 tcp 80 80 203.0.113.0/24
out sg-2 tcp 80 80 203.0.113.12/32
out sg-2 tcp 82 82 sg-1"
eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-1
eni 2 subnet-b 172.31.16.12 203.0.113.12 sg-1
eni 3 subnet-a 172.31.0.13 - sg-1
eni 4 subnet-a 172.31.0.14 203.0.113.14 sg-2
eni 5 subnet-a 172.31.0.15 203.0.113.15 sg-1 check detached
lab apply
ok $? "the VPC is made"
guest_up 1 172.31.0.11/20
guest_up 2 172.31.16.12/20
guest_up 3 172.31.0.13/20
guest_up 4 172.31.0.14/20
for n in 1 2 3 4; do guest_serve $n 80 81 82 83 84; done
start host "$probe" serve 9000

sees "open 203.0.113.1" "the host opens a public address" host tcp 203.0.113.11 80
sees timeout "a rule for another source doesn't admit it" host tcp 203.0.113.11 81
sees "open 203.0.113.1" "udp" host udp 203.0.113.12 84
sees open "icmp" host ping 203.0.113.12
is "$(from host tcp 203.0.113.15 80 6000)" unreachable "the address of an interface that isn't attached doesn't answer"
ip route add 172.31.0.0/16 via 203.0.113.2
sees timeout "private addresses aren't reached from outside, not even with a route" host tcp 172.31.0.11 80
sees timeout "nor by udp to anyone" host udp 172.31.16.12 84
ip route del 172.31.0.0/16

sees "open 203.0.113.11" "outside sees the guest's public address" 1 tcp 203.0.113.1 9000
sees "open 203.0.113.12" "each its own" 2 tcp 203.0.113.1 9000
sees timeout "a guest without one doesn't get out" 3 tcp 203.0.113.1 9000
sees timeout "outbound rules see where it really goes" 4 tcp 203.0.113.1 9000
sees open "icmp out" 1 ping 203.0.113.1

# between guests
sees "open 203.0.113.11" "a neighbour by its public address sees the sender's public one" 1 tcp 203.0.113.12 81
sees timeout "and rules look at that: another's isn't it" 2 tcp 203.0.113.11 81
sees timeout "a group as source doesn't match by public address" 1 tcp 203.0.113.12 82
sees "open 172.31.0.11" "but does by private address" 1 tcp 172.31.16.12 82
sees timeout "nor does the VPC's own range match by public address" 1 tcp 203.0.113.12 83
sees "open 172.31.0.11" "but does by private address" 1 tcp 172.31.16.12 83
sees "open 203.0.113.11" "udp by public address" 1 udp 203.0.113.12 84
sees open "icmp by public address" 1 ping 203.0.113.12
sees "open 203.0.113.11" "itself by its own public address" 1 tcp 203.0.113.11 81
sees timeout "one without public address doesn't reach a public one" 3 udp 203.0.113.12 84
sees "open 172.31.0.13" "but the private one" 3 udp 172.31.16.12 84
sees timeout "outbound by group doesn't match a public address" 4 tcp 203.0.113.12 82
sees timeout "outbound by public address doesn't match the private one" 4 tcp 172.31.16.12 80
sees timeout "an outbound rule for a public address lets it out, the receiver's rules decide" 4 tcp 203.0.113.12 80
sees "open 203.0.113.11" "and here admit" 1 tcp 203.0.113.14 80
sees "172.31.16.12" "its public name is its private address inside" 1 dns 172.31.0.2 \
	ec2-203-0-113-12.ap-northeast-2.compute.amazonaws.com

# an address changes hands within the VPC, under a connection
coproc HOLD { exec "$probe" hold 203.0.113.11 80; }
read -r -t 5 -u "${HOLD[0]}" line
is "$line" "open 203.0.113.1" "a connection to 203.0.113.11"
echo a >&"${HOLD[1]}"
read -r -t 5 -u "${HOLD[0]}" line
is "$line" echo "it carries"
eni 1 subnet-a 172.31.0.11 - sg-1
eni 3 subnet-a 172.31.0.13 203.0.113.11 sg-1
lab apply
ok $? "203.0.113.11 goes from 1 to 3"
before=$(date +%s%N)
sees "open 203.0.113.1" "it works at once" host tcp 203.0.113.11 80
[ $((($(date +%s%N) - before) / 1000000)) -lt 900 ]
ok $? "within a second"
sees "open 203.0.113.11" "also from inside out" 3 tcp 203.0.113.1 9000
sees timeout "the former owner has no way out now" 1 tcp 203.0.113.1 9000
echo b >&"${HOLD[1]}"
read -r -t 5 -u "${HOLD[0]}" line
[ "$line" != echo ]
ok $? "the former owner's connection is cut ($line)"
kill "$HOLD_PID"

# to another VPC: the host has its old MAC in mind
subnets_one=$subnets_text groups_one=$groups_text enis_one=$enis_text
subnets_text="vpc vpc-2 10.1.0.0/16 igw2 203.0.113.3
subnet subnet-c bc 10.1.0.0/24"
enis_text="eni eni-9 subnet-c t9 $(mac_of 9) 10.1.0.19 203.0.113.19 attached check sg-1"
lab apply
ok $? "a second VPC"
ip netns add g9
start shuttle9 "$probe" shuttle "$RUN/netns/vpc-2" t9 /run/netns/g9 eth0
guest 9 sh -c "ip link set lo up; ip link set eth0 address $(mac_of 9); ip link set eth0 up
	ip addr add 10.1.0.19/24 dev eth0; ip route add default via 10.1.0.1"
guest_serve 9 80 84
sees "open 203.0.113.1" "its guest answers" host tcp 203.0.113.19 80
sees "open 203.0.113.19" "VPCs reach each other by public addresses" 9 udp 203.0.113.12 84
sees "open 203.0.113.12" "both ways" 2 udp 203.0.113.19 84
subnets_two=$subnets_text groups_two=$groups_text enis_two=$enis_text
subnets_text=$subnets_one enis_text=$enis_one
eni 3 subnet-a 172.31.0.13 - sg-1
lab apply
subnets_text=$subnets_two enis_text=${enis_two/203.0.113.19/203.0.113.11}
lab apply
ok $? "203.0.113.11 goes from the first VPC to the second"
before=$(date +%s%N)
sees "open 203.0.113.1" "it works from the host" host tcp 203.0.113.11 80
sees "open 203.0.113.12" "and from the other VPC" 2 udp 203.0.113.11 84
[ $((($(date +%s%N) - before) / 1000000)) -lt 1900 ]
ok $? "at once"
sees "open 203.0.113.12" "the first VPC knows a MAC in the second" 2 udp 203.0.113.11 84
enis_text=${enis_text/203.0.113.11/203.0.113.19}
lab apply
subnets_text="vpc vpc-3 10.3.0.0/16 igw3 203.0.113.4
subnet subnet-d bd 10.3.0.0/24"
enis_text="eni eni-8 subnet-d t8 $(mac_of 8) 10.3.0.18 203.0.113.11 attached check sg-1"
lab apply
ok $? "203.0.113.11 goes on to a third VPC"
ip netns add g8
start shuttle8 "$probe" shuttle "$RUN/netns/vpc-3" t8 /run/netns/g8 eth0
guest 8 sh -c "ip link set lo up; ip link set eth0 address $(mac_of 8); ip link set eth0 up
	ip addr add 10.3.0.18/24 dev eth0; ip route add default via 10.3.0.1"
guest_serve 8 84
is "$(from 2 udp 203.0.113.11 84 900)" "open 203.0.113.12" "the first VPC has heard of it"
for n in 2 3; do
	lab_only remove vpc-$n igw$n
	ok $? "VPC $n is removed"
done
subnets_text=$subnets_one
remove_all
finish
