package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/mirror"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

var (
	// errNotKept: Matcher minted it, and this server could not keep it.
	errNotKept = errors.New("a credential that Matcher minted could not be kept")
	// errNotAtMatcher: it is revoked here, and Matcher did not take the revocation.
	errNotAtMatcher = errors.New("a revocation did not reach Matcher")
)

// mirrorProblems are what an operation can be refused with that goes to Matcher too, where a
// mirror is configured.
func mirrorProblems(more ...problem.Problem) []problem.Problem {
	return append([]problem.Problem{problem.MirrorUnreachable, problem.MirrorNoAnswer, problem.NoBearer}, more...)
}

// settleTimeout bounds what is done once Matcher has been asked, whether or not the
// operator still waits for the answer: half a change is worse than an unread answer.
const settleTimeout = 20 * time.Second

func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
}

// caller is the operator of a request, as Matcher gets to know them.
func caller(ctx context.Context) mirror.Caller {
	x := exchangeOf(ctx)
	authorization := x.authorization
	if authorization == "" && x.operator.Token != "" { // the token came in another way
		authorization = "Bearer " + x.operator.Token
	}
	return mirror.Caller{Tenant: x.operator.Tenant, Authorization: authorization, Until: x.operator.Until, RequestID: x.id.String()}
}

// made is a credential that Matcher minted and this server keeps.
type made struct {
	answer     *mirror.Answer
	secret     mirror.Secret
	credential credential.Credential
}

func (m *made) foreign() store.Foreign {
	return store.Foreign{Digest: credential.DigestToken(m.secret.Token), ID: m.secret.ID}
}

// beforeMatcher tells why Matcher is not to be asked: the request was made before, or what
// Matcher would mint could not be kept.
func (a *admin) beforeMatcher(ctx context.Context, tenant uuid.UUID) error {
	if err := a.store.Replayed(ctx, tenant); err != nil {
		return err
	}
	if !a.store.Stats(a.now()).RedisUp {
		return fmt.Errorf("%w: it was last found not to answer", store.ErrUnavailable)
	}
	return nil
}

