package redistest

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// MoveSlot moves the slot of a key from its owner to another master, key by key, as
// redis-cli --cluster reshard does. midway runs when some keys have gone.
func (c *Nodes) MoveSlot(t testing.TB, key string, to *Server, midway func()) {
	t.Helper()
	ctx := t.Context()
	from := c.Owner
	source, target := from.Client(), to.Client()
	slot, giver, taker := keySlot(t, source, key), nodeID(t, source), nodeID(t, target)
	must(t, target.Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", giver).Err())
	must(t, source.Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", taker).Err())
	const batch = 10
	for first := true; ; first = false {
		keys, err := source.ClusterGetKeysInSlot(ctx, slot, batch).Result()
		must(t, err)
		if len(keys) == 0 {
			break
		}
		args := []any{"MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS"}
		for _, key := range keys {
			args = append(args, key)
		}
		must(t, source.Do(ctx, args...).Err())
		if first {
			midway()
		}
	}
	must(t, target.Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", taker).Err())
	must(t, source.Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", taker).Err())
	c.Owner, c.Replica = to, nil
}

// MovesAtomically reports whether the servers can move all keys of a slot at one moment.
func (c *Nodes) MovesAtomically(t testing.TB) bool {
	t.Helper()
	help := c.Owner.Client().Do(t.Context(), "CLUSTER", "HELP").String()
	return strings.Contains(help, "MIGRATESLOTS") || strings.Contains(help, "MIGRATION")
}

// MoveSlotAtomically moves it as Valkey 9.0 and Redis 8.4 can.
func (c *Nodes) MoveSlotAtomically(t testing.TB, key string, to *Server) {
	t.Helper()
	ctx := t.Context()
	source, target := c.Owner.Client(), to.Client()
	slot, taker := keySlot(t, source, key), nodeID(t, target)
	if source.Do(ctx, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", taker).Err() != nil {
		must(t, target.Do(ctx, "CLUSTER", "MIGRATION", "IMPORT", slot, slot).Err())
	}
	to.Await(t, "has the slot", func(rdb *redis.Client) bool {
		for line := range strings.Lines(rdb.ClusterNodes(ctx).Val()) {
			fields := strings.Fields(line)
			if strings.Contains(fields[2], "myself") {
				return len(fields) > 9 // its first range, and the slot
			}
		}
		return false
	})
	c.Owner, c.Replica = to, nil
}

func keySlot(t testing.TB, rdb *redis.Client, key string) int {
	t.Helper()
	slot, err := rdb.ClusterKeySlot(t.Context(), key).Result()
	must(t, err)
	return int(slot)
}

func nodeID(t testing.TB, rdb *redis.Client) string {
	t.Helper()
	id, err := rdb.ClusterMyID(t.Context()).Result()
	must(t, err)
	return id
}
