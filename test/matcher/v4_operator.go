package matcher

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Asked is a request of an operator.
type Asked struct {
	Method, Path, Body       string
	Authorization, RequestID string
}

// Asked returns the requests of operators since the last call, in their order.
func (m *V4) Asked() []Asked {
	m.state.Lock()
	defer m.state.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

// callbackCredential is a record of Matcher's.
type callbackCredential struct {
	id             uuid.UUID
	tenant, system string
	token          string
	created        time.Time
	revoked        time.Time
	rotated        time.Time
}

// The messages are Matcher's, named as its document names them.
type (
	mintCredentialRequest struct {
		ExternalSystem *string `json:"externalSystem"`
	}
	credentialSecretResponse struct {
		Token          string `json:"token"`
		CredentialID   string `json:"credentialId"`
		CreatedAt      string `json:"createdAt"`
		ExternalSystem string `json:"externalSystem,omitempty"`
		WebhookURLHint string `json:"webhookUrlHint,omitempty"`
	}
	credentialMetadata struct {
		ID             string `json:"id"`
		CreatedAt      string `json:"createdAt"`
		ExternalSystem string `json:"externalSystem,omitempty"`
		RevokedAt      string `json:"revokedAt,omitempty"`
		RotatedAt      string `json:"rotatedAt,omitempty"`
	}
	listResponse struct {
		Credentials []credentialMetadata `json:"credentials"`
	}
	mintRequest struct {
		Vendor     *string `json:"vendor"`
		Connection *string `json:"connection_config_name"`
	}
	mintResponse struct {
		Token      string `json:"token"`
		Vendor     string `json:"vendor"`
		WebhookURL string `json:"webhook_url"`
	}
)

// Where Matcher believes itself to be: behind nothing.
const ownURL = "https://matcher.internal"

// operator carries out an operation for whoever has a JWT that names a tenant.
func (m *V4) operator(w http.ResponseWriter, r *http.Request, operation func(http.ResponseWriter, *http.Request, string, []byte)) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.fail(w, http.StatusBadRequest)
		return
	}
	m.state.Lock()
	m.asked = append(m.asked, Asked{r.Method, r.URL.Path, string(body), r.Header.Get("Authorization"), r.Header.Get("X-Request-Id")})
	before := m.before
	m.state.Unlock()
	if before != nil && before(w, r) {
		return
	}
	who, status := identify(r, m.Secret, true)
	if status != 0 {
		m.fail(w, status)
		return
	}
	operation(w, r, who.tenant, body)
}

// decode reads a body as huma does, by which 4.1's document is made: 0, or the status of
// the refusal.
func decode(r *http.Request, body []byte, into any) int {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			return http.StatusUnsupportedMediaType
		}
	}
	switch {
	case len(body) == 0, !json.Valid(body):
		return http.StatusBadRequest
	case bytes.TrimSpace(body)[0] != '{':
		return http.StatusUnprocessableEntity
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return http.StatusUnprocessableEntity
	}
	return 0
}

func (m *V4) mintCredential(w http.ResponseWriter, r *http.Request, tenant string, body []byte) {
	var request mintCredentialRequest
	if status := decode(r, body, &request); status != 0 {
		m.fail(w, status)
		return
	}
	system := ""
	if request.ExternalSystem != nil {
		system = *request.ExternalSystem
	}
	if utf8.RuneCountInString(system) > 128 {
		m.fail(w, http.StatusUnprocessableEntity)
		return
	}
	c, token := m.mintCallback(tenant, system)
	writeJSON(w, http.StatusCreated, secretOf(c, token))
}

// mintCallback makes a callback credential and its token.
func (m *V4) mintCallback(tenant, system string) (*callbackCredential, string) {
	token := m.mint(binding{tenant: tenant})
	c := &callbackCredential{id: uuid.New(), tenant: tenant, system: system, token: token, created: time.Now().UTC()}
	m.state.Lock()
	defer m.state.Unlock()
	m.credentials = slices.Insert(m.credentials, 0, c)
	return c, token
}

