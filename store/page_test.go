package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store/redisconn"
)

// atTime runs scripts at times that a test chooses, past the journal of an embedded store.
type atTime struct {
	server redisconn.Conn
	now    func() int64 // ms
}

func (a atTime) Run(ctx context.Context, script redisconn.Script, replicas int, keys []string, args []any) (any, error) {
	node, err := a.server.Node(ctx)
	if err != nil {
		return nil, err
	}
	return serverScripts{}.runScript(ctx, node, script, replicas, keys, append([]any{a.now()}, args...))
}

// at makes the store's scripts run at a time, until the function it returns is called.
func (s *Store) at(now func() int64) (back func()) {
	before := s.opened.Load()
	b := *before
	b.scripts = atTime{b.commands, now}
	s.opened.Store(&b)
	return func() { s.opened.Store(before) }
}

// pages reads a list to its end.
func pages(t testing.TB, s *Store, q Query, between func()) (all []uuid.UUID, sizes []int) {
	t.Helper()
	for {
		page, next, err := s.Page(t.Context(), tenant, q)
		if err != nil {
			t.Fatalf("Page: %v", err)
		}
		all, sizes = append(all, ids(page)...), append(sizes, len(page))
		if next == "" {
			return all, sizes
		}
		q.Cursor = next
		between()
	}
}

func nothing() {}

func TestPages(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		if all, sizes := pages(t, s, Query{}, nothing); len(all) != 0 || len(sizes) != 1 {
			t.Errorf("an empty list has %v in %v", all, sizes)
		}
		var want []uuid.UUID
		for range 10 {
			c, _ := mint(t, s, callbackSpec())
			want = slices.Insert(want, 0, c.ID)
		}
		theirs := callbackSpec()
		theirs.Tenant = otherTenant
		mint(t, s, theirs)
		for limit, sizes := range map[int][]int{
			0: {10}, -1: {10}, 1: {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 3: {3, 3, 3, 1}, 5: {5, 5}, 9: {9, 1}, 10: {10}, 11: {10}, MaxPage + 1: {10},
		} {
			all, got := pages(t, s, Query{Limit: limit}, nothing)
			if !slices.Equal(all, want) || !slices.Equal(got, sizes) {
				t.Errorf("limit %d: %v in %v, want %v in %v", limit, all, got, want, sizes)
			}
		}
	})
}

// TestPagesOfOneMillisecond: Redis can start a range at a time only, and an import
// makes many credentials at the same.
func TestPagesOfOneMillisecond(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		now := time.Now().UnixMilli()
		var want []uuid.UUID
		for _, batch := range []struct {
			n  int
			at int64
		}{{3, now - 2}, {2*readBatch + 7, now - 1}, {3, now}} {
			back := s.at(func() int64 { return batch.at })
			for range batch.n {
				c, _ := mint(t, s, callbackSpec())
				want = append(want, c.ID)
			}
			back()
		}
		slices.Reverse(want)
		for _, limit := range []int{2, 100, 400, MaxPage} {
			if all, _ := pages(t, s, Query{Limit: limit}, nothing); !slices.Equal(all, want) {
				t.Errorf("limit %d: %d credentials, or in another order; want %d", limit, len(all), len(want))
			}
		}
	})
}

func TestPagesWhileTheListChanges(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		var made []credential.Credential
		var want []uuid.UUID
		for range 20 {
			c, _ := mint(t, s, callbackSpec())
			made = append(made, c)
			want = slices.Insert(want, 0, c.ID)
		}
		turn := 0
		all, _ := pages(t, s, Query{Limit: 3}, func() {
			mint(t, s, callbackSpec())
			revoke(t, s, made[turn])
			rotate(t, s, made[len(made)-1-turn])
			turn++
		})
		if !slices.Equal(all, want) {
			t.Errorf("got  %v\nwant %v", all, want)
		}
	})
}

