#!/bin/bash
# Faults that need no guest: the store and its disk, a download's disk and its end in the middle, clients that hang or come by the
# thousand, a clock that jumps, and kill -9 while many things are asked for at once.
. "$(dirname "$0")/../lib.sh"
export VPCLAB_LIBVIRT_URI=test:///default

daemon_kill() {
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	await_exit "$pid" 10
}
sql() { python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); print(*[r[0] for r in db.execute(sys.argv[2])])' "$VPCLAB_STATE_DIR/region.db" "$1"; }

down_and_unmount() {
	run vpclab down
	is "$STATUS" 0 "the region goes down" || diag "$ERR"
	umount "$VPCLAB_STATE_DIR"
	is "$(leftovers)" "" "nothing is left of it"
}

# --- kill -9 at fifteen moments while instances are launched, stopped, started and terminated, and rules change ---
region_up test
AMI=$(image)
api Action=DescribeSecurityGroups GroupName.1=default
GROUP=$(x 'string(//groupId)')
call() { curl -s --unix-socket "$SOCKET" --max-time 10 -o /dev/null -d "$1&Version=2016-11-15" http://region/ || true; }
bad=
for n in {1..15}; do
	api Action=DescribeInstances
	mapfile -t ids < <(xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="instanceId"]/text()' "$T/body" 2>/dev/null | tail -n 6)
	{
		call "Action=RunInstances&ImageId=$AMI&MinCount=2&MaxCount=2&InstanceType=t2.nano" &
		call "Action=StopInstances&InstanceId.1=${ids[0]:-}" &
		call "Action=StartInstances&InstanceId.1=${ids[1]:-}" &
		call "Action=TerminateInstances&InstanceId.1=${ids[2]:-}" &
		call "Action=AuthorizeSecurityGroupIngress&GroupId=$GROUP&IpProtocol=tcp&FromPort=$((7000 + n))&ToPort=$((7000 + n))&CidrIp=0.0.0.0/0" &
		wait
	} &
	calls=$!
	read -rt "0.0$((n % 10))$((n / 10))" <> <(:)
	daemon_kill
	wait $calls
	run vpclab daemon
	[ "$STATUS" = 0 ] || bad="$bad kill $n: $ERR;"
done
is "$bad" "" "after each of fifteen kills at another moment the next verb finds the region"
api Action=DescribeInstances
is "$(xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="privateIpAddress"]/text()' "$T/body" 2>/dev/null | sort | uniq -d)" "" "no address is given twice"
for id in $(xmllint --xpath '//*[local-name()="instancesSet"]/*/*[local-name()="instanceId"]/text()' "$T/body"); do
	case $(state "$id") in
	pending) await "$id" running 10 >/dev/null || bad="$bad $id" ;;
	stopping) await "$id" stopped 10 >/dev/null || bad="$bad $id" ;;
	shutting-down) await "$id" terminated 10 >/dev/null || bad="$bad $id" ;;
	esac
done
is "$bad" "" "no instance hangs between two states"
is "$(sql "SELECT count(*) FROM object WHERE kind = 'eni' AND json_extract(body, '\$.instance_id') NOT IN (SELECT id FROM object WHERE kind = 'i' AND json_extract(body, '\$.state') <> 48)")" 0 "no interface is left of instances that are gone" ||
	diag "$(sql "SELECT body FROM object WHERE kind = 'eni' LIMIT 1")"
region_down

# --- more at once than there are workers ---
export VPCLAB_PUBLIC_CIDR=198.18.0.0/16
region_up test many
for n in 1 2 3; do
	api Action=RunInstances ImageId="$AMI" MinCount=100 MaxCount=100 InstanceType=t2.nano
	is "$STATUS" 200 "a hundred instances in one call" || diag "$CODE $MESSAGE"
	await "$(x 'string(//instancesSet/item[last()]/instanceId)')" running
done
region_down
unset VPCLAB_PUBLIC_CIDR
region_at lab

