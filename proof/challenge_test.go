package proof_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

func responder(t testing.TB, args string) *proof.Responder {
	t.Helper()
	c, err := proof.ChallengeFromWords(strings.Fields(args))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Responder()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// as signs a body as a vendor does.
func as(t testing.TB, preset, secret, body string) *proof.Message {
	t.Helper()
	named, _ := proof.Named(preset)
	m, err := proof.Sign(named.Scheme, secret, "1", proof.Message{Method: "POST", Body: []byte(body), Arrived: time.Unix(sentAt, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return &m
}

func TestChallenges(t *testing.T) {
	const unhandled = "-"
	get := func(query string) *proof.Message { return &proof.Message{Method: "GET", RawQuery: query} }
	with := func(method, name, value string) *proof.Message {
		return &proof.Message{Method: method, Header: http.Header{http.CanonicalHeaderKey(name): {value}}}
	}
	unsigned := func(body string) *proof.Message { return &proof.Message{Method: "POST", Body: []byte(body)} }
	const slack, zoom = `{"type":"url_verification","challenge":"abc"}`, `{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}`
	stale := as(t, "slack", "s", slack)
	stale.Arrived = stale.Arrived.Add(time.Hour)
	for name, test := range map[string]struct {
		words string
		m     *proof.Message
		want  string // the content type and the body, the reason of a refusal, or unhandled
	}{
		"meta":                          {"meta s", get("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=s"), "text/plain; charset=utf-8 1158201444"},
		"meta, a wrong token":           {"meta s", get("hub.mode=subscribe&hub.challenge=1&hub.verify_token=t"), "mismatch"},
		"meta, no token":                {"meta s", get("hub.mode=subscribe&hub.challenge=1"), "missing"},
		"meta, a probe":                 {"meta s", get(""), unhandled},
		"meta, an event":                {"meta s", unsigned("{}"), unhandled},
		"meta, markup":                  {"meta s", get("hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=s"), "malformed"},
		"meta, too long":                {"meta s", get("hub.mode=subscribe&hub.verify_token=s&hub.challenge=" + strings.Repeat("1", 513)), "malformed"},
		"slack":                         {"slack s", as(t, "slack", "s", slack), "text/plain; charset=utf-8 abc"},
		"slack, by the vendor's secret": {"slack", as(t, "slack", "vendor", slack), "text/plain; charset=utf-8 abc"},
		"slack, another secret":         {"slack s", as(t, "slack", "t", slack), "mismatch"},
		"slack, unsigned":               {"slack s", unsigned(slack), "missing"},
		"slack, old":                    {"slack s", stale, "timestamp_old"},
		"slack, an event":               {"slack s", as(t, "slack", "s", `{"type":"event_callback"}`), unhandled},
		"zoom":                          {"zoom s", as(t, "zoom", "s", zoom), `application/json {"encryptedToken":"` + hexHMAC("s", "abc") + `","plainToken":"abc"}`},
		"zoom, unsigned":                {"zoom s", unsigned(zoom), "missing"},
		"zoom, what could be an event":  {"zoom s", as(t, "zoom", "s", strings.Replace(zoom, "abc", "v0:1800000000:abc", 1)), "malformed"},
		"zoom, the vendor's is another": {"zoom", as(t, "zoom", "s", zoom), "missing"},
		"msgraph":                       {"msgraph", &proof.Message{Method: "POST", RawQuery: "validationToken=Validation%3A+a+b"}, "text/plain; charset=utf-8 Validation: a b"},
		"msgraph, an event":             {"msgraph", unsigned("{}"), unhandled},
		"dropbox":                       {"dropbox", get("challenge=abc"), "text/plain; charset=utf-8 abc"},
		"dropbox, twice":                {"dropbox", get("challenge=abc&challenge=def"), "malformed"},
		"okta":                          {"okta", with("GET", "X-Okta-Verification-Challenge", "abc"), `application/json {"verification":"abc"}`},
		"okta, a probe":                 {"okta", get(""), unhandled},
		"cloudevents":                   {"cloudevents", with("OPTIONS", "WebHook-Request-Origin", "events.example.com"), " "},
		"cloudevents, another OPTIONS":  {"cloudevents", &proof.Message{Method: "OPTIONS"}, unhandled},
		"echo of the query":             {"echo query c", get("c=abc"), "text/plain; charset=utf-8 abc"},
		"echo of a header":              {"echo header X-C", with("POST", "X-C", "abc"), "text/plain; charset=utf-8 abc"},
		"echo of the body":              {"echo body /a/c", unsigned(`{"a":{"c":"abc"}}`), "text/plain; charset=utf-8 abc"},
		"echo of no body":               {"echo body /a/c", unsigned(`{}`), unhandled},
	} {
		t.Run(name, func(t *testing.T) {
			vendor := verifier(t, words(t, "signature header X"), "v")
			if preset, _ := proof.Named("slack"); test.words == "slack" {
				vendor = append(vendor, verifier(t, preset.Scheme, "vendor")...)
			}
			answer, handled := responder(t, test.words).Answer(test.m, vendor)
			got := answer.ContentType + " " + string(answer.Body)
			switch {
			case !handled:
				got = unhandled
			case answer.Status == 403:
				if got != " " {
					t.Errorf("a refusal says %q", got)
				}
				got = string(answer.Result)
			case answer.Status != 200:
				t.Errorf("status %d", answer.Status)
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestCloudEventsHeaders(t *testing.T) {
	m := &proof.Message{Method: "OPTIONS", Header: http.Header{"Webhook-Request-Origin": {"a.example"}, "Webhook-Request-Rate": {"120"}}}
	answer, _ := responder(t, "cloudevents").Answer(m, nil)
	if answer.Header["WebHook-Allowed-Origin"] != "a.example" || answer.Header["WebHook-Allowed-Rate"] != "120" {
		t.Errorf("%v", answer.Header)
	}
	delete(m.Header, "Webhook-Request-Rate")
	if answer, _ := responder(t, "cloudevents").Answer(m, nil); answer.Header["WebHook-Allowed-Rate"] != "*" {
		t.Errorf("without a rate: %v", answer.Header)
	}
}

func TestChallengeWords(t *testing.T) {
	for _, args := range []string{"", "smoke", "meta", "okta secret", "slack a b", "echo", "echo query", "echo pair x", "echo body x"} {
		c, err := proof.ChallengeFromWords(strings.Fields(args))
		if err == nil {
			_, err = c.Responder()
		}
		if err == nil {
			t.Errorf("challenge %s is one", args)
		}
	}
}
