package matcher

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// V2 stands in for Matcher 2.x, as 2.1 was seen to answer. It takes callbacks with a JWT,
// and has no receiver for webhooks.
type V2 struct {
	// Secret is AUTH_JWT_SECRET; without it PLUGIN_AUTH_ENABLED is off, and everybody is
	// let in as the default tenant.
	Secret []byte
	// MultiTenant is MULTI_TENANT_ENABLED: a JWT has to name a tenant, in the spelling
	// that Exceptions or Connections have. Otherwise one that has no schema of exactly
	// that name works on the data of DefaultTenant.
	MultiTenant bool
	// Authorise is the authorisation service: what it answers about whether a subject may
	// post callbacks. Without it everybody may.
	Authorise func(subject string) int
	// DispatchLimit is how often a sub may post in a minute, and CallbackLimit
	// CALLBACK_RATE_LIMIT_PER_MIN, how often a tenant's external system may. They are
	// Matcher's defaults where they are zero, and none where they are negative. The minute
	// never ends.
	DispatchLimit, CallbackLimit int
	// Exceptions are those there are, by tenant.
	Exceptions map[string][]string
	// Connections are the config names of the connections there are, by tenant.
	Connections map[string][]string

	deliveries

	state      sync.Mutex
	processed  map[string]string // idempotency key with its scope to the state of its delivery
	dispatched map[string]int    // posts by sub
	called     map[string]int    // callbacks by tenant and external system
	status     map[string]string // of an exception, by tenant and id, since it is no longer OPEN
}

// The states of a delivery.
const (
	pending  = "pending"
	complete = "complete"
)

// Matcher's defaults, and the longest name of an external system that its column takes.
const (
	defaultDispatchLimit = 50
	defaultCallbackLimit = 60
	maxExternalSystem    = 255
)

// idempotencyKey is the pattern of an idempotency key.
var idempotencyKey = regexp.MustCompile(`^[A-Za-z0-9:_-]{1,128}$`)

// ServeHTTP implements http.Handler.
func (m *V2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	exception, isCallback := strings.CutPrefix(r.URL.Path, "/v1/exceptions/")
	exception, hasSuffix := strings.CutSuffix(exception, "/callback")
	switch {
	case r.Method == http.MethodPost && isCallback && hasSuffix && !strings.Contains(exception, "/"):
		m.callback(w, r, exception)
	case r.Method == http.MethodGet && r.URL.Path == "/v1/discovery/connections":
		m.connections(w, r)
	default:
		m.fail(w, http.StatusNotFound, "MTCH-0005", "not found")
	}
}

type callbackRequest struct {
	ExternalSystem  string `json:"externalSystem"`
	ExternalIssueID string `json:"externalIssueId"`
	Status          string `json:"status"`
	Assignee        string `json:"assignee"`
}

func (m *V2) callback(w http.ResponseWriter, r *http.Request, exception string) {
	who, ok := m.enter(w, r)
	if !ok {
		return
	}
	m.state.Lock()
	defer m.state.Unlock()
	m.makeMaps()
	if m.dispatched[who.subject]++; over(m.dispatched[who.subject], m.DispatchLimit, defaultDispatchLimit) {
		m.tooManyDispatched(w)
		return
	}
	id, err := uuid.Parse(exception)
	if err != nil {
		m.fail(w, http.StatusBadRequest, "MTCH-0001", "invalid exception id")
		return
	}
	key := r.Header.Get("X-Idempotency-Key")
	switch {
	case key == "":
		m.fail(w, http.StatusBadRequest, "MTCH-0001", "X-Idempotency-Key header is required")
		return
	case !idempotencyKey.MatchString(key):
		m.fail(w, http.StatusBadRequest, "MTCH-0015", "invalid idempotency key")
		return
	}
	body, err := io.ReadAll(r.Body)
	var callback callbackRequest
	if err != nil || json.Unmarshal(body, &callback) != nil || callback.ExternalSystem == "" || callback.ExternalIssueID == "" || callback.Status == "" ||
		callback.Status == "ASSIGNED" && callback.Assignee == "" {
		m.fail(w, http.StatusBadRequest, "MTCH-0001", "invalid request body")
		return
	}
	system := strings.ToUpper(strings.TrimSpace(callback.ExternalSystem))
	scope := scopeOf(who.tenant, system, id.String(), key)
	switch m.processed[scope] {
	case pending:
		m.fail(w, http.StatusConflict, "MTCH-0018", "a request with this idempotency key is in progress")
		return
	case complete:
		w.Header().Set("X-Idempotency-Replayed", "true")
		writeJSON(w, http.StatusOK, map[string]string{"status": "accepted"})
		return
	}
	bucket := who.tenant + " " + system
	if m.called[bucket]++; over(m.called[bucket], m.CallbackLimit, defaultCallbackLimit) {
		m.fail(w, http.StatusTooManyRequests, "MTCH-0506", "callback rate limit exceeded")
		return
	}
	if !m.has(who.tenant, id.String()) {
		m.fail(w, http.StatusNotFound, "MTCH-0501", "exception not found")
		return
	}
	row := who.tenant + " " + id.String()
	if !reachable(m.status[row], callback.Status) || len(callback.ExternalSystem) > maxExternalSystem {
		m.fail(w, http.StatusInternalServerError, "MTCH-0002", "an unexpected error occurred")
		return
	}
	m.processed[scope], m.status[row] = complete, callback.Status
	m.accept(Delivery{Tenant: who.tenant, Subject: who.subject, Exception: id.String(), IdempotencyKey: key, Body: string(body)})
	writeJSON(w, http.StatusOK, map[string]string{"status": "accepted"})
}

