package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/internal/auditchain"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

var tenant = uuid.MustParse("0b5cf6a2-6a3d-4c52-9a2b-2f1d7c9e4a01")

// onEachStore runs a test with a data set in Redis and with an embedded one.
func onEachStore(t *testing.T, test func(*testing.T, *store.Store)) {
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, store.Config{Redis: redisconn.Server{URLs: []string{redistest.Start(t).URL()}}, Namespace: "hookgate"}))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"}))
	})
}

func open(t testing.TB, config store.Config) *store.Store {
	t.Helper()
	s, err := store.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(store.Tuning{UsageFlush: time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destruct() })
	eventually(t, "the keyring is loaded", func() bool { return s.Stats(time.Now()).Loaded })
	return s
}

var eventually = redistest.Eventually

// sending runs a sink, as a process of its own where process is not "", until stop is called.
func sending(t testing.TB, s *store.Store, c SinkConfig, process string) (r *Runner, stop func()) {
	t.Helper()
	r, err := New(c, 1, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	r.poll, r.standby, r.backoff = time.Millisecond, time.Millisecond, time.Millisecond
	if leased, ok := r.sink.(*leasedSink); ok && process != "" {
		leased.process, leased.lease = process, 300*time.Millisecond
		r.key += process
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	// What happens before the outbox is there is not sent.
	eventually(t, "the outbox is there", func() bool {
		entries, err := s.Outbox(t.Context(), store.OutboxPosition{}, 1)
		return err == nil && len(entries) > 0
	})
	return r, stop
}

// mintAll mints credentials of these labels.
func mintAll(t testing.TB, s *store.Store, labels ...string) {
	t.Helper()
	for _, label := range labels {
		ctx := store.WithOrigin(t.Context(), store.Origin{Actor: "alice"})
		if _, _, err := s.Mint(ctx, credential.Spec{Tenant: tenant, Kind: credential.KindCallback, Label: label}); err != nil {
			t.Fatal(err)
		}
	}
}

// said returns the labels and marks of lines.
func said(t testing.TB, text []byte) (all []string) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var members struct {
			Label, Mark, Tenant, Actor, Action string
			Lost                               uint64
		}
		if err := json.Unmarshal(line, &members); err != nil {
			all = append(all, "torn")
			continue
		}
		if members.Mark == "" && (members.Tenant != tenant.String() || members.Actor != "alice" || members.Action != "mint") {
			t.Errorf("line %s", line)
		}
		all = append(all, members.Label+members.Mark)
	}
	return all
}

// whole checks that lines are a whole chain, of which some may come again.
func whole(t testing.TB, repeats bool, texts ...[]byte) auditchain.Found {
	t.Helper()
	v := auditchain.Verifier{Repeats: repeats}
	for _, text := range texts {
		if err := v.Read(bytes.NewReader(text)); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
	return v.Found
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return text
}

func wantSaid(t testing.TB, text []byte, want ...string) {
	t.Helper()
	if got := said(t, text); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}
