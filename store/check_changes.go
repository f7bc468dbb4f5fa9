package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// trialTenant is whose credentials are tried.
var trialTenant = uuid.MustParse("00000000-0000-4000-8000-000000000000")

// trial returns a store on a namespace of its own in the slot of s, which nobody follows.
func (s *Store) trial() *Store {
	t := &Store{config: s.config, keys: keyspace{prefix: s.keys.prefix + "check:" + randomHex() + ":"}, clock: s.clock,
		keyring: keyring.New(s.clock), usage: newUsageRecorder(s.clock)}
	tuning := *s.tuning.Load()
	t.tuning.Store(&tuning)
	b := *s.opened.Load()
	t.opened.Store(&b)
	return t
}

// notingKeys runs scripts and notes which keys they may have written.
type notingKeys struct {
	scriptRunner
	keys []string
}

func (n *notingKeys) Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	n.keys = append(n.keys, keys...)
	return n.scriptRunner.Run(ctx, script, replicas, keys, args)
}

// checkChanges runs every script of ours beside the data set: those of audit sinks, a mint, a
// rotation, a use, a refusal, a revocation, the script for one while memory is full, and a new epoch.
func (s *Store) checkChanges(ctx context.Context) Finding {
	const check = "changes"
	t := s.trial()
	t.tuning.Load().WaitReplicas = 0 // which is tried by itself
	b := t.opened.Load()
	noting := &notingKeys{scriptRunner: b.scripts, keys: []string{t.keys.meta()}}
	b.scripts = noting
	clean := func() error {
		return b.ask(ctx, func(node *redis.Client) error { return node.Del(ctx, noting.keys...).Err() })
	}
	if err := clean(); err != nil {
		return Finding{check, SeverityWarning, fmt.Sprintf("not tried, because what was tried could not be deleted again: %v", err)}
	}
	err := errors.Join(t.tryChanges(ctx), clean())
	switch {
	case redis.IsOOMError(err):
		return Finding{check, SeverityProblem, "the memory of Redis is full: nothing but a revocation can be written"}
	case err != nil:
		return Finding{check, SeverityProblem, fmt.Sprintf("a change that was tried beside the data set failed: %v", err)}
	}
	return Finding{check, SeverityOK, "a mint, a rotation and a revocation were tried beside the data set"}
}

// tryChanges makes one change of each kind.
func (s *Store) tryChanges(ctx context.Context) error {
	ctx = WithOrigin(ctx, Origin{Actor: systemActor, IdempotencyKey: "check"})
	spec := credential.Spec{Tenant: trialTenant, Kind: credential.KindAPI, Label: "check", ClientID: "check", SecretHash: credential.Digest{1}}
	if _, err := s.Outbox(ctx, OutboxPosition{}, 1); err != nil {
		return err
	}
	if _, err := s.HoldSink(ctx, "check", "check", time.Second); err != nil {
		return err
	}
	first, _, err := s.Mint(ctx, spec)
	if err != nil {
		return err
	}
	ctx = WithOrigin(ctx, Origin{Actor: systemActor})
	ref := Ref{Tenant: trialTenant, Kind: credential.KindAPI, ID: first.ID}
	second, _, err := s.Rotate(ctx, ref, Rotation{Grace: time.Minute, SecretHash: credential.Digest{2}})
	if err != nil {
		return err
	}
	s.MarkUsed(second.ID, s.clock.Local())
	if err := s.usage.flush(ctx, s.keys, s.opened.Load().scripts); err != nil {
		return err
	}
	if err := s.NoteRefusal(ctx, trialTenant, "check"); err != nil {
		return err
	}
	if err := s.Revoke(ctx, ref); err != nil {
		return err
	}
	if err := s.tryRevokeScript(ctx); err != nil {
		return err
	}
	_, err = s.NewEpoch(ctx)
	return err
}

// tryRevokeScript runs the script that also runs while memory is full, with an epoch
// that it does not find, so that it writes nothing.
func (s *Store) tryRevokeScript(ctx context.Context) error {
	b := s.opened.Load()
	m := mutation{tenant: trialTenant}
	keys, args := s.lay(ctx, m, randomHex(), b.ledgerLength)
	args[0] = "another epoch"
	_, err := b.scripts.Run(ctx, revokeScript, 0, keys, args)
	return err
}

// checkSlot: while the slot of the data set is moved key by key, changes are refused, and
// so is the proof that a keyring is fresh.
func (s *Store) checkSlot(ctx context.Context, node *redis.Client) Finding {
	const check = "slot"
	nodes, err := node.ClusterNodes(ctx).Result()
	if err != nil {
		return Finding{check, SeverityWarning, fmt.Sprintf("whether the slot of the data set is being moved cannot be seen: %v", err)}
	}
	slot := redisconn.Slot(s.keys.meta())
	if redisconn.Moves(nodes, slot) {
		return Finding{check, SeverityWarning, fmt.Sprintf("slot %d, which holds the data set, is being moved key by key: until that has ended every change is answered 503, and after max_staleness every webhook; see Redis Cluster in docs/operations.md", slot)}
	}
	return Finding{check, SeverityOK, fmt.Sprintf("slot %d stays where it is", slot)}
}