# --- the store ---
version=$(sql "PRAGMA user_version")
sql "PRAGMA user_version = 99" >/dev/null
says 3 'store is of version 99, newer than' "a store of a newer version is one sentence" vpclab daemon
is "$(processes)" "" "and no daemon stays"
sql "PRAGMA user_version = $version" >/dev/null
cp "$VPCLAB_STATE_DIR/region.db" "$T/good.db"
sql "UPDATE object SET body = '{' WHERE kind = 'vpc'" >/dev/null
says 3 'vpc-' "a document that can't be read is one sentence that names it" vpclab daemon
cp "$T/good.db" "$VPCLAB_STATE_DIR/region.db"
truncate -s 5000 "$VPCLAB_STATE_DIR/region.db"
says 3 'store' "a store that was cut off is one sentence" vpclab daemon
cp "$T/good.db" "$VPCLAB_STATE_DIR/region.db"
run vpclab launch x --image debian-12
is "$STATUS" 0 "with the good one back it goes on" || diag "$ERR"
daemon_kill
printf 'torn' >>"$VPCLAB_STATE_DIR/region.db-wal"
run vpclab show x
is "$STATUS" 0 "a torn write at the end of its log loses nothing" || diag "$ERR"
region_down

# --- a full disk ---
region_at full
mkdir -p "$VPCLAB_STATE_DIR"
mount -t tmpfs -o size=80m,mode=711 tmpfs "$VPCLAB_STATE_DIR"
region_up test full
one=$(launch) two=$(launch)
await "$one" running && await "$two" running
fill() { dd if=/dev/zero of="$VPCLAB_STATE_DIR/fill" bs=4k status=none 2>/dev/null || true; }
fill
refuses InsufficientInstanceCapacity "a launch on a full disk is refused" Action=RunInstances ImageId="$AMI" MinCount=1 MaxCount=1
like "$MESSAGE" 'MiB free' "and says what is free"
n=0
CODE=
while [ -z "$CODE" ] && [ $n -lt 3000 ]; do
	n=$((n + 1))
	api Action=CreateTags ResourceId.1="$one" Tag.1.Key="k$((n % 40))" Tag.1.Value="$n$(printf 'v%.0s' {1..200})"
	[ $((n % 20)) != 0 ] || fill # the reserve is given up meanwhile
done
like "$MESSAGE" 'disk is full' "changes are refused once the disk holds nothing more, the reserve included"
isnt "$(state "$one")" "" "what is there can be looked at"
rm "$VPCLAB_STATE_DIR/fill"
fill # less what was written since: the reserve has its part again after the next write
rm "$VPCLAB_STATE_DIR/fill"
api Action=CreateTags ResourceId.1="$one" Tag.1.Key=a Tag.1.Value=b
is "$STATUS" 200 "with room again changes are taken"
fill
api Action=TerminateInstances InstanceId.1="$two"
is "$STATUS" 200 "on a full disk an instance can be terminated: there is a reserve for that" || diag "$MESSAGE"
ok "and it ends" await "$two" terminated
daemon_kill
run vpclab ls
is "$STATUS" 0 "on a full disk the daemon starts again" || diag "$ERR"
is "$(state "$two")" terminated "and knows what was done"
rm "$VPCLAB_STATE_DIR/fill"
down_and_unmount

# --- a download: a full disk, and kill -9 in its middle ---
mkdir -p "$T/data/images" "$T/mirror"
cp -r cloud-init "$T/data/"
qemu-img create -q -f qcow2 -o preallocation=full "$T/mirror/f.img" 24M
(cd "$T/mirror" && sha256sum f.img >SHA256SUMS)
printf '%s\n' "description = x" "os = One" "architecture = x86_64" "default user = ubuntu" "root device = /dev/sda1" \
	"url = http://127.0.0.1:8099/" "file = f.img" "sums = SHA256SUMS" >"$T/data/images/fetched.image"
