package problem

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	code := regexp.MustCompile(`^HKG-[12]\d{3}$`)
	last := ""
	for _, p := range All() {
		if !code.MatchString(p.Code) || p.Code == last {
			t.Errorf("%s is malformed or repeated", p.Code)
		}
		last = p.Code
		if p.Status < 400 || p.Title != http.StatusText(p.Status) || p.Meaning == "" || p.Remedy == "" {
			t.Errorf("incomplete: %+v", p)
		}
	}
}

// TestWrite: every problem of the guard is the JSON document that it is meant to be.
func TestWrite(t *testing.T) {
	const id = "0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59"
	for _, p := range All() {
		w := httptest.NewRecorder()
		if err := p.Write(w, id); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Title, Detail, Instance, Code string
			Status                        int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Errorf("%s: %v", p.Code, err)
		}
		if got.Title != p.Title || got.Status != p.Status || got.Detail != p.Meaning || got.Code != p.Code || got.Instance != "urn:uuid:"+id {
			t.Errorf("%s became %+v", p.Code, got)
		}
		if w.Code != p.Status || w.Header().Get("X-Request-Id") != id || w.Header().Get("Content-Type") != ContentType {
			t.Errorf("%s: %d %v", p.Code, w.Code, w.Header())
		}
	}
}

func TestInstance(t *testing.T) {
	for id, want := range map[string]string{
		"0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59": "urn:uuid:0199d5a4-7c1e-7b3a-9f52-6f1d2c3b4a59",
		"0199d5a47c1e7b3a9f526f1d2c3b4a59":     "urn:hookgate:request:0199d5a47c1e7b3a9f526f1d2c3b4a59", // no form that RFC 9562 has
		"vendor.1":                             "urn:hookgate:request:vendor.1",
	} {
		if got := string(appendInstance(nil, id)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

var update = flag.Bool("update", false, "write the tables into docs/errors.md")

// TestDocumented: the tables of docs/errors.md are those of the code. `go generate`
// writes them.
func TestDocumented(t *testing.T) {
	const page = "../docs/errors.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	tables := regexp.MustCompile(`(?m)(^\| HKG-([12])\d{3} .*\n)+`)
	want := tables.ReplaceAllStringFunc(string(text), func(old string) string {
		family := old[:len("| HKG-1")]
		var b strings.Builder
		for _, p := range All() {
			if row := fmt.Sprintf("| %s | %d | %s | %s |\n", p.Code, p.Status, p.Meaning, p.Remedy); strings.HasPrefix(row, family) {
				b.WriteString(row)
			}
		}
		return b.String()
	})
	if len(tables.FindAllString(string(text), -1)) != 2 {
		t.Fatalf("%s does not have a table for vendors and one for operators", page)
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the table: run go generate ./problem", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
