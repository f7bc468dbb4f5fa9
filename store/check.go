package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/keyring"
)

// Severity says how bad a finding is.
type Severity string

// The severities. A problem breaks a guarantee; a warning weakens one.
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

// Check looks at how the data set is kept: whether Redis can be reached and written
// to, and would lose acknowledged revocations. It uses INFO only, which managed
// services allow, and CONFIG GET where that is permitted.
func (s *Store) Check(ctx context.Context) []Finding {
	b, err := s.backend()
	if err != nil {
		return []Finding{{"redis", SeverityProblem, err.Error()}}
	}
	var findings []Finding
	err = b.ask(ctx, func(node *redis.Client) error {
		m, _, err := s.follower.probe(ctx, node)
		if err != nil {
			return err
		}
		findings = append(findings, Finding{"redis", SeverityOK, "reachable, and takes writes"}, checkDataSet(m), s.checkClock())
		findings = append(findings, s.checkServer(ctx, node)...)
		return nil
	})
	if err != nil {
		// With the address that was tried, which answers to clients leave out.
		findings = append(findings, Finding{"redis", SeverityProblem, fmt.Sprintf("%v: %v", ErrUnavailable, err)})
	}
	return findings
}

// checkServer judges what the server says of itself.
func (s *Store) checkServer(ctx context.Context, node *redis.Client) []Finding {
	info, err := readInfo(ctx, node)
	if err != nil {
		return []Finding{{"info", SeverityWarning, "INFO is not permitted, so persistence, replication and eviction cannot be checked"}}
	}
	return []Finding{checkRole(info), checkReplication(info), checkPersistence(ctx, node, info), checkEviction(info)}
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

// readInfo returns the fields of INFO.
func readInfo(ctx context.Context, node *redis.Client) (map[string]string, error) {
	text, err := node.Info(ctx).Result()
	if err != nil {
		return nil, err
	}
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info, nil
}

func checkRole(info map[string]string) Finding {
	if role := info["role"]; role != "master" {
		return Finding{"role", SeverityProblem, "the server is a " + role}
	}
	return Finding{"role", SeverityOK, "master, version " + info["redis_version"]}
}

// checkReplication: without min-replicas-to-write an isolated master goes on taking
// revocations that a failover then loses.
func checkReplication(info map[string]string) Finding {
	replicas := info["connected_slaves"]
	_, bounded := info["min_slaves_good_slaves"] // present only if both settings are above 0
	switch {
	case replicas == "0":
		return Finding{"replication", SeverityOK, "no replicas"}
	case bounded:
		return Finding{"replication", SeverityOK, replicas + " replicas; an isolated master refuses writes"}
	}
	return Finding{"replication", SeverityWarning, replicas + " replicas, but min-replicas-to-write is 0: a failover can lose acknowledged revocations"}
}

func checkPersistence(ctx context.Context, node *redis.Client, info map[string]string) Finding {
	if info["aof_enabled"] == "1" {
		return Finding{"persistence", SeverityOK, "append-only file"}
	}
	config, err := node.ConfigGet(ctx, "save").Result()
	if err == nil && config["save"] == "" {
		return Finding{"persistence", SeverityProblem, "off: a restart of Redis loses every credential and revocation"}
	}
	return Finding{"persistence", SeverityWarning, "no append-only file: a crash of Redis loses what came after its last snapshot"}
}

func checkEviction(info map[string]string) Finding {
	policy := info["maxmemory_policy"]
	if strings.HasPrefix(policy, "allkeys") {
		return Finding{"eviction", SeverityProblem, policy + ": Redis may drop credentials when it is full; use noeviction"}
	}
	return Finding{"eviction", SeverityOK, policy}
}
