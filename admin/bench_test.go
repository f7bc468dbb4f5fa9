package admin_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// stores are where the credentials of a benchmark are kept.
var stores = map[string]func(b *testing.B) *store.Store{
	"redis": func(b *testing.B) *store.Store {
		return newStore(b, store.Config{Redis: redisconn.Server{URLs: []string{redistest.Start(b).URL()}}, Namespace: "hookgate"})
	},
	"embedded": func(b *testing.B) *store.Store {
		return newStore(b, store.Config{EmbeddedDir: b.TempDir(), Namespace: "hookgate"})
	},
}

// BenchmarkListPage reads a tenant's 10,000 credentials in pages of 100. Bar: 100 ms
// for each page.
func BenchmarkListPage(b *testing.B) {
	for name, newStore := range stores {
		b.Run(name, func(b *testing.B) {
			s := newServerOn(b, newStore(b))
			for range 10_000 {
				if _, _, err := s.store.Mint(b.Context(), credential.Spec{Tenant: tenantA, Kind: credential.KindCallback, Label: "jira"}); err != nil {
					b.Fatal(err)
				}
			}
			viewer, cursor := viewerOf(b, tenantA), ""
			var times []time.Duration
			for b.Loop() {
				start := time.Now()
				a := s.must(200, viewer, "GET", credentialsPath+"?limit=100"+cursor, "")
				times = append(times, time.Since(start))
				if cursor = a.text(b, "nextCursor"); cursor != "" {
					cursor = "&cursor=" + cursor
				}
			}
			slices.Sort(times)
			for unit, at := range map[string]int{"p50-ms": len(times) / 2, "p99-ms": len(times) * 99 / 100, "slowest-ms": len(times) - 1} {
				b.ReportMetric(float64(times[at].Microseconds())/1000, unit)
			}
		})
	}
}

// BenchmarkMintRequest is a mint with everything around it but the network: the JWT,
// the document's checks, the answer.
func BenchmarkMintRequest(b *testing.B) {
	s := newServerOn(b, stores["redis"](b))
	operator := adminOf(b, tenantA)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest("POST", callbacksPath, strings.NewReader(`{"externalSystem":"jira"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", operator)
			w := httptest.NewRecorder()
			if s.handler.ServeHTTP(w, r); w.Code != 201 {
				b.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}
