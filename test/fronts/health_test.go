package fronts

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// undecided: what Hookgate cannot decide arrives as 503 with Retry-After, also while
// the client is still sending.
func (s setup) undecided(t *testing.T) {
	s.gate.redis.Kill()
	r := request{target: s.gate.callback.path, fields: []string{"X-Callback-Token: plausible-and-unknown"}, body: "{}", from: "127.0.0.110"}
	eventually(t, "unknown tokens cannot be decided on", func() bool { return s.proxy.send(r).status == http.StatusServiceUnavailable })
	large := strings.Repeat("0123456789abcdef", 2*mib/16)
	for _, body := range []string{"{}", large} {
		for _, framed := range []framing{byLength, chunked} {
			r.body, r.framed = body, framed
			a := s.proxy.send(r)
			if wantProblem(t, a, http.StatusServiceUnavailable, "HKG-1503"); a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	s.gate.upstream.none(t)
	s.gate.redis.Restart()
}

// restart: while Hookgate is away nothing is said to be taken, and once it is back the
// proxy finds it.
func (s setup) restart(t *testing.T) {
	s.gate.kill()
	if a := s.proxy.send(s.callbackRequest()); a.err == nil && a.status < 500 {
		t.Errorf("%s while nothing is there", a)
	}
	s.gate.start()
	s.gate.mint() // Redis kept nothing
	s.awaitUp(t)
}

// drain: a proxy that asks for readiness sends nothing more to a Hookgate that is about
// to end, while that one still serves.
func (s setup) drain(t *testing.T) {
	if !s.checks {
		return
	}
	s.gate.drain()
	var a answer
	eventually(t, s.name+" takes it out", func() bool {
		alive(t, "hookgate", s.gate.process)
		a = s.proxy.send(s.callbackRequest())
		return a.status == http.StatusServiceUnavailable
	})
	if a.code() != "" {
		t.Errorf("%s is Hookgate's", a)
	}
}

// finds returns where the proxy wrote a text.
func (p *proxy) finds(t *testing.T, text string) (where string) {
	t.Helper()
	p.output.mu.Lock()
	if strings.Contains(p.output.text.String(), text) {
		where = "its output"
	}
	p.output.mu.Unlock()
	err := filepath.WalkDir(p.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, "_.vsm") {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}
