package proof

import (
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Challenge is a handshake by which a vendor finds out whether somebody wants its webhooks at an address.
type Challenge struct {
	// Kind is one of meta, slack, zoom, msgraph, cloudevents, dropbox, okta and echo.
	Kind string `json:"kind"`
	// Secret is the verify token of meta, or the secret of slack or zoom. Without one, slack and zoom
	// take what the credential or the vendor is verified by.
	Secret string `json:"secret,omitempty"`
	// Echo is the place of what the kind echo answers: query, header or body.
	Echo *Place `json:"echo,omitempty"`
}

// Answer is what a vendor gets for a handshake.
type Answer struct {
	Status      int // 200, or 403 and nothing else
	ContentType string
	Header      map[string]string // in addition
	Body        []byte
	// Result is OK, or why the handshake is refused.
	Result Result
}

// Responder answers the handshakes of one kind.
type Responder struct {
	kind     string
	secret   []byte
	verifier Any // by a secret of the handshake's own
	echo     *where
}

// ChallengeFromWords reads the arguments of the Caddyfile's word `challenge`:
// `<kind> [<secret>]`, or `echo header|query|body <name>`. The secret is as it stands there.
func ChallengeFromWords(args []string) (Challenge, error) {
	if len(args) == 0 {
		return Challenge{}, invalid("challenge", "it takes a kind")
	}
	c := Challenge{Kind: args[0]}
	args = args[1:]
	switch {
	case c.Kind == "echo" && len(args) == 2:
		c.Echo = new(Place)
		return c, c.Echo.words("challenge", args)
	case len(args) == 1:
		c.Secret = args[0]
	case len(args) > 1:
		return c, invalid("challenge", "it takes a kind and a secret, or echo header|query|body <name>")
	}
	return c, c.Validate()
}

// Validate returns nil, or an *Invalid.
func (c Challenge) Validate() error {
	switch c.Kind {
	case "meta":
		if c.Secret == "" {
			return invalid("challenge", "meta takes the verify token")
		}
	case "slack", "zoom":
	case "msgraph", "cloudevents", "dropbox", "okta", "echo":
		if c.Secret != "" {
			return invalid("challenge", c.Kind+" takes no secret")
		}
	default:
		return invalid("challenge", "it is one of meta, slack, zoom, msgraph, cloudevents, dropbox, okta and echo")
	}
	if (c.Echo != nil) != (c.Kind == "echo") {
		return invalid("challenge", "echo takes header, query or body and a name; no other kind does")
	}
	if c.Echo == nil {
		return nil
	}
	if c.Echo.Pair != "" {
		return invalid("challenge", "echo takes header, query or body and a name")
	}
	return c.Echo.validate("challenge", 1)
}

// Responder makes a challenge ready, or returns an *Invalid.
func (c Challenge) Responder() (*Responder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &Responder{kind: c.Kind, secret: []byte(c.Secret), echo: c.Echo.ready()}
	if c.Secret != "" && r.signed() {
		preset, _ := Named(c.Kind)
		program, err := Compile(preset.Scheme)
		if err != nil {
			return nil, err
		}
		verifier, err := program.With(Secret{Value: c.Secret})
		if err != nil {
			return nil, err
		}
		r.verifier = Any{verifier}
	}
	return r, nil
}

// signed reports whether the handshake is one that is answered only with a valid signature.
func (r *Responder) signed() bool { return r.kind == "slack" || r.kind == "zoom" }

// NeedsBody reports whether Answer looks at the body of this message.
func (r *Responder) NeedsBody(m *Message) bool {
	return m.Method == "POST" && (r.signed() || r.kind == "echo" && r.echo.body != nil)
}

// Answer answers a message that is a handshake of this kind; false: it is none. The fallback is what
// the credential or the vendor is verified by.
func (r *Responder) Answer(m *Message, fallback Any) (Answer, bool) {
	switch r.kind {
	case "meta":
		return r.meta(m)
	case "slack":
		return r.slack(m, fallback)
	case "zoom":
		return r.zoom(m, fallback)
	case "msgraph":
		return echo(m.Method == "POST", func() (string, Result) { return inQuery(m.RawQuery, "validationToken") })
	case "dropbox":
		return echo(m.Method == "GET", func() (string, Result) { return inQuery(m.RawQuery, "challenge") })
	case "cloudevents":
		return cloudevents(m)
	case "okta":
		answer, ok := echo(m.Method == "GET", func() (string, Result) { return inHeader(m, "X-Okta-Verification-Challenge") })
		if ok && answer.Status == 200 {
			answer = inJSON(map[string]string{"verification": string(answer.Body)})
		}
		return answer, ok
	}
	method := "GET"
	if r.echo.body != nil {
		method = "POST"
	}
	return echo(r.echo.headers != nil || m.Method == method, func() (string, Result) { return r.echo.value(m, nil) })
}

// echo answers what a vendor sent, as text. Without it the message is no handshake.
func echo(method bool, sent func() (string, Result)) (Answer, bool) {
	if !method {
		return Answer{}, false
	}
	text, result := sent()
	switch {
	case result == Missing:
		return Answer{}, false
	case result != OK || !echoable(text):
		return refused(Malformed), true
	}
	return inText(text), true
}

// meta is the handshake of Meta's platforms, GET with hub.mode, hub.verify_token and hub.challenge.
func (r *Responder) meta(m *Message) (Answer, bool) {
	answer, ok := echo(m.Method == "GET", func() (string, Result) { return inQuery(m.RawQuery, "hub.challenge") })
	if !ok || answer.Status != 200 {
		return answer, ok
	}
	mode, _ := inQuery(m.RawQuery, "hub.mode")
	token, result := inQuery(m.RawQuery, "hub.verify_token")
	switch {
	case result != OK:
		return refused(result), true
	case mode != "subscribe" || !sameSecret([]byte(token), r.secret):
		return refused(Mismatch), true
	}
	return answer, true
}

func (r *Responder) slack(m *Message, fallback Any) (Answer, bool) {
	if kind, _ := ofPost(m, "type"); kind != "url_verification" {
		return Answer{}, false
	}
	if _, result := r.proven(m, fallback); result != OK {
		return refused(result), true
	}
	text, result := inBody(m.Body, []string{"challenge"})
	if result != OK || !echoable(text) {
		return refused(Malformed), true
	}
	return inText(text), true
}

// zoom answers the HMAC of a text that the sender chose. Of one with a colon that could be the signed
// bytes of an event, "v0:<time>:<body>", it makes none, whoever asks.
func (r *Responder) zoom(m *Message, fallback Any) (Answer, bool) {
	if kind, _ := ofPost(m, "event"); kind != "endpoint.url_validation" {
		return Answer{}, false
	}
	key, result := r.proven(m, fallback)
	if result != OK {
		return refused(result), true
	}
	text, result := inBody(m.Body, []string{"payload", "plainToken"})
	if result != OK || !echoable(text) || strings.Contains(text, ":") {
		return refused(Malformed), true
	}
	sum := algorithms["hmac-sha256"].sum(key, &signedBytes{[][]byte{[]byte(text)}})
	return inJSON(map[string]string{"plainToken": text, "encryptedToken": hex.EncodeToString(sum)}), true
}

func ofPost(m *Message, name string) (string, Result) {
	if m.Method != "POST" {
		return "", Missing
	}
	return inBody(m.Body, []string{name})
}

// proven verifies a signed handshake, by the scheme of its kind alone, and returns the key.
func (r *Responder) proven(m *Message, fallback Any) ([]byte, Result) {
	verifiers := r.verifier
	if verifiers == nil {
		own, _ := Named(r.kind)
		for _, v := range fallback {
			if v.algorithm.kind == mac && v.signature.headers != nil && v.signature.headers[0] == own.Scheme.Signature.Header.canonical()[0] {
				verifiers = append(verifiers, v)
			}
		}
	}
	for _, v := range verifiers {
		for i := range v.keys {
			alone := &Verifier{Program: v.Program, keys: v.keys[i : i+1]}
			if alone.verify(m).Proven() {
				return v.keys[i].shared, OK
			}
		}
	}
	if verifiers == nil {
		return nil, Missing
	}
	return nil, verifiers.Verify(m).Result
}

func cloudevents(m *Message) (Answer, bool) {
	if m.Method != "OPTIONS" {
		return Answer{}, false
	}
	origin, result := inHeader(m, "Webhook-Request-Origin")
	switch {
	case result == Missing:
		return Answer{}, false
	case result != OK || !echoable(origin):
		return refused(Malformed), true
	}
	// CloudEvents' HTTP webhooks, section 4.2: the rate that is asked for, or any.
	rate, result := inHeader(m, "Webhook-Request-Rate")
	if result != OK || !number(rate) {
		rate = "*"
	}
	return Answer{Status: 200, Result: OK, Header: map[string]string{"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": rate, "Allow": "POST"}}, true
}

func number(text string) bool {
	return len(text) > 0 && len(text) <= 9 && strings.Trim(text, "0123456789") == ""
}

// echoable bounds what is echoed. None of these characters means anything to a browser.
func echoable(text string) bool {
	if len(text) > 512 {
		return false
	}
	for _, c := range []byte(text) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".:/+=,_- ", c) >= 0) {
			return false
		}
	}
	return true
}

func inText(text string) Answer {
	return Answer{Status: 200, Result: OK, ContentType: "text/plain; charset=utf-8", Body: []byte(text)}
}

func inJSON(value map[string]string) Answer {
	body, _ := json.Marshal(value) // a map of texts
	return Answer{Status: 200, Result: OK, ContentType: "application/json", Body: body}
}

func refused(result Result) Answer { return Answer{Status: 403, Result: result} }
