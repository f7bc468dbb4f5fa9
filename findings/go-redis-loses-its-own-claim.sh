#!/usr/bin/env bash
# github.com/redis/go-redis/v9 v9.23.0, github.com/redis/rueidis v1.0.79, Go 1.26 and Redis
# 7.0.15 (Debian redis-server 5:7.0.15-1~deb12u10).
#
# SetNX whose answer is lost with the connection is sent again by go-redis itself. The second
# one finds the key that the first one wrote, and the caller reads "false" and no error: its
# own claim is somebody else's. Who takes a webhook once by SetNX drops it as a repetition,
# and nobody has worked on it. Incr counts twice likewise. rueidis repeats what only reads,
# and says EOF. MaxRetries: -1 ends it; the default is 3, whatever the command.
set -euo pipefail
dir=$(mktemp -d)
cleanup() { kill ${redis:-} 2>/dev/null || true; wait; rm -rf "$dir"; }
trap cleanup EXIT
cd "$dir"
for package in redis-server=5:7.0.15-1~deb12u10 redis-tools=5:7.0.15-1~deb12u10 libatomic1 libjemalloc2 liblzf1; do apt-get download -qq "$package" 2>/dev/null; done
for deb in *.deb; do dpkg -x "$deb" .; done
libraries=$(find "$dir" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
LD_LIBRARY_PATH=$libraries usr/bin/redis-server --port "$port" --bind 127.0.0.1 --save '' >redis.log &
redis=$!
for _ in $(seq 100); do grep -q 'Ready to accept' redis.log && break; sleep 0.1; done
cat >go.mod <<'MOD'
module finding

go 1.26

require (
	github.com/redis/go-redis/v9 v9.23.0
	github.com/redis/rueidis v1.0.79
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

// lose ends the connection in place of the next answer.
var lose atomic.Bool

// relay stands between the clients and Redis, as a balancer does.
func relay(redis string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", redis)
			if err != nil {
				panic(err)
			}
			go io.Copy(server, client)
			go func() {
				defer client.Close()
				defer server.Close()
				answer := make([]byte, 4096)
				for {
					n, err := server.Read(answer)
					if err != nil || lose.CompareAndSwap(true, false) {
						return
					}
					client.Write(answer[:n])
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func main() {
	ctx := context.Background()
	address := relay(os.Args[1])

	client := redis.NewClient(&redis.Options{Addr: address})
	client.Ping(ctx)
	time.Sleep(200 * time.Millisecond) // what it says of itself on a new connection is answered
	lose.Store(true)
	claimed, err := client.SetNX(ctx, "event-1", "this worker", time.Minute).Result()
	fmt.Println("go-redis SetNX:", claimed, err)
	fmt.Println("event-1 is claimed by", client.Get(ctx, "event-1").Val())
	lose.Store(true)
	count, err := client.Incr(ctx, "events").Result()
	fmt.Println("go-redis Incr:", count, err)

	other, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true})
	if err != nil {
		panic(err)
	}
	lose.Store(true)
	err = other.Do(ctx, other.B().Set().Key("event-2").Value("this worker").Nx().Ex(time.Minute).Build()).Error()
	fmt.Println("rueidis SET NX:", err)
}
GO
go mod tidy >/dev/null 2>&1
go build -o claim .
got=$(timeout 30 ./claim "127.0.0.1:$port")
want='go-redis SetNX: false <nil>
event-1 is claimed by this worker
go-redis Incr: 2 <nil>
rueidis SET NX: EOF'
echo "$got"
[ "$got" = "$want" ] || { echo "it was: $want" >&2; exit 1; }
