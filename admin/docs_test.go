package admin_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func docsPage(t *testing.T) (answer, *html.Node) {
	t.Helper()
	a := newServer(t).must(200, "", "GET", "/docs", "")
	root, err := html.Parse(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return a, root
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// TestDocsLoadNothing: no script, and nothing from elsewhere.
func TestDocsLoadNothing(t *testing.T) {
	a, root := docsPage(t)
	style, _, _ := strings.Cut(string(a.body)[strings.Index(string(a.body), "<style>")+len("<style>"):], "</style>")
	digest := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := a.Header.Get("Content-Security-Policy"); got != want {
		t.Errorf("policy %s\nwant   %s", got, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if regexp.MustCompile(`(?i)url\(|@import|@font-face`).MatchString(style) {
		t.Error("the style loads something")
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "img", "link", "iframe", "object", "embed", "base", "form", "svg", "video", "audio":
			t.Errorf("<%s>", n.Data)
		}
		for _, at := range n.Attr {
			if at.Key == "src" || at.Key == "style" || strings.HasPrefix(at.Key, "on") {
				t.Errorf("<%s %s>", n.Data, at.Key)
			}
			if at.Key == "href" && !strings.HasPrefix(at.Val, "#") && !strings.HasPrefix(at.Val, "/openapi.") {
				t.Errorf("a link to %s", at.Val)
			}
		}
	}
}

// TestDocsAreComplete: every operation, parameter, schema, property, example and code
// of the document is on the page.
func TestDocsAreComplete(t *testing.T) {
	_, root := docsPage(t)
	var text strings.Builder
	ids := map[string]int{}
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			text.WriteString(n.Data)
		}
		if id, ok := attribute(n, "id"); ok {
			ids[id]++
		}
	}
	said := func(what, words string) {
		t.Helper()
		if !strings.Contains(text.String(), words) {
			t.Errorf("the page lacks %s: %s", what, words)
		}
	}
	doc := documentOf(t, newServer(t))
	for path, item := range at(t, doc.root, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			id := at(t, op, "operationId").(string)
			if ids[id] != 1 {
				t.Errorf("%s is there %d times", id, ids[id])
			}
			said("target", strings.ToUpper(method)+" "+path)
			if description, ok := op.(map[string]any)["description"]; ok {
				said("description", description.(string))
			}
			parameters, _ := op.(map[string]any)["parameters"].([]any)
			for _, p := range parameters {
				said("parameter", at(t, p, "name").(string))
				if _, ok := p.(map[string]any)["example"]; !ok {
					t.Errorf("%s: a parameter without example", id)
				}
			}
			if body, ok := op.(map[string]any)["requestBody"]; ok {
				for _, example := range doc.examples(id, body) {
					said("example of "+id, example)
				}
			}
			for status, response := range at(t, op, "responses").(map[string]any) {
				if _, ok := response.(map[string]any)["content"]; ok && status[0] == '2' {
					for _, example := range doc.examples(id, response) {
						said("example of "+id, example)
					}
				}
			}
		}
	}
	for name, schema := range at(t, doc.root, "components", "schemas").(map[string]any) {
		if ids["schema-"+name] != 1 {
			t.Errorf("schema %s is there %d times", name, ids["schema-"+name])
		}
		for property := range at(t, schema, "properties").(map[string]any) {
			said("property", property)
		}
	}
	for _, p := range operatorProblems() {
		said("code", p.Code)
		said("meaning", p.Meaning)
	}
	for n := range root.Descendants() {
		if href, ok := attribute(n, "href"); ok && href[0] == '#' && ids[href[1:]] != 1 {
			t.Errorf("the link %s leads nowhere", href)
		}
	}
}

// examples returns the examples that the document has, as the page prints them, and
// expects them to match their schema.
func (d *document) examples(id string, of any) []string {
	d.t.Helper()
	var printed []string
	for mediaType, content := range of.(map[string]any)["content"].(map[string]any) {
		examples := examplesIn(content)
		if len(examples) == 0 {
			d.t.Errorf("%s: %s without example", id, mediaType)
		}
		for _, example := range examples {
			matches(d.t, d.schema(content.(map[string]any)["schema"]), must(json.Marshal(example)))
			printed = append(printed, fmt.Sprint(leaf(example)))
		}
	}
	return printed
}

// leaf returns some value within an example. Its properties are not compared in
// order: the page has those of structs in theirs.
func leaf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, value := range v {
			return leaf(value)
		}
	case []any:
		for _, value := range v {
			return leaf(value)
		}
	}
	return v
}

// TestDocsAreAccessible checks what can be checked without a browser.
func TestDocsAreAccessible(t *testing.T) {
	a, root := docsPage(t)
	count := map[string]int{}
	level := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		switch n.Data {
		case "html":
			if lang, _ := attribute(n, "lang"); lang != "en" {
				t.Errorf("lang %q", lang)
			}
		case "th":
			if scope, _ := attribute(n, "scope"); scope == "" {
				t.Error("a header cell without scope")
			}
		case "nav":
			if label, _ := attribute(n, "aria-label"); label == "" {
				t.Error("navigation without a name")
			}
			level = 1 // its headings stand before the title of the page
		case "main":
			level = 0
		case "h1", "h2", "h3", "h4":
			if next := int(n.Data[1] - '0'); next > level+1 {
				t.Errorf("a heading of level %d after one of level %d", next, level)
			} else {
				level = next
			}
		}
		if role, _ := attribute(n, "role"); role == "region" {
			if label, _ := attribute(n, "aria-label"); label == "" {
				t.Error("a region without a name")
			}
		}
	}
	if count["h1"] != 1 || count["main"] != 1 || count["nav"] != 1 || count["title"] != 1 {
		t.Errorf("elements %v", count)
	}
	for _, want := range []string{`<a class="skip" href="#main">`, "prefers-color-scheme: dark", `name="viewport"`} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestDocsOverTheWire(t *testing.T) {
	s := newServer(t)
	if a := s.must(200, "", "HEAD", "/docs", ""); a.Header.Get("Content-Security-Policy") == "" {
		t.Error("HEAD has no policy")
	}
	checkProblem(t, s.as("", http.MethodPost, "/docs", ""), 405, "HKG-2405")
}
