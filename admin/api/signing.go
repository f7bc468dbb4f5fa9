package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// Scheme is how a vendor signs: the name of a preset as a JSON string, or an object of a
// scheme's fields, which passes through unread.
type Scheme json.RawMessage

// MarshalJSON implements json.Marshaler.
func (s Scheme) MarshalJSON() ([]byte, error) { return json.RawMessage(s).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (s *Scheme) UnmarshalJSON(data []byte) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil || compact.Bytes()[0] != '{' && compact.Bytes()[0] != '"' {
		return errors.New("neither a name nor an object")
	}
	*s = compact.Bytes()
	return nil
}

// SchemeOf returns the scheme of a text: the name itself, or the object.
func SchemeOf(text string) Scheme {
	if len(text) > 0 && text[0] == '{' {
		return Scheme(text)
	}
	quoted, _ := json.Marshal(text) // of a string it never fails
	return Scheme(quoted)
}

// Text is the inverse of SchemeOf.
func (s Scheme) Text() string {
	var name string
	if json.Unmarshal(s, &name) == nil {
		return name
	}
	return string(s)
}

// VerifySettings says how the senders of a credential prove themselves. It is never
// answered.
type VerifySettings struct {
	Scheme  Scheme   `json:"scheme"`
	Secrets []string `json:"secrets" minItems:"1" maxItems:"4" nullable:"false" writeOnly:"true"`
}

// ShownVerify is what is told of it.
type ShownVerify struct {
	Scheme     Scheme    `json:"scheme"`
	Secrets    int       `json:"secrets"`
	ChangedAt  time.Time `json:"changedAt"`
	GraceUntil time.Time `json:"graceUntil,omitzero"`
}

// SigningSecretRequest asks for another secret in place of the first.
type SigningSecretRequest struct {
	Secret             string `json:"secret" minLength:"1" maxLength:"2048" writeOnly:"true"`
	GracePeriodSeconds int    `json:"gracePeriodSeconds,omitempty" minimum:"0" maximum:"604800"`
	Force              bool   `json:"force,omitempty"`
	Reason             string `json:"reason,omitempty" maxLength:"256" pattern:"^\\P{Cc}*$" patternDescription:"free of control characters"`
}

// ProofSeen is when a proof last had a result.
type ProofSeen struct {
	Result string    `json:"result"`
	At     time.Time `json:"at"`
}
