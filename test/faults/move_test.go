package faults

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

func embeddedIn(dir string) setting {
	return func(c *store.Config, _ *store.Tuning) { c.Redis, c.EmbeddedDir = redisconn.Server{}, dir }
}

func offline(_ *store.Config, t *store.Tuning) { t.Offline = true }

// home is a place for a data set.
type home struct {
	name string
	// empty prepares the place, and returns how to open it.
	empty func(*testing.T) (redisconn.Server, []setting)
}

var homes = map[string]home{
	"redis": {"redis", func(t *testing.T) (redisconn.Server, []setting) { return at(redistest.Start(t)), nil }},
	"embedded": {"embedded", func(t *testing.T) (redisconn.Server, []setting) {
		return redisconn.Server{}, []setting{embeddedIn(t.TempDir())}
	}},
}

// TestMove: a data set moves between Redis and the embedded store, while it changes. A
// dump shows one moment: of every credential that is rotated over and over, exactly one
// token is live in it.
func TestMove(t *testing.T) {
	t.Parallel()
	for _, way := range [][2]string{{"embedded", "redis"}, {"redis", "embedded"}, {"redis", "redis"}} {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			t.Parallel()
			where, settings := homes[way[0]].empty(t)
			source := open(t, where, settings...)
			all := source.fill()
			// Enough for the dump to take several round trips, and to overlap with changes.
			for range 600 {
				source.mint()
			}
			chains, stop := rotateForEver(t, source, 4)
			var file string
			var n int
			for i := range 3 {
				file = filepath.Join(t.TempDir(), "dump")
				var err error
				if n, err = source.Dump(t.Context(), file); err != nil {
					t.Fatalf("dump %d: %v", i, err)
				}
			}
			stop()
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}

			where, settings = homes[way[1]].empty(t)
			target := open(t, where, settings...)
			if got, err := target.Restore(t.Context(), file); err != nil || got != n {
				t.Fatalf("restored %d of %d: %v", got, n, err)
			}
			target.sees("the live token", all.live, guard.Allowed) // a running sidecar takes it
			target.awaitProof()
			target.want("the revoked token", all.revoked, guard.Unknown)
			if target.record(all.revokedOnce).RevokedAt.IsZero() {
				t.Error("the revoked record is not revoked")
			}
			for i, chain := range chains() {
				live := 0
				for _, token := range chain {
					if target.decide(token) == guard.Allowed {
						live++
					}
				}
				if live != 1 {
					t.Errorf("chain %d: %d of its %d tokens are live", i, live, len(chain))
				}
			}
			// Life goes on there.
			_, token := target.mint()
			target.want("a token minted there", token, guard.Allowed)
			target.revoke(all.credential)
			target.want("a token revoked there", all.live, guard.Revoked)
			if _, err := target.Restore(t.Context(), file); !errors.Is(err, store.ErrNotEmpty) {
				t.Errorf("a second restore: %v", err)
			}
			target.want("a token revoked there", all.live, guard.Revoked)
		})
	}
}

// rotationPause keeps the changes during one dump below what the embedded store remembers
// of them, a thousand, on a fast machine as well: beyond that a dump gives up.
const rotationPause = 40 * time.Millisecond

// rotateForEver rotates n credentials until stopped. Each chain holds all tokens that a
// credential ever had, the first included.
func rotateForEver(t *testing.T, s *sidecar, n int) (chains func() [][]string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	tokens := make([][]string, n)
	var rotating sync.WaitGroup
	for i := range n {
		c, token := s.mint()
		tokens[i] = []string{token}
		rotating.Go(func() {
			for ctx.Err() == nil {
				fresh, token, err := s.Rotate(context.Background(), ref(c), store.Rotation{})
				if err != nil {
					t.Errorf("Rotate: %v", err)
					return
				}
				c, tokens[i] = fresh, append(tokens[i], token)
				select {
				case <-ctx.Done():
				case <-time.After(rotationPause):
				}
			}
		})
	}
	return func() [][]string { return tokens }, func() {
		cancel()
		rotating.Wait()
	}
}

