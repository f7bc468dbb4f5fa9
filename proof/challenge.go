package proof

// Challenge is a handshake by which a vendor finds out whether an address is meant to get webhooks.
type Challenge struct {
	// Kind is one of meta, slack, zoom, msgraph, cloudevents, dropbox, okta and echo.
	Kind string `json:"kind"`
	// Secret is the verify token of meta, or the secret of slack or zoom; without it these two take
	// what the credential or the vendor is verified by.
	Secret string `json:"secret,omitempty"`
	// Echo is the place of what the kind echo answers: query, header or body.
	Echo *Place `json:"echo,omitempty"`
}

// Answer is what a vendor gets for a handshake.
type Answer struct {
	Status      int // 200, or 403 with nothing else
	ContentType string
	Header      map[string]string
	Body        []byte
	// Result says why a handshake was refused.
	Result Result
}

// Responder answers the handshakes of one kind.
type Responder struct{ challenge Challenge }

// Responder makes a challenge ready, or says what is invalid about it.
func (c Challenge) Responder() (*Responder, error) { return &Responder{c}, nil }

// NeedsBody reports whether Answer looks at the body of this message.
func (r *Responder) NeedsBody(m *Message) bool { return false }

// NeedsVerifier reports whether Answer takes its secret from fallback.
func (r *Responder) NeedsVerifier() bool { return false }

// Answer answers a message that is a handshake of this kind; false: it is none. The fallback is what
// the credential or the vendor is verified by.
func (r *Responder) Answer(m *Message, fallback Any) (Answer, bool) { return Answer{}, false }

// ChallengeFromWords reads the arguments of the Caddyfile's word `challenge`.
func ChallengeFromWords(args []string) (Challenge, error) { return Challenge{}, nil }
