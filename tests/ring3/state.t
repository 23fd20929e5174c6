#!/bin/bash
# What a rule change does to flows that run: tracked ones survive, untracked ones (any/any in and out) are cut.
cd "$(dirname "$0")/../.." || exit 1
. tests/ring3/lib.sh

wide_out="out sg-1 -1 -1 -1 0.0.0.0/0"
rules() { groups_text="group sg-1
$1
group sg-peer
${2:-out sg-peer -1 -1 -1 0.0.0.0/0}"; lab rules; }

eni 1 subnet-a 172.31.0.11 203.0.113.11 sg-peer
eni 2 subnet-a 172.31.0.12 203.0.113.12 sg-1
groups_text="group sg-1
group sg-peer"
lab apply
ok $? "the VPC is made"
guest_up 1 172.31.0.11/20
guest_up 2 172.31.0.12/20
guest_serve 2 22 80 5000
guest_serve 1 90

said=
hold_open() { # WHO ADDRESS PORT
	if [ "$1" = host ]; then
		coproc HOLD { exec "$probe" hold "$2" "$3"; }
	else
		coproc HOLD { exec ip netns exec "g$1" "$probe" hold "$2" "$3"; }
	fi
	read -r -t 6 -u "${HOLD[0]}" said
}
hold_say() { echo x >&"${HOLD[1]}"; read -r -t 6 -u "${HOLD[0]}" said; }
hold_end() { kill "$HOLD_PID" 2>/dev/null; wait "$HOLD_PID" 2>/dev/null; }

# change NAME RULES-BEFORE RULES-AFTER WANT WHO ADDRESS PORT
change() {
	rules "$2"
	hold_open "$5" "$6" "$7"
	is "$said" "open *" "$1: open"
	hold_say
	is "$said" echo "$1: carries"
	rules "$3"
	hold_say
	is "$said" "$4" "$1: then $4"
	hold_end
}

change "ssh from anywhere, all out, revoked" "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out" "$wide_out" stalled host 203.0.113.12 22
change "ssh from a /32, revoked" "in sg-1 tcp 22 22 203.0.113.1/32
$wide_out" "$wide_out" echo host 203.0.113.12 22
change "ssh from a group, revoked" "in sg-1 tcp 22 22 sg-peer
$wide_out" "$wide_out" echo 1 172.31.0.12 22
change "ssh from anywhere, limited out, revoked" "in sg-1 tcp 22 22 0.0.0.0/0
out sg-1 tcp 443 443 0.0.0.0/0" "out sg-1 tcp 443 443 0.0.0.0/0" echo host 203.0.113.12 22
change "ssh from anywhere, no rule out, revoked" "in sg-1 tcp 22 22 0.0.0.0/0" "" echo host 203.0.113.12 22
change "ssh from anywhere, all tcp out, revoked" "in sg-1 tcp 22 22 0.0.0.0/0
out sg-1 tcp 0 65535 0.0.0.0/0" "out sg-1 tcp 0 65535 0.0.0.0/0" stalled host 203.0.113.12 22
change "ssh from anywhere, all udp out, revoked" "in sg-1 tcp 22 22 0.0.0.0/0
out sg-1 udp 0 65535 0.0.0.0/0" "out sg-1 udp 0 65535 0.0.0.0/0" echo host 203.0.113.12 22
change "everything from anywhere, revoked" "in sg-1 -1 -1 -1 0.0.0.0/0
$wide_out" "$wide_out" stalled host 203.0.113.12 22
change "anywhere narrowed to what still admits" "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out" "in sg-1 tcp 22 22 203.0.113.1/32
$wide_out" echo host 203.0.113.12 22
change "another rule revoked" "in sg-1 tcp 22 22 0.0.0.0/0
in sg-1 tcp 80 80 0.0.0.0/0
$wide_out" "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out" echo host 203.0.113.12 22
change "untracked in, all out revoked" "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out" "in sg-1 tcp 22 22 0.0.0.0/0" stalled host 203.0.113.12 22
change "to a neighbour, untracked at the receiver, revoked" "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out" "$wide_out" stalled 1 172.31.0.12 22
change "by a neighbour's public address, revoked" "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out" "$wide_out" stalled 1 203.0.113.12 22

# the sender's side
rules "in sg-1 tcp 22 22 172.31.0.0/16"
hold_open 1 172.31.0.12 22
rules "in sg-1 tcp 22 22 172.31.0.0/16" "in sg-peer tcp 90 90 0.0.0.0/0"
hold_say
is "$said" echo "a sender's rule out revoked: tracked, as nothing admits all answers"
hold_end
rules "in sg-1 tcp 22 22 172.31.0.0/16" "in sg-peer -1 -1 -1 0.0.0.0/0
out sg-peer -1 -1 -1 0.0.0.0/0"
hold_open 1 172.31.0.12 22
hold_say
is "$said" echo "a sender open both ways"
rules "in sg-1 tcp 22 22 172.31.0.0/16" "in sg-peer -1 -1 -1 0.0.0.0/0"
hold_say
is "$said" stalled "its rule out revoked: untracked, cut"
hold_end

# restored before the peer gave up, an untracked flow goes on: nothing was forgotten of it
rules "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out"
hold_open host 203.0.113.12 22
rules "$wide_out"
hold_say
is "$said" stalled "cut"
rules "in sg-1 tcp 22 22 0.0.0.0/0
$wide_out"
said=
for _ in 1 2 3 4 5; do
	hold_say
	[ "$said" = echo ] && break
done
is "$said" echo "authorized again, it goes on"
hold_end

# a transfer under rule changes, until it ends
bytes=60000000
rules "in sg-1 tcp 5001 5001 203.0.113.1/32
$wide_out"
start sink ip netns exec g2 "$probe" sink 5001 $bytes
"$probe" pour 203.0.113.12 5001 $bytes &
pour=$!
changes=0
while kill -0 $pour 2>/dev/null; do
	rules "in sg-1 tcp $((6000 + changes)) 65000 0.0.0.0/0
in sg-1 tcp 5001 5001 203.0.113.1/32
$wide_out" || break
	changes=$((changes + 1))
done
wait $pour
ok $? "a transfer under $changes rule changes ends well"
[ $changes -ge 3 ]
ok $? "there were some"
is "$(output sink)" whole "and arrives whole"

# an udp flow: EC2 tracks it only where it isn't open both ways
rules "in sg-1 udp 5000 5000 0.0.0.0/0
$wide_out"
sees "open 203.0.113.1" "udp open" host udp 203.0.113.12 5000
rules "$wide_out"
sees timeout "udp revoked" host udp 203.0.113.12 5000

remove_all
finish
