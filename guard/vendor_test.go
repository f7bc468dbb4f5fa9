package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestSignature(t *testing.T) {
	const body = `{"event":"paid"}`
	check := &SignatureCheck{Header: "X-Signature", Secrets: [][]byte{[]byte("new"), []byte("old")}}
	good := sign("new", body)
	for _, tc := range []struct {
		name  string
		lines []string
		body  string
		want  bool
	}{
		{"first secret", []string{good}, body, true},
		{"second secret", []string{sign("old", body)}, body, true},
		{"upper case", []string{strings.ToUpper(good)}, body, true},
		{"empty body", []string{sign("new", "")}, "", true},
		{"binary body", []string{sign("new", "\x00\xff\n")}, "\x00\xff\n", true},
		{"no secret of ours", []string{sign("other", body)}, body, false},
		{"empty secret", []string{sign("", body)}, body, false},
		{"another body", []string{good}, body + " ", false},
		{"no header", nil, body, false},
		{"empty", []string{""}, body, false},
		{"two lines", []string{good, good}, body, false},
		{"two lines, one empty", []string{good, ""}, body, false},
		{"two in one line", []string{good + "," + good}, body, false},
		{"prefixed", []string{"sha256=" + good}, body, false},
		{"short", []string{good[:62]}, body, false},
		{"long", []string{good + "00"}, body, false},
		{"not hexadecimal", []string{"g" + good[1:]}, body, false},
		{"spaces", []string{" " + good}, body, false},
	} {
		signature, ok := check.presented(tc.lines)
		if got := ok && check.verify(signature, []byte(tc.body)); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	signature, _ := check.presented([]string{good})
	if (&SignatureCheck{Header: "X-Signature"}).verify(signature, []byte(body)) {
		t.Error("without a secret anything is signed")
	}
}

func TestParseClient(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1", "fe80::1%eth0": "fe80::1",
		"::ffff:192.0.2.1%x": "192.0.2.1",
	} {
		if got := ParseClient(text); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{"", "@", "localhost", "192.0.2.1:80", "[::1]", "192.0.2.0/24", "unknown"} {
		if got := ParseClient(text); got.IsValid() {
			t.Errorf("%s: %s", text, got)
		}
	}
}
