#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian lighttpd 1.4.69-1), mod_proxy.
#
# With its default configuration lighttpd normalises not the path alone but the query as
# well before it passes a request on: %7E becomes ~, [ becomes %5B, %41 becomes A. A webhook
# whose signature covers the URL as the vendor sent it no longer verifies behind it;
# server.http-parseopts = ( "url-normalize" => "disable" ) leaves the query alone.
set -euo pipefail
dir=$(mktemp -d)
cleanup() { kill ${server:-} ${sink:-} 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT
cd "$dir"
for package in lighttpd=1.4.69-1; do apt-get download -qq "$package" 2>/dev/null; done
for deb in *.deb; do dpkg -x "$deb" .; done
cat >sink.py <<'PY'
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open("seen", "a") as seen: seen.write(self.path + "\n")
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
open("port", "w").write(str(server.server_port))
server.serve_forever()
PY
python3 sink.py &
sink=$!
while [ ! -s port ]; do sleep 0.1; done
front=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >lighttpd.conf <<CONF
server.bind = "127.0.0.1"
server.port = $front
server.document-root = "$dir"
server.modules = ( "mod_proxy" )
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => $(cat port) ) ) )
CONF
modules=$(dirname "$(find usr -name mod_proxy.so)")
usr/sbin/lighttpd -D -m "$modules" -f lighttpd.conf 2>lighttpd.log &
server=$!
for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$front/ready" && break; sleep 0.1; done
: >seen
curl -s -g -o /dev/null --path-as-is "http://127.0.0.1:$front/hook?a=%7E&b=[1]&c=%41"
got=$(cat seen)
want='/hook?a=~&b=%5B1%5D&c=A'
echo "sent /hook?a=%7E&b=[1]&c=%41, passed on $got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
