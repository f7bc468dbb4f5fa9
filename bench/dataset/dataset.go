// Package dataset fills a Redis with credentials for a benchmark.
package dataset

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Tenant owns every credential.
const Tenant = "11111111-1111-1111-1111-111111111111"

const namespace = "hookgate"

// Mint makes a callback credential in the data set of a Redis at host:port, of a vendor or,
// where that is empty, of none.
func Mint(ctx context.Context, addr, vendor string) (token string, err error) {
	s, err := store.New(store.Config{Redis: redisconn.Server{URLs: []string{"redis://" + addr}}, Namespace: namespace})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Destruct()) }()
	if err := s.Start(store.Tuning{Offline: true}); err != nil {
		return "", err
	}
	_, token, err = s.Mint(ctx, credential.Spec{Tenant: uuid.MustParse(Tenant), Kind: credential.KindCallback, Label: "JIRA", Vendor: vendor})
	return token, err
}

// buckets is how many hashes the store spreads its digests over, by their first 12 bits.
const buckets = 4096

// pipelined is how many of them are written at once.
const pipelined = 64

// Copy copies the one credential of a data set for every digest, each with an id of its
// own. It goes past the store, since a million mints would take minutes: only keyrings
// that are loaded later have them.
func Copy(ctx context.Context, addr string, digests iter.Seq[credential.Digest]) error {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	value, err := onlyValue(ctx, rdb)
	if err != nil {
		return err
	}
	// "<seq>:+", the kind, then the id: see encodeKey in the store.
	at := strings.Index(value, ":+") + 3
	if at < 3 || len(value) < at+len(uuid.UUID{}) {
		return errors.New("the store keeps credentials in another form")
	}
	if err := markRestored(ctx, rdb); err != nil {
		return err
	}
	fields := make([][]any, buckets)
	for d := range digests {
		var id uuid.UUID
		rand.Read(id[:]) // it crashes the process instead of failing
		bucket := int(d[0])<<4 | int(d[1])>>4
		fields[bucket] = append(fields[bucket], string(d[:]), value[:at]+string(id[:])+value[at+len(id):])
	}
	bucket := 0
	for batch := range slices.Chunk(fields, pipelined) {
		_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, of := range batch {
				if len(of) > 0 {
					p.HSet(ctx, fmt.Sprintf("{%s}:x:%d", namespace, bucket), of...)
				}
				bucket++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// markRestored says, as a restore does, that there are credentials that no ledger entry
// tells of: a sidecar that starts must read the buckets.
func markRestored(ctx context.Context, rdb *redis.Client) error {
	return rdb.HSet(ctx, "{"+namespace+"}:m", "restored", "1").Err()
}

// Random returns n digests of tokens that nobody has.
func Random(n int) iter.Seq[credential.Digest] {
	return func(yield func(credential.Digest) bool) {
		for range n {
			var d credential.Digest
			rand.Read(d[:])
			if !yield(d) {
				return
			}
		}
	}
}

// onlyValue returns what the data set holds of its one credential.
func onlyValue(ctx context.Context, rdb *redis.Client) (string, error) {
	names, err := rdb.Keys(ctx, "{"+namespace+"}:x:*").Result()
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
