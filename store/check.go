package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Severity says how bad a finding is.
type Severity string

// The severities. A problem breaks a guarantee; a warning weakens one, or says what
// could not be looked at.
const (
	SeverityOK      Severity = "ok"
	SeverityWarning Severity = "warning"
	SeverityProblem Severity = "problem"
)

// Finding is the result of one check.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"`
}

// maxClockOffset is how far the clocks of this machine and of Redis may be apart.
// Nothing breaks beyond it, since expiry is judged by Redis' clock, but one of the
// two is wrong.
const maxClockOffset = time.Second

// Check looks at how the data set is kept: whether Redis can be reached, takes every
// command and script of ours, and would lose acknowledged revocations. Changes are tried
// beside the data set, under keys that are deleted again. What it may not look at, or
// does not know, is a warning.
func (s *Store) Check(ctx context.Context) []Finding {
	b, err := s.backend()
	if err != nil {
		return []Finding{{"redis", SeverityProblem, err.Error()}}
	}
	var findings []Finding
	err = b.askOnce(ctx, func(node *redis.Client) error {
		if s.config.Redis.Topology == redisconn.Cluster {
			findings = append(findings, s.checkSlot(ctx, node)) // first: it may be why the rest fails
		}
		m, _, err := s.follower.probe(ctx, node)
		if err != nil {
			return err
		}
		findings = append(findings, Finding{"redis", SeverityOK, "reachable, and takes writes"}, checkDataSet(m), s.checkClock())
		findings = append(findings, s.checkServer(ctx, node)...)
		findings = append(findings, s.checkCommands(ctx, node), s.checkChanges(ctx))
		if replicas := s.tuning.Load().WaitReplicas; replicas > 0 {
			findings = append(findings, s.checkWait(ctx, replicas))
		}
		return nil
	})
	if err != nil {
		// With the address that was tried, which answers to clients leave out.
		findings = append(findings, Finding{"redis", SeverityProblem, fmt.Sprintf("%v: %v", ErrUnavailable, err)})
	}
	return findings
}

func checkDataSet(m keyring.Meta) Finding {
	if m.Epoch == "" {
		return Finding{"data set", SeverityOK, "the namespace is empty: as it should be on a first start; sidecars that knew credentials answer 503 until those are restored or `hookgate epoch new` is run"}
	}
	return Finding{"data set", SeverityOK, fmt.Sprintf("epoch %.8s, change %d", m.Epoch, m.Seq)}
}

func (s *Store) checkClock() Finding {
	offset := time.Duration(s.clock.Offset.Load()).Round(time.Millisecond)
	f := Finding{"clock", SeverityOK, fmt.Sprintf("Redis is %s ahead of this machine", offset)}
	if offset.Abs() > maxClockOffset {
		f.Severity = SeverityWarning
	}
	return f
}

// checkWait: with wait_replicas and no replica in reach, no change is acknowledged.
func (s *Store) checkWait(ctx context.Context, replicas int) Finding {
	const check = "wait_replicas"
	t := s.trial()
	err := t.opened.Load().ask(ctx, func(node *redis.Client) error {
		defer node.Del(ctx, t.keys.meta())
		if err := node.HSet(ctx, t.keys.meta(), "schema", "1").Err(); err != nil {
			return err
		}
		return t.awaitReplicas(ctx)
	})
	switch {
	case err == nil:
		return Finding{check, SeverityOK, fmt.Sprintf("a write was on %d in time", replicas)}
	case errors.Is(err, ErrWaitRefused):
		return Finding{check, SeverityProblem, fmt.Sprintf("Redis refuses to wait for replicas, so every change is answered 503: %v", err)}
	}
	return Finding{check, SeverityProblem, fmt.Sprintf("it is %d, and a write was not on so many replicas within %v, so every change is answered 503: %v", replicas, replicaTimeout, err)}
}
