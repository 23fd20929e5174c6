#!/bin/bash
# A guest can only be itself: MAC, ARP, IPv4, DHCP. What a tap lets by is seen on the subnet's bridge.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

groups_text="group sg-1
in sg-1 -1 -1 -1 0.0.0.0/0
out sg-1 -1 -1 -1 0.0.0.0/0"
eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-1
eni 2 subnet-a 172.31.0.12 203.0.113.12 sg-1
eni 3 subnet-a 172.31.0.13 - sg-1 nocheck
lab apply
ok $? "the VPC is made"
for n in 1 2 3; do guest_up $n 172.31.0.1$n/20; done
router=$(ip -n g1 neigh show 172.31.0.1 | sed 's/.*lladdr \([^ ]*\).*/\1/')
from 1 ping 172.31.0.1 >/dev/null
router=$(ip -n g1 neigh show 172.31.0.1 | sed 's/.*lladdr \([^ ]*\).*/\1/')

# passes NAME yes|no WHAT-IS-SEEN GUEST PROBE-COMMAND...: after the frame in question a true one is sent, whose coming
# says that the first would have come too
count=0
passes() {
	local name=$1 want=$2 what=$3 who=$4 line seen=no
	shift 4
	start sniffer nsenter --net="$RUN/netns/vpc-1" "$probe" sniff ba 5000
	guest "$who" "$probe" "$@"
	guest "$who" "$probe" udpframe eth0 "$(mac_of "$who")" "$router" 172.31.0.1"$who" 172.31.0.1 9 9
	while read -r -t 5 -u "$out_sniffer" line; do
		# shellcheck disable=SC2053
		[[ $line == $what ]] && seen=yes
		[ "$line" = "ip proto 17 from 172.31.0.1$who to 172.31.0.1" ] && break
	done
	stop sniffer
	[ "$line" = "ip proto 17 from 172.31.0.1$who to 172.31.0.1" ] || seen="nothing at all, not even the true frame"
	is "$seen" "$want" "$name"
	count=$((count + 1))
}
m1=$(mac_of 1) m2=$(mac_of 2) m3=$(mac_of 3)
all=ff:ff:ff:ff:ff:ff

