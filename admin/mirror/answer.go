package mirror

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Secret is what of the answer to a mint or rotation is kept or shown elsewhere.
type Secret struct {
	Token string
	// ID is Matcher's, Nil for a webhook token, which has none.
	ID uuid.UUID
	// ExternalSystem is that of a callback credential.
	ExternalSystem string
	// WebhookURL and Hint are where the token is used, as Matcher sees it.
	WebhookURL, Hint string
}

// Secret reads the answer to a mint or rotation. Where the answer is of no use, what could
// be read of it is returned all the same: an id to revoke.
func (a *Answer) Secret() (Secret, error) {
	var read struct {
		Token          string `json:"token"`
		CredentialID   string `json:"credentialId"`
		ExternalSystem string `json:"externalSystem"`
		WebhookURL     string `json:"webhook_url"`
		Hint           string `json:"webhookUrlHint"`
	}
	if _, err := membersOf(a.Body); err != nil { // which is stricter
		return Secret{}, err
	}
	if err := json.Unmarshal(a.Body, &read); err != nil {
		return Secret{}, fmt.Errorf("%w: not JSON of the expected shape", ErrAnswer)
	}
	s := Secret{Token: read.Token, ExternalSystem: read.ExternalSystem, WebhookURL: read.WebhookURL, Hint: read.Hint}
	var err error
	if read.CredentialID != "" {
		if s.ID, err = uuid.Parse(read.CredentialID); err != nil {
			return s, fmt.Errorf("%w: its id is no UUID", ErrAnswer)
		}
	}
	if s.Token == "" {
		return s, fmt.Errorf("%w: there is no token in it", ErrAnswer)
	}
	return s, nil
}

// Entry is a credential in Matcher's list.
type Entry struct {
	ID         uuid.UUID `json:"id"`
	LastUsedAt string    `json:"lastUsedAt"`
	RevokedAt  string    `json:"revokedAt"`

	end int // where in the list the object's closing brace stands
}

var errShape = fmt.Errorf("%w: not a list of credentials", ErrAnswer)

// entriesOf reads a list.
func entriesOf(list []byte) (entries []Entry, err error) {
	members, err := membersOf(list)
	if err != nil {
		return nil, err
	}
	at, found := members["credentials"]
	if !found {
		return nil, errShape
	}
	d := jsontext.NewDecoder(bytes.NewReader(list[at.start:at.end]))
	switch begin, err := d.ReadToken(); {
	case err != nil:
		return nil, errShape
	case begin.Kind() == 'n':
		return nil, nil
	case begin.Kind() != '[':
		return nil, errShape
	}
	for d.PeekKind() == '{' {
		value, err := d.ReadValue()
		if err != nil {
			return nil, errShape
		}
		var e Entry
		if json.Unmarshal(value, &e) != nil || e.ID == uuid.Nil {
			return nil, errShape
		}
		e.end = at.start + int(d.InputOffset()) - 1
		entries = append(entries, e)
	}
	if d.PeekKind() != ']' {
		return nil, errShape
	}
	return entries, nil
}

// Uses tells when credentials were last used; those that never were it leaves out.
type Uses func(ids []uuid.UUID) (map[uuid.UUID]time.Time, error)

// WithLastUse returns a list of Matcher's in which each credential has a lastUsedAt that
// Matcher has none for. Every other byte stays as it is.
func WithLastUse(list []byte, uses Uses) ([]byte, error) {
	entries, err := entriesOf(list)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e Entry) bool { return e.LastUsedAt != "" })
	ids := make([]uuid.UUID, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	used, err := uses(ids)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	done := 0
	for _, e := range entries {
		if at, ok := used[e.ID]; ok {
			b.Write(list[done:e.end])
			fmt.Fprintf(&b, `,"lastUsedAt":%q`, at.UTC().Format(time.RFC3339Nano))
			done = e.end
		}
	}
	b.Write(list[done:])
	return b.Bytes(), nil
}

// WithMember returns a JSON object with one member set to a text. Every other byte stays as
// it is.
func WithMember(object []byte, name, text string) ([]byte, error) {
	members, err := membersOf(object)
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(text)
	if err != nil {
		return nil, err
	}
	at, found := members[name]
	if !found {
		end := bytes.LastIndexByte(object, '}')
		at = span{end, end}
		comma := ","
		if len(members) == 0 {
			comma = ""
		}
		value = fmt.Appendf(nil, "%s%q:%s", comma, name, value)
	}
	return slices.Concat(object[:at.start], value, object[at.end:]), nil
}

// span is a part of a document.
type span struct{ start, end int }

var errNoObject = errors.New("not a JSON object")

// membersOf returns where the values of an object's members are.
func membersOf(object []byte) (map[string]span, error) {
	members := make(map[string]span)
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if begin, err := d.ReadToken(); err != nil || begin.Kind() != '{' {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, errNoObject)
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, errNoObject)
		}
		text := name.String() // before the next read, which takes its place
		value, err := d.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAnswer, errNoObject)
		}
		end := int(d.InputOffset())
		members[text] = span{end - len(value), end}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, errNoObject)
	}
	return members, nil
}
