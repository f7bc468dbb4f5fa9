package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/hookgate/hookgate/admin/connections"
	"github.com/hookgate/hookgate/admin/mirror"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/problem"
	"github.com/hookgate/hookgate/store"
)

// retryAfter is how long a client should wait before it asks an unavailable store
// again, in seconds: about as long as a failover of Redis is noticed.
const retryAfter = "2"

// listRetryAfter is how long a client should wait while others read whole lists.
const listRetryAfter = "1"

var errNoAnswer = errors.New("look up an aggregator connection")

// problemsOf are what a client may know of errors from below; the first that fits counts.
var problemsOf = []struct {
	err     error
	problem problem.Problem
}{
	{store.ErrManyLists, problem.ManyLists},
	{store.ErrQuota, problem.Quota},
	{store.ErrNotFound, problem.NotFound},
	{store.ErrInactive, problem.Inactive},
	{store.ErrDisabled, problem.Disabled},
	{store.ErrGraceOpen, problem.GraceOpen},
	{store.ErrNoGrace, problem.NoGrace},
	{store.ErrNoVerify, problem.NoVerify},
	{store.ErrSecretGraceOpen, problem.SecretGraceOpen},
	{store.ErrSeal, problem.NotSealable},
	{store.ErrClientIDTaken, problem.ClientIDTaken},
	{store.ErrKeyReused, problem.KeyReused},
	{connections.ErrTimeout, problem.MatcherTimeout},
	{connections.ErrRefused, problem.MatcherRefuses},
	{connections.ErrAnswer, problem.MatcherAnswer},
	{connections.ErrNoBearer, problem.NoBearer},
	{errNoAnswer, problem.NoAnswer},
	{errNotKept, problem.NotKept},
	{errNotAtMatcher, problem.NotAtMatcher},
	{mirror.ErrNoBearer, problem.NoBearer},
	{mirror.ErrNoAnswer, problem.MirrorNoAnswer},
	{mirror.ErrUnreachable, problem.MirrorUnreachable},
	{mirror.ErrAnswer, problem.MirrorUnreachable},
	{store.ErrNotReplicated, problem.NotReplicated},
	{store.ErrUnavailable, problem.StoreUnavailable},
}

func asProblem(err error) *detail {
	var d *detail
	var replay *store.ReplayError
	switch {
	case errors.As(err, &d):
		return d
	case errors.As(err, &replay):
		return replayed(replay)
	case errors.Is(err, store.ErrWaitRefused):
		return refuse(problem.NotReplicated).because("The change is made and holds, but Redis refuses to wait for replicas, as wait_replicas asks it to. Its answer is in the log; `hookgate check` tries it.").with("Retry-After", retryAfter)
	case errors.Is(err, credential.ErrInvalid):
		return refuse(problem.Invalid).at("body", err.Error())
	}
	for _, known := range problemsOf {
		if !errors.Is(err, known.err) {
			continue
		}
		d = refuse(known.problem)
		if d.Status == http.StatusTooManyRequests {
			d.with("Retry-After", listRetryAfter)
		}
		if d.Status == http.StatusServiceUnavailable || d.Status == http.StatusGatewayTimeout {
			d.with("Retry-After", retryAfter)
		}
		return d
	}
	return refuse(problem.OperationFailed)
}

// problemOf turns an error of a handler into what the client may know of it, and logs
// the rest.
func (a *admin) problemOf(ctx context.Context, err error) *detail {
	d := asProblem(err)
	if d.Status >= http.StatusInternalServerError {
		x := exchangeOf(ctx)
		a.log.Error("an operation failed", slog.String("request_id", x.id.String()),
			slog.String("operation", x.operation), slog.String("code", d.Code), slog.Any("error", err))
	}
	return d
}