cat >"$T/server.py" <<'PY'
# serves the mirror with Range; the first piece of the image ends in silence after 8 MiB
import http.server, os, sys, threading
root, first = sys.argv[1], [True]
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a): pass
    def do_HEAD(self): self.do_GET()
    def do_GET(self):
        try: data = open(os.path.join(root, os.path.basename(self.path)), "rb").read()
        except OSError: return self.send_error(404)
        start = 0
        if self.headers.get("Range"): start = int(self.headers["Range"].split("=")[1].split("-")[0])
        self.send_response(206 if start else 200)
        if start: self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD": return
        if self.path.endswith("f.img") and first[0]:
            first[0] = False
            self.wfile.write(data[:8 << 20]); self.wfile.flush()
            print("middle", flush=True); threading.Event().wait()
        if self.path.endswith("f.img"): print("from", start, flush=True)
        self.wfile.write(data[start:])
s = http.server.ThreadingHTTPServer(("127.0.0.1", 8099), H); s.daemon_threads = True
print("ready", flush=True); s.serve_forever()
PY
exec {server}< <(exec python3 "$T/server.py" "$T/mirror" 2>&1)
server_pid=$!
read -r -t 20 -u $server _
export VPCLAB_DATA_DIR=$T/data
region_at small
mkdir -p "$VPCLAB_STATE_DIR"
mount -t tmpfs -o size=20m,mode=711 tmpfs "$VPCLAB_STATE_DIR"
region_up test small
run vpclab image pull fetched
is "$STATUS" 3 "a download for which the disk is too small fails"
like "$ERR" 'needs [0-9]+ MB more on the disk of .* and [0-9]+ MB are free; make room' "and says what it needs"
is "$(find "$VPCLAB_STATE_DIR/images" -name '*.qcow2')" "" "and there is no image"
down_and_unmount
kill $server_pid
exec {server}< <(exec python3 "$T/server.py" "$T/mirror" 2>&1)
server_pid=$!
read -r -t 20 -u $server _
region_up test fetch
api Action=ImportImage Name=fetched
read -r -t 30 -u $server word
is "$word" middle "a download is half done"
for _ in {1..100}; do
	[ "$(stat -c %s "$VPCLAB_STATE_DIR/images/fetched.partial" 2>/dev/null || echo 0)" -gt 4000000 ] && break
	read -rt 0.1 <> <(:)
done
daemon_kill
run vpclab image pull fetched
is "$STATUS" 0 "after kill -9 in the middle it is pulled" || diag "$ERR"
read -r -t 10 -u $server word from
isnt "$from" 0 "from where it had ended"
is "$(sha256sum <"$VPCLAB_STATE_DIR/images/fetched.qcow2")" "$(sha256sum <"$T/mirror/f.img")" "and it is the whole image"
is "$(find "$VPCLAB_STATE_DIR/images" -name '*.partial')" "" "nothing half is left"
kill $server_pid
region_down
unset VPCLAB_DATA_DIR

# --- clients ---
region_up test clients
cat >"$T/clients.py" <<'PY'
# N connections at once, then one request on each; prints how many were answered 200, and how many were turned away
import resource, socket, sys, threading
path, n = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
threading.stack_size(256 << 10)
good, away, lock, gate = [0], [0], threading.Lock(), threading.Barrier(n)
def client():
    s = socket.socket(socket.AF_UNIX); s.settimeout(60); answer = b""
    try:
        s.connect(path); connected = True
    except OSError: connected = False
    gate.wait()
    try:
        if connected:
            s.sendall(b"GET /?Action=DescribeVpcs&Version=2016-11-15 HTTP/1.1\r\nHost: region\r\nConnection: close\r\n\r\n")
            while True:
                piece = s.recv(65536)
                if not piece: break
                answer += piece
    except OSError: pass
    s.close()
    with lock:
        if answer.startswith(b"HTTP/1.1 200") and b"</DescribeVpcsResponse>" in answer: good[0] += 1
        else: away[0] += 1
ts = [threading.Thread(target=client) for _ in range(n)]
[t.start() for t in ts]; [t.join() for t in ts]
print(good[0], away[0])
PY
# hangs in the middle of a request, and of a body
hangs=0
for text in 'GET /?Action=Desc' 'POST / HTTP/1.1\r\nHost: r\r\nContent-Length: 100\r\n\r\nAction='; do
	hangs=$((hangs + 1))
	python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
