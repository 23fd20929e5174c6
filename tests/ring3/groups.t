#!/bin/bash
# The security group matrix with real packets: who reaches whom, by which rule, and by none.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

# 1: client of group web's peers; 2: web; 3: in a group that nobody names, in the other subnet; 4: web and db
groups_text="group sg-client
out sg-client -1 -1 -1 0.0.0.0/0
group sg-web
in sg-web tcp 22 22 172.31.0.11/32
in sg-web tcp 8000 8002 sg-client
in sg-web udp 5000 5000 0.0.0.0/0
in sg-web icmp 8 0 sg-client
out sg-web -1 -1 -1 0.0.0.0/0
group sg-db
in sg-db tcp 5432 5432 sg-web
in sg-db icmp -1 -1 172.31.16.0/20
out sg-db tcp 80 80 172.31.0.0/16
group sg-other
out sg-other tcp 8000 8000 sg-web
out sg-other icmp -1 -1 0.0.0.0/0
out sg-other udp 5000 5000 172.31.0.12/32
group sg-none"
eni 1 subnet-a 172.31.0.11 - sg-client
eni 2 subnet-a 172.31.0.12 - sg-web
eni 3 subnet-b 172.31.16.13 - sg-other
eni 4 subnet-b 172.31.16.14 - sg-web,sg-db
eni 5 subnet-a 172.31.0.15 - sg-db
eni 6 subnet-a 172.31.0.16 - sg-none

lab apply
ok $? "the VPC is made"
guest_up 1 172.31.0.11/20
guest_up 2 172.31.0.12/20
guest_up 3 172.31.16.13/20
guest_up 4 172.31.16.14/20
guest_up 5 172.31.0.15/20
guest_up 6 172.31.0.16/20
for n in 1 2 3 4 5; do guest_serve $n 22 80 5000 5432 7999 8000 8001 8002 8003; done

# inbound
sees timeout "nothing comes in by default (same subnet)" 2 tcp 172.31.0.11 22
sees timeout "nothing comes in by default (other subnet)" 4 tcp 172.31.0.11 22
sees timeout "nor by udp" 2 udp 172.31.0.11 5000
sees timeout "nor by icmp" 2 ping 172.31.0.11
sees "open 172.31.0.11" "by CIDR" 1 tcp 172.31.0.12 22
sees timeout "by CIDR: not another address" 4 tcp 172.31.0.12 22
sees "open 172.31.0.11" "by group" 1 tcp 172.31.0.12 8000
sees "open 172.31.0.11" "by group: the middle of the range" 1 tcp 172.31.0.12 8001
sees "open 172.31.0.11" "by group: the end of the range" 1 tcp 172.31.0.12 8002
sees timeout "below the range" 1 tcp 172.31.0.12 7999
sees timeout "above the range" 1 tcp 172.31.0.12 8003
sees timeout "by group: not a member, though its outbound rule allows" 3 tcp 172.31.0.12 8000
sees "open 172.31.0.11" "udp" 1 udp 172.31.0.12 5000
sees timeout "a udp rule is no tcp rule" 1 tcp 172.31.0.12 5000
sees timeout "a tcp rule is no udp rule" 1 udp 172.31.0.12 8000
sees open "icmp echo by type and code" 1 ping 172.31.0.12
sees timeout "icmp: not a member" 3 ping 172.31.0.12
sees "open 172.31.0.12" "several groups: the first's rule" 2 udp 172.31.16.14 5000
sees "open 172.31.0.12" "several groups: the second's rule" 2 tcp 172.31.16.14 5432
sees "open 172.31.0.12" "a group's member in its peer" 2 tcp 172.31.0.15 5432
sees "open 172.31.16.14" "a member of both" 4 tcp 172.31.0.15 5432
sees open "icmp by CIDR, all types" 4 ping 172.31.0.15
sees timeout "icmp by CIDR: not the other subnet" 2 ping 172.31.0.15

