package fronts

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// undecided: what Hookgate cannot decide arrives as 503 with Retry-After, also while
// the client is still sending.
func (s setup) undecided(t *testing.T) {
	s.gate.redis.Kill()
	r := request{target: s.gate.callback.path, fields: []string{"X-Callback-Token: plausible-and-unknown"}, from: "127.0.0.110"}
	hookgatetest.Eventually(t, "unknown tokens cannot be decided on", func() bool { return s.proxy.send(r).status == http.StatusServiceUnavailable })
	s.refuses(t, refusal{"503", r, 503, "HKG-1503"}, 1)
	s.gate.upstream.none(t)
	s.gate.redis.Restart() // emptied, so that unknown tokens stay undecided
}

// restart: while Hookgate is away nothing is said to be taken, and once it is back the
// proxy finds it.
func (s setup) restart(t *testing.T) {
	s.gate.Kill()
	for _, r := range []request{s.callbackRequest(), s.webhookRequest(s.gate.webhook)} {
		if a := s.proxy.send(r); a.err == nil && a.status < 500 {
			t.Errorf("%s while nothing is there", a)
		}
	}
	s.wantNoToken(t)
	s.gate.start()
	s.awaitUp(t)
}

// drain: a proxy that asks for readiness sends nothing more to a Hookgate that is about
// to end, while that one still serves.
func (s setup) drain(t *testing.T) {
	s.gate.Process.Signal(syscall.SIGTERM)
	var a answer
	hookgatetest.Eventually(t, s.name+" takes it out", func() bool {
		a = s.proxy.send(s.callbackRequest())
		return a.status == http.StatusServiceUnavailable
	})
	if a.code() != "" {
		t.Errorf("%s is Hookgate's", a)
	}
}

// wantNoToken checks that no token is in anything that the proxy wrote: its own log of
// what went wrong has the URL of the request, in many.
func (s setup) wantNoToken(t *testing.T) {
	t.Helper()
	for _, token := range []string{s.gate.webhook.token, s.gate.callback.token, s.gate.listed.token} {
		if where := s.proxy.finds(t, token); where != "" {
			t.Errorf("a token is in %s", where)
		}
	}
}

// finds returns where the proxy wrote a text.
func (p *proxy) finds(t *testing.T, text string) (where string) {
	t.Helper()
	if printed := p.output.String(); strings.Contains(printed, text) {
		at := strings.Index(printed, text)
		where = "its output: " + printed[max(0, at-200):at]
	}
	err := filepath.WalkDir(p.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // it went while we looked
		}
		content, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(content), text) {
			where = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}
