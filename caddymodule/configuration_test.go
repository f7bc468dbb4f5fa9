package caddymodule

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/caddymodule/handlers"
)

// TestConfigurationIsDocumented: every word that a parser accepts is in one of the pages
// docs/configuration*.md, and no other.
func TestConfigurationIsDocumented(t *testing.T) {
	redis := new(app.Redis)
	app := new(app.App).Words(redis)
	maps.DeleteFunc(app, func(name string, _ grammar.Word) bool { return redis.Settings()[name] != nil }) // they have a section of their own
	grammar := map[string]grammar.Words{
		"`hookgate`, the global option": app,
		"`redis`":                       redis.Words(),
		"`hookgate`, the guard":         new(handlers.Guard).Words(),
		"`matcher`":                     new(handlers.Matcher).Words(),
		"`vendor`":                      new(handlers.Vendor).Words(),
		"`client_cert`":                 new(handlers.ClientCert).Words(),
		"`assert_jwt`":                  new(handlers.AssertJWT).Words(),
		"`hookgate_proxy`":              new(handlers.Proxy).Words(),
		"`hookgate_admin`":              new(handlers.Admin).Words(),
		"`connections`":                 new(handlers.Connections).Words(),
		"`mirror`":                      new(handlers.Mirror).Words(),
		"`jwt`":                         new(handlers.JWT).Words(),
		"`oidc`":                        new(handlers.OIDC).Words(),
	}
	pages, err := filepath.Glob("../docs/configuration*.md")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, page := range pages {
		part, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(part)
	}
	row := regexp.MustCompile("(?m)^\\| `(\\w+)[^`]*` \\| .* \\| (.*) \\|$")
	for _, section := range strings.Split(text.String(), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		block, known := grammar[title]
		if !known {
			continue
		}
		delete(grammar, title)
		documented := make(map[string]bool)
		for _, found := range row.FindAllStringSubmatch(text, -1) {
			name, says := found[1], found[2]
			documented[name] = true
			if repeatable := strings.HasPrefix(says, "*Repeatable.*"); repeatable != block[name].Often {
				t.Errorf("%s: %s is said to be repeatable: %v", title, name, repeatable)
			}
		}
		got, want := slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(block))
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v in the docs, %v in the parser", title, got, want)
		}
	}
	for title := range grammar {
		t.Errorf("there is no section %s", title)
	}
}
