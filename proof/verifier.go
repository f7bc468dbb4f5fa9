package proof

// Program is a scheme made ready. Verifiers of many credentials share one.
type Program struct {
	scheme Scheme
}

// Compile makes a scheme ready, or says what is invalid about it.
func Compile(s Scheme) (*Program, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Program{scheme: s}, nil
}

// Verifier judges messages by a scheme and secrets.
type Verifier struct {
	program *Program
}

// With returns the verifier for secrets, the current one first. An error never has a secret in it.
func (p *Program) With(secrets ...Secret) (*Verifier, error) { return &Verifier{program: p}, nil }

// Size is roughly how many bytes of memory the verifier takes, its program apart.
func (v *Verifier) Size() int { return 0 }

// NeedsURL reports whether the public URL is among the signed bytes.
func (p *Program) NeedsURL() bool { return false }

// Any are verifiers of which one that a message satisfies is enough.
type Any []*Verifier

// Head judges what can be judged without the body: OK, where nothing speaks against reading it.
func (a Any) Head(m *Message) Verdict { return Verdict{Result: Missing} }

// NeedsBody reports whether Verify looks at the body.
func (a Any) NeedsBody() bool { return true }

// NeedsURL reports whether Message.PublicURL has to be set.
func (a Any) NeedsURL() bool { return false }

// NeedsID reports whether one of them recognises no repeated request, for it is a constant secret
// without an id.
func (a Any) NeedsID() bool { return false }

// Verify judges a message.
func (a Any) Verify(m *Message) Verdict { return Verdict{Result: Missing} }

// Event identifies a message that Verify found proven.
func (a Any) Event(m *Message, verdict Verdict) Event { return Event{} }

// SecretHeaders are the headers that hold a secret itself. They are deleted before the upstream.
func (a Any) SecretHeaders() []string { return nil }

// StripQuery returns a raw query without the parameters that hold a secret itself.
func (a Any) StripQuery(raw string) string { return raw }

// Sign returns the message with the proof that a vendor would send with it: headers, query and body
// are those of the vendor. It is sent at m.Arrived, as the event of this id. The secret of a scheme
// with public keys is the private key in PEM.
func Sign(s Scheme, secret, id string, m Message) (Message, error) { return m, nil }
