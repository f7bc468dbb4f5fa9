#!/usr/bin/env bash
# HTTP::Tiny 0.082 (Debian libhttp-tiny-perl 0.082-2), Perl 5.36.
#
# A POST that is answered with 303 goes on as a GET that still carries the body, its
# Content-Length and its Content-Type. RFC 9110 15.4.4 makes 303 a retrieval, and every
# other client drops the body with the method. A server that tells a probe of its webhook
# URL from a delivery by the method alone answers the probe, and the event is lost.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq libhttp-tiny-perl=0.082-2 2>/dev/null
dpkg -x libhttp-tiny-perl_*.deb .
cat >sink.py <<'PY'
import http.server
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(self.command, self.path, len(body), "bytes", self.headers.get("Content-Type"), flush=True)
        self.send_response(303 if self.path == "/old" else 200)
        if self.path == "/old": self.send_header("Location", "/new")
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_GET = do_POST = answer
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
server.timeout = 20
open("port", "w").write(str(server.server_port))
server.handle_request()  # keeps the connection, and so serves both requests
PY
python3 sink.py >seen &
sink=$!
while [ ! -s port ]; do sleep 0.1; done
timeout 20 perl -Iusr/share/perl5 -MHTTP::Tiny -e '
	my $r = HTTP::Tiny->new(max_redirect => 5)->request("POST", "http://127.0.0.1:$ARGV[0]/old",
		{content => q({"event":"paid"}), headers => {"Content-Type" => "application/json"}});
	print "HTTP::Tiny $HTTP::Tiny::VERSION reads $r->{status}\n"' "$(cat port)" >read
wait "$sink"
got=$(cat seen read)
want='POST /old 16 bytes application/json
GET /new 16 bytes application/json
HTTP::Tiny 0.082 reads 200'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
