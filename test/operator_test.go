package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	tenantA = "0199d5a4-0000-7000-8000-00000000000a"
	tenantB = "0199d5a4-0000-7000-8000-00000000000b"

	callbackCredentials = "/v1/exceptions/callbacks/credentials"
	webhookTokens       = "/v1/discovery/webhooks/tokens"
)

// operator talks to the admin API of a gate.
type operator struct {
	t   testing.TB
	g   *gate
	jwt string
}

func (g *gate) operator(t testing.TB, tenant, role string) operator {
	t.Helper()
	return operator{t, g, hookgatetest.OperatorToken(t, tenant, role)}
}

func (o operator) do(method, path, body string, headers ...string) answer {
	o.t.Helper()
	headers = append(headers, "Authorization: Bearer "+o.jwt)
	if body == "" {
		return o.g.send(o.t, method, o.g.Admin+path, nil, headers...)
	}
	return o.g.send(o.t, method, o.g.Admin+path, strings.NewReader(body), append(headers, "Content-Type: application/json")...)
}

// credential is what an operator hands to a vendor, and where it is managed.
type credential struct {
	id, token  string
	vendor     string // of a webhook token
	collection string
}

// path is where a vendor posts with a webhook token.
func (c credential) path() string { return webhooksPath + c.vendor + "/" + c.token }

// mintCallback mints a callback credential.
func (o operator) mintCallback(label string) credential {
	o.t.Helper()
	body, err := json.Marshal(map[string]string{"externalSystem": label})
	if err != nil {
		o.t.Fatal(err)
	}
	return o.minted(o.do(http.MethodPost, callbackCredentials, string(body)), callbackCredentials)
}

// mintWebhook mints a webhook token for a vendor's connection "<vendor>-main".
func (o operator) mintWebhook(vendor string) credential {
	o.t.Helper()
	body := `{"vendor":"` + vendor + `","connection_config_name":"` + vendor + `-main"}`
	return o.minted(o.do(http.MethodPost, webhookTokens, body), webhookTokens)
}

func (o operator) rotate(c credential) credential {
	o.t.Helper()
	return o.minted(o.do(http.MethodPost, c.collection+"/"+c.id+"/rotate", ""), c.collection)
}

func (o operator) revoke(c credential) {
	o.t.Helper()
	wantStatus(o.t, o.do(http.MethodDelete, c.collection+"/"+c.id, ""), http.StatusNoContent)
}

// minted reads the answer to a mint or a rotation. That of a webhook token has no
// id, which the list tells.
func (o operator) minted(a answer, collection string) credential {
	o.t.Helper()
	wantStatus(o.t, a, http.StatusCreated)
	var body struct{ Token, CredentialID, Vendor string }
	if err := json.Unmarshal(a.body, &body); err != nil || body.Token == "" {
		o.t.Fatalf("%v: %s", err, a.body)
	}
	c := credential{id: body.CredentialID, token: body.Token, vendor: body.Vendor, collection: collection}
	if c.id == "" {
		c.id = o.list(collection)[0].ID
	}
	return c
}

// listed is an entry of a list, with absent members empty.
type listed struct {
	ID         string `json:"id"`
	Label      string `json:"externalSystem"`
	Vendor     string `json:"vendor"`
	Connection string `json:"connection_config_name"`
	CreatedAt  string `json:"createdAt"`
	LastUsedAt string `json:"lastUsedAt"`
	RevokedAt  string `json:"revokedAt"`
	RotatedAt  string `json:"rotatedAt"`
}

func (o operator) list(collection string) []listed {
	o.t.Helper()
	a := o.do(http.MethodGet, collection, "")
	wantStatus(o.t, a, http.StatusOK)
	text := string(a.body)
	if strings.Contains(text, "null") {
		o.t.Fatalf("null in a list: %s", text)
	}
	// Webhook tokens spell the same names differently.
	for _, name := range []string{"created", "last_used", "revoked", "rotated"} {
		camel := strings.Replace(name, "_u", "U", 1)
		text = strings.ReplaceAll(text, `"`+name+`_at":`, `"`+camel+`At":`)
	}
	var body struct{ Credentials, Tokens []listed }
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		o.t.Fatalf("%v: %s", err, a.body)
	}
	return append(body.Credentials, body.Tokens...)
}

// find returns the entry of a credential in its list.
func (o operator) find(c credential) listed {
	o.t.Helper()
	for _, entry := range o.list(c.collection) {
		if entry.ID == c.id {
			return entry
		}
	}
	o.t.Fatalf("credential %s is not in the list", c.id)
	return listed{}
}
