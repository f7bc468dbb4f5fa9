package admin_test

import (
	"regexp"
	"testing"
)

// TestConsole: the page and its files need no token; asked for in another way they
// are refused like anything else.
func TestConsole(t *testing.T) {
	s := newServer(t)
	page := s.must(200, "", "GET", "/console", "")
	files := regexp.MustCompile(`(?:href|src)="(console/[^"]+\.[a-z]+)"`).FindAllStringSubmatch(string(page.body), -1)
	if len(files) < 3 {
		t.Fatalf("files: %v", files)
	}
	for _, f := range files {
		s.must(200, "", "GET", "/"+f[1], "")
	}
	for _, path := range []string{"/console", "/console/app.js"} {
		a := s.as(adminOf(t, tenantA), "POST", path, "")
		checkProblem(t, a, 405, "HKG-2405")
		if a.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow %q", path, a.Header.Get("Allow"))
		}
	}
	if a := s.as("", "GET", "/console/?a=b", ""); a.StatusCode != 302 || a.Header.Get("Location") != "../console" {
		t.Errorf("with a slash at its end: %d, Location %q", a.StatusCode, a.Header.Get("Location"))
	}
	for _, path := range []string{"/console//", "/console/index.html", "/console/none.js", "/console/dialogs.html", "/console/APP.js", "/console/%61pp.js"} {
		checkProblem(t, s.as("", "GET", path, ""), 404, "HKG-2404")
	}
}
