package proof_test

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

var results = []proof.Result{proof.OK, proof.OldSecret, proof.Missing, proof.Malformed, proof.TimestampOld, proof.TimestampNew, proof.Mismatch}

// FuzzPresets: nobody without the secret makes a request that a preset believes.
func FuzzPresets(f *testing.F) {
	for _, v := range vectors(f) {
		value := ""
		for _, text := range v.Headers {
			value = max(value, text)
		}
		f.Add(value, v.Query, []byte(v.Body), "application/x-www-form-urlencoded")
	}
	type judge struct {
		scheme proof.Scheme
		any    proof.Any
	}
	var all []judge
	for _, preset := range proof.Presets() {
		secret := "a secret that the fuzzer does not know"
		switch s := preset.Scheme; {
		case s.Key == "hex":
			secret = strings.Repeat("5e", 32)
		case strings.HasPrefix(s.Key, "whsec"):
			secret = "whsec_" + strings.Repeat("5eCr", 8)
		case s.Algorithm == "ed25519":
			secret = newEd25519(f).public
		case preset.Name == "stark":
			secret = newSecp256k1(f).public
		case s.Algorithm == "ecdsa-sha256":
			secret = newP256(f).public
		case s.Algorithm == "rsa-sha256":
			secret = newRSA(f).public
		}
		all = append(all, judge{preset.Scheme, verifier(f, preset.Scheme, secret)})
	}
	f.Fuzz(func(t *testing.T, value, query string, body []byte, contentType string) {
		for _, judge := range all {
			m := proof.Message{
				Method: "POST", PublicURL: "https://h.example", Path: "/p", RawQuery: query, Body: body,
				Header: http.Header{"Content-Type": {contentType}}, Arrived: time.Unix(sentAt, 0),
			}
			for _, name := range slices.Concat(judge.scheme.Signature.Header, proof.Names{"Webhook-Id", "Svix-Id"}) {
				m.Header[http.CanonicalHeaderKey(name)] = []string{value}
			}
			if at := judge.scheme.Timestamp; at != nil && len(at.Header) > 0 {
				m.Header[http.CanonicalHeaderKey(at.Header[0])] = []string{"1800000000"}
			}
			judge.any.Head(&m)
			if result := judge.any.Verify(&m).Result; result.Proven() || !slices.Contains(results, result) {
				t.Errorf("%s: %s", judge.scheme.Signature.Header, result)
			}
		}
	})
}