print("sent", flush=True); s.settimeout(100); t = time.monotonic()
try: s.recv(1000)
except OSError: pass
print(int(time.monotonic() - t), flush=True)' "$SOCKET" "$text" >"$T/hang.$hangs" &
	hanging[hangs]=$!
done
is "$(python3 "$T/clients.py" "$SOCKET" 1000)" "1000 0" "a thousand clients at once, while two hang, are all answered"
rss=$(awk '/^VmRSS/{print $2}' "/proc/$(daemon_pid)/status")
[ "$FLAVOUR" = asan ] || at_most "$rss" 131072 "the daemon's memory stays bounded (KiB)"
said=$(python3 "$T/clients.py" "$SOCKET" 1400)
at_most 1000 "${said% *}" "of 1,400 more than a thousand are answered"
is "$((${said% *} + ${said#* }))" 1400 "and none hangs: the others are turned away"
answers "afterwards calls are answered as before" Action=DescribeVpcs

# --- a clock that jumps ---
cat >"$T/clock.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
/* the wall clock is off by the seconds that the file CLOCK_FILE is long, backwards if it is executable */
static long off(void)
{
	struct stat st;
	const char *f = getenv("CLOCK_FILE");
	return f && stat(f, &st) == 0 ? (st.st_mode & 0100 ? -(long)st.st_size : (long)st.st_size) : 0;
}
int clock_gettime(clockid_t c, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, c, ts);
	if (r == 0 && c == CLOCK_REALTIME)
		ts->tv_sec += off();
	return r;
}
time_t time(time_t *t)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (t)
		*t = ts.tv_sec;
	return ts.tv_sec;
}
C
if [ "$FLAVOUR" = asan ]; then
	skip "the clock jumps" "the sanitizer wants to be loaded first"
elif ! ${CC:-cc} -shared -fPIC -O1 -o "$T/clock.so" "$T/clock.c" 2>/dev/null; then
	skip "the clock jumps" "there is no C compiler"
else
	region_down
	region_at clock
	: >"$T/jump"
	CLOCK_FILE=$T/jump LD_PRELOAD=$T/clock.so vpclab daemon >/dev/null
	AMI=$(image)
	one=$(launch)
	await "$one" running
	last=$(api Action=DescribeInstanceProgress InstanceId="$one" && x 'string(/*/lastSequence)')
	for how in forward back; do
		curl -s --unix-socket "$SOCKET" -o /dev/null -w '%{time_total}' -d "Action=DescribeInstanceProgress&InstanceId=$one&After=$last&WaitSeconds=3" http://region/ >"$T/took" &
		waiter=$!
		api Action=DescribeVpcs
		truncate -s 864000 "$T/jump" # ten days
		[ $how = forward ] || chmod +x "$T/jump"
		wait $waiter
		like "$(<"$T/took")" '^(2\.9|3\.)' "the clock jumps ten days $how: a call that waits three seconds takes three seconds"
		two=$(launch)
		ok "an instance is launched" await "$two" running
		like "$(field "$two" launchTime)" "^$(date -u -d "@$(($(date +%s) + $([ $how = back ] && echo -864000 || echo 864000)))" +%Y-%m-%d)" "its launch time is of the new clock"
		api Action=TerminateInstances InstanceId.1="$two"
		ok "and terminated" await "$two" terminated
		is "$(state "$one")" running "what ran runs"
	done
	truncate -s 0 "$T/jump"
	run vpclab ls
	is "$STATUS" 0 "and with the right clock again the region is as it was" || diag "$ERR"
	region_down
	region_at clients
fi
wait "${hanging[@]}" 2>/dev/null
at_most "$(tail -n 1 "$T/hang.1")" 65 "a client that hangs in its request line is closed after a while"
at_most "$(tail -n 1 "$T/hang.2")" 65 "so is one that hangs in its body"
done_testing
