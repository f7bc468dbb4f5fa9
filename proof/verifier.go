package proof

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// maxSecrets bounds what one wrong proof costs.
const maxSecrets = 8

// Program is a scheme made ready. The verifiers of many credentials share one.
type Program struct {
	scheme    Scheme
	algorithm algorithm
	encoding  string
	signature *where
	timestamp *where
	id        *where
	digest    *where
	signed    []template
	idNeeded  bool // it is among the signed bytes by itself
	idSigned  bool // it is among the signed bytes, by itself or in the body
	needsURL  bool
	needsBody bool
}

// programs are those that were made, by their scheme in JSON: credentials by the thousand have the
// same few. They never change, so that everybody may have the same.
var programs = struct {
	sync.Mutex
	known map[string]*Program
}{known: make(map[string]*Program)}

// maxPrograms bounds what schemes of operators' own keep.
const maxPrograms = 1024

// Compile makes a scheme ready, or returns an *Invalid.
func Compile(s Scheme) (*Program, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	name, err := json.Marshal(s)
	if err != nil {
		return nil, invalid("scheme", "it is no JSON")
	}
	programs.Lock()
	defer programs.Unlock()
	if p, ok := programs.known[string(name)]; ok {
		return p, nil
	}
	p := compile(s)
	if len(programs.known) < maxPrograms {
		programs.known[string(name)] = p
	}
	return p, nil
}

func compile(s Scheme) *Program {
	p := &Program{
		scheme: s, algorithm: algorithms[s.Algorithm], encoding: s.encoding(),
		signature: s.Signature.ready(), id: s.ID.ready(), digest: s.Digest.ready(), signed: s.templates(),
	}
	if s.Timestamp != nil {
		p.timestamp = s.Timestamp.ready()
	}
	if p.id != nil {
		p.idSigned, p.idNeeded = true, false
		for _, t := range p.signed {
			own := t.has("id")
			p.idNeeded = p.idNeeded || own
			p.idSigned = p.idSigned && (own || p.id.headers != nil && t.hasHeader(p.id.headers[0]) || p.id.body != nil && t.has("body"))
		}
		p.idSigned = p.idSigned && len(p.signed) > 0
	}
	p.needsURL, p.needsBody = p.signsURL(), p.looksAtBody()
	return p
}

// NeedsURL reports whether Message.PublicURL has to be set.
func (p *Program) NeedsURL() bool { return p.needsURL }

// NeedsBody reports whether Verify looks at the body.
func (p *Program) NeedsBody() bool { return p.needsBody }

func (p *Program) signsURL() bool {
	for _, t := range p.signed {
		if t.has("url") {
			return true
		}
	}
	return false
}

// Identifies reports whether a repeated event can be told by what proves it. A constant secret
// without an id says nothing of one.
func (p *Program) Identifies() bool { return p.algorithm.kind != equal || p.id != nil }

func (p *Program) looksAtBody() bool {
	if p.scheme.Own != "" || p.digest != nil || p.signature.body != nil || p.timestamp != nil && p.timestamp.body != nil {
		return true
	}
	for _, t := range p.signed {
		if t.has("body") || t.has("form") || t.has("id") && p.id.body != nil {
			return true
		}
	}
	return false
}

// key is one made of a secret.
type key struct {
	shared   []byte
	states   *sync.Pool // of an HMAC
	verifies verifies
	until    time.Time
	size     int
}

// Verifier judges messages by a scheme and secrets.
type Verifier struct {
	*Program
	keys []key
}

// With returns the verifier for secrets, the current one first. Its error never has a secret in it.
func (p *Program) With(secrets ...Secret) (*Verifier, error) {
	if len(secrets) == 0 {
		return nil, invalid("secret", "it is missing")
	}
	if len(secrets) > maxSecrets {
		return nil, invalid("secret", "there are more than 8")
	}
	v := &Verifier{Program: p, keys: make([]key, len(secrets))}
	for i, secret := range secrets {
		k := key{until: secret.Until, size: len(secret.Value)}
		var err error
		switch {
		case strings.TrimSpace(secret.Value) == "":
			err = invalid("secret", "it is empty")
		case p.algorithm.kind == public:
			k.verifies, err = publicKey(p.scheme.Algorithm, secret.Value)
		default:
			k.shared, err = sharedKey(p.scheme.Key, secret.Value)
			k.states = p.algorithm.states(k.shared)
		}
		if err != nil {
			return nil, err
		}
		v.keys[i] = k
	}
	return v, nil
}

