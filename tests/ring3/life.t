#!/bin/bash
# The life of networks: made, adopted, repaired, removed; thirty interfaces; what belongs to others is left alone.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

# shellcheck disable=SC2069
complaint() { "$@" 2>&1 >/dev/null; }
groups_text="group sg-1
in sg-1 tcp 80 80 0.0.0.0/0
out sg-1 -1 -1 -1 0.0.0.0/0"
eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-1
eni 2 subnet-b 172.31.16.12 203.0.113.12 sg-1

# ranges and names that are others'
ip link add other type veth peer name other2
ip link set other up
ip link set other2 up
ip addr add 203.0.113.77/26 dev other
is "$(complaint lab_only open)" "*203.0.113.0/24 is in use on this machine: other has 203.0.113.77/26*" "a range in use by another link is refused"
! ip link show vpclab0 >/dev/null 2>&1
ok $? "and nothing is made"
ip addr del 203.0.113.77/26 dev other
ip addr add 10.9.9.1/24 dev other
ip route add 203.0.113.128/25 via 10.9.9.2
is "$(complaint lab_only open)" "*in use on this machine: other has 203.0.113.128/25*" "so is one that a route leads to"
ip route del 203.0.113.128/25
ip link add vpclab0 type bridge
is "$(complaint lab_only open)" "A link vpclab0 that isn't vpclab's*" "a bridge that isn't ours is left alone"
ip link del vpclab0
LAB_OPTIONS="-b otherbr -p 198.18.0.0/24"
lab_only open
ok $? "another name and range"
is "$(ip -o -4 addr show otherbr)" "*198.18.0.1/24*" "as asked"
lab_only removehost
LAB_OPTIONS=

# nothing else of the host changes
host_state() {
	grep -r . /proc/sys/net /proc/sys/kernel/modprobe 2>/dev/null | grep -vE 'vpclab0|igw1|nf_conntrack_count|flush'
	"$netdriver" nft 'list ruleset'
	ip route show table all | grep -vE 'vpclab0|igw1'
	ip rule
}
host_state >/run/guests/before
lab apply
ok $? "the VPC is made"
host_state >/run/guests/after
is "$(diff /run/guests/before /run/guests/after)" "" "the host's settings, firewall and routes are as before"
is "$(ip -o link show | grep -cE ': (vpclab0|igw1)')" 2 "it has the bridge and the gateway's end"
is "$(ip -o -6 addr show dev vpclab0)$(ip -o -6 addr show dev igw1)" "" "without IPv6"

guest_up 1 172.31.0.11/20
guest_up 2 172.31.16.12/20
guest_serve 2 80
works() { sees "open 172.31.0.11" "$1: guests" 1 tcp 172.31.16.12 80; sees "open 203.0.113.1" "$1: host" host tcp 203.0.113.12 80; }
works "new"

# adopted by a later daemon as it stands
indexes() { ip -o link | awk '{ print $1 $2 }'; vpc_run ip -o link | awk '{ print $1 $2 }'; cat "$RUN/dnsmasq/vpc-1/process"; }
before=$(indexes)
lab apply
ok $? "applied again"
is "$(indexes)" "$before" "everything is the same as before"

# repaired, whatever is wrong
wrong() { # NAME COMMAND...
	local name=$1
	shift
	"$@"
	lab apply
	ok $? "$name: applied"
	works "$name"
}
wrong "the host's bridge is down" ip link set vpclab0 down
wrong "its address is gone" ip addr flush dev vpclab0
wrong "the gateway is out of its bridge" ip link set igw1 nomaster
wrong "the gateway is gone" ip link del igw1
wrong "the gateway is down inside" vpc_run ip link set igw1 down
wrong "the firewall is gone" vpc_run "$netdriver" nft 'flush ruleset'
wrong "forwarding is off" vpc_run sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
wrong "a router's address is gone" vpc_run ip addr flush dev bb
wrong "proxy ARP is off" vpc_run sh -c 'echo 0 >/proc/sys/net/ipv4/conf/ba/proxy_arp_pvlan'
wrong "neighbours are gone" vpc_run ip neigh flush all nud permanent
wrong "a tap is out of its bridge" vpc_run ip link set t2 nomaster
wrong "a tap is down" vpc_run ip link set t2 down
wrong "there is an address too many" vpc_run ip addr add 203.0.113.99/32 dev igw1
is "$(vpc_run ip -o addr show dev igw1 | grep -c 203.0.113.99)" 0 "which is gone now"
wrong "there are links too many" vpc_run ip link add bxx type bridge
is "$(vpc_run ip -o link show | grep -c bxx)" 0 "which are gone now"
wrong "br_netfilter calls" vpc_run sh -c 'for f in /proc/sys/net/bridge/bridge-nf-call-*; do echo 1 >$f; done 2>/dev/null; true'

# the whole host side remade under a living VPC
ip link del vpclab0
lab apply
ok $? "the host's bridge was deleted"
works "remade"