// IDOf returns the id of a callback token.
func (m *V4) IDOf(token string) string {
	m.state.Lock()
	defer m.state.Unlock()
	for _, c := range m.credentials {
		if c.token == token {
			return c.id.String()
		}
	}
	return ""
}

func secretOf(c *callbackCredential, token string) credentialSecretResponse {
	return credentialSecretResponse{
		Token: token, CredentialID: c.id.String(), CreatedAt: text(c.created), ExternalSystem: c.system,
		WebhookURLHint: ownURL + "/v1/exceptions/{exceptionId}/callback",
	}
}

func text(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func (m *V4) listCredentials(w http.ResponseWriter, _ *http.Request, tenant string, _ []byte) {
	m.state.Lock()
	list := listResponse{} // null where there are none, as Go has it
	for _, c := range m.credentials {
		if c.tenant == tenant {
			list.Credentials = append(list.Credentials, credentialMetadata{c.id.String(), text(c.created), c.system, text(c.revoked), text(c.rotated)})
		}
	}
	m.state.Unlock()
	writeJSON(w, http.StatusOK, list)
}

// named returns the credential that a path names, or the status of the refusal.
func (m *V4) named(r *http.Request, tenant string) (*callbackCredential, int) {
	id, err := uuid.Parse(strings.Split(r.URL.Path, "/")[5])
	if err != nil {
		return nil, http.StatusUnprocessableEntity
	}
	m.state.Lock()
	defer m.state.Unlock()
	for _, c := range m.credentials {
		if c.id == id && c.tenant == tenant {
			return c, 0
		}
	}
	return nil, http.StatusNotFound
}

// end revokes a credential, and reports whether it was live.
func (m *V4) end(c *callbackCredential) bool {
	m.state.Lock()
	live := c.revoked.IsZero()
	if live {
		c.revoked = time.Now().UTC()
	}
	m.state.Unlock()
	m.Revoke(c.token)
	return live
}

func (m *V4) rotateCredential(w http.ResponseWriter, r *http.Request, tenant string, _ []byte) {
	old, status := m.named(r, tenant)
	if status == 0 && !m.end(old) {
		status = http.StatusConflict
	}
	if status != 0 {
		m.fail(w, status)
		return
	}
	fresh, token := m.mintCallback(tenant, old.system)
	m.state.Lock()
	fresh.rotated = fresh.created
	m.state.Unlock()
	writeJSON(w, http.StatusCreated, secretOf(fresh, token))
}

func (m *V4) revokeCredential(w http.ResponseWriter, r *http.Request, tenant string, _ []byte) {
	c, status := m.named(r, tenant)
	if status == 0 && !m.end(c) {
		status = m.RevokedAgain
	}
	if status != 0 && status != http.StatusNoContent {
		m.fail(w, status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (m *V4) mintToken(w http.ResponseWriter, r *http.Request, tenant string, body []byte) {
	var request mintRequest
	status := decode(r, body, &request)
	switch {
	case status != 0:
	case request.Vendor == nil || request.Connection == nil, *request.Connection == "",
		*request.Vendor != "pluggy" && *request.Vendor != "belvo":
		status = http.StatusUnprocessableEntity
	case !slices.Contains(m.Aggregators[tenant], Aggregator{*request.Vendor, *request.Connection}):
		status = http.StatusNotFound
	}
	if status != 0 {
		m.fail(w, status)
		return
	}
	token := m.MintWebhook(tenant, *request.Vendor, *request.Connection)
	writeJSON(w, http.StatusCreated, mintResponse{token, *request.Vendor, ownURL + "/v1/discovery/webhooks/" + *request.Vendor + "/" + token})
}

// Before gives every request of an operator to a function before it is carried out, which
// may answer it instead and then returns true; nil: to none.
func (m *V4) Before(f func(http.ResponseWriter, *http.Request) bool) {
	m.state.Lock()
	defer m.state.Unlock()
	m.before = f
}
