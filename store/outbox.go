package store

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
)

// OutboxPosition is that of an entry in the outbox: the id by which it is found, and its
// number, by which one sees that none is missing. The zero value is before the first.
type OutboxPosition struct {
	ID     string
	Number uint64
}

// OutboxEntry is an entry of some tenant's audit log that waits for the sinks.
type OutboxEntry struct {
	OutboxPosition
	AuditEntry
	// Begun: the outbox began here; there is no entry.
	Begun bool
	// Unreadable: there is an entry, but nobody can tell what it says.
	Unreadable bool
}

// Outbox returns the entries of all tenants behind a position, oldest first, count at most.
// It makes the outbox where there is none: what happens from then on is in it, in an order
// that is that of each tenant. Errors: ErrUnavailable.
func (s *Store) Outbox(ctx context.Context, after OutboxPosition, count int) ([]OutboxEntry, error) {
	b, err := s.backend()
	if err != nil {
		return nil, err
	}
	from := "-"
	if after.ID != "" {
		from = after.ID // and that one itself, where it still is
	}
	messages, err := s.readStream(ctx, b, func(node *redis.Client) *redis.XMessageSliceCmd {
		return node.XRangeN(ctx, s.keys.outbox(), from, "+", int64(count)+1)
	})
	if err != nil {
		return nil, err
	}
	if len(messages) == 0 {
		if _, err := b.scripts.Run(ctx, outboxScript, 0, []string{s.keys.outbox()}, nil); err != nil {
			return nil, unavailable("make the outbox", err)
		}
		return nil, nil
	}
	if messages[0].ID == after.ID {
		messages = messages[1:]
	}
	entries := make([]OutboxEntry, 0, len(messages))
	for _, message := range messages[:min(len(messages), count)] {
		entries = append(entries, s.parseOutbox(message))
	}
	return entries, nil
}

func (s *Store) parseOutbox(message redis.XMessage) OutboxEntry {
	text := func(field string) string {
		value, _ := message.Values[field].(string)
		return value
	}
	entry := OutboxEntry{OutboxPosition: OutboxPosition{ID: message.ID}, Begun: text("o") != ""}
	var err error
	if entry.Number, err = strconv.ParseUint(text("n"), 10, 64); err != nil || entry.Begun {
		entry.Unreadable = err != nil
		return entry
	}
	tenant, err := uuid.Parse(text("t"))
	message.ID = text("i")
	if err == nil {
		entry.AuditEntry, err = parseAudit(tenant, message)
	}
	if entry.Unreadable = err != nil; entry.Unreadable {
		s.log().Error("an entry of the audit log cannot be read, and leaves as unreadable", "entry", entry.OutboxPosition.ID)
	}
	return entry
}

// SinkPlace is how far a sink of the audit log is: the entry of the outbox that it has, and
// the number and hash of its last line.
type SinkPlace struct {
	OutboxPosition
	Seq  uint64
	Hash string
}

// Errors of holding a sink.
var (
	// ErrSinkHeld: another process sends to the sink.
	ErrSinkHeld = errors.New("another process sends to it")
	// ErrSinkLost: another process has come to send to the sink.
	ErrSinkLost = errors.New("another process has come to send to it")
)

const (
	sinkID     = "p"
	sinkNumber = "n"
	sinkSeq    = "s"
	sinkHash   = "x"
)

// HoldSink says that the named process sends to a sink for a while, and returns how far the
// sink is. A lease that is not positive gives the sink up.
//
// Errors: ErrSinkHeld, ErrUnavailable.
func (s *Store) HoldSink(ctx context.Context, sink, process string, lease time.Duration) (SinkPlace, error) {
	return s.runSink(ctx, sink, process, lease)
}

// SaveSink keeps how far a sink is, if the process still holds it, and goes on holding it.
//
// Errors: ErrSinkLost, ErrUnavailable.
func (s *Store) SaveSink(ctx context.Context, sink, process string, lease time.Duration, p SinkPlace) error {
	_, err := s.runSink(ctx, sink, process, lease,
		sinkID, p.ID, sinkNumber, strconv.FormatUint(p.Number, 10), sinkSeq, strconv.FormatUint(p.Seq, 10), sinkHash, p.Hash)
	return err
}

func (s *Store) runSink(ctx context.Context, sink, process string, lease time.Duration, fields ...any) (SinkPlace, error) {
	var place SinkPlace
	b, err := s.backend()
	if err != nil {
		return place, err
	}
	args := append([]any{process, max(lease.Milliseconds(), 0)}, fields...)
	reply, err := b.scripts.Run(ctx, sinkScript, 0, []string{s.keys.sink(sink)}, args)
	if err != nil {
		return place, unavailable("keep how far an audit sink is", err)
	}
	status, found, err := parseReply(reply)
	if err != nil {
		return place, err
	}
	switch status {
	case "HELD":
		return place, ErrSinkHeld
	case "LOST":
		return place, ErrSinkLost
	}
	for ; len(found) >= 2 && err == nil; found = found[2:] {
		switch value := found[1]; found[0] {
		case sinkID:
			place.ID = value
		case sinkNumber:
			place.Number, err = strconv.ParseUint(value, 10, 64)
		case sinkSeq:
			place.Seq, err = strconv.ParseUint(value, 10, 64)
		case sinkHash:
			place.Hash = value
		}
	}
	if err != nil {
		return place, credential.ErrCorrupt
	}
	return place, nil
}

// Shared reports whether other processes can be on the same data set.
func (s *Store) Shared() bool { return s.config.EmbeddedDir == "" }
