package matcher

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// V2 stands in for Matcher 2.x. It takes callbacks with a JWT, and has no receiver
// for webhooks.
type V2 struct {
	// Secret is AUTH_JWT_SECRET.
	Secret []byte
	// MultiTenant is MULTI_TENANT_ENABLED: a JWT has to name a tenant.
	MultiTenant bool
	// CallbackLimit is CALLBACK_RATE_LIMIT_PER_MIN, per external system; zero for none.
	// Its minute never ends.
	CallbackLimit int
	// Exceptions are those there are, by tenant.
	Exceptions map[string][]string
	// Connections are the config names of the connections there are, by tenant.
	Connections map[string][]string

	deliveries

	state     sync.Mutex
	processed map[string]string // idempotency key with its scope to the state of its delivery
	used      map[string]int    // callbacks by external system
}

// The states of a delivery.
const (
	pending  = "pending"
	complete = "complete"
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
	who, ok := m.identify(w, r)
	if !ok {
		return
	}
	id, err := uuid.Parse(exception)
	if err != nil {
		m.fail(w, http.StatusBadRequest, "MTCH-0001", "invalid exception id")
		return
	}
	key := r.Header.Get("X-Idempotency-Key")
	if !idempotencyKey.MatchString(key) {
		m.fail(w, http.StatusBadRequest, "MTCH-0015", "X-Idempotency-Key header is required")
		return
	}
	body, err := io.ReadAll(r.Body)
	var callback callbackRequest
	if err != nil || json.Unmarshal(body, &callback) != nil || callback.ExternalSystem == "" || callback.ExternalIssueID == "" || callback.Status == "" {
		m.fail(w, http.StatusBadRequest, "MTCH-0001", "invalid request body")
		return
	}
	system := strings.ToUpper(strings.TrimSpace(callback.ExternalSystem))
	scope := strings.Join([]string{who.tenant, system, id.String(), key}, " ")

	m.state.Lock()
	defer m.state.Unlock()
	if m.processed == nil {
		m.processed, m.used = make(map[string]string), make(map[string]int)
	}
	if m.used[system]++; m.CallbackLimit > 0 && m.used[system] > m.CallbackLimit {
		w.Header().Set("Retry-After", "60")
		m.fail(w, http.StatusTooManyRequests, "MTCH-0506", "callback rate limit exceeded")
		return
	}
	switch m.processed[scope] {
	case pending:
		m.fail(w, http.StatusConflict, "MTCH-0504", "callback in progress")
		return
	case complete:
		w.Header().Set("X-Idempotency-Replayed", "true")
		writeJSON(w, http.StatusOK, map[string]string{"status": "accepted"})
		return
	}
	switch {
	case !slices.Contains(m.Exceptions[who.tenant], id.String()):
		m.fail(w, http.StatusNotFound, "MTCH-0501", "exception not found")
		return
	case callback.Status != "RESOLVED" && (callback.Status != "ASSIGNED" || callback.Assignee == ""):
		m.fail(w, http.StatusUnprocessableEntity, "MTCH-0503", "invalid state")
		return
	}
	m.processed[scope] = complete
	m.accept(Delivery{Tenant: who.tenant, Subject: who.subject, Exception: id.String(), IdempotencyKey: key, Body: string(body)})
	w.Header().Set("X-Idempotency-Replayed", "false")
	writeJSON(w, http.StatusOK, map[string]string{"status": "accepted"})
}

// Begin makes a delivery one that is still being processed.
func (m *V2) Begin(tenant, system, exception, key string) {
	m.state.Lock()
	defer m.state.Unlock()
	if m.processed == nil {
		m.processed, m.used = make(map[string]string), make(map[string]int)
	}
	m.processed[strings.Join([]string{tenant, strings.ToUpper(system), exception, key}, " ")] = pending
}

func (m *V2) connections(w http.ResponseWriter, r *http.Request) {
	who, ok := m.identify(w, r)
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

func (m *V2) identify(w http.ResponseWriter, r *http.Request) (caller, bool) {
	who, status := identify(r, m.Secret, m.MultiTenant)
	switch status {
	case 0:
		return who, true
	case http.StatusForbidden:
		m.fail(w, status, "MTCH-0004", "tenant claim required")
	default:
		m.fail(w, status, "MTCH-0003", "invalid authorization token")
	}
	return caller{}, false
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
