package api

import (
	"bytes"
	"encoding/json"
	"errors"

	jsonv2 "github.com/go-json-experiment/json"
)

// JSONObject is a JSON object that passes through unread, empty for none: a large
// number in it must not come back rounded.
type JSONObject json.RawMessage

// MarshalJSON implements json.Marshaler.
func (o JSONObject) MarshalJSON() ([]byte, error) { return json.RawMessage(o).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (o *JSONObject) UnmarshalJSON(data []byte) error {
	*o = nil
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil || compact.Bytes()[0] != '{' {
		return errors.New("not a JSON object")
	}
	*o = compact.Bytes()
	return nil
}

// Patched is a member of a JSON merge patch (RFC 7396): absent, null, or a value.
// Null and the zero value both take away what was there.
type Patched[T any] struct {
	Present bool
	Null    bool
	Value   T
}

// Patch is a member that is there.
func Patch[T any](value T) Patched[T] { return Patched[T]{Present: true, Value: value} }

// MarshalJSON implements json.Marshaler. An absent member needs omitzero besides.
func (p Patched[T]) MarshalJSON() ([]byte, error) {
	if !p.Present || p.Null {
		return []byte("null"), nil
	}
	return json.Marshal(p.Value)
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Patched[T]) UnmarshalJSON(data []byte) error {
	p.Present = true
	if bytes.Equal(data, []byte("null")) {
		p.Null = true
		return nil
	}
	// encoding/json would take a member in any case of its letters.
	return jsonv2.Unmarshal(data, &p.Value, jsonv2.RejectUnknownMembers(true))
}

// Pointer returns nil where the member is absent.
func (p *Patched[T]) Pointer() *T {
	if !p.Present {
		return nil
	}
	return &p.Value
}
