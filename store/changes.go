package store

import (
	"encoding/json"
	"time"

	"github.com/hookgate/hookgate/credential"
)

// Change is what a field was and what it became, as the API shows it; nil for nothing.
// A secret is in neither.
type Change struct {
	From any `json:"from"`
	To   any `json:"to"`
}

// changesOf returns what differs between two states of a credential, as the audit log keeps
// it; "" for nothing.
func changesOf(before, after *credential.Credential) string {
	changes := make(map[string]Change)
	note := func(field string, from, to any) {
		one, _ := json.Marshal(from)
		other, _ := json.Marshal(to)
		if string(one) != string(other) {
			changes[field] = Change{from, to}
		}
	}
	note("label", orNil(before.Label), orNil(after.Label))
	note("expiresAt", timeOrNil(before.ExpiresAt), timeOrNil(after.ExpiresAt))
	note("allowedIps", before.AllowedIPs, after.AllowedIPs)
	note("scopes", before.Scopes, after.Scopes)
	note("metadata", objectOrNil(before.Metadata), objectOrNil(after.Metadata))
	note("graceUntil", timeOrNil(before.GraceUntil), timeOrNil(after.GraceUntil))
	note("verify", verifyNote(before.Verify), verifyNote(after.Verify))
	if len(changes) == 0 {
		return ""
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return ""
	}
	return string(text)
}

// verifyNote is what the audit log may know of a Verify.
func verifyNote(v *credential.Verify) any {
	if v == nil {
		return nil
	}
	note := map[string]any{"secrets": v.Secrets, "changedAt": v.ChangedAt.UTC()}
	if note["scheme"] = v.Scheme; v.Scheme[0] == '{' {
		note["scheme"] = json.RawMessage(v.Scheme)
	}
	if !v.GraceUntil.IsZero() {
		note["graceUntil"] = v.GraceUntil.UTC()
	}
	return note
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func objectOrNil(text string) any {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

func timeOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}
