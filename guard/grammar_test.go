package guard

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/credential"
)

// A second reading of the path grammar, in regular expressions and by nobody's eye
// but the design's: what it says of a target and what the guard says must agree.
var (
	unprintable     = regexp.MustCompile(`[\x00-\x20\x7f]`)
	printablePath   = regexp.MustCompile(`^/[\x21-\x7e]*$`)
	ambiguousPath   = regexp.MustCompile(`[%;\\]|//|/\.\.?(/|$)`)
	callbackGrammar = regexp.MustCompile(`^/v1/exceptions/[A-Za-z0-9_-]{1,128}/callback$`)
	webhookGrammar  = regexp.MustCompile(`^/v1/discovery/webhooks/([a-z0-9-]{1,32})/[^/]+$`)
	callbackForm    = regexp.MustCompile(`(?i)^/v1/exceptions/[^/]+/callback/?$`)
	webhookForm     = regexp.MustCompile(`(?i)^/v1/discovery/webhooks/([^/]+)/[^/]+/?$`)
)

func referenceReading(target string) (Outcome, credential.Kind) {
	path, query, _ := strings.Cut(target, "?")
	if unprintable.MatchString(query) || !printablePath.MatchString(path) || ambiguousPath.MatchString(path) {
		return Ambiguous, ""
	}
	if callbackGrammar.MatchString(path) {
		return Missing, credential.KindCallback
	}
	if m := webhookGrammar.FindStringSubmatch(path); m != nil && m[1] != "tokens" {
		return "", credential.KindWebhook // whatever becomes of the token
	}
	if callbackForm.MatchString(path) {
		return Ambiguous, credential.KindCallback
	}
	if m := webhookForm.FindStringSubmatch(path); m != nil && m[1] != "tokens" {
		return Ambiguous, credential.KindWebhook
	}
	return NoRoute, ""
}

func FuzzGrammar(f *testing.F) {
	for _, seed := range []string{
		callbackPath, webhookPath + webhookToken, "/v1/discovery/webhooks/tokens/x", "/v1/exceptions/a.b/callback", "/v1/exceptions//callback",
		"/v1/exceptions/../callback?x=%2e", "/V1/exceptions/a/callback", "*", "http://x/", "/v1/discovery/webhooks/pluggy/a#b", "/v1/exceptions/a/callback/",
	} {
		f.Add(seed)
	}
	p := testPolicy(f)
	f.Fuzz(func(t *testing.T, target string) {
		req := Request{Method: "POST", Target: target}
		d := p.Decide(&req, fullRing(), now)
		outcome, kind := referenceReading(target)
		if d.Kind != kind || outcome != "" && d.Outcome != outcome {
			t.Fatalf("%q: %s %q, the grammar says %s %q", target, d.Outcome, d.Kind, outcome, kind)
		}
		if d.Outcome == Allowed && kind == credential.KindWebhook && strings.Contains(forwarded(t, &p, &req), webhookToken) {
			t.Fatalf("%q: the token is in the path to the upstream", target)
		}
	})
}
