package guard_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/keyring"
)

// oneKey is a keyring with a single token, proved equal to Redis at a time.
type oneKey struct {
	digest credential.Digest
	key    keyring.Key
	fresh  time.Time
}

func (k oneKey) Lookup(d credential.Digest) (keyring.Key, keyring.Standing) {
	if d == k.digest {
		return k.key, keyring.Live
	}
	return keyring.Key{}, keyring.Unknown
}

func (k oneKey) Age(now time.Time) (time.Duration, bool) { return now.Sub(k.fresh), true }

func (k oneKey) ServerTime(local time.Time) time.Time { return local }

// A policy decides on a request, a keyring and the time. Nothing else counts, and nothing
// is asked.
func ExamplePolicy_Decide() {
	route, err := guard.CallbackRoute("/v1/exceptions/{exceptionId}/callback")
	if err != nil {
		fmt.Println(err)
		return
	}
	policy := guard.Policy{Routes: []guard.Route{route}, MaxBody: 1 << 20, MaxStaleness: 30 * time.Second}

	const token = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ring := oneKey{
		digest: credential.DigestToken(token),
		key: keyring.Key{
			ID:       uuid.MustParse("01900000-0000-7000-8000-000000000001"),
			Identity: &keyring.Identity{Kind: credential.KindCallback, Label: "JIRA"},
		},
		fresh: now,
	}

	request := guard.Request{Method: "POST", Target: "/v1/exceptions/7d4f/callback", Tokens: []string{token}}
	d := policy.Decide(&request, ring, now)
	forwarding, err := policy.Forwarding(&d, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Outcome, d.Identity.Label, forwarding.Path)

	request.Tokens = []string{"another"}
	fmt.Println(policy.Decide(&request, ring, now).Outcome)

	// Three seconds without proof: it may have been minted meanwhile.
	d = policy.Decide(&request, ring, now.Add(3*time.Second))
	fmt.Println(d.Outcome, d.RetryAfter)

	request.Target = "/v1/exceptions/7d4f/%63allback"
	fmt.Println(policy.Decide(&request, ring, now).Outcome)
	// Output:
	// allowed JIRA /v1/exceptions/7d4f/callback
	// unknown
	// stale 5s
	// ambiguous
}
