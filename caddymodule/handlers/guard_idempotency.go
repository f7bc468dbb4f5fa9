package handlers

import (
	"errors"
	"net/http"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
)

// idempotencyBody is the one value of idempotency_key.
const idempotencyBody = "body"

func (g *Guard) checkIdempotency() error {
	if g.IdempotencyKey != "" && g.IdempotencyKey != idempotencyBody {
		return errors.New("hookgate: idempotency_key takes body")
	}
	return nil
}

// setIdempotencyKey names a delivery whose vendor does not, so that Matcher sees a
// retry for what it is. It takes the whole body in memory unless the vendor sent a
// key. What api credentials are used for is not known here, so it is left alone.
func (g *Guard) setIdempotencyKey(w http.ResponseWriter, r *http.Request, d *guard.Decision, target string) error {
	if g.IdempotencyKey == "" || d.Kind == credential.KindAPI {
		return nil
	}
	key, sent := guard.ClientIdempotencyKey(r.Header)
	if !sent {
		body, err := g.readBody(w, r)
		if err != nil {
			return err
		}
		key = guard.IdempotencyKey(d, target, r.Header, body)
	}
	if key != "" {
		r.Header[guard.HeaderIdempotencyKey] = []string{key}
	}
	return nil
}
