package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store"
)

// mint makes a callback credential in the data set of a Redis.
func mint(ctx context.Context, redis string) (token string, err error) {
	s, err := openStore(redis)
	if err != nil {
		return "", err
	}
	defer s.Destruct()
	_, token, err = s.Mint(ctx, store.Spec{Tenant: uuid.MustParse(peerTenant), Kind: store.KindCallback, Label: "JIRA"})
	return token, err
}

func openStore(redis string) (*store.Store, error) {
	s, err := store.New(store.Config{Redis: store.Server{URLs: []string{"redis://" + redis}}, Namespace: "hookgate"})
	if err != nil {
		return nil, err
	}
	if err := s.Start(store.Tuning{Offline: true}); err != nil {
		s.Destruct()
		return nil, err
	}
	return s, nil
}

// buckets is how many hashes the store spreads its digests over, by their first 12 bits.
const buckets = 4096

// multiply copies the one credential of a data set n times, each with a digest and an id
// of its own, past the store: a million mints would take minutes. Only keyrings that are
// loaded later have them.
func multiply(ctx context.Context, addr string, n int) error {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	value, err := onlyValue(ctx, rdb)
	if err != nil {
		return err
	}
	// "<seq>:+", the kind, then the id: see encodeKey.
	at := strings.Index(value, ":+") + 3
	if at < 3 || len(value) < at+16 {
		return errors.New("the store keeps credentials in another form")
	}
	for first := 0; first < buckets; first += 64 {
		_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for bucket := first; bucket < first+64; bucket++ {
				var fields []any
				for i := bucket; i < n; i += buckets {
					var random [32 + 16]byte
					rand.Read(random[:]) // it crashes the process instead of failing
					random[0], random[1] = byte(bucket>>4), byte(bucket<<4)|random[1]&15
					fields = append(fields, string(random[:32]), value[:at]+string(random[32:])+value[at+16:])
				}
				if len(fields) > 0 {
					p.HSet(ctx, bucketName(bucket), fields...)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func bucketName(n int) string { return fmt.Sprintf("{hookgate}:x:%d", n) }

// onlyValue returns what the data set holds of its one credential.
func onlyValue(ctx context.Context, rdb *redis.Client) (string, error) {
	names, err := rdb.Keys(ctx, "{hookgate}:x:*").Result()
	if err != nil {
		return "", err
	}
	if len(names) != 1 {
		return "", fmt.Errorf("the data set has %d buckets instead of one", len(names))
	}
	values, err := rdb.HVals(ctx, names[0]).Result()
	if err != nil {
		return "", err
	}
	if len(values) != 1 {
		return "", fmt.Errorf("the data set has %d credentials instead of one", len(values))
	}
	return values[0], nil
}