// TestDamagedDump: a dump that is not whole restores nothing at all.
func TestDamagedDump(t *testing.T) {
	t.Parallel()
	source := open(t, at(redistest.Start(t)))
	for range 20 {
		source.fill()
	}
	good := filepath.Join(t.TempDir(), "dump")
	if _, err := source.Dump(t.Context(), good); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	server := redistest.Start(t)
	target := launch(t, at(server), offline)
	refused := func(what string, data []byte) {
		t.Helper()
		damaged := filepath.Join(t.TempDir(), "damaged")
		if err := os.WriteFile(damaged, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := target.Restore(t.Context(), damaged); err == nil || n != 0 {
			t.Errorf("%s: restored %d, %v", what, n, err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		refused("truncated", whole[:random.IntN(len(whole))])
		flipped := bytes.Clone(whole)
		flipped[random.IntN(len(flipped))] ^= 1 << random.IntN(8)
		refused("a bit flipped", flipped)
	}
	refused("appended to itself", append(bytes.Clone(whole), whole...))
	refused("empty", nil)
	if n := server.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were written", n)
	}
	if _, err := target.Restore(t.Context(), good); err != nil {
		t.Errorf("the whole one: %v", err)
	}
}

// TestRestoreAfterARestoreThatBrokeOff: what an older dump has left, revoked since, does
// not come back.
func TestRestoreAfterARestoreThatBrokeOff(t *testing.T) {
	t.Parallel()
	source := open(t, at(redistest.Start(t)))
	all := source.fill()
	rotated, rotatedToken := source.mint()
	older, newer := filepath.Join(t.TempDir(), "older"), filepath.Join(t.TempDir(), "newer")
	if _, err := source.Dump(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	source.revoke(all.credential)
	if _, _, err := source.Rotate(t.Context(), ref(rotated), store.Rotation{}); err != nil {
		t.Fatal(err)
	}
	_, fresh := source.mint()
	if _, err := source.Dump(t.Context(), newer); err != nil {
		t.Fatal(err)
	}

	server := redistest.Start(t)
	target := launch(t, at(server), offline)
	brokenOff := func(file string) {
		t.Helper()
		if _, err := target.Restore(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		// The epoch is the last that a restore writes.
		if err := server.Client().Del(t.Context(), "{hookgate}:m").Err(); err != nil {
			t.Fatal(err)
		}
	}
	brokenOff(older)
	if _, err := target.Restore(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	s := open(t, at(server))
	s.want("a token revoked since the older dump", all.live, guard.Unknown)
	s.want("a token rotated since the older dump", rotatedToken, guard.Unknown)
	s.want("a token of the newer dump", fresh, guard.Allowed)

	if err := server.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	brokenOff(newer) // holds credentials that the older one does not know
	if _, err := target.Restore(t.Context(), older); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("an older dump over a newer one: %v", err)
	}
}

// TestRestoreReachesRunningSidecars: the disaster as it happens. Redis is emptied, a
// backup is restored, and every running sidecar takes it, and keeps nothing else.
func TestRestoreReachesRunningSidecars(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a, b := open(t, at(server), bound(3*time.Second)), open(t, at(server), bound(3*time.Second))
	all := a.fill()
	b.sees("the live token", all.live, guard.Allowed)
	operator := launch(t, at(server), offline)
	file := filepath.Join(t.TempDir(), "dump")
	if _, err := operator.Dump(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	_, after := a.mint() // not in the backup
	revokedAfter, revokedToken := all.credential, all.live
	a.revoke(revokedAfter)
	b.sees("the token revoked after the backup", revokedToken, guard.Revoked)
	if err := server.Client().FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*sidecar{a, b} {
		s.sees("a token", after, guard.Stale)
	}
	if _, err := operator.Restore(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*sidecar{a, b} {
		s.sees("a token minted after the backup", after, guard.Unknown)
		s.want("a token revoked before the backup", all.revoked, guard.Unknown)
		// The backup is the operator's word, and knows nothing of this revocation.
		s.want("a token revoked after the backup", revokedToken, guard.Allowed)
	}
	_, token := b.mint()
	a.sees("a token minted after all", token, guard.Allowed)
}
