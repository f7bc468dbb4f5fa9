package dataset

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
)

// CopyWhole is Copy with the records and the tenant's index: operators find the
// credentials in lists. Each was made a millisecond before the one that came before it.
func CopyWhole(ctx context.Context, addr string, n int) error {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	value, err := onlyValue(ctx, rdb)
	if err != nil {
		return err
	}
	at := strings.Index(value, ":+") + 3
	var id uuid.UUID
	copy(id[:], value[at:])
	record, err := rdb.HGetAll(ctx, "{"+namespace+"}:c:"+id.String()).Result()
	if err != nil {
		return err
	}
	if err := markRestored(ctx, rdb); err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i + 1
	}
	const perPipeline = 1000
	for batch := range slices.Chunk(numbers, perPipeline) {
		_, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, i := range batch {
				var digest credential.Digest
				rand.Read(digest[:])
				id := uuid.New()
				bucket := int(digest[0])<<4 | int(digest[1])>>4
				p.HSet(ctx, fmt.Sprintf("{%s}:x:%d", namespace, bucket), string(digest[:]), value[:at]+string(id[:])+value[at+len(id):])
				// The fields of store/record.go.
				record["d"], record["c"] = string(digest[:]), fmt.Sprint(now-int64(i))
				p.HSet(ctx, "{"+namespace+"}:c:"+id.String(), record)
				p.ZAdd(ctx, "{"+namespace+"}:t:"+Tenant, redis.Z{Score: float64(now - int64(i)), Member: id.String()})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
