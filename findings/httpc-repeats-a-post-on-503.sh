#!/usr/bin/env bash
# Erlang/OTP 25.2.3 httpc (Debian erlang-inets 1:25.2.3+dfsg-1+deb12u4).
#
# A POST that is answered with 503 and Retry-After is sent again and again by httpc itself
# inside one httpc:request call, as often as the server says so; {timeout, T} does not end
# it, since the timer starts anew with each try. RFC 9110 9.2.2 warns of repeating a method
# that is not idempotent. A receiver that answers 503 with a short Retry-After meets a sender
# that comes back at once for as long as it says so, and the sender's caller hears nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
version=1:25.2.3+dfsg-1+deb12u4
for package in erlang-base erlang-inets erlang-ssl erlang-crypto erlang-public-key erlang-asn1; do
	apt-get download -qq "$package=$version" 2>/dev/null
done
for deb in *.deb; do dpkg -x "$deb" .; done
cat >sink.py <<'PY'
import http.server, time
posts = []
class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        posts.append(time.monotonic())
        last = len(posts) == 5
        self.send_response(200 if last else 503)
        if not last: self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Sink)
server.timeout = 20
open("port", "w").write(str(server.server_port))
while len(posts) < 5:
    server.handle_request()
print(len(posts), "POSTs, the last one after more than three seconds:", posts[-1] - posts[0] > 3)
PY
python3 sink.py >seen &
sink=$!
while [ ! -s port ]; do sleep 0.1; done
cat >post.erl <<'ERL'
-module(post).
-export([main/1]).
main([Port]) ->
    inets:start(),
    URL = "http://127.0.0.1:" ++ atom_to_list(Port) ++ "/",
    {ok, {{_, Status, _}, _, _}} = httpc:request(post, {URL, [], "application/json", "{}"}, [{timeout, 2000}], []),
    io:format("one call with {timeout, 2000} reads ~p~n", [Status]),
    halt().
ERL
root=$dir/usr/lib/erlang
sed -i "s#^ROOTDIR=.*#ROOTDIR=$root#" "$root/bin/erl" 2>/dev/null || true
export ROOTDIR=$root BINDIR=$(echo "$root"/erts-*/bin) EMU=beam PROGNAME=erl HOME=$dir
"$BINDIR/erlexec" -boot no_dot_erlang -noshell -eval 'compile:file("post"), halt().' 2>/dev/null
timeout 40 "$BINDIR/erlexec" -boot no_dot_erlang -noshell -s post main "$(cat port)" >read
wait "$sink"
got=$(cat seen read)
want='5 POSTs, the last one after more than three seconds: True
one call with {timeout, 2000} reads 200'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
