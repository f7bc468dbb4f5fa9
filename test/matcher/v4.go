package matcher

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// V4 stands in for Matcher 4.1. It mints tokens of its own and lets nothing in
// without one.
type V4 struct {
	// Secret verifies operators' JWTs.
	Secret []byte
	// TrustedProxies are the addresses whose X-Forwarded-For is believed. It is taken
	// whole, as Fiber does: a list is no address, and so on no allowlist.
	TrustedProxies []string
	// Providers say how the source of a webhook is checked, beside its token. One that
	// is not here is refused.
	Providers map[string]Provider
	// Aggregators are the aggregator connections, by tenant.
	Aggregators map[string][]Aggregator
	// PageSize is the largest page of a list; zero for 200.
	PageSize int

	deliveries

	// RevokedAgain is the status of revoking what is revoked already: Matcher's document
	// does not say. Zero for 204.
	RevokedAgain int

	state       sync.Mutex
	tokens      map[[sha256.Size]byte]binding
	credentials []*callbackCredential // newest first
	before      func(http.ResponseWriter, *http.Request) bool
	asked       []Asked
}

// Provider is the source check of a provider: by signature where there is a secret,
// and otherwise by address.
type Provider struct {
	AllowIPs []string
	Secret   string
}

// Aggregator is an aggregator connection.
type Aggregator struct {
	Vendor     string `json:"vendor"`
	ConfigName string `json:"configName"`
}

// binding is what a token stands for.
type binding struct {
	tenant, provider, connection string // provider: "" for a callback credential
}

// MintCallback returns a new callback token.
func (m *V4) MintCallback(tenant string) string {
	_, token := m.mintCallback(tenant, "")
	return token
}

// MintWebhook returns a new webhook token.
func (m *V4) MintWebhook(tenant, provider, connection string) string {
	return m.mint(binding{tenant, provider, connection})
}

// mint makes a token. That it is opaque is all that is known of its form.
func (m *V4) mint(b binding) string {
	token := rand.Text()
	m.state.Lock()
	defer m.state.Unlock()
	if m.tokens == nil {
		m.tokens = make(map[[sha256.Size]byte]binding)
	}
	m.tokens[sha256.Sum256([]byte(token))] = b
	return token
}

// Revoke ends a token.
func (m *V4) Revoke(token string) {
	m.state.Lock()
	defer m.state.Unlock()
	delete(m.tokens, sha256.Sum256([]byte(token)))
	for _, c := range m.credentials {
		if c.token == token && c.revoked.IsZero() {
			c.revoked = time.Now().UTC()
		}
	}
}

func (m *V4) resolve(token string) (binding, bool) {
	m.state.Lock()
	defer m.state.Unlock()
	b, ok := m.tokens[sha256.Sum256([]byte(token))]
	return b, ok
}

// ServeHTTP implements http.Handler.
func (m *V4) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	is := func(method string, want ...string) bool {
		if r.Method != method || len(segments) != len(want) {
			return false
		}
		for i := range want {
			if want[i] != "*" && want[i] != segments[i] || segments[i] == "" {
				return false
			}
		}
		return true
	}
	switch {
	case is(http.MethodPost, "v1", "exceptions", "*", "callback"):
		m.callback(w, r, segments[2])
	case is(http.MethodPost, "v1", "discovery", "webhooks", "*", "*"):
		m.webhook(w, r, segments[3], segments[4])
	case is(http.MethodGet, "v1", "discovery", "aggregator-connections"):
		m.aggregators(w, r)
	case is(http.MethodPost, "v1", "discovery", "webhooks", "tokens"):
		m.operator(w, r, m.mintToken)
	case is(http.MethodPost, "v1", "exceptions", "callbacks", "credentials"):
		m.operator(w, r, m.mintCredential)
	case is(http.MethodGet, "v1", "exceptions", "callbacks", "credentials"):
		m.operator(w, r, m.listCredentials)
	case is(http.MethodPost, "v1", "exceptions", "callbacks", "credentials", "*", "rotate"):
		m.operator(w, r, m.rotateCredential)
	case is(http.MethodDelete, "v1", "exceptions", "callbacks", "credentials", "*"):
		m.operator(w, r, m.revokeCredential)
	default:
		m.fail(w, http.StatusNotFound)
	}
}

// callback takes the token from the header, as the page of the minted credential
// says. That nothing else is asked for is assumed.
func (m *V4) callback(w http.ResponseWriter, r *http.Request, exception string) {
	b, ok := m.resolve(r.Header.Get("X-Callback-Token"))
	if !ok || b.provider != "" {
		m.fail(w, http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.fail(w, http.StatusBadRequest)
		return
	}
	m.accept(Delivery{Tenant: b.tenant, Exception: exception, IdempotencyKey: r.Header.Get("X-Idempotency-Key"), Body: string(body)})
	writeJSON(w, http.StatusOK, map[string]string{"status": "accepted"})
}

// webhook checks the token, its provider and the source. The statuses of refusals
// are assumed.
func (m *V4) webhook(w http.ResponseWriter, r *http.Request, provider, token string) {
	b, ok := m.resolve(token)
	if !ok || b.provider == "" || b.provider != provider {
		m.fail(w, http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.fail(w, http.StatusBadRequest)
		return
	}
	if !m.fromProvider(r, provider, body) {
		m.fail(w, http.StatusForbidden)
		return
	}
	m.accept(Delivery{Tenant: b.tenant, Provider: provider, Connection: b.connection, Body: string(body)})
	w.WriteHeader(http.StatusAccepted)
}

func (m *V4) fromProvider(r *http.Request, provider string, body []byte) bool {
	check, ok := m.Providers[provider]
	if !ok {
		return false
	}
	if check.Secret != "" {
		mac := hmac.New(sha256.New, []byte(check.Secret))
		mac.Write(body)
		signature, err := hex.DecodeString(r.Header.Get("X-Webhook-Signature"))
		return err == nil && hmac.Equal(signature, mac.Sum(nil))
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	if slices.Contains(m.TrustedProxies, client) {
		client = r.Header.Get("X-Forwarded-For")
	}
	return slices.Contains(check.AllowIPs, client)
}

// aggregators lists the operator's connections, with cursors that are opaque to the
// reader.
func (m *V4) aggregators(w http.ResponseWriter, r *http.Request) {
	who, status := identify(r, m.Secret, true)
	if status != 0 {
		m.fail(w, status)
		return
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 200 {
		m.fail(w, http.StatusUnprocessableEntity)
		return
	}
	if m.PageSize > 0 {
		limit = min(limit, m.PageSize)
	}
	all := m.Aggregators[who.tenant]
	start := 0
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		if start, err = strconv.Atoi(strings.TrimPrefix(cursor, "at/")); err != nil || start < 0 || start > len(all) {
			m.fail(w, http.StatusBadRequest)
			return
		}
	}
	end := min(start+limit, len(all))
	page := map[string]any{"items": all[start:end], "limit": limit, "hasMore": end < len(all)}
	if end < len(all) {
		page["nextCursor"] = "at/" + strconv.Itoa(end)
	}
	writeJSON(w, http.StatusOK, page)
}

// fail answers with a problem document.
func (m *V4) fail(w http.ResponseWriter, status int) {
	m.refuse(status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status})
}