// FuzzScheme: any scheme that is taken judges any request, and verifies what is signed by it.
func FuzzScheme(f *testing.F) {
	for _, preset := range proof.Presets() {
		text, _ := json.Marshal(preset.Scheme)
		f.Add(text, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "t=1800000000,v1=00", []byte(`{"id":"1"}`))
	}
	f.Fuzz(func(t *testing.T, text []byte, secret, value string, body []byte) {
		s, err := proof.Parse(text)
		if err != nil {
			return
		}
		program, err := proof.Compile(s)
		if err != nil {
			t.Fatalf("a valid scheme does not compile: %v", err)
		}
		if again, _, err := proof.FromWords(s.Words()); err != nil {
			t.Errorf("its words %q: %v", s.Words(), err)
		} else if one, two := toJSON(t, s), toJSON(t, again); one != two {
			t.Errorf("%s became %s", one, two)
		}
		v, err := program.With(proof.Secret{Value: secret})
		if err != nil {
			return
		}
		m := proof.Message{Method: "POST", PublicURL: "https://h.example", Path: "/p", RawQuery: "a=" + "1", Header: http.Header{}, Body: body, Arrived: time.Unix(sentAt, 0)}
		for _, name := range s.Signature.Header {
			m.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
		any := proof.Any{v}
		any.Head(&m)
		verdict := any.Verify(&m)
		any.Event(&m, verdict)
		if !slices.Contains(results, verdict.Result) {
			t.Errorf("%q", verdict.Result)
		}
		proof.Sign(s, secret, "1", m)
	})
}

func toJSON(t *testing.T, s proof.Scheme) string {
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzChallenges: what is echoed has no character that means anything to a browser.
func FuzzChallenges(f *testing.F) {
	f.Add("GET", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=s", "", []byte{})
	f.Add("POST", "validationToken=a", "abc", []byte(`{"a":{"c":"<b>"}}`))
	var all []*proof.Responder
	for _, kind := range []string{"meta s", "slack s", "zoom s", "msgraph", "cloudevents", "dropbox", "okta", "echo query c", "echo header X-C", "echo body /a/c"} {
		all = append(all, responder(f, kind))
	}
	f.Fuzz(func(t *testing.T, method, query, header string, body []byte) {
		m := proof.Message{Method: method, RawQuery: query, Body: body, Arrived: time.Unix(sentAt, 0), Header: http.Header{
			"X-C": {header}, "X-Okta-Verification-Challenge": {header}, "Webhook-Request-Origin": {header}, "X-Slack-Signature": {header}, "X-Zm-Signature": {header},
		}}
		for _, r := range all {
			answer, handled := r.Answer(&m, nil)
			if !handled {
				continue
			}
			if answer.Status != 200 && (answer.Status != 403 || len(answer.Body)+len(answer.Header) > 0) {
				t.Errorf("%d with %q", answer.Status, answer.Body)
			}
			if strings.ContainsAny(string(answer.Body), "<>&'\r\n") || len(answer.Body) > 1024 {
				t.Errorf("echoes %q", answer.Body)
			}
			for _, value := range answer.Header {
				if strings.ContainsAny(value, "\r\n") {
					t.Errorf("echoes %q in a header", value)
				}
			}
		}
	})
}

// TestMemory: what a proof allocates is bounded by the size of the request.
func TestMemory(t *testing.T) {
	const size = 1 << 20
	for name, body := range map[string]string{
		"one value":      `{"id":"` + strings.Repeat("x", size) + `"}`,
		"many names":     "{" + strings.Repeat(`"`+"a"+`":1,`, size/6),
		"deep":           strings.Repeat("[", size),
		"deep objects":   strings.Repeat(`{"a":`, size/5),
		"many fields":    strings.Repeat("a=1&", size/4),
		"many escapes":   `{"id":"` + strings.Repeat(`\u00e9`, size/6) + `"}`,
		"distinct names": distinctNames(size),
	} {
		for _, preset := range proof.Presets() {
			if preset.Scheme.Algorithm != "" && preset.Scheme.Algorithm != "hmac-sha1" {
				continue
			}
			secret := "5e5e5e5e5e5e"
			any := verifier(t, preset.Scheme, secret)
			m := proof.Message{Method: "POST", Body: []byte(body), Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Arrived: time.Unix(sentAt, 0)}
			for _, header := range preset.Scheme.Signature.Header {
				m.Header[http.CanonicalHeaderKey(header)] = []string{strings.Repeat("t=1800000000,v1=00 v1,AA ", 1000)}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			any.Verify(&m)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 40*size {
				t.Errorf("%s, %s: %d bytes for a body of %d", preset.Name, name, used, len(body))
			}
		}
	}
}

func distinctNames(size int) string {
	var text strings.Builder
	text.WriteByte('{')
	for i := 0; text.Len() < size; i++ {
		text.WriteString(`"`)
		text.WriteString(strings.Repeat("x", i%7))
		text.WriteString(time.Unix(int64(i), 0).UTC().Format("150405.20060102"))
		text.WriteString(`":1,`)
	}
	return text.String()
}

// FuzzWords: what is read from words is valid, and its own words read the same.
func FuzzWords(f *testing.F) {
	for _, preset := range proof.Presets() {
		var text []string
		for _, line := range preset.Scheme.Words() {
			text = append(text, strings.Join(line, "\t"))
		}
		f.Add(strings.Join(text, "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var lines [][]string
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, strings.Split(line, "\t"))
		}
		if c, err := proof.ChallengeFromWords(lines[0]); err == nil {
			if _, err := c.Responder(); err != nil {
				t.Errorf("a challenge from words: %v", err)
			}
		}
		s, _, err := proof.FromWords(lines)
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Errorf("it is not valid: %v", err)
		}
		if again, _, err := proof.FromWords(s.Words()); err != nil || toJSON(t, s) != toJSON(t, again) {
			t.Errorf("%q became %q: %v", s.Words(), again.Words(), err)
		}
	})
}
