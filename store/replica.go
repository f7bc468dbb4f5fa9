package store

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// errReplicaState: what a replica holds cannot be completed from the ledger of the master.
var errReplicaState = errors.New("the replica holds another data set, or an older state than it began with")

// fillFromReplica reads the snapshot from a replica, so that many processes do not hold
// the master. A replica may be behind, of a history that a failover has ended, or be made
// a replica of another server meanwhile. So each batch of buckets says of which change it
// is, and the master's ledger has to lead from the first of them through all the others.
// What fails here leaves nothing behind.
func (f *follower) fillFromReplica(ctx context.Context, b *backend, s *snapshot) error {
	err := f.tryReplica(ctx, b, s)
	if err != nil {
		s.restart()
	}
	return err
}

func (f *follower) tryReplica(ctx context.Context, b *backend, s *snapshot) error {
	replica, err := f.openReplica(ctx, b)
	if err != nil {
		return err
	}
	defer replica.Close()
	if s.source == fromCopy { // it has a checksum, which the master has told
		return f.readCopy(ctx, replica, s)
	}
	head, err := f.head(ctx, replica)
	if err != nil {
		return err
	}
	if head.Epoch != s.ledger.at.epoch {
		return errReplicaState
	}
	at, err := f.ledgerEnd(ctx, replica, head)
	if err != nil {
		return err
	}
	s.ledger.at = at
	s.links = map[uint64]string{}
	return f.readBuckets(ctx, b, replica, s)
}

func (f *follower) openReplica(ctx context.Context, b *backend) (*redis.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*redisconn.CommandTimeout)
	defer cancel()
	return b.openReplica(ctx)
}

func (f *follower) logReplica(err error) {
	f.store.log().Info("no replica could be read; reading the credentials from the master", "error", err)
}

// head reads the head of the data set on a server that may refuse writes.
func (f *follower) head(ctx context.Context, rdb *redis.Client) (keyring.Meta, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	fields, err := f.askHead(ctx, rdb).Result()
	if err != nil {
		return keyring.Meta{}, err
	}
	return parseHead(fields)
}

// note takes down of which change a batch is. A replica that is given another master may
// fall back, and then still let in what was revoked before the change that it began with.
func (s *snapshot) note(head *redis.SliceCmd) error {
	m, err := parseHead(head.Val())
	if err != nil {
		return err
	}
	begin := s.ledger.at
	if m.Epoch != begin.epoch || m.Seq < begin.seq || m.Seq == begin.seq && m.Head != begin.head {
		return errReplicaState
	}
	if known, ok := s.links[m.Seq]; ok && known != m.Head {
		return errReplicaState
	}
	if m.Seq > begin.seq {
		s.links[m.Seq] = m.Head
	}
	return nil
}

// passed checks an entry of the master's ledger against what the replica has said.
func (s *snapshot) passed(c keyring.Change) error {
	if head, ok := s.links[c.Seq]; ok && head != c.Head {
		return errResync{reason: ResyncFork}
	}
	delete(s.links, c.Seq)
	return nil
}

// restart forgets what was read: it is read from the master now.
func (s *snapshot) restart() {
	s.idx = keyring.NewIndex(s.master.epoch)
	s.ahead = make(map[credential.Digest]uint64)
	s.ledger.at, s.next, s.links = s.master, 0, nil
	if s.source == fromCopy {
		s.copied.hash, s.copied.reader = sha256.New(), keyring.CopyReader{Index: s.idx}
		s.idx.Expect(s.copied.size)
	}
}
