// Package proof verifies what a vendor adds to a webhook to show who sent it. How a vendor does
// that is a value, a Scheme, and no code. The package does no I/O and has no clock.
package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Scheme is how the webhooks of a vendor prove who sent them. It is the object `verify.scheme` of
// the admin API, and what a block `verify` of the Caddyfile says in words.
type Scheme struct {
	// Algorithm is one of Algorithms; hmac-sha256 where it is empty.
	Algorithm string `json:"algorithm,omitempty"`
	// Signature is where the signature stands, or, under `equal`, the secret.
	Signature Signature `json:"signature"`
	// Prefix stands before every signature, and is no part of it: "sha256=".
	Prefix string `json:"prefix,omitempty"`
	// Encoding is hex, base64, base64url or text; where it is empty, hex, and under `equal` text.
	Encoding string `json:"encoding,omitempty"`
	// Signed are templates of the bytes that are signed; {body} where it is empty. Of several, one
	// that fits is enough.
	Signed Templates `json:"signed,omitempty"`
	// Timestamp is where the time of sending stands; nil: the vendor does not say it.
	Timestamp *Timestamp `json:"timestamp,omitempty"`
	// Tolerance is how far the timestamp may be from when the request arrived, to both sides; five
	// minutes where it is 0.
	Tolerance Tolerance `json:"tolerance,omitempty"`
	// ID is where the identity of an event stands; nil: there is none but the signature.
	ID *Place `json:"id,omitempty"`
	// Digest is where a SHA-256 of the body stands in hexadecimal. A request that has it is mismatched
	// unless it is that of the body. It is for vendors that sign the URL and not the body.
	Digest *Place `json:"digest,omitempty"`
	// Key is how a key is made of a secret: text (where it is empty), hex, base64, whsec or
	// whsec-or-text. Public keys tell their own form.
	Key string `json:"key,omitempty"`
	// Refuse is the status of an answer to a wrong proof; 403 where it is 0.
	Refuse int `json:"refuse,omitempty"`
	// Own names code of this package for what no template says: OwnAdyenItems, or empty. It takes the
	// place of Signature, Encoding and Signed.
	Own string `json:"own,omitempty"`
}

// Place is where in a request a value stands. Exactly one field is set.
type Place struct {
	Header Names  `json:"header,omitempty"`
	Query  string `json:"query,omitempty"`
	Body   string `json:"body,omitempty"` // a JSON pointer, RFC 6901
	Pair   string `json:"pair,omitempty"` // a key of the signature's pairs
}

// Signature is the place of signatures, and how they stand in it.
type Signature struct {
	Place
	// Form is whole (where it is empty), pairs or list.
	Form string `json:"form,omitempty"`
	// Separator stands between the items of pairs or of a list.
	Separator string `json:"separator,omitempty"`
	// Assign stands between the key and the value of a pair.
	Assign string `json:"assign,omitempty"`
	// Keys are those whose pairs are signatures.
	Keys []string `json:"keys,omitempty"`
}

// Timestamp is where a time stands, and in which unit.
type Timestamp struct {
	Place
	// Unit is s (where it is empty), ms, rfc3339, or s-or-ms, which the number of digits tells apart.
	Unit string `json:"unit,omitempty"`
}

// Names of headers; in JSON one may stand as a string.
type Names []string

func (n *Names) UnmarshalJSON(text []byte) error {
	return unmarshalOneOrMore(text, (*[]string)(n))
}

// Templates of signed bytes; in JSON a single one stands as a string.
type Templates []string

func (t *Templates) UnmarshalJSON(text []byte) error {
	return unmarshalOneOrMore(text, (*[]string)(t))
}

func (t Templates) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

func unmarshalOneOrMore(text []byte, to *[]string) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte(`"`)) {
		*to = make([]string, 1)
		return json.Unmarshal(text, &(*to)[0])
	}
	return json.Unmarshal(text, to)
}

// Tolerance is a duration, or TolerateAll.
type Tolerance time.Duration

const (
	DefaultTolerance = Tolerance(5 * time.Minute)
	// TolerateAll leaves the timestamp unjudged: `tolerance off`.
	TolerateAll Tolerance = -1
)

func (t Tolerance) MarshalText() ([]byte, error) {
	if t == TolerateAll {
		return []byte("off"), nil
	}
	text := time.Duration(t).String()
	for _, zero := range []string{"m0s", "h0m"} { // "5m0s" is written "5m"
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return []byte(text), nil
}

func (t *Tolerance) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*t = TolerateAll
		return nil
	}
	duration, err := time.ParseDuration(string(text))
	if err != nil || duration <= 0 {
		return invalid("tolerance", "it takes a duration such as 5m, or off")
	}
	*t = Tolerance(duration)
	return nil
}

// Invalid is why a scheme, a secret or words cannot be used. It says nothing of a secret.
type Invalid struct {
	Reason string // stable: the field at fault
	Detail string
}

func (e *Invalid) Error() string { return e.Reason + ": " + e.Detail }

func invalid(reason, detail string) error { return &Invalid{Reason: reason, Detail: detail} }

// Parse reads a scheme in JSON: the name of a preset, or an object of a scheme's fields. It is valid.
func Parse(text []byte) (Scheme, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte(`"`)) {
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return Scheme{}, invalid("scheme", "it is no JSON")
		}
		preset, ok := Named(name)
		if !ok {
			return Scheme{}, invalid("scheme", "there is no preset of this name; `hookgate schemes` lists them")
		}
		return preset.Scheme, nil
	}
	var s Scheme
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&s)
	if reason := (*Invalid)(nil); errors.As(err, &reason) {
		return Scheme{}, reason
	}
	if err != nil || decoder.More() {
		return Scheme{}, invalid("scheme", "it is neither the name of a preset nor an object of a scheme's fields")
	}
	return s, s.Validate()
}
