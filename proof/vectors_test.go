package proof_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookgate/hookgate/proof"
)

// vector is a request that an official library of a vendor made or accepted, or that a vendor published.
type vector struct {
	Preset  string
	By      string // the library and its version, or where it was published
	Secret  string
	Method  string
	URL     string
	Path    string
	Query   string
	Headers map[string]string
	Body    string
	Arrived int64
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func (v *vector) message() *proof.Message {
	header := make(http.Header)
	for name, value := range v.Headers {
		header.Set(name, value)
	}
	return &proof.Message{
		Method: v.Method, PublicURL: v.URL, Path: v.Path, RawQuery: v.Query,
		Header: header, Body: []byte(v.Body), Arrived: time.Unix(v.Arrived, 0),
	}
}

func verifier(t testing.TB, s proof.Scheme, secrets ...string) proof.Any {
	t.Helper()
	program, err := proof.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	var all []proof.Secret
	for _, secret := range secrets {
		all = append(all, proof.Secret{Value: secret})
	}
	v, err := program.With(all...)
	if err != nil {
		t.Fatal(err)
	}
	return proof.Any{v}
}

// anotherSecret is one of the same form that signed nothing.
func anotherSecret(t *testing.T, v *vector, s proof.Scheme) string {
	switch {
	case s.Algorithm == "ed25519":
		return strings.Repeat("ab", 31) + "cd"
	case s.Algorithm == "ecdsa-sha256" && v.Preset == "stark":
		return newSecp256k1(t).public
	case s.Algorithm == "ecdsa-sha256":
		return newP256(t).public
	case s.Algorithm == "rsa-sha256":
		return newRSA(t).public
	case s.Key == "hex":
		return strings.Repeat("ab", 32)
	case s.Key == "whsec" || s.Key == "whsec-or-text":
		return "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	}
	return "another secret"
}

func TestPresetsVerifyWhatVendorsMake(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Preset+" "+v.By, func(t *testing.T) {
			preset, ok := proof.Named(v.Preset)
			if !ok {
				t.Fatal("no such preset")
			}
			s := preset.Scheme
			right := verifier(t, s, v.Secret)
			want := func(m *proof.Message, any proof.Any, want ...proof.Result) {
				t.Helper()
				if got := any.Verify(m).Result; !slices.Contains(want, got) {
					t.Errorf("%s, want %s", got, want)
				}
			}
			if got := right.Head(v.message()).Result; got != proof.OK {
				t.Errorf("the head alone is %s", got)
			}
			want(v.message(), right, proof.OK)
			other := anotherSecret(t, &v, s)
			want(v.message(), verifier(t, s, other), proof.Mismatch)
			want(v.message(), verifier(t, s, other, v.Secret), proof.OldSecret)
			if signsBody(s) {
				changed := v.message()
				changed.Body = append(changed.Body, ' ')
				want(changed, right, proof.Mismatch)
			}
			if s.Timestamp != nil {
				late := v.message()
				late.Arrived = late.Arrived.Add(31 * time.Minute)
				want(late, right, proof.TimestampOld)
				early := v.message()
				early.Arrived = early.Arrived.Add(-31 * time.Minute)
				want(early, right, proof.TimestampNew)
			}
			for _, name := range s.Signature.Header {
				if len(s.Signature.Header) == 1 {
					unsigned := v.message()
					http.Header(unsigned.Header).Del(name)
					want(unsigned, right, proof.Missing)
				}
			}
		})
	}
}

// signsBody reports whether every byte of the body is signed.
func signsBody(s proof.Scheme) bool {
	if s.Own != "" || s.Algorithm == "equal" {
		return false
	}
	return len(s.Signed) == 0 || s.Digest != nil || strings.Contains(s.Signed[0], "{body}")
}

// TestPresets: a preset is valid, survives JSON and words, and has its source and its evidence.
func TestPresets(t *testing.T) {
	by := make(map[string][]string)
	for _, v := range vectors(t) {
		by[v.Preset] = append(by[v.Preset], v.By)
	}
	if len(proof.Presets()) < 50 {
		t.Errorf("%d presets", len(proof.Presets()))
	}
	for _, preset := range proof.Presets() {
		t.Run(preset.Name, func(t *testing.T) {
			if err := preset.Scheme.Validate(); err != nil {
				t.Fatal(err)
			}
			if preset.Title == "" || preset.Source == "" || preset.Secret == "" {
				t.Error("title, source and where the secret is are missing")
			}
			text, err := json.Marshal(preset.Scheme)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := proof.Parse(text)
			if again, _ := json.Marshal(parsed); err != nil || string(again) != string(text) {
				t.Errorf("%s became %s: %v", text, again, err)
			}
			named, err := proof.Parse([]byte(`"` + preset.Name + `"`))
			if again, _ := json.Marshal(named); err != nil || string(again) != string(text) {
				t.Errorf("by its name it is %s: %v", again, err)
			}
			worded, secrets, err := proof.FromWords(append(preset.Scheme.Words(), []string{"secret", "{env.A}", "{env.B}"}))
			if again, _ := json.Marshal(worded); err != nil || string(again) != string(text) || len(secrets) != 2 {
				t.Errorf("from words it is %s: %v", again, err)
			}
			switch evidence := preset.Evidence; {
			case evidence.Constant:
				if preset.Scheme.Algorithm != "equal" {
					t.Error("it signs, and has no evidence")
				}
			case evidence.Library == "" && evidence.Vector == "":
				t.Error("it has no evidence")
			default:
				for _, source := range []string{evidence.Library, evidence.Vector} {
					if source != "" && !slices.Contains(by[preset.Name], source) {
						t.Errorf("no vector of %s", source)
					}
				}
			}
		})
	}
}
