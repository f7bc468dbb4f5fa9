package mirror

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// standIn answers revocations with a status, and counts them; 0 is no answer.
type standIn struct {
	*httptest.Server
	mu      sync.Mutex
	status  int
	revoked []string // "<id> <Authorization>"
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method != http.MethodDelete {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.revoked = append(s.revoked, r.URL.Path[len(credentialsPath)+1:]+" "+r.Header.Get("Authorization"))
	if s.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(s.status)
}

func (s *standIn) answers(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

func (s *standIn) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	revoked := s.revoked
	s.revoked = nil
	return revoked
}

// watched is a Mirror under a clock of the test, with what it tells.
type watched struct {
	*Mirror
	now              time.Time
	pending, givenUp int
	log              bytes.Buffer
}

func watch(t *testing.T, url string) *watched {
	t.Helper()
	w := &watched{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var err error
	w.Mirror, err = New(Config{
		URL: url, Timeout: 30 * time.Second, Now: func() time.Time { return w.now },
		Pending: func(change int) { w.pending += change }, GivenUp: func() { w.givenUp++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.LogTo(slog.New(slog.NewTextHandler(&w.log, nil)))
	t.Cleanup(w.Close)
	return w
}

// after lets time pass, and what is due be repeated.
func (w *watched) after(t *testing.T, d time.Duration) {
	t.Helper()
	w.now = w.now.Add(d)
	w.RepeatPending(t.Context())
}

func TestPending(t *testing.T) {
	s := newStandIn(t)
	m := watch(t, s.URL)
	by := Caller{Tenant: idB, Authorization: "Bearer secret.of.mine", Until: m.now.Add(time.Hour)}
	m.Later(by, idA)
	if m.after(t, firstWait-1); len(s.take()) != 0 {
		t.Error("it is repeated at once")
	}
	for _, wait := range []time.Duration{1, 2 * firstWait, 4 * firstWait} {
		if m.after(t, wait); len(s.take()) != 1 {
			t.Fatalf("after %v it is not repeated once", wait)
		}
	}
	if m.after(t, firstWait); len(s.take()) != 0 || m.pending != 1 {
		t.Errorf("it is repeated without a pause, or %d are pending", m.pending)
	}
	s.answers(http.StatusNoContent)
	if m.after(t, lastWait); m.pending != 0 || strings.Join(s.take(), "|") != idA.String()+" "+by.Authorization {
		t.Errorf("%d are pending", m.pending)
	}
	if m.after(t, lastWait); len(s.take()) != 0 {
		t.Error("it is repeated after Matcher took it")
	}

	// What is not taken is repeated until the JWT ends; that of whoever asks again counts too.
	s.answers(http.StatusForbidden)
	later := by
	later.Authorization, later.Until = "Bearer another", by.Until.Add(time.Hour)
	m.Later(by, idA)
	m.Later(later, idA)
	m.Later(by, idA)
	m.now = by.Until
	if m.after(t, 0); strings.Join(s.take(), "|") != idA.String()+" "+later.Authorization {
		t.Error("it is not repeated with the JWT that is still valid")
	}
	m.now = later.Until
	if m.after(t, 0); len(s.take()) != 0 || m.pending != 0 || m.givenUp != 1 {
		t.Errorf("the JWT has ended, and %d are pending, %d given up", m.pending, m.givenUp)
	}
	if text := m.log.String(); strings.Contains(text, "secret.of.mine") || strings.Contains(text, "another") || !strings.Contains(text, idA.String()) {
		t.Errorf("the log is %s", text)
	}
}

// TestPendingAnswersAgain: who waits long, since Matcher is long away, does not wait on when
// it is back; who is refused does.
func TestPendingAnswersAgain(t *testing.T) {
	s := newStandIn(t)
	m := watch(t, s.URL)
	by := Caller{Tenant: idB, Authorization: "Bearer jwt", Until: m.now.Add(time.Hour)}
	silent, other := uuid.New(), uuid.New()
	m.Later(by, silent)
	for range 10 {
		m.after(t, lastWait)
	}
	s.take()
	m.Later(by, other)
	s.answers(http.StatusNoContent)
	m.after(t, firstWait) // one that is due is taken
	m.after(t, 0)
	if m.pending != 0 {
		t.Errorf("%d are still pending", m.pending)
	}
}

// TestPendingIsBounded, for each tenant and in all; and a stop says what is left.
func TestPendingIsBounded(t *testing.T) {
	m := watch(t, "http://127.0.0.1:1")
	fill := func(tenant uuid.UUID, n int) (kept int) {
		for range n {
			if m.Later(Caller{Tenant: tenant, Until: m.now.Add(time.Hour)}, uuid.New()) {
				kept++
			}
		}
		return kept
	}
	if kept := fill(idA, maxTenantPending+5); kept != maxTenantPending {
		t.Errorf("%d of one tenant are kept", kept)
	}
	if kept := fill(idB, 1); kept != 1 {
		t.Error("another tenant has no place left")
	}
	for range maxPending / maxTenantPending {
		fill(uuid.New(), maxTenantPending)
	}
	if m.pending != maxPending {
		t.Errorf("%d are pending", m.pending)
	}
	before := m.givenUp
	m.Close()
	if m.pending != 0 || m.givenUp != before+maxPending {
		t.Errorf("after the stop %d are pending, %d given up", m.pending, m.givenUp-before)
	}
	if fill(idB, 1) != 0 {
		t.Error("one is kept after the stop")
	}
}

// TestClosingDoesNotWaitForMatcher: a stop breaks off what is under way.
func TestClosingDoesNotWaitForMatcher(t *testing.T) {
	asked, end := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(asked); <-end }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(end) })
	m, err := New(Config{URL: server.URL, Timeout: time.Hour, Every: time.Millisecond, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	m.Later(Caller{Authorization: "Bearer jwt", Until: time.Now().Add(time.Hour)}, idA)
	<-asked
	m.Close()
}

func TestNew(t *testing.T) {
	for _, url := range []string{"", "matcher:4018", "ftp://matcher", "http://", "http://u:hunter2@matcher", "http://matcher/?a=hunter2", "http://matcher#hunter2"} {
		if _, err := New(Config{URL: url, Timeout: time.Second}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := New(Config{URL: "http://matcher"}); err == nil {
		t.Error("it takes no timeout")
	}
}
