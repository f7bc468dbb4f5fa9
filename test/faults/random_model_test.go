package faults

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
)

// model is what the random run has been told of every token: by acknowledgements alone,
// as an operator would know.
type model struct {
	mu     sync.Mutex
	tokens []*fact

	begin  time.Time
	log    []string
	broken []string
}

// fact is one token.
type fact struct {
	number     int
	name       string
	token      string
	credential credential.Credential
	state      state
	since      time.Time // of the acknowledgement that led to the state
	by         int       // the sidecar that acknowledged it
}

type state int

const (
	live state = iota
	// unsettled: a change is under way, or was not acknowledged: it may have been made,
	// or be made yet.
	unsettled
	revoked
)

func (m *model) note(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, fmt.Sprintf("%9.3fs ", time.Since(m.begin).Seconds())+fmt.Sprintf(format, args...))
}

// breach notes that the guarantee does not hold.
func (m *model) breach(format string, args ...any) {
	m.note("BREACH "+format, args...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = append(m.broken, fmt.Sprintf(format, args...))
}

func (m *model) add(token string, c credential.Credential, by int) *fact {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.tokens)
	f := &fact{number: n, name: fmt.Sprintf("t%d", n), token: token, credential: c, since: time.Now(), by: by}
	m.tokens = append(m.tokens, f)
	return f
}

func (m *model) set(f *fact, to state, by int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.state, f.since, f.by = to, time.Now(), by
}

func (m *model) get(i int) (f *fact, as fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens[i], *m.tokens[i]
}

func (m *model) size() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tokens)
}

func (m *model) intact() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.broken) == 0
}

// tail is the end of the step log.
func (m *model) tail(n int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.log[max(0, len(m.log)-n):], "\n")
}

// judge lets one sidecar decide on one token, and compares with what is known.
func (m *model) judge(n int, s *sidecar, i int) {
	f, before := m.get(i)
	proved := s.proved()
	now := s.now()
	got := s.decideAt(before.token, now)
	_, after := m.get(i)
	if before.state != after.state || before.state == unsettled {
		return
	}
	fresh := proved.After(before.since)
	switch {
	case before.state == revoked && got == guard.Allowed && before.by == n:
		m.breach("sidecar %d accepts %s, which it has itself revoked", n, f.name)
	case before.state == revoked && got == guard.Allowed && fresh:
		m.breach("sidecar %d accepts %s, and was proved fresh %v after its revocation", n, f.name, proved.Sub(before.since))
	case before.state == revoked && got == guard.Allowed && now.Sub(before.since) > s.policy.MaxStaleness:
		m.breach("sidecar %d accepts %s %v after its revocation", n, f.name, now.Sub(before.since))
	case before.state == live && got == guard.Revoked:
		m.breach("sidecar %d takes the live %s for revoked", n, f.name)
	case before.state == live && got == guard.Unknown && (fresh || before.by == n):
		m.breach("sidecar %d does not know the live %s, and was proved fresh %v after it was minted", n, f.name, proved.Sub(before.since))
	case got != guard.Allowed && got != guard.Revoked && got != guard.Unknown && got != guard.Stale:
		m.breach("sidecar %d says %s to %s", n, got, f.name)
	}
}
