package command

import (
	"net"
	"strings"
	"testing"
)

// TestCheckMirror: whether Matcher is there, in words that do not repeat where.
func TestCheckMirror(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	t.Setenv("TEST_MIRROR", "http://"+listener.Addr().String())
	for url, want := range map[string]string{
		"":                                   "",
		"http://" + listener.Addr().String(): "ok Matcher takes connections",
		"{env.TEST_MIRROR}":                  "ok Matcher takes connections",
		"{env.TEST_NO_MIRROR}":               "problem the URL of mirror cannot be resolved",
		"http://" + gone.Addr().String():     "problem Matcher cannot be reached",
		"http://matcher.invalid:8080":        "problem the name of Matcher in mirror does not resolve",
		"http://":                            "problem the URL of mirror is not valid",
	} {
		line := ""
		if url != "" {
			line = "mirror " + url
		}
		findings, err := checkMirrors(t.Context(), serversOf(t, "http://:8081 {\nhookgate_admin {\n"+line+"\n}\n}"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range findings {
			got += string(f.Severity) + " " + strings.Replace(f.Detail, "on :8081 ", "", 1)
		}
		if want == "" && got != "" || !strings.HasPrefix(got, want) || url != "" && strings.Contains(got, url) {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