// reachable reports whether an exception gets from one status to another. 2.1 has an
// internal error for what it does not know or allow. That OPEN stays OPEN is assumed.
func reachable(from, to string) bool {
	switch to {
	case "RESOLVED":
		return true
	case "ASSIGNED":
		return from != "RESOLVED"
	case "OPEN":
		return from == "" || from == "OPEN"
	}
	return false
}

// over reports whether a count is over a limit, which is otherwise where it is zero.
func over(count, limit, otherwise int) bool {
	if limit == 0 {
		limit = otherwise
	}
	return limit > 0 && count > limit
}

// tooManyDispatched answers as the limiter in front of all handlers does: its code is a
// number.
func (m *V2) tooManyDispatched(w http.ResponseWriter) {
	m.refuse(http.StatusTooManyRequests)
	w.Header().Set("Retry-After", "57")
	writeJSON(w, http.StatusTooManyRequests, map[string]any{"code": http.StatusTooManyRequests, "title": "rate_limit_exceeded", "message": "rate limit exceeded"})
}

// Begin makes a delivery one that is still being processed: as one that is slow, or that
// was under way when Matcher was killed. Matcher keeps that mark for 300 s, and a restart
// does not take it away; here it stays until End.
func (m *V2) Begin(tenant, system, exception, key string) {
	m.mark(pending, tenant, system, exception, key)
}

// End takes the mark of Begin away: nothing was processed.
func (m *V2) End(tenant, system, exception, key string) {
	m.mark("", tenant, system, exception, key)
}

func (m *V2) mark(state, tenant, system, exception, key string) {
	m.state.Lock()
	defer m.state.Unlock()
	m.makeMaps()
	m.processed[scopeOf(tenant, strings.ToUpper(system), exception, key)] = state
}

func (m *V2) makeMaps() {
	if m.processed == nil {
		m.processed, m.dispatched = make(map[string]string), make(map[string]int)
		m.called, m.status = make(map[string]int), make(map[string]string)
	}
}

func scopeOf(parts ...string) string { return strings.Join(parts, " ") }

func (m *V2) connections(w http.ResponseWriter, r *http.Request) {
	who, ok := m.enter(w, r)
	if !ok {
		return
	}
	type connection struct {
		ID           string `json:"id"`
		ConfigName   string `json:"configName"`
		DatabaseType string `json:"databaseType"`
	}
	list := []connection{}
	for _, name := range m.Connections[who.tenant] {
		list = append(list, connection{uuid.NewString(), name, "POSTGRESQL"})
	}
	writeJSON(w, http.StatusOK, map[string]any{"connections": list})
}

// fail answers as 2.x does, which is no problem document.
func (m *V2) fail(w http.ResponseWriter, status int, code, message string) {
	m.refuse(status)
	writeJSON(w, status, map[string]string{"code": code, "title": http.StatusText(status), "message": message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