// Size is roughly how many bytes of memory the verifier takes, without its program.
func (v *Verifier) Size() int {
	size := 64
	for _, key := range v.keys {
		size += 256 + 4*key.size // a parsed RSA key takes a few times its text
	}
	return size
}

// live calls judge with each key that has not ended.
func (v *Verifier) live(at time.Time, judge func(key) bool) Result {
	for i, key := range v.keys {
		if !key.until.IsZero() && !at.Before(key.until) {
			continue
		}
		if judge(key) {
			if i > 0 {
				return OldSecret
			}
			return OK
		}
	}
	return Mismatch
}

// verify judges a message.
func (v *Verifier) verify(m *Message) Result {
	if v.scheme.Own == OwnAdyenItems {
		return v.verifyAdyen(m)
	}
	found, result := v.read(m, false)
	if result != OK {
		return result
	}
	if v.algorithm.kind == equal {
		return v.live(m.Arrived, func(key key) bool {
			same := false
			for _, presented := range found.signatures {
				same = sameSecret(presented, key.shared) || same
			}
			return same
		})
	}
	if result := v.judgeDigest(m); result != OK {
		return result
	}
	result = Mismatch
	for _, t := range v.signed {
		if result = v.verifySigned(t, m, &found); result != Mismatch {
			return result
		}
	}
	return result
}

// verifySigned judges signatures of the bytes of one template.
func (v *Verifier) verifySigned(t template, m *Message, found *reading) Result {
	if v.algorithm.kind == digest {
		result := OK
		verdict := v.live(m.Arrived, func(key key) bool {
			var signed signedBytes
			if signed, result = t.bytes(m, found, key.shared); result != OK {
				return false
			}
			return found.hasSum(v.algorithm.sum(nil, &signed))
		})
		if result != OK {
			return result
		}
		return verdict
	}
	signed, result := t.bytes(m, found, nil)
	if result != OK {
		return result
	}
	if v.algorithm.kind == mac {
		return v.live(m.Arrived, func(key key) bool { return found.hasSum(pooledSum(key.states, &signed)) })
	}
	digested := v.algorithm.digested(&signed)
	return v.live(m.Arrived, func(key key) bool {
		for _, signature := range found.signatures {
			if key.verifies(digested, signature) {
				return true
			}
		}
		return false
	})
}

// hasSum reports whether any signature is this one.
func (r *reading) hasSum(sum []byte) bool {
	same := false
	for _, signature := range r.signatures {
		same = hmac.Equal(sum, signature) || same
	}
	return same
}

// judgeDigest compares the digest of the body that stands in the head, if one does.
func (p *Program) judgeDigest(m *Message) Result {
	if p.digest == nil {
		return OK
	}
	text, result := p.digest.inHead(m, nil)
	switch result {
	case Missing:
		// Twilio sends none with a form, whose fields are signed, or without a body. With another body,
		// the signature of a URL alone would vouch for any.
		if len(m.Body) > 0 && !m.isForm() {
			return Missing
		}
		return OK
	case Malformed:
		return Malformed
	}
	claimed, err := hex.DecodeString(text)
	if err != nil {
		return Malformed
	}
	sum := sha256.Sum256(m.Body)
	if !hmac.Equal(sum[:], claimed) {
		return Mismatch
	}
	return OK
}

// event returns what a proven message is recognised by.
func (p *Program) event(m *Message) Event {
	if p.scheme.Own == OwnAdyenItems {
		return Event{Signed: adyenEvent(m)}
	}
	var event Event
	found, _ := p.read(m, false)
	if p.id != nil && p.id.body != nil && !p.idNeeded {
		found.id, _ = inBody(m.Body, p.id.body)
	}
	if found.id != "" {
		event.ID = fingerprint([]byte(found.id))
		if p.idSigned {
			return event
		}
	}
	if p.algorithm.kind == equal || len(p.signed) == 0 {
		return event
	}
	// It is of the signed bytes and not of the signature, of which an ECDSA signer makes another one
	// from the same bytes, and of which a request may hold two.
	if signed, result := p.signed[0].bytes(m, &found, nil); result == OK {
		event.Signed = fingerprint(signed.pieces...)
	}
	return event
}

func fingerprint(pieces ...[]byte) string {
	state := sha256.New()
	for _, piece := range pieces {
		state.Write(piece)
	}
	return hex.EncodeToString(state.Sum(nil))
}
