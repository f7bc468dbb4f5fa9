package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/mirror"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/store"
)

// errAnswered: the operator has got Matcher's answer.
var errAnswered = errors.New("answered as Matcher did")

// relayedHeaders are what of Matcher's answer goes back beside its status and body.
var relayedHeaders = []string{"Content-Type", "Retry-After", "WWW-Authenticate"}

// relay answers the operator as Matcher did, with this body, and returns errAnswered.
func (a *admin) relay(ctx context.Context, answer *mirror.Answer, body []byte) error {
	x := exchangeOf(ctx)
	if !answer.Done() {
		a.log.Info("Matcher refused an operation", slog.String("request_id", x.id.String()),
			slog.String("operation", x.operation), slog.Int("status", answer.Status))
	}
	for _, name := range relayedHeaders {
		if values := answer.Header.Values(name); len(values) > 0 {
			x.Header()[name] = values
		}
	}
	x.Header().Set("Cache-Control", noStore)
	x.WriteHeader(answer.Status)
	if len(body) > 0 && answer.Status != http.StatusNoContent {
		if _, err := x.Write(body); err != nil {
			a.log.Debug("the client did not take the answer", slog.String("request_id", x.id.String()))
		}
	}
	x.answered = true
	return errAnswered
}

// relayMint is the mint of a facade.
func (a *admin) relayMint(ctx context.Context, spec credential.Spec) error {
	m, err := a.mintAtMatcher(ctx, spec)
	if err != nil {
		return err
	}
	return a.relayMade(ctx, &m)
}

// relayMade answers with what Matcher minted. Where vendors post is ours to say: Matcher
// does not know of the guard in front of it.
func (a *admin) relayMade(ctx context.Context, m *made) error {
	body, err := m.answer.Body, error(nil)
	switch m.credential.Kind {
	case credential.KindWebhook:
		if url := a.webhookURL(&m.credential, m.secret.Token); url != "" {
			body, err = mirror.WithMember(body, "webhook_url", url)
		}
	case credential.KindCallback:
		if hint := a.callbackURLHint(); hint != "" {
			body, err = mirror.WithMember(body, "webhookUrlHint", hint)
		}
	}
	if err != nil {
		return err
	}
	return a.relay(ctx, m.answer, body)
}

// relaying bounds how many of Matcher's lists, which have no pages, a process holds at once.
var relaying = make(chan struct{}, 4)

// relayList is the list of callback credentials: Matcher's, which is neither merged with
// ours nor filtered by it.
func (a *admin) relayList(ctx context.Context, tenant uuid.UUID) error {
	select {
	case relaying <- struct{}{}:
		defer func() { <-relaying }()
	default:
		return store.ErrManyLists
	}
	answer, err := a.mirror.List(ctx, caller(ctx))
	if err != nil {
		return err
	}
	body := answer.Body
	if answer.Done() {
		body, err = mirror.WithLastUse(body, func(ids []uuid.UUID) (map[uuid.UUID]time.Time, error) {
			return a.store.LastUses(ctx, tenant, ids)
		})
		if err != nil {
			return err
		}
	}
	return a.relay(ctx, answer, body)
}

// relayRotation is the rotation of a facade. handled is false where Matcher does not know
// the credential.
func (a *admin) relayRotation(ctx context.Context, ref store.Ref) (handled bool, err error) {
	m, handled, err := a.rotateAtMatcher(ctx, ref, store.Rotation{})
	if errors.Is(err, store.ErrNotFound) && ref.Kind == credential.KindCallback {
		handled = true
		m, err = a.adopt(ctx, ref)
	}
	if err != nil || !handled {
		return handled, err
	}
	return true, a.relayMade(ctx, &m)
}

// relayRevocation is the revocation of a callback credential on the facade. What is not
// known here Matcher alone decides on.
func (a *admin) relayRevocation(ctx context.Context, ref store.Ref) error {
	c, err := a.store.Get(ctx, ref)
	unknown := errors.Is(err, store.ErrNotFound)
	if err == nil && !c.AtMatcher {
		return a.store.Revoke(ctx, ref)
	}
	if err == nil {
		err = a.store.Revoke(ctx, ref)
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	switch {
	case unknown:
		answer, err := a.mirror.Revoke(ctx, caller(ctx), ref.ID)
		if err != nil {
			return err
		}
		return a.relay(ctx, answer, answer.Body)
	case err != nil && !errors.Is(err, store.ErrNotReplicated):
		// It is not ended here. Where it can be ended it is, all the same: the token may have
		// leaked. The operator is told that it has to be asked for again.
		if _, there := a.mirror.Revoke(ctx, caller(ctx), ref.ID); there != nil {
			a.log.Warn("a revocation reached neither the credential store nor Matcher", slog.String("request_id", exchangeOf(ctx).id.String()), slog.Any("error", there))
		}
		return err
	}
	answer, there := a.revokeAtMatcher(ctx, c.ID)
	switch {
	case there != nil:
		return there
	case err != nil:
		return err
	case !answer.Done(): // it was not live there any more
		return nil
	}
	return a.relay(ctx, answer, answer.Body)
}
