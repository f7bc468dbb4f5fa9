package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// mutation is one atomic change: records, and the digests that go with them.
type mutation struct {
	tenant  uuid.UUID
	records []recordWrite
	digests []digestOp
}

// onlyRemoves reports whether m takes digests away and adds none.
func (m mutation) onlyRemoves() bool {
	return !slices.ContainsFunc(m.digests, func(op digestOp) bool { return !op.removed })
}

// recordWrite creates a record (empty version) or changes the one whose version
// still is the given one.
type recordWrite struct {
	id      uuid.UUID
	version string
	set     []string // field, value, ...
	stamps  []string // fields set to the time of the commit
}

// errConflict: a record changed since it was read, or already exists.
var errConflict = errors.New("record changed meanwhile")

// commit runs m as one script, applies it to this process's keyring, and returns
// the time it was committed at. A lost reply is asked for again with the same
// nonce, which the script recognises, so a mutation is never applied twice.
func (s *Store) commit(ctx context.Context, m mutation) (time.Time, error) {
	b, err := s.backend()
	if err != nil {
		return time.Time{}, err
	}
	nonce := randomHex()
	keys, args := s.mutationCall(m, nonce, b.ledgerLength)
	replicas := s.tuning.Load().WaitReplicas
	reply, err := b.scripts.run(ctx, mutateScript, replicas, keys, args)
	if err != nil && outcomeUnknown(err) && ctx.Err() == nil {
		reply, err = b.scripts.run(ctx, mutateScript, replicas, keys, args)
	}
	if redis.IsOOMError(err) && m.onlyRemoves() {
		reply, err = b.scripts.run(ctx, revokeScript, replicas, keys, args)
	}
	replicated := !errors.Is(err, errNotReplicated)
	if err != nil && replicated {
		return time.Time{}, unavailable("commit", err)
	}
	status, fields, err := parseReply(reply)
	if err != nil {
		return time.Time{}, err
	}
	switch status {
	case "OK":
	case "CONFLICT":
		return time.Time{}, errConflict
	case "EPOCH":
		return time.Time{}, fmt.Errorf("%w: Redis holds another data set (epoch) than this process knows", ErrUnavailable)
	default:
		return time.Time{}, fmt.Errorf("%w: the data set in Redis has another schema (%s)", ErrUnavailable, status)
	}
	at, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return time.Time{}, errCorrupt
	}
	seq, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return time.Time{}, errCorrupt
	}
	s.keyring.applyLocal(change{epoch: fields[2], seq: seq, head: nonce, ops: m.digests})
	if !replicated {
		return time.Time{}, ErrNotReplicated
	}
	return time.UnixMilli(at).UTC(), nil
}

// mutationCall lays m out as lua/mutate.lua expects it.
func (s *Store) mutationCall(m mutation, nonce string, ledgerLength int) (keys []string, args []any) {
	keys = []string{s.keys.meta(), s.keys.ledger(), s.keys.tenant(m.tenant)}
	args = []any{s.keyring.knownEpoch(), randomHex(), nonce, ledgerLength}
	args = append(args, len(m.records))
	for _, r := range m.records {
		keys = append(keys, s.keys.record(r.id))
		args = append(args, r.id.String(), r.version, len(r.set)/2)
		for _, v := range r.set {
			args = append(args, v)
		}
		args = append(args, len(r.stamps))
		for _, field := range r.stamps {
			args = append(args, field)
		}
	}
	args = append(args, len(m.digests))
	for _, op := range m.digests {
		keys = append(keys, s.keys.bucketOf(op.digest))
		args = append(args, len(keys), string(op.digest[:]), op.state())
	}
	return keys, args
}

func parseReply(reply any) (status string, fields []string, err error) {
	list, ok := reply.([]any)
	if !ok || len(list) == 0 {
		return "", nil, errCorrupt
	}
	for _, v := range list {
		text, ok := v.(string)
		if !ok {
			return "", nil, errCorrupt
		}
		fields = append(fields, text)
	}
	if fields[0] == "OK" && len(fields) != 4 {
		return "", nil, errCorrupt
	}
	return fields[0], fields[1:], nil
}

// randomHex returns 128 random bits.
func randomHex() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// outcomeUnknown reports whether a script may have run although it returned err.
func outcomeUnknown(err error) bool {
	return !isServerReply(err) && !errors.Is(err, errNotReplicated)
}

// isServerReply reports whether Redis answered with an error, as opposed to a
// connection that broke with the outcome unknown.
func isServerReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// unavailable wraps what Redis or the way to it answered. A network error's text
// begins with addresses, which are for the log and not for an answer; what is left
// still says refused, reset or timed out.
func unavailable(doing string, err error) error {
	var lookup *net.DNSError
	var network *net.OpError
	switch {
	case errors.As(err, &lookup):
		err = errors.New("the address of Redis does not resolve")
	case errors.As(err, &network):
		err = network.Err
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, doing, err)
}
