package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// The copy of the keyring that one sidecar leaves in Redis for the others, see
// lua/herd.lua. With 100 000 credentials Redis takes 2 ms to hand it out, where the
// digest buckets take 22.
const (
	// chunkSize, with what Redis adds, fits 64 KiB, a size that its allocator has.
	chunkSize = 60_000
	// chunkBatch is how many go in one round trip.
	chunkBatch = 4
)

// errUselessCopy: the copy is gone, or not what it says.
var errUselessCopy = errors.New("the copy of the keyring cannot be used")

// copied is a copy as its fields in Redis describe it.
type copied struct {
	id     string
	at     position // up to which change it is complete
	chunks int
	sum    string // SHA-256 of its chunks, in hex
	size   int    // credentials
	hash   hash.Hash
	reader keyring.CopyReader
}

// useCopy reads the snapshot from the copy with these fields, which lua/herd.lua lists.
func (s *snapshot) useCopy(fields []string) error {
	if len(fields) != 9 {
		return credential.ErrCorrupt
	}
	seq, err1 := strconv.ParseUint(fields[3], 10, 64)
	chunks, err2 := strconv.Atoi(fields[6])
	size, err3 := strconv.Atoi(fields[8])
	if errors.Join(err1, err2, err3) != nil {
		return credential.ErrCorrupt
	}
	s.source = fromCopy
	s.copied = copied{
		id: fields[0], at: position{epoch: fields[2], seq: seq, head: fields[4], stream: fields[5]},
		chunks: chunks, sum: fields[7], size: size,
		hash: sha256.New(), reader: keyring.CopyReader{Index: s.idx},
	}
	s.idx.Expect(size)
	return nil
}

func chunkField(id string, n int) string { return fmt.Sprintf("%s:%d", id, n) }

// readCopy reads the chunks of a copy from the next one on.
func (f *follower) readCopy(ctx context.Context, node *redis.Client, s *snapshot) error {
	c := &s.copied
	for s.next < c.chunks {
		reads := make([]*redis.StringCmd, min(chunkBatch, c.chunks-s.next))
		err := s.roundTrip(ctx, node, func(ctx context.Context, p redis.Pipeliner) {
			for i := range reads {
				reads[i] = p.HGet(ctx, f.store.keys.copy(), chunkField(c.id, s.next+i))
			}
		})
		if errors.Is(err, redis.Nil) {
			return errUselessCopy
		}
		if err != nil {
			return err
		}
		for _, read := range reads {
			c.hash.Write([]byte(read.Val()))
			if c.reader.Read(read.Val()) != nil {
				return errUselessCopy
			}
		}
		s.next += len(reads)
	}
	if hex.EncodeToString(c.hash.Sum(nil)) != c.sum {
		return errUselessCopy
	}
	return nil
}

// holdTurn says once a second that this sidecar still makes the copy.
func (f *follower) holdTurn(ctx context.Context, b *backend, s *snapshot) {
	if s.lead == "" || time.Since(s.held) < time.Second {
		return
	}
	s.held = time.Now()
	if reply, err := f.askHerd(ctx, b, "hold", s.lead); err != nil || reply.word != "ok" {
		s.lead = ""
	}
}

// leaveCopy writes a copy for the others. They wait for it, so where it does not come to
// be they are told.
func (f *follower) leaveCopy(ctx context.Context, b *backend, id string, at position, size int, chunks [][]byte) {
	err := f.writeCopy(ctx, b, id, at, size, chunks)
	if err == nil {
		return
	}
	if ctx.Err() == nil {
		f.store.log().Info("left no copy of the keyring for other processes; each reads for itself", "error", err)
	}
	f.askHerd(ctx, b, "drop", id)
}

var (
	errNoRoom = errors.New("no room for it in Redis, or none that it tells of")
	errLate   = errors.New("it took too long, another process makes one")
)

func (f *follower) writeCopy(ctx context.Context, b *backend, id string, at position, size int, chunks [][]byte) error {
	sum, n, bytes := sha256.New(), 0, 0
	for _, chunk := range chunks {
		sum.Write(chunk)
		bytes += len(chunk)
	}
	if err := b.ask(ctx, func(node *redis.Client) error { return hasRoom(ctx, node, bytes) }); err != nil {
		return err
	}
	for batch := range slices.Chunk(chunks, chunkBatch) {
		err := b.askOnce(ctx, func(node *redis.Client) error {
			_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, chunk := range batch {
					p.HSet(ctx, f.store.keys.copy(), chunkField(id, n), chunk)
					n++
				}
				return nil
			})
			return err
		})
		if err != nil {
			return err
		}
		if n%64 == 0 {
			if reply, err := f.askHerd(ctx, b, "hold", id); err != nil || reply.word != "ok" {
				return errors.Join(err, errLate)
			}
		}
	}
	reply, err := f.askHerd(ctx, b, "done", id, "format", keyring.CopyFormat, "epoch", at.epoch, "seq", at.seq, "head", at.head,
		"stream", at.stream, "chunks", n, "sum", hex.EncodeToString(sum.Sum(nil)), "size", size)
	if err == nil && reply.word != "ok" {
		err = errLate
	}
	return err
}

// hasRoom keeps a copy from filling a Redis of bounded memory, where a mint then fails.
func hasRoom(ctx context.Context, node *redis.Client, bytes int) error {
	info, err := redisconn.ReadInfo(ctx, node, "memory")
	if err != nil {
		return errNoRoom
	}
	limit, err1 := strconv.Atoi(info["maxmemory"])
	used, err2 := strconv.Atoi(info["used_memory"])
	if errors.Join(err1, err2) != nil || limit > 0 && used+2*bytes > limit/10*9 {
		return errNoRoom
	}
	return nil
}
