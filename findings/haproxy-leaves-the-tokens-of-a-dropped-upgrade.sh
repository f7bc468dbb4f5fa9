#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian haproxy 2.6.12-1+deb12u4).
#
# A POST with "Upgrade: h2c", which is what Java's HttpClient sends by default, loses its
# Upgrade field on the way through HAProxy, while "Connection: Upgrade, HTTP2-Settings" and
# HTTP2-Settings stay. RFC 9110 7.6.1 has an intermediary remove Connection and every field
# that it names. Whoever stands behind HAProxy sees an upgrade announced and not asked for,
# and must not judge a request by the Connection options alone.
set -euo pipefail
dir=$(mktemp -d)
cleanup() { kill ${server:-} ${sink:-} 2>/dev/null || true; rm -rf "$dir"; }
trap cleanup EXIT
cd "$dir"
for package in haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1; do apt-get download -qq "$package" 2>/dev/null || true; done
for deb in *.deb; do dpkg -x "$deb" .; done
cat >sink.py <<'PY'
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("seen", "w") as seen:
            for name in ("Upgrade", "Connection", "HTTP2-Settings"):
                seen.write(f"{name}: {self.headers.get(name, 'absent')}\n")
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
open("port", "w").write(str(server.server_port))
server.serve_forever()
PY
python3 sink.py &
sink=$!
while [ ! -s port ]; do sleep 0.1; done
front=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >haproxy.cfg <<CFG
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend in
    bind 127.0.0.1:$front
    default_backend out
backend out
    server sink 127.0.0.1:$(cat port)
CFG
export LD_LIBRARY_PATH=$(find "$dir/usr" -type d -name '*-linux-gnu' | head -1)
usr/sbin/haproxy -db -f haproxy.cfg 2>haproxy.log &
server=$!
for _ in $(seq 50); do curl -s -o /dev/null "http://127.0.0.1:$front/" && break; sleep 0.1; done
curl -s -o /dev/null -X POST -d '{}' -H 'Connection: Upgrade, HTTP2-Settings' -H 'Upgrade: h2c' -H 'HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA' "http://127.0.0.1:$front/hook"
got=$(cat seen)
want='Upgrade: absent
Connection: Upgrade, HTTP2-Settings
HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA'
echo "$got"
[ "$got" = "$want" ] || { cat haproxy.log; echo "it was: $want" >&2; exit 1; }
