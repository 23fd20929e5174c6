#!/usr/bin/env python3
"""image_server.py DIR LOG: a loopback server with a vendor's layout, and its faults.

Prints its port, then serves DIR's files below /MODE/, where MODE is how it behaves:
  ok        Range and If-Range are understood
  norange   Range is ignored: the whole file comes
  drop      a request without Range breaks off in the middle of an image
  dropall   every request of an image breaks off after 100,000 more bytes
  slow      an image comes in pieces of 64 KiB, 20 a second
  badsum    SHA256SUMS holds wrong sums
  badsig    SHA256SUMS.gpg is of something else
  nosig     there is no SHA256SUMS.gpg
  short     an image's second half is missing, and Content-Length agrees
  html      every file is a page of a captive portal
One line a request goes to LOG: MODE FILE RANGE-OR-DASH. Ends when standard input ends.
"""
import http.server
import os
import re
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        mode, _, name = self.path.lstrip("/").partition("/")
        wanted = self.headers.get("Range")
        with lock, open(log, "a") as f:
            f.write(f"{mode} {name} {wanted or '-'}\n")
        path = os.path.join(root, os.path.basename(name))
        if not os.path.isfile(path) or (mode == "nosig" and name.endswith(".gpg")):
            return self.answer(404, b"no such file")
        with open(path, "rb") as f:
            data = f.read()
        image = name.endswith(".img")
        if mode == "html":
            return self.answer(200, b"<html>Please log in</html>")
        if mode == "badsum" and name == "SHA256SUMS":
            data = re.sub(rb"^[0-9a-f]{8}", b"00000000", data, flags=re.M)
        if mode == "badsig" and name.endswith(".gpg"):
            with open(os.path.join(root, "OTHER.gpg"), "rb") as f:
                data = f.read()
        if mode == "short" and image:
            data = data[: len(data) // 2]
        start, status = 0, 200
        match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        if match and mode != "norange":
            start, status = int(match.group(1)), 206
            if start >= len(data):
                return self.answer(416, b"")
        body = data[start:]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if image and mode == "drop" and not wanted:
            return self.break_off(body[: len(body) // 2])
        if image and mode == "dropall":
            return self.break_off(body[:100_000])
        if image and mode == "slow":
            for at in range(0, len(body), 65536):
                self.wfile.write(body[at:at + 65536])
                time.sleep(0.05)
            return None
        self.wfile.write(body)
        return None

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def break_off(self, body):
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that goes away is what some tests are about


root, log = sys.argv[1], sys.argv[2]
lock = threading.Lock()
server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