passes "its own address passes" yes "ip proto 17 from 172.31.0.11 to 172.31.0.12" 1 udpframe eth0 "$m1" "$router" 172.31.0.11 172.31.0.12 5 5
passes "another's IP doesn't" no "ip proto 17 from 172.31.0.12*" 1 udpframe eth0 "$m1" "$router" 172.31.0.12 172.31.0.1 5 5
passes "nor an address of nobody" no "ip proto 17 from 8.8.8.8*" 1 udpframe eth0 "$m1" "$router" 8.8.8.8 172.31.0.12 5 5
passes "nor the router's" no "ip proto 17 from 172.31.0.1 *" 1 udpframe eth0 "$m1" "$router" 172.31.0.1 172.31.0.12 5 5
passes "nor its own public one" no "ip proto 17 from 203*" 1 udpframe eth0 "$m1" "$router" 203.0.113.11 172.31.0.12 5 5
passes "nor its own IP with another's MAC" no "*to 172.31.0.12" 1 udpframe eth0 "$m2" "$router" 172.31.0.11 172.31.0.12 5 5
passes "nor another's IP with another's MAC" no "*to 172.31.0.99" 1 udpframe eth0 "$m2" "$router" 172.31.0.12 172.31.0.99 5 5
passes "nor 0.0.0.0 but for DHCP" no "ip proto 17 from 0.0.0.0*" 1 udpframe eth0 "$m1" $all 0.0.0.0 255.255.255.255 5 5
passes "DHCP's question passes" yes "ip proto 17 from 0.0.0.0*" 1 udpframe eth0 "$m1" $all 0.0.0.0 255.255.255.255 68 67
passes "a DHCP server's answer doesn't" no "* to 255.255.255.255" 1 udpframe eth0 "$m1" $all 172.31.0.11 255.255.255.255 67 68
passes "nor to one guest" no "* to 172.31.0.12" 1 udpframe eth0 "$m1" "$m2" 172.31.0.11 172.31.0.12 67 68
passes "a VLAN tag doesn't" no "*to 172.31.0.12" 1 udpframe eth0 "$m1" "$router" 172.31.0.11 172.31.0.12 5 5 7
passes "nor an empty one" no "*to 172.31.0.12" 1 udpframe eth0 "$m1" "$router" 172.31.0.11 172.31.0.12 5 5 0
passes "a router advertisement of IPv6 doesn't" no "type 86dd" 1 frame eth0 "333300000001${m1//:/}86dd6000000000103afffe800000000000000000000000000001ff02000000000000000000000000000186000000400000b40000000000000000"
passes "nor any other protocol" no "type 88cc" 1 frame eth0 "0180c200000e${m1//:/}88cc0000"
passes "its own ARP passes" yes "arp op 1 from 172.31.0.11*" 1 arpframe eth0 "$m1" 1 "$m1" 172.31.0.11 172.31.0.12
passes "a probe for a duplicate passes" yes "arp op 1 from 0.0.0.0*" 1 arpframe eth0 "$m1" 1 "$m1" 0.0.0.0 172.31.0.11
passes "ARP as the router doesn't" no "arp op 2 from 172.31.0.1 *" 1 arpframe eth0 "$m1" 2 "$m1" 172.31.0.1 172.31.0.12
passes "ARP as a neighbour doesn't" no "arp op 2 from 172.31.0.12*" 1 arpframe eth0 "$m1" 2 "$m1" 172.31.0.12 172.31.0.1
passes "ARP with a neighbour's MAC inside doesn't" no "arp op 2*" 1 arpframe eth0 "$m1" 2 "$m2" 172.31.0.11 172.31.0.1
passes "nor in a frame of a neighbour's" no "arp op 2*" 1 arpframe eth0 "$m2" 2 "$m1" 172.31.0.11 172.31.0.1
passes "without source/destination check another IP passes" yes "ip proto 17 from 8.8.8.8*" 3 udpframe eth0 "$m3" "$router" 8.8.8.8 172.31.0.12 5 5
passes "but not another MAC" no "ip proto 17 from 8.8.8.8*" 3 udpframe eth0 "$m2" "$router" 8.8.8.8 172.31.0.12 5 5
passes "nor ARP as another" no "arp op 2*" 3 arpframe eth0 "$m3" 2 "$m3" 172.31.0.12 172.31.0.1
passes "nor DHCP's answer" no "* to 255.255.255.255" 3 udpframe eth0 "$m3" $all 172.31.0.13 255.255.255.255 67 68

# neighbours don't hear each other but through the router
start sniffer ip netns exec g2 "$probe" sniff eth0 5000
guest 1 "$probe" udpframe eth0 "$m1" "$m2" 172.31.0.11 172.31.0.12 6 6
guest 1 "$probe" udpframe eth0 "$m1" $all 172.31.0.11 172.31.15.255 6 6
guest 1 "$probe" arpframe eth0 "$m1" 1 "$m1" 172.31.0.11 172.31.0.12
guest 1 "$probe" udpframe eth0 "$m1" "$router" 172.31.0.11 172.31.0.12 7 7
read -r -t 5 -u "$out_sniffer" line
is "$line" "ip proto 17 from 172.31.0.11 to 172.31.0.12" "through the router a packet arrives"
stop sniffer
is "$(output sniffer)" "" "and nothing else did: no direct frame, no broadcast, no ARP"

# the router isn't to be confused
neighbour() { ip netns exec vpc1 ip neigh show 172.31.0.12 dev ba 2>/dev/null || vpc_run ip neigh show 172.31.0.12 dev ba; }
guest 1 "$probe" arpframe eth0 "$m1" 2 "$m1" 172.31.0.12 172.31.0.1
is "$(neighbour)" "*$m2*PERMANENT*" "the router knows its neighbours by itself"
is "$(vpc_run bridge fdb show br ba | grep -c "^$m2 dev t2 .*static")" 1 "and the bridge its ports"

# the rules come with the interface, and go with it
eni 3 subnet-a 172.31.0.13 - sg-1 check
lab apply
ok $? "source/destination check is put on"
passes "another IP doesn't pass any more" no "ip proto 17 from 8.8.8.8*" 3 udpframe eth0 "$m3" "$router" 8.8.8.8 172.31.0.12 5 5
passes "its own does" yes "ip proto 17 from 172.31.0.13 to 172.31.0.12" 3 udpframe eth0 "$m3" "$router" 172.31.0.13 172.31.0.12 5 5

remove_all
finish
