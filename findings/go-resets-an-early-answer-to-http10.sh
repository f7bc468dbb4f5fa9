#!/usr/bin/env bash
# Go 1.26 net/http, Python 3 as the client.
#
# Go's server keeps a connection open for half a second after an answer that came before
# the end of the body, so that the client reads the answer and not a reset (RFC 9112 9.6).
# It does so for HTTP/1.1 only where the request does not say "Connection: close", and never
# for HTTP/1.0, which is what nginx' proxy_pass speaks by default: there the same early 401
# is a reset connection, and the vendor behind the proxy reads 502.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile("port", fmt.Append(nil, listener.Addr().(*net.TCPAddr).Port), 0o600); err != nil {
		panic(err)
	}
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
}
GO
cat >go.mod <<'GO'
module early

go 1.26.0
GO
go build -o early .
./early &
server=$!
trap 'kill "$server"; rm -rf "$dir"' EXIT
while [ ! -s port ]; do sleep 0.1; done
cat >send.py <<'PY'
import socket, sys, time
port = int(open("port").read())
def send(version, extra):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(f"POST / HTTP/{version}\r\nHost: x\r\n{extra}Content-Length: 4194304\r\n\r\n".encode())
    try:
        for _ in range(8):  # a sender that is in the middle of its body
            s.sendall(b"x" * 65536)
            time.sleep(0.02)
        return "401" if b" 401 " in s.recv(4096) else "nothing"
    except OSError:
        return "reset"
    finally:
        s.close()
for version, extra in (("1.1", ""), ("1.1", "Connection: close\r\n"), ("1.0", "")):
    seen = [send(version, extra) for _ in range(5)]
    print(f"HTTP/{version} {extra.strip()}: {' '.join(sorted(set(seen)))}".replace(" :", ":"))
PY
got=$(timeout 60 python3 send.py)
want='HTTP/1.1: 401
HTTP/1.1 Connection: close: reset
HTTP/1.0: reset'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
