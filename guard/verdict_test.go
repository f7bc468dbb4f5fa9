package guard

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/keyring"
)

// billingRing has one api credential beside a ring's tokens.
type billingRing struct{ ring }

func (r billingRing) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	if d == credential.DigestAPISecret("billing", sha256.Sum256([]byte("a:b c"))) {
		return keyring.Key{ID: callbackID, Identity: &keyring.Identity{Tenant: tenant, Kind: credential.KindAPI}}, keyring.Live
	}
	return r.ring.Lookup(d)
}

func TestVerdict(t *testing.T) {
	expired := fullRing()
	expired.keys[callbackToken] = keyring.Key{ID: callbackID, ExpiresAt: now.UnixMilli(), Identity: &callbackUser}
	disabled, paused := fullRing(), callbackUser
	paused.Disabled = true
	disabled.keys[callbackToken] = keyring.Key{ID: callbackID, Identity: &paused}
	aged := func(r ring, age time.Duration) ring { r.age = age; return r }
	p := testPolicy(t)
	for name, tc := range map[string]struct {
		token string
		ring  ring
		want  Outcome
		id    uuid.UUID
	}{
		"callback":                     {callbackToken, fullRing(), Allowed, callbackID},
		"webhook":                      {webhookToken, fullRing(), Allowed, webhookID},
		"of a vendor with a list":      {signedHook, fullRing(), Allowed, webhookID},
		"bound to addresses":           {boundToken, fullRing(), Allowed, boundID},
		"webhook, bound to addresses":  {boundHook, fullRing(), Allowed, boundID},
		"api":                          {"billing:a:b c", fullRing(), Allowed, callbackID},
		"another secret":               {"billing:x", fullRing(), Unknown, uuid.Nil},
		"no secret":                    {"billing:", fullRing(), Malformed, uuid.Nil},
		"a long secret":                {"billing:" + strings.Repeat("x", 513), fullRing(), Malformed, uuid.Nil},
		"a control character":          {"billing:a\nb", fullRing(), Malformed, uuid.Nil},
		"no UTF-8":                     {"billing:\xff", fullRing(), Malformed, uuid.Nil},
		"no client id":                 {":x", fullRing(), Malformed, uuid.Nil},
		"a client id with a space":     {"bill ing:x", fullRing(), Malformed, uuid.Nil},
		"revoked":                      {"revoked-token", fullRing(), Revoked, revokedID},
		"never minted":                 {"never-minted", fullRing(), Unknown, uuid.Nil},
		"wrong checksum":               {callbackToken[:52] + "l", fullRing(), Malformed, uuid.Nil},
		"empty":                        {"", fullRing(), Malformed, uuid.Nil},
		"no token":                     {"a token", fullRing(), Malformed, uuid.Nil},
		"a dot segment":                {"..", fullRing(), Unknown, uuid.Nil},
		"expired":                      {callbackToken, expired, Expired, callbackID},
		"expired, not fresh":           {callbackToken, aged(expired, 2*time.Second+1), Stale, callbackID},
		"disabled":                     {callbackToken, disabled, Disabled, callbackID},
		"disabled, not fresh":          {callbackToken, aged(disabled, 2*time.Second+1), Stale, callbackID},
		"unknown, not fresh":           {"never-minted", aged(fullRing(), 2*time.Second+1), Stale, uuid.Nil},
		"revoked, not fresh":           {"revoked-token", aged(fullRing(), 2*time.Second+1), Revoked, revokedID},
		"live, not fresh":              {callbackToken, aged(fullRing(), 30*time.Second), Allowed, callbackID},
		"live, stale":                  {callbackToken, aged(fullRing(), 30*time.Second+1), Stale, uuid.Nil},
		"malformed, stale":             {"a token", aged(fullRing(), time.Hour), Malformed, uuid.Nil},
		"nothing known, never loaded":  {callbackToken, ring{empty: true}, Stale, uuid.Nil},
		"a live token that is no path": {".", ring{keys: map[string]keyring.Key{".": {ID: webhookID, Identity: &webhookUser}}}, Malformed, uuid.Nil},
	} {
		if got, id := p.Verdict(tc.token, billingRing{tc.ring}, now); got != tc.want || id != tc.id {
			t.Errorf("%s: %s of %s, want %s of %s", name, got, id, tc.want, tc.id)
		}
	}
}
