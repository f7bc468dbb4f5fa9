package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/redisconn"
)

// checkServer judges what the server says of itself in INFO, and in CONFIG GET where
// that is permitted: managed services mostly refuse it.
func (s *Store) checkServer(ctx context.Context, node *redis.Client) []Finding {
	info, err := redisconn.ReadInfo(ctx, node)
	if err != nil {
		return []Finding{{"info", SeverityWarning, "INFO is not permitted, so version, persistence, replication and eviction cannot be checked"}}
	}
	var save *string
	if config, err := node.ConfigGet(ctx, "save").Result(); err == nil {
		if value, told := config["save"]; told {
			save = &value
		}
	}
	return []Finding{
		checkRole(info), checkVersion(redisconn.ProductOf(info)), checkReplication(info), checkPersistence(info, save), checkEviction(info),
	}
}

func checkRole(info map[string]string) Finding {
	switch role := info["role"]; role {
	case "master":
		return Finding{"role", SeverityOK, role}
	case "":
		return Finding{"role", SeverityWarning, "INFO does not say whether the server is a master"}
	default:
		return Finding{"role", SeverityProblem, "the server is a " + role}
	}
}

func checkVersion(p redisconn.Product) Finding {
	if err := p.TooOld(); err != nil {
		return Finding{"version", SeverityProblem, err.Error()}
	}
	if !p.Tested() {
		return Finding{"version", SeverityWarning, p.String() + ": Hookgate is tested with Redis and Valkey"}
	}
	return Finding{"version", SeverityOK, p.String()}
}

// checkReplication: without min-replicas-to-write an isolated master goes on taking
// revocations that a failover then loses.
func checkReplication(info map[string]string) Finding {
	replicas, err := strconv.Atoi(info["connected_slaves"])
	_, bounded := info["min_slaves_good_slaves"] // present only if both settings are above 0
	switch {
	case err != nil:
		return Finding{"replication", SeverityWarning, "INFO does not say how many replicas there are"}
	case replicas == 0:
		return Finding{"replication", SeverityOK, "no replicas"}
	case bounded:
		return Finding{"replication", SeverityOK, fmt.Sprintf("%d replicas; an isolated master refuses writes", replicas)}
	}
	return Finding{"replication", SeverityWarning, fmt.Sprintf("%d replicas, but min-replicas-to-write is 0: a failover can lose acknowledged revocations", replicas)}
}

// checkPersistence takes the setting save, nil where it is not told.
func checkPersistence(info map[string]string, save *string) Finding {
	const check = "persistence"
	switch {
	case info["aof_enabled"] == "1":
		return Finding{check, SeverityOK, "append-only file"}
	case save == nil:
		return Finding{check, SeverityWarning, "no append-only file, and whether there are snapshots cannot be seen, since CONFIG is not permitted. That is normal for a managed service: its own documentation says what a restart loses"}
	case *save == "":
		return Finding{check, SeverityProblem, "off: a restart of Redis loses every credential and revocation"}
	}
	return Finding{check, SeverityWarning, "no append-only file: a crash of Redis loses what came after its last snapshot"}
}

// checkEviction: none of our keys has a TTL, so volatile-* leaves them alone.
func checkEviction(info map[string]string) Finding {
	const check = "eviction"
	switch policy := info["maxmemory_policy"]; {
	case policy == "":
		return Finding{check, SeverityWarning, "INFO does not say what Redis drops when it is full; it must not drop keys without a TTL"}
	case strings.HasPrefix(policy, "allkeys"):
		return Finding{check, SeverityProblem, policy + ": Redis may drop credentials when it is full; use noeviction"}
	case policy == "noeviction", policy == "volatile-lru", policy == "volatile-lfu", policy == "volatile-random", policy == "volatile-ttl":
		return Finding{check, SeverityOK, policy}
	default:
		return Finding{check, SeverityWarning, policy + ": not known; Redis must not drop keys without a TTL when it is full"}
	}
}
