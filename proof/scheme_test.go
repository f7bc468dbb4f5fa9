package proof_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// words are the lines of a block `verify`, whose arguments have no blanks but in quotes.
func words(t testing.TB, block string) proof.Scheme {
	t.Helper()
	s, _, err := proof.FromWords(lines(block))
	if err != nil {
		t.Fatalf("%s: %v", block, err)
	}
	return s
}

func lines(block string) [][]string {
	var all [][]string
	for line := range strings.SplitSeq(block, "; ") {
		var args []string
		for i, part := range strings.Split(strings.TrimSpace(line), "'") {
			if i%2 == 1 {
				args = append(args, part)
			} else {
				args = append(args, strings.Fields(part)...)
			}
		}
		all = append(all, args)
	}
	return all
}

func hexHMAC(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

const sentAt = 1_800_000_000

// TestResults: what a request presents, and what comes of it. The secret is "s".
func TestResults(t *testing.T) {
	const pairs = "signature header X-Sig pairs , = v1; timestamp pair t; signed {timestamp}.{body}"
	right := hexHMAC("s", "1800000000.{}")
	for name, test := range map[string]struct {
		scheme string
		header map[string][]string
		query  string
		body   string
		want   proof.Result
	}{
		"right":                            {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=" + right}}, "", "{}", proof.OK},
		"in capitals":                      {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=" + strings.ToUpper(right)}}, "", "{}", proof.OK},
		"blanks behind the separator":      {pairs, map[string][]string{"X-Sig": {"t=1800000000, v1=" + right}}, "", "{}", proof.OK},
		"behind a wrong one":               {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=" + strings.Repeat("0", 64) + ",v1=" + right}}, "", "{}", proof.OK},
		"behind one that cannot be read":   {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=x,v1=" + right}}, "", "{}", proof.OK},
		"behind more than are looked at":   {pairs, map[string][]string{"X-Sig": {"t=1800000000" + strings.Repeat(",v1="+strings.Repeat("0", 64), 8) + ",v1=" + right}}, "", "{}", proof.Mismatch},
		"no header":                        {pairs, nil, "", "{}", proof.Missing},
		"an empty header":                  {pairs, map[string][]string{"X-Sig": {""}}, "", "{}", proof.Missing},
		"a header without signatures":      {pairs, map[string][]string{"X-Sig": {"t=1800000000"}}, "", "{}", proof.Malformed},
		"two lines":                        {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=" + right, "t=1800000000,v1=" + right}}, "", "{}", proof.Malformed},
		"half a signature":                 {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=" + right[:32]}}, "", "{}", proof.Malformed},
		"no timestamp":                     {pairs, map[string][]string{"X-Sig": {"v1=" + right}}, "", "{}", proof.Missing},
		"two timestamps":                   {pairs, map[string][]string{"X-Sig": {"t=1800000000,t=1800000000,v1=" + right}}, "", "{}", proof.Malformed},
		"a timestamp that is no number":    {pairs, map[string][]string{"X-Sig": {"t=+1800000000,v1=" + right}}, "", "{}", proof.Malformed},
		"five minutes old":                 {pairs, map[string][]string{"X-Sig": {"t=1799999700,v1=" + hexHMAC("s", "1799999700.{}")}}, "", "{}", proof.OK},
		"older":                            {pairs, map[string][]string{"X-Sig": {"t=1799999699,v1=" + hexHMAC("s", "1799999699.{}")}}, "", "{}", proof.TimestampOld},
		"from the future":                  {pairs, map[string][]string{"X-Sig": {"t=1800000301,v1=" + hexHMAC("s", "1800000301.{}")}}, "", "{}", proof.TimestampNew},
		"old, and tolerance off":           {pairs + "; tolerance off", map[string][]string{"X-Sig": {"t=1000000000,v1=" + hexHMAC("s", "1000000000.{}")}}, "", "{}", proof.OK},
		"another body":                     {pairs, map[string][]string{"X-Sig": {"t=1800000000,v1=" + right}}, "", "{ }", proof.Mismatch},
		"a body that is no text":           {"signature header X-Sig", map[string][]string{"X-Sig": {hexHMAC("s", "\xff\xfe\x00")}}, "", "\xff\xfe\x00", proof.OK},
		"no body":                          {"signature header X-Sig", map[string][]string{"X-Sig": {hexHMAC("s", "")}}, "", "", proof.OK},
		"a prefix":                         {"signature header X-Sig; prefix sha256=", map[string][]string{"X-Sig": {"sha256=" + hexHMAC("s", "{}")}}, "", "{}", proof.OK},
		"without the prefix":               {"signature header X-Sig; prefix sha256=", map[string][]string{"X-Sig": {hexHMAC("s", "{}")}}, "", "{}", proof.Malformed},
		"a list":                           {"signature header X-Sig list ' '", map[string][]string{"X-Sig": {"x " + hexHMAC("s", "{}")}}, "", "{}", proof.OK},
		"in the query":                     {"signature query sig", nil, "a=1&sig=" + hexHMAC("s", "{}"), "{}", proof.OK},
		"twice in the query":               {"signature query sig", nil, "sig=" + hexHMAC("s", "{}") + "&s%69g=x", "{}", proof.Malformed},
		"in the body":                      {"signature body /sig; signed {query.a}", nil, "a=1", `{"x":[1,{}],"sig":"` + hexHMAC("s", "1") + `"}`, proof.OK},
		"twice in the body":                {"signature body /a/sig; signed {query.a}", nil, "a=1", `{"a":{"b":1,"b":2,"sig":"` + hexHMAC("s", "1") + `"}}`, proof.Malformed},
		"a body that is no JSON":           {"signature body /sig; signed {query.a}", nil, "a=1", "sig=1", proof.Malformed},
		"a signed header that is absent":   {"signature header X-Sig; signed {header.X-A}{body}", map[string][]string{"X-Sig": {hexHMAC("s", "{}")}}, "", "{}", proof.Malformed},
		"a signed header on two lines":     {"signature header X-Sig; signed [{header.X-A}]{body}", map[string][]string{"X-Sig": {hexHMAC("s", "{}")}, "X-A": {"1", "2"}}, "", "{}", proof.Malformed},
		"an optional header that is there": {"signature header X-Sig; signed [a:{header.X-A};]{body}", map[string][]string{"X-Sig": {hexHMAC("s", "a:1;{}")}, "X-A": {"1"}}, "", "{}", proof.OK},
		"an optional header that is not":   {"signature header X-Sig; signed [a:{header.X-A};]{body}", map[string][]string{"X-Sig": {hexHMAC("s", "{}")}}, "", "{}", proof.OK},
		"escapes":                          {`signature header X-Sig; signed \[\{{body}\}\]\\`, map[string][]string{"X-Sig": {hexHMAC("s", `[{{}}]\`)}}, "", "{}", proof.OK},
		"Caddy's spelling":                 {"signature header X-Sig; signed {http.request.method}{http.request.uri.path}{http.request.uri.query}{http.request.header.X-A}{http.request.uri.query.a}", map[string][]string{"X-Sig": {hexHMAC("s", "POST/p%20qa=111")}, "X-A": {"1"}}, "a=1", "", proof.OK},
		"method, path, query":              {"signature header X-Sig; signed {method}{path}{query}{query.a}", map[string][]string{"X-Sig": {hexHMAC("s", "POST/p%20qa=%311")}}, "a=%31", "", proof.OK},
		"the URL":                          {"signature header X-Sig; signed {url}", map[string][]string{"X-Sig": {hexHMAC("s", "https://h.example/p%20q?a=1")}}, "a=1", "", proof.OK},
		"a second template":                {"signature header X-Sig; signed {query.a} {query.a|lower}", map[string][]string{"X-Sig": {hexHMAC("s", "ab")}}, "a=AB", "", proof.OK},
		"a signed id that is absent":       {"signature header X-Sig; id header X-Id; signed {id}{body}", map[string][]string{"X-Sig": {hexHMAC("s", "{}")}}, "", "{}", proof.Missing},
		"an id on two lines":               {"signature header X-Sig; id header X-Id", map[string][]string{"X-Sig": {hexHMAC("s", "{}")}, "X-Id": {"1", "2"}}, "", "{}", proof.Malformed},
		"the constant secret":              {"algorithm equal; signature header X-Sig; prefix 'Bearer '", map[string][]string{"X-Sig": {"Bearer s"}}, "", "", proof.OK},
		"another constant":                 {"algorithm equal; signature header X-Sig; prefix 'Bearer '", map[string][]string{"X-Sig": {"Bearer S"}}, "", "", proof.Mismatch},
		"user and password":                {"algorithm equal; signature header Authorization; prefix 'Basic '; encoding base64", map[string][]string{"Authorization": {"Basic cw=="}}, "", "", proof.OK},
		"a digest of the secret":           {"algorithm sha256; signature header X-Sig; signed {secret}-{body}", map[string][]string{"X-Sig": {hexSHA256("s-{}")}}, "", "{}", proof.OK},
		"RFC 3339":                         {"signature header X-Sig; timestamp header X-At rfc3339; signed {timestamp}", map[string][]string{"X-Sig": {hexHMAC("s", "2027-01-15T08:00:00.5Z")}, "X-At": {"2027-01-15T08:00:00.5Z"}}, "", "", proof.OK},
		"milliseconds":                     {"signature header X-Sig; timestamp header X-At ms; signed {timestamp}", map[string][]string{"X-Sig": {hexHMAC("s", "1800000000123")}, "X-At": {"1800000000123"}}, "", "", proof.OK},
		"the digest of another body":       {"signature header X-Sig; digest query d; signed {url}", map[string][]string{"X-Sig": {hexHMAC("s", "https://h.example/p%20q?d="+hexSHA256("{}"))}}, "d=" + hexSHA256("{}"), "{ }", proof.Mismatch},
		"no digest of a body":              {"signature header X-Sig; digest query d; signed {url}", map[string][]string{"X-Sig": {hexHMAC("s", "https://h.example/p%20q")}}, "", "{}", proof.Missing},
	} {
		t.Run(name, func(t *testing.T) {
			m := proof.Message{
				Method: "POST", PublicURL: "https://h.example", Path: "/p%20q", RawQuery: test.query,
				Header: test.header, Body: []byte(test.body), Arrived: time.Unix(sentAt, 0),
			}
			verdict := verifier(t, words(t, test.scheme), "s").Verify(&m)
			if verdict.Result != test.want {
				t.Errorf("%s, want %s", verdict.Result, test.want)
			}
			if !verdict.Result.Proven() && verdict.Refuse != 403 {
				t.Errorf("refused with %d", verdict.Refuse)
			}
		})
	}
}

func hexSHA256(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestInvalid: which field is at fault is said by a word that does not change.
func TestInvalid(t *testing.T) {
	for block, reason := range map[string]string{
		"algorithm md5; signature header X":                                                "algorithm",
		"algorithm equal":                                                                  "signature",
		"signature pair t":                                                                 "signature",
		"signature header 'X Y'":                                                           "signature",
		"signature header X pairs , =":                                                     "signature",
		"signature header X list":                                                          "signature",
		"signature pairs , = v1":                                                           "signature",
		"signature body x":                                                                 "signature",
		"algorithm equal; signature body /x":                                               "signature",
		"signature header X; encoding text":                                                "encoding",
		"signature header X; encoding rot13":                                               "encoding",
		"signature header X; key pem":                                                      "key",
		"algorithm ed25519; signature header X; key hex":                                   "key",
		"signature header X; signed {nothing}":                                             "signed",
		"signature header X; signed {body":                                                 "signed",
		"signature header X; signed [{body}":                                               "signed",
		"signature header X; signed {body}]":                                               "signed",
		"signature header X; signed [[{body}]]":                                            "signed",
		`signature header X; signed {body}\n`:                                              "signed",
		"signature header X; signed constant":                                              "signed",
		"signature header X; signed {id}":                                                  "signed",
		"signature header X; signed {timestamp}":                                           "signed",
		"signature header X; signed {secret}{body}":                                        "signed",
		"algorithm sha256; signature header X":                                             "signed",
		"algorithm equal; signature header X; signed {body}":                               "signed",
		"signature query x; signed {url}":                                                  "signed",
		"signature body /x; signed {body}":                                                 "signed",
		"signature header X; signed {body} {body} {body} {body} {body}":                    "signed",
		"signature header X; tolerance 5m":                                                 "tolerance",
		"signature header X; tolerance never":                                              "tolerance",
		"signature header X; timestamp header Y; signed {timestamp}{body}; tolerance 200h": "tolerance",
		"signature header X; timestamp header Y":                                           "timestamp",
		"signature header X; timestamp header Y h; signed {timestamp}{body}":               "timestamp",
		"signature header X; timestamp pair t; signed {timestamp}{body}":                   "timestamp",
		"algorithm equal; signature header X; timestamp header Y":                          "timestamp",
		"signature header X; id nowhere x":                                                 "id",
		"signature header X; digest body /x; signed {url}":                                 "digest",
		"signature header X; digest query x":                                               "digest",
		"signature header X; refuse 500":                                                   "refuse",
		"signature header X; refuse no":                                                    "refuse",
		"signature header X; signature header Y":                                           "signature",
		"own adyen-items; key hex; signature header X":                                     "own",
		"own something":                                                                    "own",
		"signature header X; a b":                                                          "verify",
		"signature":                                                                        "signature",
	} {
		t.Run(block, func(t *testing.T) {
			_, _, err := proof.FromWords(lines(block))
			var invalid *proof.Invalid
			if !errors.As(err, &invalid) || invalid.Reason != reason {
				t.Errorf("%v, want %s", err, reason)
			}
		})
	}
	for _, text := range []string{``, `1`, `"nobody"`, `{"signatur":{}}`, `{"signature":{"header":"X"}} x`} {
		if _, err := proof.Parse([]byte(text)); err == nil {
			t.Errorf("%s is a scheme", text)
		}
	}
}

// TestSecrets: a secret that does not fit is refused without being quoted.
func TestSecrets(t *testing.T) {
	nine := make([]proof.Secret, 9)
	for i := range nine {
		nine[i].Value = "s"
	}
	for name, test := range map[string]struct {
		scheme  string
		secrets []proof.Secret
	}{
		"none":            {"signature header X", nil},
		"empty":           {"signature header X", []proof.Secret{{Value: " "}}},
		"too many":        {"signature header X", nine},
		"no hex":          {"signature header X; key hex", []proof.Secret{{Value: "canary-secret"}}},
		"no base64":       {"signature header X; key base64", []proof.Secret{{Value: "canary-secret!"}}},
		"nothing decoded": {"signature header X; key whsec", []proof.Secret{{Value: "whsec_"}}},
		"no public key":   {"algorithm ed25519; signature header X", []proof.Secret{{Value: "canary-secret"}}},
		"another kind":    {"algorithm ed25519; signature header X", []proof.Secret{{Value: newP256(t).public}}},
		"a private key":   {"algorithm rsa-sha256; signature header X", []proof.Secret{{Value: newRSA(t).private}}},
	} {
		t.Run(name, func(t *testing.T) {
			program, err := proof.Compile(words(t, test.scheme))
			if err != nil {
				t.Fatal(err)
			}
			_, err = program.With(test.secrets...)
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSecretEnds: an old secret verifies until its grace ends.
func TestSecretEnds(t *testing.T) {
	program, err := proof.Compile(words(t, "signature header X-Sig"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := program.With(proof.Secret{Value: "new"}, proof.Secret{Value: "old", Until: time.Unix(sentAt, 0)})
	if err != nil {
		t.Fatal(err)
	}
	m := proof.Message{Header: map[string][]string{"X-Sig": {hexHMAC("old", "")}}}
	for at, want := range map[int64]proof.Result{sentAt - 1: proof.OldSecret, sentAt: proof.Mismatch} {
		m.Arrived = time.Unix(at, 0)
		if got := (proof.Any{v}).Verify(&m).Result; got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// TestAny: one of several is enough, and the reason is that of the one that came farthest.
func TestAny(t *testing.T) {
	any := append(verifier(t, words(t, "signature header X-A; refuse 401"), "a"), verifier(t, words(t, "algorithm equal; signature query k"), "b")...)
	for name, test := range map[string]struct {
		header map[string][]string
		query  string
		want   proof.Result
		refuse int
	}{
		"the second": {nil, "k=b", proof.OK, 403},
		"none":       {nil, "", proof.Missing, 401},
		"a wrong":    {map[string][]string{"X-A": {strings.Repeat("0", 64)}}, "", proof.Mismatch, 401},
		"unreadable": {map[string][]string{"X-A": {"x"}}, "k=c", proof.Mismatch, 403},
	} {
		t.Run(name, func(t *testing.T) {
			verdict := any.Verify(&proof.Message{Header: test.header, RawQuery: test.query})
			if verdict.Result != test.want || verdict.Refuse != test.refuse {
				t.Errorf("%s %d, want %s %d", verdict.Result, verdict.Refuse, test.want, test.refuse)
			}
		})
	}
	if got := any.StripQuery("a=1&k=b&c=%6b"); got != "a=1&c=%6b" {
		t.Errorf("the upstream sees %s", got)
	}
	if !any.NeedsBody() || any.NeedsURL() || any.Identifies() {
		t.Error("it needs the body, no URL, and cannot tell a repeat by a constant")
	}
}

// TestEvent: what a repeat is recognised by.
func TestEvent(t *testing.T) {
	event := func(block, secret string, m proof.Message) proof.Event {
		t.Helper()
		s := words(t, block)
		signed, err := proof.Sign(s, secret, "e1", m)
		if err != nil {
			t.Fatal(err)
		}
		any := verifier(t, s, secret)
		return any.Event(&signed, any.Verify(&signed))
	}
	first := proof.Message{Body: []byte(`{"id":"1"}`), Arrived: time.Unix(sentAt, 0)}
	later := proof.Message{Body: []byte(`{"id":"1"}`), Arrived: time.Unix(sentAt+60, 0)}
	const signedID = "signature header X; timestamp header Y; signed {timestamp}{body}; id body /id"
	if a, b := event(signedID, "s", first), event(signedID, "s", later); a != b || a.ID == "" || a.Signed != "" {
		t.Errorf("a retry with a signed id is %v and %v", a, b)
	}
	const unsigned = "signature header X; timestamp header Y; signed {timestamp}{body}; id header Z"
	a, b := event(unsigned, "s", first), event(unsigned, "s", later)
	if a.ID != b.ID || a.ID == "" || a.Signed == "" || a.Signed == b.Signed {
		t.Errorf("a retry with an id that is not signed is %v and %v", a, b)
	}
	const none = "signature header X; timestamp header Y; signed {timestamp}{body}"
	if a := event(none, "s", first); a.ID != "" || a.Signed == "" || a != event(none, "another", first) {
		t.Errorf("without an id it is %v", a)
	}
	if a := event("algorithm equal; signature header X; id body /id", "s", first); a.ID == "" || a.Signed != "" {
		t.Errorf("with a constant secret it is %v", a)
	}
	any := verifier(t, words(t, none), "s")
	if a := any.Event(&first, any.Verify(&first)); a != (proof.Event{}) {
		t.Errorf("an unproven request is %v", a)
	}
}
