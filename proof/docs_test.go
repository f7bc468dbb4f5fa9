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

var update = flag.Bool("update", false, "write the pages about vendors")

// begin is the line from which on a page is written by go generate.
const begin = "<!-- What follows is written by `go generate ./proof`. -->\n"

// TestDocumented: the pages have every preset and every vendor that has none.
func TestDocumented(t *testing.T) {
	for page, written := range map[string]string{
		"vendors.md": listed(), "vendors-presets.md": presets(), "vendors-documented.md": leftOut(),
	} {
		page = "../docs/" + page
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		head, _, found := strings.Cut(string(text), begin)
		if !found {
			t.Fatalf("%s does not say where the generated part begins", page)
		}
		want := head + begin + written
		if want == string(text) {
			continue
		}
		if !*update {
			t.Errorf("%s differs from the presets: run go generate ./proof", page)
		} else if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// listed is the list of all vendors, each with a link to where it is.
func listed() string {
	var with, without, none []string
	for _, preset := range proof.Presets() {
		with = append(with, link("vendors-presets.md", preset.Title))
	}
	for _, omission := range proof.LeftOut() {
		if omission.Scheme != nil {
			without = append(without, link("vendors-documented.md", omission.Title))
		} else {
			none = append(none, omission.Title)
		}
	}
	return fmt.Sprintf("\n%d have a preset, by which `verify` knows them:\n%s.\n\n%d are written in words, without a preset:\n%s.\n\n%d sign in a way that [no scheme says](vendors-documented.md#no-scheme-says-it): %s.\n",
		len(with), strings.Join(with, ",\n"), len(without), strings.Join(without, ",\n"), len(none), strings.Join(none, "; "))
}

// link leads to a section of a page, by the anchor that GitHub gives to its title.
func link(page, title string) string {
	anchor := strings.ReplaceAll(regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(strings.ToLower(title), ""), " ", "-")
	return fmt.Sprintf("[%s](%s#%s)", title, page, anchor)
}

func presets() string {
	var b strings.Builder
	for _, preset := range proof.Presets() {
		fmt.Fprintf(&b, "\n## %s\n\n", preset.Title)
		fmt.Fprintf(&b, "```caddyfile-vendor\nvendor %s {\n\tverify %s {env.%s_SECRET}\n%s}\n```\n\n", preset.Name, preset.Name, variable(preset.Name), handshake(preset.Name))
		fmt.Fprintf(&b, "- Secret: %s.\n- Checked: %s.\n", preset.Secret, checked(preset.Scheme))
		fmt.Fprintf(&b, "- Known from: %s. %s.\n", preset.Source, confirmed(preset.Evidence))
		if preset.Notes != "" {
			fmt.Fprintf(&b, "- %s\n", preset.Notes)
		}
	}
	return b.String()
}

func leftOut() string {
	var b strings.Builder
	for _, omission := range proof.LeftOut() {
		if omission.Scheme == nil {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n```caddyfile-vendor\nvendor %s {\n\tverify {\n", omission.Title, omission.Name)
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
