package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/embedded"
	"github.com/hookgate/hookgate/store/redisconn"
)

// errConflict: a record changed since it was read, or already exists.
var errConflict = errors.New("record changed meanwhile")

var (
	errDigestExists  = errors.New("the digest is in use")
	errDigestRevoked = errors.New("the digest was revoked")
)

// commitOnce runs m as one script, applies it to this process's keyring, and returns
// the time it was committed at. A lost reply is asked for again with the same
// nonce, which the script recognises, so a mutation is never applied twice.
func (s *Store) commitOnce(ctx context.Context, m mutation) (time.Time, error) {
	b, err := s.backend()
	if err != nil {
		return time.Time{}, err
	}
	nonce := randomHex()
	keys, args := s.lay(ctx, m, nonce, b.ledgerLength)
	replicas := s.tuning.Load().WaitReplicas
	if m.here {
		replicas = 0
	}
	reply, err := b.scripts.Run(ctx, mutateScript, replicas, keys, args)
	if err != nil && outcomeUnknown(err) && ctx.Err() == nil {
		reply, err = b.scripts.Run(ctx, mutateScript, replicas, keys, args)
	}
	if redis.IsOOMError(err) && m.urgent() {
		reply, err = b.scripts.Run(ctx, revokeScript, replicas, keys, args)
	}
	if e, ok := b.scripts.(*embedded.DataSet); ok && errors.Is(err, embedded.ErrNoRoom) && m.urgent() {
		reply, err = e.RunUrgent(ctx, mutateScript, keys, args)
	}
	var notReplicated error
	if errors.Is(err, ErrNotReplicated) {
		notReplicated, err = err, nil
	}
	if err != nil {
		return time.Time{}, unavailable("commit", err)
	}
	status, fields, err := parseReply(reply)
	if err != nil {
		return time.Time{}, err
	}
	if status == statusReplay && notReplicated != nil {
		return time.Time{}, notReplicated // it says that something was done
	}
	if status != "OK" {
		return time.Time{}, refusal(status, fields)
	}
	if len(fields) != 3 {
		return time.Time{}, credential.ErrCorrupt
	}
	at, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return time.Time{}, credential.ErrCorrupt
	}
	seq, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return time.Time{}, credential.ErrCorrupt
	}
	s.keyring.ApplyLocal(keyring.Change{Epoch: fields[2], Seq: seq, Head: nonce, Ops: m.digests})
	if notReplicated != nil {
		return time.Time{}, notReplicated
	}
	return time.UnixMilli(at).UTC(), nil
}

// statusReplay is the script's reply to a request that was made before.
const statusReplay = "REPLAY"

// refusal turns a script's reply that nothing was written into an error.
func refusal(status string, fields []string) error {
	switch status {
	case "CONFLICT":
		return errConflict
	case "EXISTS":
		return errDigestExists
	case "REVOKED":
		return errDigestRevoked
	case "TAKEN":
		return ErrClientIDTaken
	case "QUOTA":
		return ErrQuota
	case "COUNT":
		return errUncounted
	case "REUSED":
		return ErrKeyReused
	case statusReplay:
		if len(fields) == 1 {
			if id, err := uuid.Parse(fields[0]); err == nil {
				return &ReplayError{Credential: id}
			}
		}
		return credential.ErrCorrupt
	case "EPOCH":
		return fmt.Errorf("%w: Redis holds another data set (epoch) than this process knows", ErrUnavailable)
	default:
		return fmt.Errorf("%w: the data set in Redis has another schema (%s)", ErrUnavailable, status)
	}
}

func parseReply(reply any) (status string, fields []string, err error) {
	list, ok := reply.([]any)
	if !ok || len(list) == 0 {
		return "", nil, credential.ErrCorrupt
	}
	for _, v := range list {
		text, ok := v.(string)
		if !ok {
			return "", nil, credential.ErrCorrupt
		}
		fields = append(fields, text)
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
	return !redisconn.IsServerReply(err) && !errors.Is(err, ErrNotReplicated)
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
