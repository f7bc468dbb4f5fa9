package admin_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
)

// withRate limits and returns a function that moves the clock.
func withRate(limit admin.RateLimit) (option, func(time.Duration)) {
	var mu sync.Mutex
	at := now
	set := func(c *admin.Config) {
		c.RateLimit = limit
		c.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return at
		}
	}
	return set, func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(d)
	}
}

func operatorOf(t testing.TB, tenant uuid.UUID, sub any, role string) string {
	t.Helper()
	return tokenFor(t, jwt.MapClaims{"tenant_id": tenant.String(), "roles": role, "sub": sub})
}

// spend sends requests and expects a status of each.
func (s *server) spend(n, status int, authorization string) {
	s.t.Helper()
	for i := range n {
		a := s.as(authorization, "GET", callbacksPath, "")
		if status == 429 {
			checkProblem(s.t, a, 429, "HKG-2429")
		} else if a.StatusCode != status {
			s.t.Fatalf("request %d: got %d, want %d\n%s", i, a.StatusCode, status, a.body)
		}
	}
}

func TestRateLimit(t *testing.T) {
	for _, c := range []struct {
		limit      admin.RateLimit
		burst      int
		retryAfter string
		wait       time.Duration // until one more is allowed
	}{
		{admin.RateLimit{}, 200, "1", 10 * time.Millisecond},
		{admin.RateLimit{PerSecond: 1}, 2, "1", time.Second},
		{admin.RateLimit{PerSecond: 5, Burst: 1}, 1, "1", 200 * time.Millisecond},
		{admin.RateLimit{PerSecond: 10, Burst: 3}, 3, "1", 100 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(c.limit), func(t *testing.T) {
			limit, later := withRate(c.limit)
			s := newServer(t, limit)
			who := adminOf(t, tenantA)
			s.spend(c.burst, 200, who)
			s.spend(3, 429, who) // refused requests do not put off the next good one
			if got := s.as(who, "GET", callbacksPath, "").Header.Get("Retry-After"); got != c.retryAfter {
				t.Errorf("Retry-After %q", got)
			}
			later(c.wait - time.Millisecond)
			s.spend(1, 429, who)
			later(time.Millisecond)
			s.spend(1, 200, who)
			s.spend(1, 429, who)
			later(30 * time.Minute) // what is not used is not saved up
			s.spend(c.burst, 200, who)
			s.spend(1, 429, who)
		})
	}
}

func TestRateLimitIsBySubjectAndTenant(t *testing.T) {
	limit, _ := withRate(admin.RateLimit{PerSecond: 1, Burst: 2})
	s := newServer(t, limit)
	ann := operatorOf(t, tenantA, "ann", "admin")
	s.spend(2, 200, ann)
	s.spend(1, 429, ann)
	s.spend(1, 429, operatorOf(t, tenantA, "ann", "viewer")) // another token of the same subject
	s.spend(2, 200, operatorOf(t, tenantA, "bob", "admin"))
	s.spend(2, 200, operatorOf(t, tenantB, "ann", "admin"))
	s.spend(2, 200, adminOf(t, tenantA)) // those without a sub share one
	s.spend(1, 429, adminOf(t, tenantA))

	// By nothing that a client can choose.
	r := request("GET", callbacksPath, "")
	r.Header.Set("Authorization", ann)
	r.RemoteAddr = "192.0.2.77:1"
	r.Header.Set("X-Forwarded-For", "192.0.2.78")
	checkProblem(t, s.send(r), 429, "HKG-2429")
}

func TestRateLimitCountsWhatIsRefused(t *testing.T) {
	limit, _ := withRate(admin.RateLimit{PerSecond: 1, Burst: 2})
	s := newServer(t, limit)
	nobody := operatorOf(t, tenantA, "nobody", "intern")
	s.spend(2, 403, nobody)
	s.spend(1, 429, nobody)
	// Whoever cannot prove who they are uses up nobody's share.
	forged := "Bearer " + signed(t, jwt.SigningMethodHS256, claimsWith(jwt.MapClaims{"sub": "ann"}), []byte("another secret of thirty-two byte"))
	s.spend(10, 401, forged)
	s.spend(10, 401, "")
	s.spend(2, 200, operatorOf(t, tenantA, "ann", "admin"))
	// The document and unknown paths need no operator.
	for range 5 {
		s.must(200, nobody, "GET", "/openapi.json", "")
		s.must(404, nobody, "GET", "/nothing", "")
	}
}

// TestRateLimitForgetsTheOldest: ten thousand operators are remembered. They send
// requests that are refused before the store is asked.
func TestRateLimitForgetsTheOldest(t *testing.T) {
	limit, _ := withRate(admin.RateLimit{PerSecond: 1, Burst: 1})
	s := newServerOn(t, fuzzServer(t).store, limit)
	subject := func(i int) string { return operatorOf(t, tenantA, fmt.Sprint(i), "admin") }
	status := func(i int) int { return s.as(subject(i), "DELETE", callbacksPath+"/x", "").StatusCode }
	for i := range 10_000 {
		if got := status(i); got != 422 {
			t.Fatalf("operator %d: %d", i, got)
		}
	}
	if status(0) != 429 || status(9_999) != 429 { // 0 is now the latest
		t.Error("someone was forgotten too early")
	}
	status(10_000)
	if status(1) != 422 || status(0) != 429 {
		t.Error("the wrong one was forgotten")
	}
}

func TestRateLimitOff(t *testing.T) {
	limit, _ := withRate(admin.RateLimit{Off: true})
	newServer(t, limit).spend(500, 200, adminOf(t, tenantA))
}

func TestUnusableRateLimit(t *testing.T) {
	st := newServer(t).store
	for _, limit := range []admin.RateLimit{
		{PerSecond: -1}, {Burst: -1}, {PerSecond: 1, Burst: -1}, {PerSecond: 1_000_001}, {PerSecond: 1, Burst: 10_000_001}, {Off: true, PerSecond: 1},
	} {
		if _, err := admin.New(admin.Config{Store: st, JWT: bearer.Config{Secrets: [][]byte{secret}}, RateLimit: limit}); err == nil {
			t.Errorf("%+v was accepted", limit)
		}
	}
}

func TestRefusalsOfOperatorsAreReported(t *testing.T) {
	limit, _ := withRate(admin.RateLimit{PerSecond: 1, Burst: 1})
	s := newServer(t, limit)
	viewer := viewerOf(t, tenantA)
	s.must(403, viewer, "POST", callbacksPath, `{}`)
	s.must(429, viewer, "GET", callbacksPath, "")
	s.must(401, "", "GET", callbacksPath, "")
	for _, want := range []string{
		"status=403 code=HKG-2403 operation=mintCallbackCredential client_ip=192.0.2.1 tenant=" + tenantA.String(),
		"status=429 code=HKG-2429 operation=listCallbackCredentials client_ip=192.0.2.1 tenant=" + tenantA.String(),
		"status=401 code=HKG-2401 operation=listCallbackCredentials client_ip=192.0.2.1",
	} {
		if n := strings.Count(s.log.String(), want+"\n"); n != 1 {
			t.Errorf("%s: %d times in %s", want, n, s.log)
		}
	}
	if n := strings.Count(s.log.String(), "msg=refused"); n != 3 {
		t.Errorf("%d refusals in %s", n, s.log)
	}
}
