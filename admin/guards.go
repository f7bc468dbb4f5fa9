package admin

import (
	"errors"
	"math"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/problem"
)

// anyToken stands for a token that is still to be minted: to a path all are alike.
const anyToken = "0"

// checkWebhook keeps a webhook token from being made that no guard would take.
// vendorAt and connectionAt are where the request names them, "" where nothing can tell.
func (a *admin) checkWebhook(spec credential.Spec, vendorAt, connectionAt string) error {
	_, err := a.webhookPath(spec.Vendor, spec.Connection, anyToken)
	at := connectionAt
	switch {
	case err == nil:
		return nil
	case errors.Is(err, guard.ErrNoWebhooks):
		return noWebhookPath()
	case errors.Is(err, guard.ErrVendor):
		at = vendorAt
	}
	if at == "" {
		return refuse(problem.Invalid).because(err.Error())
	}
	return refuse(problem.Invalid).at(at, err.Error())
}

func noWebhookPath() *detail {
	return refuse(problem.NotConfigured).because("Webhook tokens cannot be issued: no guard of this server has a path that would take this one.")
}

// webhookPath returns where the first guard that takes the webhooks of a vendor and
// connection does so. Where none does, the error is the first guard's that takes any.
func (a *admin) webhookPath(vendor, connection, token string) (string, error) {
	refusal := guard.ErrNoWebhooks
	for _, policy := range a.guards() {
		path, err := policy.WebhookPath(vendor, connection, token)
		if err == nil {
			return path, nil
		}
		if errors.Is(refusal, guard.ErrNoWebhooks) {
			refusal = err
		}
	}
	return "", refusal
}

// webhookURL is what to register at a vendor, and a secret; "" without a public URL or
// a guard that takes the token.
func (a *admin) webhookURL(c *credential.Credential, token string) string {
	path, err := a.webhookPath(c.Vendor, c.Connection, token)
	if a.publicURL == "" || err != nil {
		return ""
	}
	return a.publicURL + path
}

// callbackURLHint is where to post callbacks, with a placeholder for the exception;
// "" without a public URL or a guard that takes callbacks.
func (a *admin) callbackURLHint() string {
	for _, policy := range a.guards() {
		if path := policy.CallbackPath(); path != "" && a.publicURL != "" {
			return a.publicURL + path
		}
	}
	return ""
}

// verdict returns what the guards make of a token, and the credential that it may be of.
// They differ only in their paths.
func (a *admin) verdict(token string, ring guard.Keyring) (guard.Outcome, uuid.UUID) {
	policy := &guard.Policy{MaxStaleness: math.MaxInt64}
	if all := a.guards(); len(all) > 0 {
		policy = all[0]
	}
	return policy.Verdict(token, ring, a.now())
}

// tenantRing is a keyring as a tenant may know it: the live credentials of others are
// not in it, nor, once all is hidden, any. Whose a revoked one was it does not tell.
type tenantRing struct {
	guard.Keyring
	tenant uuid.UUID
	hidden bool
}

func (r tenantRing) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	key, standing := r.Keyring.Lookup(d)
	if r.hidden || standing == keyring.Live && key.Tenant != r.tenant {
		return keyring.Key{}, keyring.Unknown
	}
	return key, standing
}
