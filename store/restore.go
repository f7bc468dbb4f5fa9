package store

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/embedded"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Restore reads a dump into a namespace that has no credentials, and declares a new
// epoch. It returns how many credentials there are. Revoked ones stay revoked.
//
// The epoch comes last: until then sidecars that knew a data set do not take this
// one, and a restore that broke off can simply be run again.
//
// Errors: ErrNotADump, ErrNotEmpty, ErrUnavailable.
func (s *Store) Restore(ctx context.Context, path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return s.RestoreFrom(ctx, file)
}

// RestoreFrom restores the dump that a stream holds.
func (s *Store) RestoreFrom(ctx context.Context, from io.Reader) (int, error) {
	b, err := s.backend()
	if err != nil {
		return 0, err
	}
	dump, err := readDump(from)
	if err != nil {
		return 0, err
	}
	credentials := make([]credential.Credential, 0, len(dump))
	for id, fields := range dump {
		c, err := parseRecord(id, fields)
		if err != nil {
			return 0, fmt.Errorf("credential %s: %w", id, ErrNotADump)
		}
		if text, _ := parseExpiry(fields); text != "" && c.ExpiresAt.Equal(credential.LatestExpiry) && text != redisconn.FormatMillis(c.ExpiresAt) {
			return 0, fmt.Errorf("credential %s: %w: it expires after %s", id, credential.ErrInvalid, credential.LatestExpiry.Format(time.RFC3339))
		}
		credentials = append(credentials, c)
	}
	// What has a successor comes before it: of the two the later one has the client id.
	slices.SortFunc(credentials, func(a, b credential.Credential) int {
		return slices.Compare(b.SupersededBy[:], a.SupersededBy[:])
	})
	err = b.askOnce(ctx, func(node *redis.Client) error {
		if err := s.makeRoom(ctx, node, dump); err != nil {
			return err
		}
		// From now on there are credentials that no ledger entry tells of.
		if err := node.HSet(ctx, s.keys.meta(), metaRestored, "1").Err(); err != nil {
			return unavailable("write the credentials", err)
		}
		for batch := range slices.Chunk(credentials, readBatch) {
			_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i := range batch {
					s.restoreRecord(ctx, p, &batch[i], dump[batch[i].ID])
				}
				return nil
			})
			if err != nil {
				return unavailable("write the credentials", err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if e, ok := b.scripts.(*embedded.DataSet); ok {
		if err := e.Persist(); err != nil {
			return 0, err
		}
	}
	_, err = s.NewEpoch(ctx)
	return len(credentials), err
}

// makeRoom checks that the namespace has no credentials, save those of this dump that a
// restore which broke off has left. Their indexes go: a token that the broken off one
// brought back from an older dump must not stay.
func (s *Store) makeRoom(ctx context.Context, node *redis.Client, dump map[uuid.UUID]map[string]string) error {
	now, _, err := s.follower.probe(ctx, node)
	if err != nil {
		return unavailable("look at the namespace", err)
	}
	found := false
	err = s.eachCredential(ctx, node, func(ids []uuid.UUID) error {
		for _, id := range ids {
			if _, ours := dump[id]; !ours || now.Epoch != "" {
				return ErrNotEmpty
			}
			found = true
		}
		return nil
	})
	if err != nil || !found {
		return err
	}
	_, err = node.Pipelined(ctx, func(p redis.Pipeliner) error {
		for n := range bucketCount {
			p.Del(ctx, s.keys.bucket(n), s.keys.revoked(n))
		}
		for n := range clientBuckets {
			p.Del(ctx, s.keys.clients(n))
		}
		return nil
	})
	return err
}

// restoreRecord writes a record and what follows from it.
func (s *Store) restoreRecord(ctx context.Context, p redis.Pipeliner, c *credential.Credential, fields map[string]string) {
	key := s.keys.record(c.ID)
	p.Del(ctx, key, s.keys.live(c.Tenant)) // counted anew before the next mint
	p.HSet(ctx, key, fields)
	p.ZAdd(ctx, s.keys.tenant(c.Tenant), redis.Z{Score: float64(c.CreatedAt.UnixMilli()), Member: c.ID.String()})
	if !c.RevokedAt.IsZero() {
		p.SAdd(ctx, s.keys.revokedOf(c.Digest), string(c.Digest[:]))
		return
	}
	switch {
	case c.ClientID == "":
	case c.SupersededBy == uuid.Nil:
		p.HSet(ctx, s.keys.client(c.ClientID), c.ClientID, c.ID.String())
	case c.InGrace(s.clock.Now()): // it has the client id unless its successor lives, which comes later
		p.HSet(ctx, s.keys.client(c.ClientID), c.ClientID, c.ID.String())
	}
	op := keyring.DigestOp{Digest: c.Digest, ID: c.ID, Key: keyOf(c)}
	p.HSet(ctx, s.keys.bucketOf(c.Digest), string(c.Digest[:]), keyring.BucketValue(0, op))
}
