package signin

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
)

// session is what the cookie of somebody who is signed in holds.
type session struct {
	ID      string      `json:"id"`
	Subject string      `json:"sub,omitempty"`
	Role    bearer.Role `json:"role"`
	// Tenants are as the id token spelled them.
	Tenants []string `json:"tenants"`
	Begun   int64    `json:"begun"` // Unix seconds
	Seen    int64    `json:"seen"`  // the last request, roughly
}

// begin begins the session of somebody who has signed in.
func (s *SignIn) begin(w http.ResponseWriter, at site, who bearer.Identity) *Failure {
	now := s.config.Now().Unix()
	begun := session{ID: randomText(), Subject: who.Subject, Role: who.Role, Begun: now, Seen: now}
	for _, t := range who.Tenants {
		begun.Tenants = append(begun.Tenants, t.As.Of(t.Tenant))
	}
	value, err := s.sealed(sessionPurpose, &begun)
	switch {
	case err != nil:
		return s.internal(err)
	case len(at.sessionCookie)+len(value) > maxCookie:
		return fail(problem.SignInLarge)
	}
	s.set(w, at.sessionCookie, value, at, http.SameSiteStrictMode, 0)
	return nil
}

// Identify returns who is signed in by the cookie of a request, if there is one. It
// keeps the session awake.
func (s *SignIn) Identify(w http.ResponseWriter, r *http.Request) (who bearer.Identity, present bool, refusal *bearer.Refusal) {
	at, ours := s.site(r)
	if !ours || len(r.CookiesNamed(at.sessionCookie)) == 0 {
		return bearer.Identity{}, false, nil
	}
	current, ok := s.session(r, at)
	if !ok {
		s.clear(w, at.sessionCookie, at, http.SameSiteStrictMode)
		return bearer.Identity{}, true, &bearer.Refusal{Reason: bearer.SessionOver}
	}
	if !at.allows(r) {
		return bearer.Identity{}, true, &bearer.Refusal{Reason: bearer.CrossSite}
	}
	who = bearer.Identity{Subject: current.Subject, Role: current.Role, Until: time.Unix(current.Begun, 0).Add(s.config.Max)}
	for _, text := range current.Tenants {
		tenant, err := bearer.ParseTenant(text)
		if err != nil {
			return bearer.Identity{}, true, &bearer.Refusal{Reason: bearer.SessionOver}
		}
		who.Tenants = append(who.Tenants, bearer.Tenancy{Tenant: tenant, As: credential.SpellingOf(text, tenant)})
	}
	s.keepAwake(w, at, current)
	return who, true, nil
}

// session opens the cookie. Of two cookies of the name one is not ours: none counts.
func (s *SignIn) session(r *http.Request, at site) (session, bool) {
	var current session
	if !s.open(r, at.sessionCookie, sessionPurpose, &current) || s.config.SignedOut.has(current.ID) {
		return session{}, false
	}
	now := s.config.Now()
	over := now.Sub(time.Unix(current.Seen, 0)) >= s.config.Idle || now.Sub(time.Unix(current.Begun, 0)) >= s.config.Max
	return current, !over
}

// wakings is how often in the idle time the cookie is written anew.
const wakings = 30

func (s *SignIn) keepAwake(w http.ResponseWriter, at site, current session) {
	now := s.config.Now()
	if now.Sub(time.Unix(current.Seen, 0)) < s.config.Idle/wakings {
		return
	}
	current.Seen = now.Unix()
	if value, err := s.sealed(sessionPurpose, &current); err == nil { // else the old one goes on
		s.set(w, at.sessionCookie, value, at, http.SameSiteStrictMode, 0)
		w.Header().Set("Cache-Control", "no-store")
	}
}

// Logout ends a session, for every copy of its cookie. It reports whether the request was
// one of our own page.
func (s *SignIn) Logout(w http.ResponseWriter, r *http.Request) *bearer.Refusal {
	at, ours := s.site(r)
	if !ours {
		return nil // there is no session over such a connection
	}
	if !at.allows(r) {
		return &bearer.Refusal{Reason: bearer.CrossSite}
	}
	if current, ok := s.session(r, at); ok {
		s.config.SignedOut.add(current.ID, time.Unix(current.Begun, 0).Add(s.config.Max), s.config.Now())
	}
	s.clear(w, at.sessionCookie, at, http.SameSiteStrictMode)
	return nil
}

// SignedOut are sessions that were ended before their time. It is kept in memory, by the
// process: where several share the seal_key, the others take a copy of the cookie until it
// ends by itself.
type SignedOut struct {
	mu   sync.Mutex
	ends map[string]time.Time // by session, when it would have ended by itself
}

// maxSignedOut bounds them: about 100 bytes each. Beyond it those that end soonest anyway
// are forgotten.
const maxSignedOut = 50_000

// NewSignedOut returns an empty memory.
func NewSignedOut() *SignedOut { return &SignedOut{ends: make(map[string]time.Time)} }

func (o *SignedOut) has(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ended := o.ends[id]
	return ended
}

func (o *SignedOut) add(id string, end, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.ends) >= maxSignedOut {
		o.forget(now)
	}
	o.ends[id] = end
}

// forget drops what has ended by itself, and at least a tenth.
func (o *SignedOut) forget(now time.Time) {
	ends := make([]time.Time, 0, len(o.ends))
	for id, end := range o.ends {
		if end.After(now) {
			ends = append(ends, end)
		} else {
			delete(o.ends, id)
		}
	}
	if len(ends) <= maxSignedOut*9/10 {
		return
	}
	slices.SortFunc(ends, time.Time.Compare)
	latest := ends[len(ends)/10]
	for id, end := range o.ends {
		if !end.After(latest) && len(o.ends) > maxSignedOut*9/10 {
			delete(o.ends, id)
		}
	}
}

// sessionPurpose and attemptPurpose keep a cookie from being taken for another.
var (
	sessionPurpose = uuid.NewSHA1(uuid.NameSpaceURL, []byte("hookgate console session"))
	attemptPurpose = uuid.NewSHA1(uuid.NameSpaceURL, []byte("hookgate console attempt"))
)