func TestPageFilters(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		plain, _ := mint(t, s, callbackSpec())
		webhook, _ := mint(t, s, webhookSpec())
		api, _ := mint(t, s, apiSpec("billing", "one"))
		revoked, _ := mint(t, s, callbackSpec())
		revoke(t, s, revoked)
		spec := callbackSpec()
		spec.Label, spec.ExpiresAt = "", time.Now().Add(-time.Minute)
		expired, _ := mint(t, s, spec)
		old, _ := mint(t, s, callbackSpec())
		fresh, _ := rotateWith(t, s, old, Rotation{Grace: time.Hour})
		used := time.Now()
		s.MarkUsed(plain.ID, used) // not flushed yet
		s.MarkUsed(webhook.ID, used.Add(-time.Hour))
		for name, test := range map[string]struct {
			query Query
			want  []credential.Credential
		}{
			"callback":     {Query{Kind: credential.KindCallback}, []credential.Credential{fresh, old, expired, revoked, plain}},
			"webhook":      {Query{Kind: credential.KindWebhook}, []credential.Credential{webhook}},
			"api":          {Query{Kind: credential.KindAPI}, []credential.Credential{api}},
			"active":       {Query{Status: credential.StatusActive}, []credential.Credential{fresh, api, webhook, plain}},
			"grace":        {Query{Status: credential.StatusGrace}, []credential.Credential{old}},
			"expired":      {Query{Status: credential.StatusExpired}, []credential.Credential{expired}},
			"revoked":      {Query{Status: credential.StatusRevoked}, []credential.Credential{revoked}},
			"label":        {Query{Label: "acme"}, []credential.Credential{fresh, old, revoked, plain}},
			"part":         {Query{Label: "acm"}, nil},
			"in label":     {Query{Search: "CME"}, []credential.Credential{fresh, old, revoked, plain}},
			"in client id": {Query{Search: "illIN"}, []credential.Credential{api}},
			"in vendor":    {Query{Search: "BELVO", Kind: credential.KindWebhook}, []credential.Credential{webhook}},
			"in binding":   {Query{Search: "lvo-m"}, []credential.Credential{webhook}},
			"id":           {Query{Search: strings.ToUpper(plain.ID.String())}, []credential.Credential{plain}},
			"part of id":   {Query{Search: plain.ID.String()[:35]}, nil},
			"in nothing":   {Query{Search: "acme "}, nil},
			"in revoked":   {Query{Search: "acme", Status: credential.StatusRevoked}, []credential.Credential{revoked}},
			"unused":       {Query{UnusedSince: used.Add(-time.Minute)}, []credential.Credential{fresh, old, expired, revoked, api, webhook}},
			"never used":   {Query{UnusedSince: used.Add(-2 * time.Hour)}, []credential.Credential{fresh, old, expired, revoked, api}},
			"not revoked":  {Query{HideRevoked: true, Kind: credential.KindCallback}, []credential.Credential{fresh, old, expired, plain}},
			"all together": {Query{Kind: credential.KindCallback, Status: credential.StatusActive, Label: "acme", UnusedSince: used.Add(time.Minute)}, []credential.Credential{fresh, plain}},
		} {
			for _, limit := range []int{1, 100} {
				test.query.Limit = limit
				if all, _ := pages(t, s, test.query, nothing); !slices.Equal(all, ids(test.want)) {
					t.Errorf("%s: %v, want %v", name, all, ids(test.want))
				}
			}
		}
	})
}

func TestCursorsAreChecked(t *testing.T) {
	onEachBackEnd(t, func(t *testing.T, s *Store) {
		mint(t, s, callbackSpec())
		for _, text := range []string{
			"", "-", "1", "1-", "-1-x", "1-x", "x-" + uuid.NewString(), "1-" + uuid.NewString() + "-", "99999999999999999999-1", "1-18446744073709551616",
			"1-\n", "1-abc", "(1-0", "+", "1-0 1", "1-{" + uuid.NewString() + "}",
		} {
			cursor := encodeCursor(text)
			if text == "" {
				cursor = "!"
			}
			_, _, pageErr := s.Page(t.Context(), tenant, Query{Cursor: cursor})
			_, _, auditErr := s.Audit(t.Context(), tenant, AuditQuery{Cursor: cursor})
			if !errors.Is(pageErr, credential.ErrInvalid) || !errors.Is(auditErr, credential.ErrInvalid) {
				t.Errorf("%q: %v, %v", text, pageErr, auditErr)
			}
		}
		// Another tenant's cursor is a position in time and no more.
		if page, _, err := s.Page(t.Context(), otherTenant, Query{Cursor: listPosition{time.Now().UnixMilli(), uuid.NewString()}.cursor()}); err != nil || len(page) != 0 {
			t.Errorf("%v %v", page, err)
		}
	})
}

// TestQueriesAreBounded: a filter that nothing passes does not read a million
// credentials in one request.
func TestQueriesAreBounded(t *testing.T) {
	t.Parallel()
	s := open(t, backEnds[2].prepare(t))
	fill(t, s, pageReads+readBatch)
	page, next, err := s.Page(t.Context(), tenant, Query{Kind: credential.KindAPI})
	if err != nil || len(page) != 0 || next == "" {
		t.Fatalf("%d credentials, cursor %q, %v", len(page), next, err)
	}
	page, next, err = s.Page(t.Context(), tenant, Query{Kind: credential.KindAPI, Cursor: next})
	if err != nil || len(page) != 0 || next != "" {
		t.Errorf("%d credentials, cursor %q, %v", len(page), next, err)
	}
	all, _ := pages(t, s, Query{Limit: MaxPage}, nothing)
	slices.SortFunc(all, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	if all = slices.Compact(all); len(all) != pageReads+readBatch {
		t.Errorf("%d different credentials in all pages", len(all))
	}
}

// fill writes n credentials of the tenant without ledger or digests.
func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	client := node(t, s.opened.Load())
	now := time.Now().UnixMilli()
	for start := 0; start < n; start += readBatch {
		_, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for i := start; i < min(n, start+readBatch); i++ {
				c, _, err := credential.NewCredential(callbackSpec())
				if err != nil {
					return err
				}
				c.CreatedAt = time.UnixMilli(now + int64(i))
				set := append(recordFields(&c), fieldCreatedAt, redisconn.FormatMillis(c.CreatedAt), fieldVersion, "1")
				p.HSet(t.Context(), s.keys.record(c.ID), set)
				p.ZAdd(t.Context(), s.keys.tenant(tenant), redis.Z{Score: float64(c.CreatedAt.UnixMilli()), Member: c.ID.String()})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
