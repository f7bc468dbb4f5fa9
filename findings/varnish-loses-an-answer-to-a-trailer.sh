#!/usr/bin/env bash
# Varnish 7.1.1 (Debian varnish 7.1.1-2+deb12u1).
#
# A chunked POST that ends in a trailer field is passed to the backend whole, the backend
# answers 200, and the client reads 503 from Varnish. RFC 9112 7.1.2 allows a recipient to
# drop trailers, not the exchange. The sender takes the event for lost and sends it again, so
# the backend gets it as often as the sender tries.
set -euo pipefail
dir=$(mktemp -d)
cleanup() { kill ${server:-} ${sink:-} 2>/dev/null || true; sleep 0.3; rm -rf "$dir"; }
trap cleanup EXIT
cd "$dir"
for package in varnish=7.1.1-2+deb12u1 libvarnishapi3=7.1.1-2+deb12u1 libjemalloc2; do apt-get download -qq "$package" 2>/dev/null; done
for deb in *.deb; do dpkg -x "$deb" .; done
cat >sink.py <<'PY'
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while n := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(n); self.rfile.readline()
            while self.rfile.readline().strip(): pass
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("seen", "a") as seen: seen.write(f"{len(body)} bytes answered 200\n")
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
export LD_LIBRARY_PATH=$(dirname "$(find "$dir/usr" -name 'libvarnishapi.so.3' | head -1)"):$(find "$dir/usr" -type d -name varnish -path '*lib*' | head -1):$(dirname "$(find "$dir/usr" -name 'libjemalloc.so.2' | head -1)")
printf 'vcl 4.0;\nbackend default { .host = "127.0.0.1"; .port = "%s"; }\nsub vcl_recv { return (pass); }\n' "$(cat port)" >pass.vcl
usr/sbin/varnishd -F -n "$dir/work" -a "127.0.0.1:$front" -f "$dir/pass.vcl" -j none -p "vcl_path=$dir" >varnish.log 2>&1 &
server=$!
cat >send.py <<'PY'
import socket, sys, time
def send(end):
    for _ in range(100):
        try: s = socket.create_connection(("127.0.0.1", int(sys.argv[1]))); break
        except OSError: time.sleep(0.1)
    s.sendall(b"POST /hook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n" + end)
    return s.recv(4096).split(b"\r\n")[0].decode()
print("without trailer:", send(b"\r\n"))
print("with a trailer:", send(b"X-Checksum: 1\r\n\r\n"))
PY
got=$(timeout 40 python3 send.py "$front"; cat seen)
want='without trailer: HTTP/1.1 200 OK
with a trailer: HTTP/1.1 503 Backend fetch failed
5 bytes answered 200
5 bytes answered 200'
echo "$got"
[ "$got" = "$want" ] || { cat varnish.log; echo "it was: $want" >&2; exit 1; }
