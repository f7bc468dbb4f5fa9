#!/usr/bin/env bash
# Squid 5.7 (Debian squid 5.7-2+deb12u6).
#
# Squid as an accelerator, in front of an origin server, drops the Authorization field of
# every request, though it asks for no credentials itself, and passes on all others, an
# X-Api-Key among them. RFC 9110 11.6.2 tells a proxy to leave that field as it is. To have it
# takes login=PASSTHRU at cache_peer, which reads as an option for users that log in to the
# proxy. A webhook with a Bearer token, or a name and a password, is refused by whoever stands
# behind Squid, while one that is signed in a field of its vendor's own comes through.
set -euo pipefail
dir=$(mktemp -d)
cleanup() { kill ${server:-} ${sink:-} 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT
cd "$dir"
for package in squid=5.7-2+deb12u6 squid-common=5.7-2+deb12u6 squid-langpack libecap3 libltdl7 libnetfilter-conntrack3 libnfnetlink0 libmnl0; do apt-get download -qq "$package" 2>/dev/null; done
for deb in *.deb; do dpkg -x "$deb" .; done
cat >sink.py <<'PY'
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("seen", "a") as seen:
            seen.write(f"{self.path} Authorization: {self.headers.get('Authorization', 'absent')}, X-Api-Key: {self.headers.get('X-Api-Key', 'absent')}\n")
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
open("port", "w").write(str(server.server_port))
server.serve_forever()
PY
python3 sink.py &
sink=$!
while [ ! -s port ]; do sleep 0.1; done
read -r plain through < <(python3 -c 'import socket; a, b = socket.socket(), socket.socket(); a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0)); print(a.getsockname()[1], b.getsockname()[1])')
cat >squid.conf <<CONF
http_port 127.0.0.1:$plain accel name=plain defaultsite=hooks.example.com
http_port 127.0.0.1:$through accel name=through defaultsite=hooks.example.com
cache_peer 127.0.0.1 parent $(cat port) 0 no-query originserver name=plain
cache_peer 127.0.0.1 parent $(cat port) 0 no-query originserver name=through login=PASSTHRU
acl plain myportname plain
acl through myportname through
cache_peer_access plain allow plain
cache_peer_access through allow through
http_access allow all
cache deny all
access_log none
cache_log /dev/null
pid_filename none
coredump_dir /
shutdown_lifetime 0 seconds
mime_table $dir/usr/share/squid/mime.conf
icon_directory $dir/usr/share/squid/icons
error_directory $dir/usr/share/squid-langpack/templates
CONF
chmod -R a+rX .
LD_LIBRARY_PATH=$(dirname "$(find "$dir/usr" -name 'libecap.so.3' | head -1)") usr/sbin/squid -N -f squid.conf >squid.log 2>&1 &
server=$!
for port in "$plain" "$through"; do
	for _ in $(seq 100); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
done
for at in "plain $plain" "through $through"; do
	curl -s -o /dev/null -d '{}' -H 'Authorization: Bearer t' -H 'X-Api-Key: k' "http://127.0.0.1:${at#* }/${at% *}"
done
got=$(cat seen)
want='/plain Authorization: absent, X-Api-Key: k
/through Authorization: Bearer t, X-Api-Key: k'
echo "$got"
[ "$got" = "$want" ] || { cat squid.log; echo "it was: $want" >&2; exit 1; }