# outbound
sees "open 172.31.16.13" "outbound udp to one address" 3 udp 172.31.0.12 5000
sees timeout "outbound udp: not to another" 3 udp 172.31.16.14 5000
sees open "outbound icmp" 3 ping 172.31.16.14
sees timeout "outbound tcp 80 alone: nothing else goes out" 5 tcp 172.31.0.12 22
sees timeout "no outbound rule at all" 6 udp 172.31.0.12 5000
sees "ip-172-31-0-12.*" "the resolver is never filtered" 6 dns 172.31.0.2 172.31.0.12
sees "ip-172-31-0-12.*" "nor its link-local address" 6 dns 169.254.169.253 172.31.0.12
sees "ack 172.31.0.16 *" "nor DHCP" 6 dhcp eth0
sees open "nor the router's own echo" 6 ping 172.31.0.1
sees timeout "the router's other ports are closed" 1 tcp 172.31.0.1 22
sees timeout "its DNS is at the resolver's addresses alone" 1 dns 172.31.0.1 172.31.0.12

# the router reaches guests out of band
is "$(vpc_run "$probe" tcp 172.31.0.11 22 3000)" "open 172.31.0.1" "the router itself reaches a guest that admits nobody"

# changes are in force when the call returns
groups_text="$groups_text
in sg-none tcp 8000 8000 0.0.0.0/0"
groups_text=${groups_text/out sg-web -1 -1 -1 0.0.0.0\/0/}
lab rules
ok $? "rules are replaced"
sees timeout "outbound revoked: nothing goes out" 2 tcp 172.31.0.15 5432
sees "open 172.31.0.11" "but answers do (stateful)" 1 tcp 172.31.0.12 8000
sees "open 172.31.0.11" "by udp too" 1 udp 172.31.0.12 5000
sees open "and by icmp" 1 ping 172.31.0.12
guest_serve 6 8000
sees "open 172.31.0.11" "stateful with no outbound rule at all" 1 tcp 172.31.0.16 8000
groups_text=${groups_text/in sg-web tcp 8000 8002 sg-client/}
lab rules
sees timeout "a revoked rule admits no more" 1 tcp 172.31.0.12 8000
sees "open 172.31.0.11" "the others do" 1 tcp 172.31.0.12 22

# membership
eni 3 subnet-b 172.31.16.13 - sg-client
lab rules
sees open "an interface put into a group is its member at once" 3 ping 172.31.0.12
sees timeout "and loses what it had" 1 ping 172.31.16.13

# any protocol number: 47 (GRE) as raw IP
groups_text="$groups_text
in sg-none 47 -1 -1 172.31.0.11/32"
lab rules
bridge_mac=$(ip -n g1 neigh show 172.31.0.12 | sed 's/.*lladdr \([^ ]*\).*/\1/' | tr -d :)
gre() { # SOURCE-HEX PROTOCOL-HEX: a raw IP packet from guest 1 to guest 6
	local head=4500001800000000ff${2}0000${1}ac1f0010 sum=0 i
	for ((i = 0; i < 40; i += 4)); do sum=$((sum + 16#${head:i:4})); done
	while ((sum >> 16)); do sum=$(((sum & 65535) + (sum >> 16))); done
	printf '%s%s0800%s%04x%s00000000' "$bridge_mac" "$(mac_of 1 | tr -d :)" "${head:0:20}" $((~sum & 65535)) "${head:24}"
}
start sniffer ip netns exec g6 "$probe" sniff eth0 1500
guest 1 "$probe" frame eth0 "$(gre ac1f000b 2f)"
guest 1 "$probe" frame eth0 "$(gre ac1f000b 32)"
is "$(output sniffer | grep 'proto \(47\|50\)')" "ip proto 47 from 172.31.0.11 to 172.31.0.16" "a protocol by its number, and no other"

remove_all
finish
