package store

import (
	"errors"
	"fmt"
)

// ErrNotFound: no such credential for this tenant and kind. Another tenant's
// credential is not found either, and nothing tells the two apart.
var ErrNotFound = errors.New("credential not found")

// ErrInactive: the credential is revoked or expired, so it cannot be rotated.
var ErrInactive = errors.New("credential is revoked or expired")

// ErrDisabled: the credential is disabled, so it cannot be rotated.
var ErrDisabled = errors.New("credential is disabled")

// ErrGraceOpen: an earlier rotation's grace period has not ended.
var ErrGraceOpen = errors.New("a grace period is open")

// ErrNoGrace: there is no grace period to end.
var ErrNoGrace = errors.New("no grace period is open")

// ErrNoVerify: the credential has no secret of its own for senders to prove themselves with.
var ErrNoVerify = errors.New("the credential has no verify")

// ErrSecretGraceOpen: the secret before an earlier change still verifies.
var ErrSecretGraceOpen = errors.New("the secret before the last change still verifies")

// ErrSeal: secrets cannot be sealed, or those that are sealed cannot be opened, for want of
// the right key.
var ErrSeal = errors.New("secrets cannot be sealed or opened")

// ErrClientIDTaken: an unrevoked credential has the client id, of whatever tenant.
var ErrClientIDTaken = errors.New("the client id is taken")

// ErrKeyReused: the idempotency key was used for another request.
var ErrKeyReused = errors.New("the idempotency key was used for another request")

// ErrUnavailable: Redis did not answer, refused the write, or holds another
// data set than the one this process knows. The change may or may not have
// been applied; nothing was acknowledged.
var ErrUnavailable = errors.New("credential store unavailable")

// ErrNotReplicated: the change is made and holds here, but fewer replicas than
// configured have it, so a failover could lose it. Repeating a revocation waits
// for them again.
var ErrNotReplicated = errors.New("the change is applied, but not yet on enough replicas")

// ErrWaitRefused is ErrNotReplicated because Redis refuses to wait, and not because of
// its replicas.
var ErrWaitRefused = fmt.Errorf("%w: Redis refuses to wait for them", ErrNotReplicated)
