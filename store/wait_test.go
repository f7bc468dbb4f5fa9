package store

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// replicated is a master with one replica, which can be cut off from it.
type replicated struct {
	master      *redistest.Server
	replication *redistest.Proxy // the replica's way to the master
	// waiting waits for the replica; plain does not.
	waiting, plain *Store
}

func startReplicated(t *testing.T) replicated {
	t.Helper()
	r := replicated{master: redistest.Start(t, redistest.WithArgs("--maxmemory-policy", "noeviction"))}
	r.replication = redistest.NewProxy(t, r.master)
	redistest.Start(t, redistest.ReplicaOf(r.replication.Addr())).AwaitReplica(t)
	config := Config{Redis: redisconn.Server{URLs: []string{r.master.URL()}}}
	r.plain = open(t, config)
	r.waiting = newStore(t, config)
	if err := r.waiting.Start(Tuning{UsageFlush: time.Hour, WaitReplicas: 1, Logger: testLog(t)}); err != nil {
		t.Fatal(err)
	}
	awaitLoaded(t, r.waiting)
	return r
}

// forgetConnections makes every client use a connection that has written nothing.
func (r replicated) forgetConnections(t *testing.T) {
	t.Helper()
	for _, command := range [][]any{{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, {"SCRIPT", "FLUSH"}} {
		if err := r.master.Client().Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatIsDoneIsOnReplicas: no answer that says done, a repeated one neither, comes
// before a replica has what was done, whichever connection it is asked on.
func TestWhatIsDoneIsOnReplicas(t *testing.T) {
	t.Parallel()
	r := startReplicated(t)
	digest := credential.Digest(sha256.Sum256([]byte("imported")))
	revoked, _ := mint(t, r.plain, callbackSpec())
	ended, _ := mint(t, r.plain, callbackSpec())
	old, _ := mint(t, r.plain, callbackSpec())
	retired, _ := mint(t, r.plain, callbackSpec())
	if _, _, err := r.plain.Rotate(t.Context(), ref(retired), Rotation{Grace: time.Hour}); err != nil {
		t.Fatal(err)
	}
	kept, _ := mint(t, r.plain, callbackSpec())

	r.replication.Stall()
	revoke(t, r.plain, revoked)
	made, _, err := r.plain.Mint(repeated(t, "mint", "a"), callbackSpec())
	if err != nil {
		t.Fatal(err)
	}
	fresh, _, err := r.plain.Rotate(repeated(t, "rotate", "a"), ref(old), Rotation{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.plain.Import(t.Context(), callbackSpec(), Foreign{Digest: digest}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.plain.Finish(t.Context(), ref(retired)); err != nil {
		t.Fatal(err)
	}
	wantNil := func(t *testing.T, err error) {
		if err != nil {
			t.Error(err)
		}
	}
	tests := map[string]struct {
		ask  func() error
		then func(*testing.T, error) // looks at the answer when the replica is there again
	}{
		"a revocation that is repeated": {func() error { return r.waiting.Revoke(t.Context(), ref(revoked)) }, wantNil},
		"a revocation whose reply was lost": {func() error {
			r.waiting.loseReplies(1, func() { r.forgetConnections(t) })
			return r.waiting.Revoke(t.Context(), ref(ended))
		}, wantNil},
		"a mint that is repeated": {func() error {
			_, _, err := r.waiting.Mint(repeated(t, "mint", "a"), callbackSpec())
			return err
		}, func(t *testing.T, err error) { wantReplay(t, err, made.ID) }},
		"a rotation that is repeated": {func() error {
			_, _, err := r.waiting.Rotate(repeated(t, "rotate", "a"), ref(old), Rotation{})
			return err
		}, func(t *testing.T, err error) { wantReplay(t, err, fresh.ID) }},
		"an import that is repeated": {func() error {
			_, _, err := r.waiting.Import(t.Context(), callbackSpec(), Foreign{Digest: digest})
			return err
		}, wantNil},
		"the end of a grace that is repeated": {func() error {
			_, err := r.waiting.Finish(t.Context(), ref(retired))
			return err
		}, func(t *testing.T, err error) {
			if !errors.Is(err, ErrNoGrace) {
				t.Error(err)
			}
		}},
		"a mint": {func() error {
			_, _, err := r.waiting.Mint(t.Context(), callbackSpec())
			return err
		}, wantNil},
	}
	for name, test := range tests {
		r.forgetConnections(t)
		if err := test.ask(); !errors.Is(err, ErrNotReplicated) || errors.Is(err, ErrWaitRefused) {
			t.Errorf("%s, without the replica: %v", name, err)
		}
	}
	r.replication.Restore()
	eventually(t, "the replica is back", func() bool { return r.waiting.awaitReplicas(t.Context()) == nil })
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test.then(t, test.ask()) })
	}

	// Full memory holds up no revocation, the first or a repeated one.
	if err := r.master.Client().ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	r.forgetConnections(t)
	for range 2 {
		eventually(t, "the revocation", func() bool { return r.waiting.Revoke(t.Context(), ref(kept)) == nil })
	}
}

// TestRefusedWait: that Redis does not let us wait is not taken for slow replicas.
func TestRefusedWait(t *testing.T) {
	t.Parallel()
	r := startReplicated(t)
	c, _ := mint(t, r.plain, callbackSpec())
	if err := r.master.Client().Do(t.Context(), "ACL", "SETUSER", "default", "-wait").Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := r.waiting.Revoke(t.Context(), ref(c))
		if !errors.Is(err, ErrWaitRefused) {
			t.Errorf("Revoke: %v", err)
		}
	}
	if get(t, r.plain, c).RevokedAt.IsZero() {
		t.Error("it is not revoked")
	}
}
