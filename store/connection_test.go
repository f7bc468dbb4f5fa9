package store

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// TestCertificatesAreReadAgain: they are replaced while we run, the authority, too.
func TestCertificatesAreReadAgain(t *testing.T) {
	t.Parallel()
	files := redistest.NewCertificates(t)
	server := redistest.Start(t, redistest.WithTLS(files))
	s := open(t, Config{Redis: redisconn.Server{
		URLs: []string{server.URL()}, TLSCA: files.CA, TLSCert: files.ClientCert, TLSKey: files.ClientKey,
	}})
	c, token := mint(t, s, callbackSpec())
	operator := server.Client().Conn() // one connection, made before
	defer operator.Close()
	files.Replace(t, redistest.NewCertificates(t))
	for _, command := range [][]any{
		{"CONFIG", "SET", "tls-ca-cert-file", files.CA, "tls-cert-file", files.ServerCert, "tls-key-file", files.ServerKey},
		{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"},
	} {
		if err := operator.Do(t.Context(), command...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	awaitProof(t, s)
	revoke(t, s, c)
	wantStanding(t, s, token, keyring.Revoked)
}

// TestTLSServerName: a server that is addressed by another name than its certificate has.
func TestTLSServerName(t *testing.T) {
	t.Parallel()
	files := redistest.NewCertificates(t, "redis.internal")
	server := redistest.Start(t, redistest.WithTLS(files))
	config := Config{Redis: redisconn.Server{
		URLs: []string{server.URL()}, TLSCA: files.CA, TLSCert: files.ClientCert, TLSKey: files.ClientKey, TLSServerName: "redis.internal",
	}}
	mint(t, open(t, config), callbackSpec())
	for _, name := range []string{"", "redis.example"} {
		config.Redis.TLSServerName = name
		s := newStore(t, config)
		if err := s.Start(Tuning{Logger: testLog(t)}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Mint(t.Context(), callbackSpec()); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

// fillPool leaves as many connections idle as a store keeps for commands.
func fillPool(t *testing.T, s *Store) {
	t.Helper()
	for range redisconn.CommandConnections {
		conn := node(t, s.opened.Load()).Conn()
		defer conn.Close()
		if err := conn.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestForgottenConnections: a firewall has forgotten every one that waits in the pool, and
// no operator notices more than a delay.
func TestForgottenConnections(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"is silent", "is closed"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			proxy := redistest.NewProxy(t, server)
			s := open(t, Config{Redis: redisconn.Server{URLs: []string{proxy.URL()}}})
			c, token := mint(t, s, callbackSpec())
			fillPool(t, s)
			if end == "is silent" {
				proxy.BlackHole()
			} else {
				proxy.Cut()
			}
			proxy.Restore()
			_, another := mint(t, s, callbackSpec())
			revoke(t, s, c)
			wantStanding(t, s, token, keyring.Revoked)
			wantStanding(t, s, another, keyring.Live)
			awaitProof(t, s)
		})
	}
}

// TestClusterWithoutHosts: nodes that do not tell where they are reached are where they
// were asked.
func TestClusterWithoutHosts(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, "{hookgate}")
	for _, s := range append(cluster.Masters, cluster.Replica) {
		if err := s.Client().ConfigSet(t.Context(), "cluster-preferred-endpoint-type", "unknown-endpoint").Err(); err != nil {
			t.Fatal(err)
		}
	}
	config := Config{Redis: redisconn.Server{Topology: redisconn.Cluster, URLs: cluster.URLs()}}
	s := open(t, config)
	c, token := mint(t, s, callbackSpec())
	revoke(t, s, c)
	wantStanding(t, s, token, keyring.Revoked)
	findings := offline(t, config, 0).Check(t.Context())
	if problems := found(findings, SeverityProblem); len(problems) != 1 || problems["persistence"] == "" {
		t.Errorf("%v", problems)
	}
	slot, err := cluster.Owner.Client().ClusterKeySlot(t.Context(), s.keys.meta()).Result()
	if err != nil || int(slot) != redisconn.Slot(s.keys.meta()) {
		t.Errorf("slot %d, %v", slot, err)
	}
}