// mintAtMatcher has Matcher mint a credential, and keeps it. Nothing is left behind where
// either fails, as far as Matcher lets it be taken back.
func (a *admin) mintAtMatcher(ctx context.Context, spec credential.Spec) (made, error) {
	if err := a.checkTenant(spec.Tenant, spec.Kind); err != nil {
		return made{}, err
	}
	if err := spec.Validate(); err != nil {
		return made{}, err
	}
	if err := a.beforeMatcher(ctx, spec.Tenant); err != nil {
		return made{}, err
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	m, err := a.mintedThere(ctx, spec)
	if err != nil {
		return made{}, err
	}
	return a.keep(ctx, m, spec)
}

// mintedThere is what Matcher mints by a spec.
func (a *admin) mintedThere(ctx context.Context, spec credential.Spec) (made, error) {
	var answer *mirror.Answer
	var err error
	if spec.Kind == credential.KindWebhook {
		answer, err = a.mirror.MintWebhook(ctx, caller(ctx), spec.Vendor, spec.Connection)
	} else {
		answer, err = a.mirror.MintCallback(ctx, caller(ctx), spec.Label)
	}
	if err != nil {
		return made{}, err
	}
	return a.read(ctx, answer, spec.Kind)
}

// read reads Matcher's answer to a mint or rotation. A refusal goes to the operator as it
// is; a token that no guard could be shown is revoked again.
func (a *admin) read(ctx context.Context, answer *mirror.Answer, kind credential.Kind) (made, error) {
	if !answer.Done() {
		// The first of two equal requests may have done it, so that there is nothing left to do.
		if before := a.store.Replayed(ctx, exchangeOf(ctx).operator.Tenant); before != nil {
			return made{}, before
		}
		return made{}, a.relay(ctx, answer, answer.Body)
	}
	secret, err := answer.Secret()
	if kind == credential.KindWebhook {
		secret.ID = uuid.Nil
	}
	switch {
	case err != nil:
	case kind == credential.KindCallback && secret.ID == uuid.Nil:
		err = fmt.Errorf("%w: there is no id in it", mirror.ErrAnswer)
	case !credential.WellFormedToken(secret.Token):
		err = fmt.Errorf("%w: no guard could be shown its token", mirror.ErrAnswer)
	}
	m := made{answer: answer, secret: secret}
	if err != nil {
		a.takeBack(ctx, &m)
	}
	return m, err
}

// keep makes a credential of what Matcher minted.
func (a *admin) keep(ctx context.Context, m made, spec credential.Spec) (made, error) {
	var err error
	if m.credential, err = a.store.Keep(ctx, spec, m.foreign()); err != nil {
		return made{}, a.notKept(ctx, &m, err)
	}
	return m, nil
}

// notKept takes back what Matcher minted and the store did not keep, or may have kept
// without our knowing. It returns what the operator is told.
func (a *admin) notKept(ctx context.Context, m *made, cause error) error {
	a.takeBack(ctx, m)
	if asProblem(cause).Status < http.StatusInternalServerError {
		return cause
	}
	if m.credential.ID != uuid.Nil {
		a.revokeIfThere(ctx, store.Ref{Tenant: exchangeOf(ctx).operator.Tenant, ID: m.credential.ID})
	}
	return fmt.Errorf("%w: %w", errNotKept, cause)
}

// takeBack revokes at Matcher what it has just minted. There is no such operation for
// webhook tokens: one is left that nobody has seen.
func (a *admin) takeBack(ctx context.Context, m *made) {
	if m.secret.ID == uuid.Nil {
		return
	}
	if _, err := a.revokeAtMatcher(ctx, m.secret.ID); err != nil {
		a.log.Error("what Matcher minted is not revoked there yet", slog.String("request_id", exchangeOf(ctx).id.String()),
			slog.String("credential", m.secret.ID.String()), slog.Any("error", err))
	}
}

func (a *admin) revokeIfThere(ctx context.Context, ref store.Ref) {
	if err := a.store.Revoke(ctx, ref); err != nil && !errors.Is(err, store.ErrNotFound) {
		a.log.Error("a credential that Matcher has ended could not be revoked", slog.String("request_id", exchangeOf(ctx).id.String()),
			slog.String("credential", ref.ID.String()), slog.Any("error", err))
	}
}

// revoke ends a credential here, and then at Matcher where it has it too.
func (a *admin) revoke(ctx context.Context, ref store.Ref) error {
	if a.mirror == nil {
		return a.store.Revoke(ctx, ref)
	}
	c, err := a.store.Get(ctx, ref)
	if err != nil {
		return err
	}
	here := a.store.Revoke(ctx, ref)
	if here != nil && !errors.Is(here, store.ErrNotReplicated) || !c.AtMatcher {
		return here
	}
	ctx, cancel := settling(ctx)
	defer cancel()
	if _, err := a.revokeAtMatcher(ctx, c.ID); err != nil {
		return err
	}
	return here
}

// revokeAtMatcher ends a credential at Matcher, now or, where Matcher does not take it,
// later. The answer is Matcher's.
func (a *admin) revokeAtMatcher(ctx context.Context, id uuid.UUID) (*mirror.Answer, error) {
	by := caller(ctx)
	answer, err := a.mirror.Revoke(ctx, by, id)
	if err == nil && a.mirror.Ended(ctx, by, id, answer) {
		a.mirror.Settled(id)
		return answer, nil
	}
	if err == nil {
		err = fmt.Errorf("status %d", answer.Status)
	}
	if by.Authorization != "" { // else there is nothing to repeat it with
		a.mirror.Later(by, id)
	}
	return nil, fmt.Errorf("%w: %w", errNotAtMatcher, err)
}
