package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookgate/hookgate/credential"
)

// Why a policy takes no webhooks of a vendor and connection. What else WebhookPath
// returns is about the name of the connection.
var (
	ErrNoWebhooks = errors.New("the guard has no path for webhooks")
	ErrVendor     = errors.New("the guard takes no webhooks from a vendor of this name")
)

// WebhookPath returns the path at which the policy takes a token of a vendor and
// connection: that of its first route for which every rule is kept.
func (p *Policy) WebhookPath(vendor, connection, token string) (string, error) {
	err := ErrNoWebhooks
	for i := range p.Routes {
		r := &p.Routes[i]
		if r.kind != credential.KindWebhook {
			continue
		}
		path := r.with(vendor, token)
		// An earlier route may have the path.
		if found, m := p.route(path); found != r || m.vendor != vendor || m.token != token {
			err = ErrVendor
			continue
		}
		if r.TakesConnection() {
			if _, invalid := PathSegment(connection); invalid != nil {
				err = fmt.Errorf("the guard puts this name into a path: %w", invalid)
				continue
			}
		}
		return path, nil
	}
	return "", err
}

func (r *Route) with(vendor, token string) string {
	segments := slices.Clone(r.segments)
	for i, segment := range segments {
		switch segment {
		case placeholderVendor:
			segments[i] = vendor
		case placeholderToken:
			segments[i] = token
		}
	}
	return "/" + strings.Join(segments, "/")
}

// CallbackPath returns the first path at which the policy takes callbacks, with a
// placeholder for the exception; "" where it takes none.
func (p *Policy) CallbackPath() string {
	for i := range p.Routes {
		if p.Routes[i].kind == credential.KindCallback {
			return p.Routes[i].template
		}
	}
	return ""
}
