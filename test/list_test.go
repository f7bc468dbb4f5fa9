package test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// collections are the two lists that an operator has.
var collections = []struct {
	name, path string
	mint       func(operator, string) credential // a label or a vendor
	inputs     [2]string
}{
	{"callback credentials", callbackCredentials, operator.mintCallback, [2]string{"JIRA", "SERVICENOW"}},
	{"webhook tokens", webhookTokens, operator.mintWebhook, [2]string{"pluggy", "belvo"}},
}

// TestList: what became of a credential is in its list, on whatever store. The package
// admin tests the entries themselves.
func TestList(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr, app: []string{"usage_flush 200ms"}})
		for _, collection := range collections {
			t.Run(collection.name, func(t *testing.T) {
				admin, viewer := g.operator(t, tenantA, "admin"), g.operator(t, tenantA, "viewer")
				before := time.Now().Add(-time.Second)
				first := collection.mint(admin, collection.inputs[0])
				second := collection.mint(admin, collection.inputs[1])
				third := collection.mint(admin, collection.inputs[0])

				wantStatus(t, g.use(t, second), http.StatusOK)
				wantHeader(t, u.one(t), "X-Tenant-Id", tenantA)
				hookgatetest.Eventually(t, "lastUsedAt is in the list", func() bool { return viewer.find(second).LastUsedAt != "" })
				wantTime(t, "lastUsedAt", viewer.find(second).LastUsedAt, before)
				s.wantLastUsed(t, g, second)

				admin.revoke(first)
				fourth := admin.rotate(second)
				list := viewer.list(collection.path)
				wantOrder(t, list, fourth, third, second, first)
				for i, want := range []struct{ used, revoked, rotated bool }{{rotated: true}, {}, {used: true, revoked: true}, {revoked: true}} {
					entry := list[i]
					wantTime(t, "createdAt", entry.CreatedAt, before)
					if (entry.LastUsedAt != "") != want.used || (entry.RevokedAt != "") != want.revoked || (entry.RotatedAt != "") != want.rotated {
						t.Errorf("entry %d: %+v", i, entry)
					}
				}
				for _, entry := range []listed{list[0], list[2]} {
					if entry.Label+entry.Vendor != collection.inputs[1] {
						t.Errorf("named %+v", entry)
					}
				}
				wantTime(t, "revokedAt", list[3].RevokedAt, before)
				wantTime(t, "revokedAt of the rotated", list[2].RevokedAt, before)
				wantTime(t, "rotatedAt of the new", list[0].RotatedAt, before)
				for _, gone := range []credential{first, second} {
					wantProblem(t, admin.do(http.MethodPost, gone.collection+"/"+gone.id+"/rotate", ""), http.StatusConflict, "HKG-2003")
					wantStatus(t, g.use(t, gone), http.StatusUnauthorized)
				}
				for _, live := range []credential{third, fourth} {
					wantStatus(t, g.use(t, live), http.StatusOK)
				}
				u.take()
				for _, c := range []credential{first, second, third, fourth} {
					if strings.Contains(string(viewer.do(http.MethodGet, collection.path, "").body), c.token) {
						t.Error("a token is in the list")
					}
				}
			})
		}
	})
}

// TestTenantsSeeNothingOfEachOther: an id of another tenant is as unknown as one
// that never was.
func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		u := newUpstream(t)
		g := start(t, config{store: s, upstream: u.addr})
		const never = "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
		for _, collection := range collections {
			t.Run(collection.name, func(t *testing.T) {
				a, b := g.operator(t, tenantA, "admin"), g.operator(t, tenantB, "owner")
				theirs := collection.mint(a, collection.inputs[0])
				mine := collection.mint(b, collection.inputs[0])
				wantOrder(t, b.list(collection.path), mine)
				for _, call := range []struct{ method, suffix string }{
					{http.MethodDelete, ""}, {http.MethodPost, "/rotate"},
				} {
					other := b.do(call.method, collection.path+"/"+theirs.id+call.suffix, "")
					wantProblem(t, other, http.StatusNotFound, "HKG-2002")
					unknown := b.do(call.method, collection.path+"/"+never+call.suffix, "")
					if look(other) != look(unknown) {
						t.Errorf("another tenant's id looks different:\n%s\n%s", look(other), look(unknown))
					}
				}
				wantStatus(t, g.use(t, theirs), http.StatusOK)
				wantHeader(t, u.one(t), "X-Tenant-Id", tenantA)
				wantStatus(t, g.use(t, mine), http.StatusOK)
				wantHeader(t, u.one(t), "X-Tenant-Id", tenantB)
				if entry := a.find(theirs); entry.RevokedAt != "" {
					t.Errorf("revoked by another tenant: %+v", entry)
				}
			})
		}
	})
}

// wantLastUsed waits until the last use of a credential is in Redis, and so in what
// every other process and a restart sees. Of an embedded store the journal is asked
// after a kill.
func (s store) wantLastUsed(t *testing.T, g *gate, c credential) {
	t.Helper()
	if s.redis == nil {
		hookgatetest.Eventually(t, "lastUsedAt is written", func() bool {
			return strings.Contains(g.Metrics(t), "hookgate_usage_pending 0\n")
		})
		g.kill()
		g.Restart()
		wantTime(t, "lastUsedAt after a kill", g.operator(t, tenantA, "viewer").find(c).LastUsedAt, time.Now().Add(-time.Hour))
		return
	}
	client := s.redis.Client()
	hookgatetest.Eventually(t, "lastUsedAt is in Redis", func() bool {
		written, err := client.HExists(context.Background(), "{hookgate}:c:"+c.id, "lu").Result()
		if err != nil {
			t.Fatal(err)
		}
		return written
	})
}

func wantOrder(t testing.TB, got []listed, want ...credential) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d entries, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i].ID != want[i].id {
			t.Fatalf("entry %d is %s, want %s: %+v", i, got[i].ID, want[i].id, got)
		}
	}
}

// wantTime checks that a time is RFC 3339 in UTC, after a moment and not to come.
func wantTime(t testing.TB, what, text string, after time.Time) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !strings.HasSuffix(text, "Z") || at.Before(after) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("%s: %q, want a time in UTC since %s", what, text, after)
	}
}
