package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// canary is a token that must not be left in any spelling.
const canary = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"

// spellings returns the forms in which a token may turn up in text.
func spellings(token string) map[string]string {
	percent := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02x", s[i])
		}
		return b.String()
	}
	return map[string]string{
		"raw":               token,
		"escaped":           strings.Replace(token, "_", "%5F", 1),
		"escaped in lower":  strings.Replace(token, "_", "%5f", 1),
		"all escaped":       percent(token),
		"prefix escaped":    percent(token[:4]) + token[4:],
		"secret escaped":    token[:4] + percent(token[4:]),
		"escaped twice":     url.QueryEscape(percent(token)),
		"hex":               hex.EncodeToString([]byte(token)),
		"hex in upper case": strings.ToUpper(hex.EncodeToString([]byte(token))),
		"base64":            base64.StdEncoding.EncodeToString([]byte(token)),
		"base64 by one":     base64.StdEncoding.EncodeToString([]byte("x" + token)),
		"base64 by two":     base64.StdEncoding.EncodeToString([]byte("id:" + token + "\n")[1:]),
		"base64 of basic":   base64.StdEncoding.EncodeToString([]byte("user:" + token)),
		"base64 url":        base64.RawURLEncoding.EncodeToString([]byte(token)),
		"base64 url by one": base64.RawURLEncoding.EncodeToString([]byte("?" + token)),
		"base64 url by two": base64.RawURLEncoding.EncodeToString([]byte("??" + token)),
	}
}

func TestMaskTokens(t *testing.T) {
	for _, token := range []string{canary, "mwh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4My3Df"} {
		for name, form := range spellings(token) {
			line := []byte("before " + form + " after")
			MaskTokens(line)
			// Of what is left nobody can make more than the first few of 43 characters.
			if kept := bytes.TrimSuffix(bytes.TrimPrefix(line, []byte("before ")), []byte(" after")); len(bytes.ReplaceAll(kept, []byte("*"), nil)) > 16 {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	for _, text := range []string{
		"mcb_ and mwh_ are prefixes", "01900000-0000-7000-8000-000000000001", "/usr/lib/go/src/net/http/server.go:1943", `{"level":"info","ts":1795333522.7685823}`,
	} {
		line := []byte(text)
		if MaskTokens(line); string(line) != text {
			t.Errorf("%s became %s", text, line)
		}
	}
}

// FuzzMaskTokens: whatever stands around a token, and wherever it is cut off, none
// of its secret is left in any form.
func FuzzMaskTokens(f *testing.F) {
	f.Add("uri=/v1/", "?x=1", uint8(53), "raw")
	f.Add("", "", uint8(20), "base64 by two")
	f.Add("%6d", "%", uint8(53), "all escaped")
	f.Add("mcb_", "_mwh_", uint8(30), "hex")
	f.Fuzz(func(t *testing.T, before, after string, cut uint8, form string) {
		token := canary[:min(max(int(cut), 16), len(canary))]
		spelled, ok := spellings(token)[form]
		if !ok || strings.Contains(before+after, strings.Repeat("A", 8)) {
			return
		}
		// What is encoded has an alignment of its own, and so is set apart.
		line := []byte(before + " " + spelled + " " + after)
		MaskTokens(line)
		for name, secret := range spellings(token[4:]) {
			if bytes.Contains(line, []byte(secret)) {
				t.Errorf("%s is left of %s in %q", name, form, line)
			}
		}
	})
}

// FuzzTokenMarks checks that no line with a token in it is taken for one without.
func FuzzTokenMarks(f *testing.F) {
	for _, form := range spellings(canary) {
		f.Add("before " + form)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if tokenPattern.MatchString(line) && !hasTokenMark([]byte(line)) {
			t.Errorf("%q has a token and no mark", line)
		}
	})
}
