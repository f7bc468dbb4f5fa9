package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/keyring"
)

// position is how far the ledger has been followed.
type position struct {
	epoch  string
	seq    uint64
	head   string
	stream string // id of the last entry read
}

// ledgerReader reads the ledger onwards from a position, and checks every link of
// its chain. The chain and not the stream's ids tells of a gap: it also catches a
// restored backup, a deleted ledger, and ids that fell back with a clock.
type ledgerReader struct {
	key   string
	at    position
	apply func(c keyring.Change, streamID string) error
}

// catchUp reads whatever is missing up to m, and fails with errResync where what
// has been read does not lead there.
func (l *ledgerReader) catchUp(ctx context.Context, rdb *redis.Client, m keyring.Meta) error {
	switch {
	case m.Epoch == "" && l.at.epoch != "":
		return errDataGone
	case m.Epoch != l.at.epoch:
		return errResync{reason: ResyncEpoch, first: l.at.epoch == ""}
	}
	for l.at.seq < m.Seq {
		// Never past m, or there would be no head left to compare with.
		n, err := l.read(ctx, rdb, -1, min(tailBatch, int64(m.Seq-l.at.seq)))
		if err != nil {
			return err
		}
		if n == 0 {
			return errResync{reason: ResyncGap}
		}
	}
	if l.at.seq != m.Seq || l.at.head != m.Head {
		return errResync{reason: ResyncFork}
	}
	return nil
}

// read applies the entries behind the position, at most limit, and returns how
// many there were. A negative wait does not block.
func (l *ledgerReader) read(ctx context.Context, rdb *redis.Client, wait time.Duration, limit int64) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, max(wait, 0)+probeTimeout)
	defer cancel()
	streams, err := rdb.XRead(ctx, &redis.XReadArgs{
		Streams: []string{l.key, l.at.stream}, Count: limit, Block: wait,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for _, stream := range streams {
		for _, message := range stream.Messages {
			if err := l.advance(message); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// advance applies one entry, if it is the next link of the chain.
func (l *ledgerReader) advance(message redis.XMessage) error {
	if l.at.epoch == "" {
		return errResync{reason: ResyncEpoch, first: true}
	}
	c, err := keyring.DecodeEntry(l.at.epoch, message.Values)
	if err != nil {
		return err
	}
	if c.Seq != l.at.seq+1 || c.Prev != l.at.head {
		return errResync{reason: ResyncGap}
	}
	l.at.seq, l.at.head, l.at.stream = c.Seq, c.Head, message.ID
	return l.apply(c, message.ID)
}

// streamTime returns when Redis wrote the entry with this id ("<ms>-<n>").
func streamTime(id string) (time.Time, bool) {
	text, _, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms), err == nil
}
