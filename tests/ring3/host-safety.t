#!/bin/bash
# What the machine itself has of a lab: one bridge with one address and its connected routes, one veth port for each VPC, and what it
# learned of its neighbours there. Beside Docker's firewall (its FORWARD policy drops) the lab works. And guests reach the machine only
# at the ports that host_ports names.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

nft() { "$netdriver" nft "$1"; }
# a machine with things of its own: a link with an address, a route, a neighbour, a rule, a firewall as Docker and an administrator write it
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 # no addresses that come and settle by themselves
ip link add lan type veth peer name lan-peer
ip link set lan up
ip link set lan-peer up
ip addr add 10.9.9.1/24 dev lan
ip route add 192.0.2.0/24 via 10.9.9.2
ip neigh add 10.9.9.2 lladdr 02:aa:aa:aa:aa:aa dev lan nud permanent
ip rule add from 10.9.9.0/24 table 77
LEFT_ALONE='^link lan(-peer)?$'
nft 'table ip filter {
	chain DOCKER-USER {
		return
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		jump DOCKER-USER
		iifname "docker0" accept
	}
	chain INPUT {
		type filter hook input priority filter; policy accept;
		tcp dport 7999 drop
	}
}
table ip nat {
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
	}
}'
bridged=no
if [ -w /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
	bridged=yes
fi

# the parts of the machine's state, each as lines; what has the name of the lab's own links is left out by `rest`
state() {
	nft 'list ruleset' | sed 's/^/nft: /'
	for tool in iptables-save ip6tables-save ebtables-save; do
		if command -v $tool >/dev/null; then $tool 2>/dev/null | grep -v '^#' | sed 's/\[[0-9:]*\]//' | sed "s/^/$tool: /"; fi
	done
	grep -rs . /proc/sys/net/ipv4 /proc/sys/net/ipv6 /proc/sys/net/bridge /proc/sys/net/core /proc/sys/net/netfilter |
		grep -vE 'nf_conntrack_count|/route/flush|tcp_fastopen_key|random' | sort | sed 's/^/sysctl: /'
	ip -o link show | sed 's/^[0-9]*: //' | sed 's/^/link: /'
	ip -o addr show | sed 's/^[0-9]*: //' | sed 's/^/address: /'
	ip route show table all | sort | sed 's/^/route: /'
	ip -6 route show table all | sort | sed 's/^/route6: /'
	ip rule | sed 's/^/rule: /'
	ip neigh show nud permanent | sed 's/^/neighbour: /'
}
rest() { grep -vE 'vpclab0|igw[12]' "$1"; }
changes() { diff <(rest /run/guests/before) <(rest "$1"); } # FILE
state >/run/guests/before
! grep -qE 'vpclab0|igw1' /run/guests/before
ok $? "a machine without a lab"

LAB_OPTIONS="-H 61800-61899"
groups_text="group sg-1
in sg-1 tcp 80 80 0.0.0.0/0
in sg-1 icmp -1 -1 0.0.0.0/0
out sg-1 -1 -1 -1 0.0.0.0/0"
eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-1
eni 2 subnet-b 172.31.16.12 203.0.113.12 sg-1
lab apply
ok $? "the VPC is made"
guest_up 1 172.31.0.11/20
guest_up 2 172.31.16.12/20
guest_serve 1 80
guest_serve 2 80
start own "$probe" serve 7999 8080 61800 61899 61900 7000

state >/run/guests/during
is "$(changes /run/guests/during)" "" "beside the lab's own links nothing of the machine has changed"
is "$(grep -cE '^link: (vpclab0|igw1)[:@]' /run/guests/during)" 2 "it has one bridge and one port"
is "$(grep '^address: ' /run/guests/during | grep -E 'vpclab0|igw1' | tr -s ' ' | cut -d' ' -f2-4)" "vpclab0 inet 203.0.113.1/24" "with one address"
is "$(grep -E '^route6?: ' /run/guests/during | grep -E 'vpclab0|igw1' | grep -v 'multicast ff00::/8' | sed 's/ dev.*//')" \
	"route: 203.0.113.0/24
route: broadcast 203.0.113.255
route: local 203.0.113.1" "and the routes that belong to it"
is "$(grep -E '^(nft|rule|neighbour|[a-z0-9]*-save): ' /run/guests/during | grep -E 'vpclab0|igw1')" "" "no rule names it"
is "$(</proc/sys/net/ipv4/ip_forward)" 0 "the machine forwards nothing"

# beside a FORWARD chain that drops
sees "open 203.0.113.1" "the host opens a guest's port" host tcp 203.0.113.11 80
sees "open" "and pings it" host ping 203.0.113.12
sees "open 203.0.113.11" "a guest reaches the host at a port of host_ports" 1 tcp 203.0.113.1 61800
sees "open 203.0.113.12" "the last too" 2 tcp 203.0.113.1 61899
sees "open 203.0.113.11" "and by udp" 1 udp 203.0.113.1 61800
sees "open" "and pings it" 1 ping 203.0.113.1
sees "open 172.31.0.11" "guests reach each other" 1 tcp 172.31.16.12 80
sees "open 203.0.113.11" "by public addresses too" 1 tcp 203.0.113.12 80

# what else the machine serves is not the guests'
for port in 61900 8080 7000 22; do
	sees timeout "tcp $port of the machine isn't reached" 1 tcp 203.0.113.1 $port
done
sees timeout "nor udp 8080" 1 udp 203.0.113.1 8080
is "$(guest 1 "$probe" tcp 10.9.9.1 61800 400)" "@(timeout|unreachable)" "nor any of its other addresses, at whatever port"
is "$(guest 1 "$probe" tcp 127.0.0.1 61800 400)" "refused" "a guest's loopback is its own"
is "$(guest 1 "$probe" udp 203.0.113.255 8080 400)" "@(timeout|unreachable)" "nor by broadcast in the pool"
is "$(guest 1 "$probe" tcp 203.0.113.2 22 400)" "@(timeout|unreachable)" "nor the router by its address in the pool"
for port in 22 80 53 67 8080; do
	is "$(guest 1 "$probe" tcp 172.31.0.1 $port 300)" "timeout" "the router serves nothing at tcp $port of the subnet's first address"
done
is "$(guest 1 "$probe" dns 172.31.0.2 ip-172-31-16-12.ap-northeast-2.compute.internal)" "172.31.16.12" "but DNS at the VPC's second"

# to another VPC by the bridge: with br_netfilter the machine's FORWARD chain judges what is only bridged
subnets_one=$subnets_text enis_one=$enis_text
subnets_text="vpc vpc-2 10.1.0.0/16 igw2 203.0.113.3
subnet subnet-c bc 10.1.0.0/24"
enis_text="eni eni-9 subnet-c t9 $(mac_of 9) 10.1.0.19 203.0.113.19 attached check sg-1"
lab apply
ok $? "a second VPC"
ip netns add g9
start shuttle9 "$probe" shuttle "$RUN/netns/vpc-2" t9 /run/netns/g9 eth0
guest 9 sh -c "ip link set lo up; ip link set eth0 address $(mac_of 9); ip link set eth0 up
	ip addr add 10.1.0.19/24 dev eth0; ip route add default via 10.1.0.1"
guest_serve 9 80
sees "open 203.0.113.1" "the host opens its guest's port" host tcp 203.0.113.19 80
sees timeout "it doesn't reach what the machine serves either" 9 tcp 203.0.113.1 8080
if [ $bridged = no ]; then
	sees "open 203.0.113.11" "a guest of the first reaches one of the second" 1 tcp 203.0.113.19 80
else
	sees timeout "br_netfilter: the machine's own policy keeps VPCs apart" 1 tcp 203.0.113.19 80
	nft 'insert rule ip filter DOCKER-USER iifname "vpclab0" oifname "vpclab0" accept'
	sees "open 203.0.113.11" "until a rule of the administrator's lets them (docs/security.md)" 1 tcp 203.0.113.19 80
	nft 'flush chain ip filter DOCKER-USER
add rule ip filter DOCKER-USER return'
fi
state >/run/guests/two
is "$(changes /run/guests/two)" "" "nothing of the machine has changed by the second"
is "$(grep -cE '^link: (vpclab0|igw[12])[:@]' /run/guests/two)" 3 "but for one more port"
lab_only remove vpc-2 igw2
ok $? "VPC 2 is removed"
subnets_text=$subnets_one enis_text=$enis_one

stop own
remove_all
state >/run/guests/after
is "$(diff /run/guests/before /run/guests/after)" "" "afterwards the machine is as it was before"
finish
