package senders

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// content is a body in a file, where senders of every language find it.
type content struct {
	file, text string
	kind       string // Content-Type
	encoding   string // Content-Encoding
}

func write(t *testing.T, name, text, kind, encoding string) content {
	t.Helper()
	c := content{filepath.Join(t.TempDir(), name), text, kind, encoding}
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// contents are the bodies that the cases send. Those of 2 MiB are more than the buffers
// of a connection hold, so that a sender is still writing when a refusal comes.
type contents struct{ small, zipped, medium, large content }

func newContents(t *testing.T) contents {
	document := func(size int) string {
		const head, tail = `{"event":"transactions/created","note":"Zürich – 対照 ✓","data":"`, `"}`
		random := rand.New(rand.NewPCG(1, uint64(size)))
		data := make([]byte, size-len(head)-len(tail))
		for i := range data {
			data[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[random.IntN(36)]
		}
		return head + string(data) + tail
	}
	const json = "application/json"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(document(4 << 10)))
	z.Close()
	return contents{
		small:  write(t, "small", document(1<<10), json, ""),
		zipped: write(t, "zipped", zipped.String(), json, "gzip"),
		medium: write(t, "medium", document(192<<10), json, ""),
		large:  write(t, "large", document(2<<20), json, ""),
	}
}

// form has what the encodings of forms differ in.
var form = map[string]string{"id": "7d4f", "note": "a b+c&d=e%41 ~*'()", "città": "Zürich ✓", "empty": "", "lines": "1\r\n2"}

// exchange is a request, and what must come of it.
type exchange struct {
	at      site
	webhook bool // or a callback
	dead    bool // the credential is revoked
	how     string
	content content
	pause   int // milliseconds between the pieces of a chunked body
	expect  bool
	close   bool // the connection, by what the sender says
	status  int
	code    string
}

// sending is a case: what a sender does with one client.
type sending struct {
	name      string
	exchanges []exchange
}

const (
	callbackPath = "/v1/exceptions/7d4f/callback"
	webhooksPath = "/v1/discovery/webhooks/pluggy/"
)

// kept is the case of several requests on one connection.
const kept = "kept"

func sendings(c contents) []sending {
	accepted := func(webhook bool, how string, c content) exchange {
		return exchange{at: open, webhook: webhook, how: how, content: c, status: http.StatusOK}
	}
	all := []sending{
		{"json callback", []exchange{accepted(false, "length", c.small)}},
		{"json webhook", []exchange{accepted(true, "length", c.small)}},
		{"empty", []exchange{accepted(true, "empty", content{})}},
		{"chunked", []exchange{accepted(true, "chunked", c.medium)}},
		{"gzip", []exchange{accepted(false, "length", c.zipped)}},
		{"form", []exchange{accepted(false, "form", content{})}},
		{"2 MiB", []exchange{accepted(false, "length", c.large)}},
		{"2 MiB chunked", []exchange{accepted(true, "chunked", c.large)}},
		{"2 MiB expecting", []exchange{{at: open, how: "length", content: c.large, expect: true, status: http.StatusOK}}},
		{kept, []exchange{
			accepted(true, "length", c.small),
			accepted(false, "form", content{}),
			accepted(true, "empty", content{}),
			{at: open, dead: true, how: "length", content: c.small, status: http.StatusUnauthorized, code: "HKG-1401"},
			accepted(false, "length", c.small),
			{at: open, webhook: true, dead: true, how: "empty", status: http.StatusUnauthorized, code: "HKG-1401"},
			accepted(true, "chunked", c.medium),
			accepted(false, "length", c.small),
		}},
	}
	// Refused while the sender is still sending: at once, and slowly, so that the
	// answer is there long before the end of the body.
	for _, refused := range []exchange{
		{at: open, dead: true, status: http.StatusUnauthorized, code: "HKG-1401"},
		{at: narrow, webhook: true, status: http.StatusRequestEntityTooLarge, code: "HKG-1413"},
		{at: strict, dead: true, status: http.StatusTooManyRequests, code: "HKG-1429"},
		{at: undecided, webhook: true, status: http.StatusServiceUnavailable, code: "HKG-1503"},
	} {
		refused.content = c.large
		for _, how := range []string{"length", "chunked"} {
			refused.how = how
			if how == "chunked" {
				refused.pause = 10
			}
			all = append(all, sending{fmt.Sprintf("%d %s", refused.status, how), []exchange{refused}})
		}
	}
	dead := exchange{at: open, dead: true, content: c.large, status: http.StatusUnauthorized, code: "HKG-1401"}
	expecting, closing := dead, dead
	expecting.how, expecting.expect = "length", true
	closing.how, closing.pause, closing.close = "chunked", 10, true
	return append(all, sending{"401 expecting", []exchange{expecting}}, sending{"401 closing", []exchange{closing}})
}

// stage is what all senders meet: the processes, their credentials and the upstream.
type stage struct {
	deciding           gate
	upstream           *upstream
	bases              map[string]string // by site and terminal
	callback, webhook  credential
	noCallback, noHook credential // revoked
}

// newStage starts everything.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{upstream: newUpstream(t)}
	s.deciding = launch(t, fmt.Sprintf("embedded %q", filepath.Join(t.TempDir(), "data")), s.upstream.addr, open, narrow, strict)
	// Nothing listens at the discard port.
	loadless := launch(t, "redis://127.0.0.1:9", s.upstream.addr, undecided)
	s.bases = s.deciding.bases
	for name, base := range loadless.bases {
		s.bases[name] = base
	}
	s.callback, s.webhook = s.deciding.mintCallback(t), s.deciding.mintWebhook(t)
	s.noCallback = s.deciding.revoke(t, callbackCredentials, s.deciding.mintCallback(t))
	s.noHook = s.deciding.revoke(t, webhookTokens, s.deciding.mintWebhook(t))
	for _, terminal := range terminals {
		s.exhaust(t, terminal)
	}
	return s
}

// exhaust makes refused requests until this address has made too many.
func (s *stage) exhaust(t *testing.T, terminal string) {
	t.Helper()
	for range 3 {
		r, err := http.NewRequest(http.MethodPost, s.bases[strict.name+" "+terminal]+callbackPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Callback-Token", s.noCallback.token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusTooManyRequests {
			return
		}
	}
	t.Fatal("the failure limit is not reached")
}

// request returns what the sender is told, and the target that the upstream sees.
func (s *stage) request(e exchange, terminal, name string) (r request, target string) {
	r = request{How: e.how, File: e.content.file, Pause: e.pause, Expect: e.expect, Headers: map[string]string{caseHeader: name}}
	base := s.bases[e.at.name+" "+terminal]
	if e.webhook {
		c := s.webhook
		if e.dead {
			c = s.noHook
		}
		r.URL, target = base+webhooksPath+c.token, webhooksPath+c.id
	} else {
		c := s.callback
		if e.dead {
			c = s.noCallback
		}
		r.URL, target = base+callbackPath, callbackPath
		r.Headers["X-Callback-Token"] = c.token
	}
	if e.how == "form" {
		r.Form = form
	}
	if e.close {
		r.Headers["Connection"] = "close"
	}
	for header, value := range map[string]string{"Content-Type": e.content.kind, "Content-Encoding": e.content.encoding} {
		if value != "" {
			r.Headers[header] = value
		}
	}
	return r, target
}

// identify makes a name that can be the value of a header.
func identify(parts ...any) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprintln(parts...), "\n"), " ", "_")
}
