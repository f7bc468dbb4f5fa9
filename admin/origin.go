package admin

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hookgate/hookgate/store"
)

// withOrigin returns a context whose changes are put down to the operator of the
// request, who may have given a reason.
func withOrigin(ctx context.Context, reason string) context.Context {
	x := exchangeOf(ctx)
	return store.WithOrigin(ctx, store.Origin{
		Actor: actorName(x.operator.Subject), Address: x.client, TenantAs: x.operator.TenantAs, RequestID: x.id.String(), Reason: reason,
		IdempotencyKey: x.once.key, Fingerprint: x.once.fingerprint,
	})
}

// maxActor is how much of a sub the audit log keeps, in characters.
const maxActor = 256

// actorName returns a sub as the audit log holds it. An issuer can put anything in
// there: what is no plain text is replaced, so that it forges no line of whatever
// prints the log.
func actorName(sub string) string {
	plain := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, sub)
	if utf8.RuneCountInString(plain) > maxActor {
		plain = string([]rune(plain)[:maxActor-1]) + "…"
	}
	return plain
}
