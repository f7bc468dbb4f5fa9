package store

import (
	"testing"
	"time"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// A failover may lose a revocation that its own sidecar has not even read back from
// the ledger. The chain is intact then, as far as it was followed: the sidecar has to
// notice all the same, or every other one would accept the token for ever.
func TestRevocationLostBeforeItCameBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, other := openOn(t, server), openOn(t, server)
	c, token := mint(t, s, callbackSpec())
	eventually(t, "the other follows", func() bool { return standing(other, token) == keyring.Live })
	awaitProof(t, s)
	// What commit does for a revocation that Redis acknowledged, and then lost.
	key := get(t, s, c)
	s.keyring.ApplyLocal(keyring.Change{
		Epoch: s.keyring.KnownEpoch(), Seq: 2, Head: "acknowledged by the lost master",
		Ops: []keyring.DigestOp{{Digest: key.Digest, Removed: true, ID: c.ID}},
	})
	wantStanding(t, s, token, keyring.Revoked)
	eventually(t, "the revocation is written again", func() bool { return standing(other, token) == keyring.Revoked })
	wantStanding(t, s, token, keyring.Revoked)
	if got := get(t, other, c); got.RevokedAt.IsZero() {
		t.Error("the record is not revoked")
	}
	if n := s.Stats(time.Now()).Resyncs[ResyncFork]; n != 1 {
		t.Errorf("%d resyncs", n)
	}
}

// Connections of the commands that a firewall has forgotten are no reason to doubt the
// keyring, nor are eight operators who wait for replicas.
func TestProofDoesNotQueueBehindCommands(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, Config{Redis: redisconn.Server{URLs: []string{server.URL()}}})
	for range redisconn.CommandConnections {
		conn := node(t, s.opened.Load()).Conn()
		defer conn.Close()
		if err := conn.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	awaitProof(t, s)
	awaitProof(t, s)
	if st := s.Stats(time.Now()); !st.RedisUp {
		t.Errorf("%+v", st)
	}
}
