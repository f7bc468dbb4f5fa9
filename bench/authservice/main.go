// Command authservice is what one writes to check tokens behind forward_auth or
// auth_request: it takes the SHA-256 of the token and asks Redis for it.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"log"
	"net/http"

	"github.com/redis/go-redis/v9"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:4019", "address to listen on")
	server := flag.String("redis", "127.0.0.1:6379", "address of Redis")
	flag.Parse()
	rdb := redis.NewClient(&redis.Options{Addr: *server})
	log.Fatal(http.ListenAndServe(*listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		digest := sha256.Sum256([]byte(r.Header.Get("X-Callback-Token")))
		tenant, err := rdb.Get(r.Context(), "token:"+hex.EncodeToString(digest[:])).Result()
		switch {
		case errors.Is(err, redis.Nil):
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Header().Set("X-Tenant-Id", tenant)
		}
	})))
}
