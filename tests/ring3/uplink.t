#!/bin/bash
# The way out: pasta (and slirp4netns) from a VPC to an "internet" that is a namespace of this test.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

# internet: 192.0.2.1 is this machine's router, 198.51.100.7 a server behind it that also answers DNS
ip netns add internet
ip link add wan type veth peer name eth0 netns internet
ip addr add 192.0.2.2/24 dev wan
ip link set wan up
ip -n internet addr add 192.0.2.1/24 dev eth0
ip -n internet addr add 198.51.100.7/32 dev lo
ip -n internet addr add 198.51.100.53/32 dev lo
ip -n internet link set lo up
ip -n internet link set eth0 up
LEFT_ALONE='^link wan$'
start server ip netns exec internet "$probe" serve 80 9000
ip netns exec internet dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces \
	--listen-address=198.51.100.53 --address=/www.example.com/198.51.100.7 --pid-file= --user=nobody >/dev/null 2>&1 &
internet_dns=$!
# a service of the machine itself, on every address it has
start own "$probe" serve 7000

printf 'nameserver 198.51.100.53\n' >/run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf

groups_text="group sg-1
in sg-1 tcp 22 22 0.0.0.0/0
out sg-1 -1 -1 -1 0.0.0.0/0"
eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-1
eni 2 subnet-a 172.31.0.12 - sg-1

LAB_OPTIONS=-u
is "$(lab uplink)" "none: this machine has no default route" "without a default route there is no uplink, and it says why"
ip route add default via 192.0.2.1

for program in pasta slirp4netns; do
	if ! command -v $program >/dev/null; then
		tests=$((tests + 1))
		if [ -n "${VPCLAB_MUST_WORK:-}" ] && [ $program = pasta ]; then echo "not ok $tests - $program is missing"; failures=1; continue; fi
		echo "ok $tests # SKIP $program is not installed"
		continue
	fi
	if [ $program = slirp4netns ]; then # the only one that is found
		mkdir -p /run/bin
		for f in slirp4netns dnsmasq setpriv; do ln -sf "$(command -v $f)" /run/bin/$f; done
		mount -t tmpfs tmpfs /run/guests
		pasta_path=$(readlink -f "$(command -v pasta)")
		[ -z "$pasta_path" ] || mount --bind /dev/null "$(command -v pasta)"
		[ -z "$pasta_path" ] || mount --bind /dev/null "$pasta_path" 2>/dev/null
	fi
	is "$(lab uplink)" "$program" "the uplink is $program"
	guest_up 1 172.31.0.11/20
	guest_up 2 172.31.0.12/20
	sees "open 192.0.2.2" "$program: a guest with a public address reaches the internet, as the machine" 1 tcp 198.51.100.7 80
	sees "open 192.0.2.2" "$program: also by udp" 1 udp 192.0.2.1 9000
	sees timeout "$program: one without doesn't" 2 tcp 198.51.100.7 80
	sees "198.51.100.7" "$program: names of the internet resolve" 2 dns 172.31.0.2 www.example.com
	sees "open" "$program: the machine's router is not the machine" host ping 192.0.2.1
	for address in 192.0.2.2 127.0.0.1 169.254.200.2 169.254.200.3 10.0.2.2; do
		[[ "$(from 1 tcp $address 7000 1000)" != open* && "$(from 1 udp $address 7000 500)" != open* ]]
		ok $? "$program: the machine's own service isn't reached by $address"
	done
	sees "open 203.0.113.1" "the machine reaches its own service" host tcp 203.0.113.1 7000
	uid=$(awk '/^Uid/ { print $2 }' "/proc/$(cut -d' ' -f1 "$RUN/uplink/vpc-1.process")/status")
	[ $program = slirp4netns ] || [ "$uid" != 0 ]
	ok $? "$program: doesn't run as root"

	# the machine gets another address: the next look shuts it too
	ip addr add 192.0.2.9/24 dev wan
	is "$(lab check)" well "$program: all is well"
	[[ "$(from 1 tcp 192.0.2.9 7000 1000)" != open* ]]
	ok $? "$program: nor by an address that it got later"
	ip addr del 192.0.2.9/24 dev wan

	kill "$(cut -d' ' -f1 "$RUN/uplink/vpc-1.process")"
	tail -s 0.1 --pid="$(cut -d' ' -f1 "$RUN/uplink/vpc-1.process")" -f /dev/null
	is "$(lab check)" repaired "$program: a dead one is noticed"
	sees "open 192.0.2.2" "$program: and works again" 1 tcp 198.51.100.7 80
	is "$(lab check)" well "$program: and all is well"
	stop shuttle1
	stop shuttle2
	ip netns del g1
	ip netns del g2
	lab_only remove vpc-1 igw1
	ok $? "$program: removed"
done

umount -q "$(command -v pasta)" 2>/dev/null
printf 'nameserver 127.0.0.53\n' >/run/resolv.conf
dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --except-interface=wan \
	--except-interface=vpclab0 --listen-address=127.0.0.53 --address=/www.example.com/198.51.100.99 --pid-file= --user=nobody >/dev/null 2>&1 &
local_dns=$!
lab uplink >/dev/null
guest_up 1 172.31.0.11/20
sees "198.51.100.99" "a resolver on the machine's loopback is asked as the machine asks it" 1 dns 172.31.0.2 www.example.com
LAB_OPTIONS=
lab apply
sees unreachable "uplink none: no way out" 1 tcp 198.51.100.7 80
sees refused "and no names from outside" 1 dns 172.31.0.2 www.example.com
kill $internet_dns $local_dns
wait $internet_dns $local_dns 2>/dev/null
LAB_OPTIONS=-u
remove_all
finish