# the namespace gone, its file left
for n in 1 2; do stop shuttle$n; done
umount "$RUN/netns/vpc-1"
lab apply
ok $? "a stale file in the namespace's place"
for n in 1 2; do ip -n g$n link del eth0 2>/dev/null; guest_plug $n; done
ip -n g1 addr add 172.31.0.11/20 dev eth0
ip -n g1 route add default via 172.31.0.1
ip -n g2 addr add 172.31.16.12/20 dev eth0
ip -n g2 route add default via 172.31.16.1
works "made anew"
sees 172.31.16.12 "made anew: names" 1 dns 172.31.0.2 ip-172-31-16-12.ap-northeast-2.compute.internal

# detached: it can't be reached, then attached again
stop shuttle2
eni 2 subnet-b 172.31.16.12 203.0.113.12 sg-1 check detached
lab detach t2
ok $? "detached"
is "$(from host tcp 203.0.113.12 80 6000)" unreachable "its public address doesn't answer"
eni 2 subnet-b 172.31.16.12 203.0.113.12 sg-1
lab attach eni-2 65534 65534
ok $? "attached"
is "$(vpc_run ip -d link show t2)" "*persist on user nobody group nogroup*" "its tap is the given user's"
guest_plug 2
ip -n g2 addr add 172.31.16.12/20 dev eth0
ip -n g2 route add default via 172.31.16.1
works "attached again"
vpc_run "$netdriver" nft 'delete table netdev vpclab'
is "$(complaint lab attach eni-7 0 0)" "*'eni-7' is not an attached one*" "an interface that isn't in the model"
lab rules
ok $? "rules alone bring the ingress table back too"
is "$(vpc_run "$netdriver" nft 'list tables')" "table inet vpclab
table netdev vpclab" "both tables"

# thirty interfaces, five groups, sixty rules each way
groups_text=""
for g in 1 2 3 4 5; do
	groups_text="$groups_text
group sg-$g"
	for r in $(seq 59); do
		groups_text="$groups_text
in sg-$g tcp $((2000 + r)) $((2000 + r)) 10.$g.$r.0/24
out sg-$g udp $r $r 10.$g.$r.0/24"
	done
	groups_text="$groups_text
in sg-$g tcp 80 80 sg-$g
out sg-$g -1 -1 -1 0.0.0.0/0"
done
for i in $(seq 30); do
	eni "$i" subnet-a 172.31.0.$((10 + i)) 203.0.113.$((10 + i)) sg-1,sg-2,sg-3,sg-4,sg-5
done
eni 2 subnet-b 172.31.16.12 203.0.113.12 sg-1,sg-2,sg-3,sg-4,sg-5
ms=0
took() { local t; t=$(date +%s%N); "$@" || return 1; ms=$((($(date +%s%N) - t) / 1000000)); }
took lab apply
ok $? "thirty interfaces and 600 rules: $ms ms the first time"
took lab apply
ok $? "$ms ms applied again"
took lab rules
ok $? "$ms ms for the rules alone"
[ "$ms" -lt 3000 ]
ok $? "which is under 3 s"
guest_plug 30
ip -n g30 addr add 172.31.0.40/20 dev eth0
ip -n g30 route add default via 172.31.0.1
sees "open 172.31.0.40" "the thirtieth reaches the second" 30 tcp 172.31.16.12 80
sees timeout "by public address no group matches" 30 tcp 203.0.113.12 80

# side by side
stop shuttle30
one=$enis_text
enis_text=
for i in 1 2 3; do eni "$i" subnet-a 172.31.0.$((10 + i)) - sg-1,sg-2,sg-3,sg-4,sg-5; done
lab parallel 6
ok $? "six VPCs at a time, made, changed and removed five times"
is "$(ls "$RUN/netns")$(ip -o link | grep -c igwp)" "vpc-10" "they are gone, the first is there"
enis_text=$one

# strays
subnets_one=$subnets_text enis_one=$enis_text
subnets_text="vpc vpc-2 10.1.0.0/16 igw2 203.0.113.3
subnet subnet-c bc 10.1.0.0/24" enis_text=""
lab apply
ok $? "a second VPC"
lab_only strays vpc-1
ok $? "strays are removed, but the first"
is "$(ls "$RUN/netns" "$RUN/dnsmasq")" "*vpc-1*vpc-1" "it stays"
# shellcheck disable=SC2010
is "$(ls "$RUN/netns" "$RUN/dnsmasq" | grep -c vpc-2)$(ip -o link | grep -c igw2)" 00 "the second went"
subnets_text=$subnets_one enis_text=$enis_one
is "$(complaint lab_only removehost)" "The bridge vpclab0 still has the port igw1 and stays." "the host's bridge isn't removed under a VPC"
lab_only remove vpc-9 igw9
ok $? "removing a VPC that isn't there"

LEFT_ALONE='^link other2?$'
remove_all
finish
