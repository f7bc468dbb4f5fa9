package command

import (
	"strings"
	"testing"
)

// TestCheckMatcher: what is said of guards that name no version.
func TestCheckMatcher(t *testing.T) {
	for site, want := range map[string]string{
		"hookgate {\nmatcher 4\n}": "",
		"hookgate":                 "warning a guard takes callbacks",
		"hookgate {\ncallback /c/{exceptionId}\n}":                          "warning a guard takes callbacks",
		"handle /v1/* {\nhookgate\n}":                                       "warning a guard takes callbacks",
		"hookgate {\napi /ping\n}":                                          "ok a guard without callbacks",
		"hookgate {\nwebhook /w/{vendor}/{token}\n}":                        "ok a guard without callbacks",
		"hookgate {\nmatcher 2 {\ntenants a\n}\ncallback /{exceptionId}\n}": "",
		"respond hello": "",
	} {
		findings, err := checkMatcher(serversOf(t, "http://:8080 {\n"+site+"\n}"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range findings {
			got += string(f.Severity) + " " + strings.Replace(f.Detail, "on :8080 ", "", 1)
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", site, got, want)
		}
	}
}
