package api_test

import (
	"encoding/json"
	"testing"

	"github.com/hookgate/hookgate/admin/api"
)

// TestPatch: a member that is absent, null or a value arrives as it was sent.
func TestPatch(t *testing.T) {
	for _, c := range []struct {
		sent api.PatchCredentialRequest
		want string
	}{
		{api.PatchCredentialRequest{}, `{}`},
		{api.PatchCredentialRequest{Label: api.Patch("")}, `{"label":""}`},
		{api.PatchCredentialRequest{AllowedIPs: api.Patched[[]string]{Present: true, Null: true}}, `{"allowedIps":null}`},
		{api.PatchCredentialRequest{AllowedIPs: api.Patch([]string{"203.0.113.1"})}, `{"allowedIps":["203.0.113.1"]}`},
	} {
		text, err := json.Marshal(c.sent)
		if err != nil || string(text) != c.want {
			t.Errorf("sends %s, %v, and not %s", text, err, c.want)
		}
		var got api.PatchCredentialRequest
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != c.want {
			t.Errorf("%s is read as %s, %v", c.want, again, err)
		}
	}
}

// TestJSONObject: it passes through unread, and nothing else passes.
func TestJSONObject(t *testing.T) {
	for text, want := range map[string]string{
		`{"n": 12345678901234567890}`: `{"n":12345678901234567890}`, `null`: "", `[]`: "error", `"{}"`: "error", `1`: "error",
	} {
		var o api.JSONObject
		got := "error"
		if err := json.Unmarshal([]byte(text), &o); err == nil {
			got = string(o)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
