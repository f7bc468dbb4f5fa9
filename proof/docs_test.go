package proof_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/proof"
)

//go:generate go test -run ^TestDocumented$ -update .

var update = flag.Bool("update", false, "write docs/vendors.md")

// begin is the line from which on the page is written by go generate.
const begin = "<!-- What follows is written by `go generate ./proof`. -->\n"

// TestDocumented: docs/vendors.md has every preset and every vendor that has none.
func TestDocumented(t *testing.T) {
	const page = "../docs/vendors.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(text), begin)
	if !found {
		t.Fatalf("%s does not say where the generated part begins", page)
	}
	want := head + begin + documentation()
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the presets: run go generate ./proof", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func documentation() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %d presets\n", len(proof.Presets()))
	for _, preset := range proof.Presets() {
		fmt.Fprintf(&b, "\n### %s\n\n", preset.Title)
		fmt.Fprintf(&b, "```caddyfile-vendor\nvendor %s {\n\tverify %s {env.%s_SECRET}\n%s}\n```\n\n", preset.Name, preset.Name, variable(preset.Name), handshake(preset.Name))
		fmt.Fprintf(&b, "- Secret: %s.\n- Checked: %s.\n", preset.Secret, checked(preset.Scheme))
		fmt.Fprintf(&b, "- Known from: %s. %s.\n", preset.Source, confirmed(preset.Evidence))
		if preset.Notes != "" {
			fmt.Fprintf(&b, "- %s\n", preset.Notes)
		}
	}
	b.WriteString("\n## Documented, and not confirmed\n\n")
	b.WriteString("These vendors, or who receives from them, document how they sign, and neither an official library nor a published vector confirms\n" +
		"our reading. There is no preset; the words below say what the documentation says. Put `enforce off` beside them until the first requests were `ok`.\n")
	for _, omission := range proof.LeftOut() {
		if omission.Scheme == nil {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n```caddyfile-vendor\nvendor %s {\n\tverify {\n", omission.Title, omission.Name)
		for _, words := range omission.Scheme.Words() {
			b.WriteString("\t\t" + words[0])
			for _, word := range words[1:] {
				b.WriteString(" " + proof.Quoted(word))
			}
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "\t\tsecret {env.%s_SECRET}\n\t}\n}\n```\n\nDocumented at %s.\n", variable(omission.Name), omission.Source)
	}
	b.WriteString("\n## No scheme says it\n\n| vendor | why |\n|---|---|\n")
	for _, omission := range proof.LeftOut() {
		if omission.Scheme == nil {
			fmt.Fprintf(&b, "| %s | %s |\n", omission.Title, omission.Why)
		}
	}
	return b.String()
}

// handshake is the line that a vendor needs besides, which asks whether the address is meant.
func handshake(name string) string {
	switch name {
	case "slack", "zoom":
		return "\tchallenge " + name + "\n"
	case "meta":
		return "\tchallenge meta {env.META_VERIFY_TOKEN}\n"
	}
	return ""
}

func confirmed(e proof.Evidence) string {
	if e.Constant {
		return "Nothing is computed: the vendor sends the secret itself"
	}
	return "Confirmed by " + e.String()
}

func variable(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// checked says what a scheme looks at.
func checked(s proof.Scheme) string {
	if s.Own == proof.OwnAdyenItems {
		return "HMAC-SHA256 of eight fields of each item, in the item"
	}
	place := "the body at `" + s.Signature.Body + "`"
	switch {
	case len(s.Signature.Header) > 0:
		place = "`" + strings.Join(s.Signature.Header, "` or `") + "`"
	case s.Signature.Query != "":
		place = "the parameter `" + s.Signature.Query + "`"
	}
	if s.Algorithm == "equal" {
		return "the secret itself in " + place + ", which the upstream does not get to see"
	}
	algorithm, signed := s.Algorithm, "{body}"
	if algorithm == "" {
		algorithm = "hmac-sha256"
	}
	if len(s.Signed) > 0 {
		signed = s.Signed[0]
	}
	text := fmt.Sprintf("%s of `%s` in %s", algorithm, signed, place)
	if s.Timestamp != nil {
		tolerance := s.Tolerance
		if tolerance == 0 {
			tolerance = proof.DefaultTolerance
		}
		within, _ := tolerance.MarshalText()
		text += fmt.Sprintf("; the timestamp is at most %s away", within)
	}
	if s.Digest != nil {
		text += "; the digest of the body in `" + s.Digest.Query + "`"
	}
	return text
}

// TestWordsDocumented: the page's table has the words that there are.
func TestWordsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/vendors.md")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), begin)
	documented := map[string]bool{"own": true} // is of one preset alone
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)").FindAllStringSubmatch(head, -1) {
		documented[row[1]] = true
		var invalid *proof.Invalid
		if _, _, err := proof.FromWords([][]string{{row[1], "x"}}); errors.As(err, &invalid) && invalid.Reason == "verify" {
			t.Errorf("%s is no word", row[1])
		}
	}
	_, _, err = proof.FromWords([][]string{{"nonsense", "x"}})
	_, list, _ := strings.Cut(err.Error(), "its words are ")
	for word := range strings.SplitSeq(strings.ReplaceAll(list, " and ", ", "), ", ") {
		if !documented[word] {
			t.Errorf("%q is not documented", word)
		}
	}
}

// TestLeftOut: what is written for a vendor without a preset can be pasted.
func TestLeftOut(t *testing.T) {
	for _, omission := range proof.LeftOut() {
		if _, ok := proof.Named(omission.Name); ok || omission.Title == "" || omission.Why == "" {
			t.Errorf("%s has a preset, or no reason", omission.Name)
		}
		if omission.Scheme == nil {
			continue
		}
		if err := omission.Scheme.Validate(); err != nil {
			t.Errorf("%s: %v", omission.Name, err)
		}
	}
}
