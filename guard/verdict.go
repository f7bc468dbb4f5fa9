package guard

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// Verdict returns what the policy makes of a token by itself, which is clientId:secret
// for an api credential, and the id of the credential that it may be of. The outcome is
// Allowed, Malformed, Unknown, Revoked, Expired, Disabled or Stale: as if the token came by its
// own kind of path, from an address that it works from.
func (p *Policy) Verdict(token string, ring Keyring, now time.Time) (Outcome, uuid.UUID) {
	d := (&Policy{Routes: ownRoutes, MaxStaleness: p.MaxStaleness}).Decide(requestWith(token, ring), anywhere{ring}, now)
	switch d.Outcome {
	case Missing, Ambiguous, NoRoute: // "." and ".." are tokens, and no segments of a path
		return Malformed, uuid.Nil
	}
	return d.Outcome, d.Credential
}

// ownRoutes are one of every kind.
var ownRoutes = []Route{
	newOwn(CallbackRoute("/callback/" + placeholderException)),
	newOwn(WebhookRoute("/webhook/" + placeholderVendor + "/" + placeholderToken)),
	newOwn(APIRoute("/api")),
}

func newOwn(r Route, err error) Route {
	if err != nil {
		panic(err)
	}
	return r
}

// requestWith returns a request that presents a token as its kind is presented. Of all
// forms only that of an api credential has a colon.
func requestWith(token string, ring Keyring) *Request {
	if strings.Contains(token, ":") {
		return &Request{
			Method: "POST", Target: "/api",
			Authorization: []string{basicScheme + " " + base64.StdEncoding.EncodeToString([]byte(token))},
		}
	}
	if key, standing := ring.Lookup(credential.DigestToken(token)); standing == keyring.Live && key.Kind == credential.KindWebhook {
		return &Request{Method: "POST", Target: "/webhook/" + key.Vendor + "/" + token}
	}
	return &Request{Method: "POST", Target: "/callback/x", Tokens: []string{token}}
}

// anywhere is a keyring in which every credential works from any address.
type anywhere struct{ Keyring }

func (a anywhere) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	key, standing := a.Keyring.Lookup(d)
	if key.Identity != nil {
		identity := *key.Identity
		identity.AllowedIPs = nil
		key.Identity = &identity
	}
	return key, standing
}
