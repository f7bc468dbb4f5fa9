package listener_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookgate/hookgate/lane"
)

// requests are what the fuzzing begins with. Words in capitals stand for tokens, SIGNATURE
// for that of the body, and SECRET for what it is made with.
var requests = []string{
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: hooks.example.com\r\nX-Callback-Token: CALLBACK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: hooks.example.com\r\nX-Callback-Token: nobody\r\nContent-Length: 2\r\n\r\n{}",
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: hooks.example.com\r\nX-Callback-Token: CALLBACK\r\nContent-Length: 0\r\n\r\n",
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: hooks.example.com\r\nX-Callback-Token: CALLBACK\r\n\r\n",
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nIdempotency-Key: k\r\n\r\n",
	"POST /v1/discovery/webhooks/pluggy/PLUGGY?x=1&y HTTP/1.1\r\nHost: h\r\nUser-Agent: pluggy\r\nX-Forwarded-For: 1.2.3.4\r\nX-Tenant-Id: forged\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/belvo/BELVO HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/belvo/BELVO HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9, 127.0.0.2\r\nX-Forwarded-Host: hooks.example.com\r\nX-Forwarded-Proto: https\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9, unknown\r\nX-Forwarded-Proto: https\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nTracestate: a=b\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\nTracestate: a=b\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\nX-Signature: SIGNATURE\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\nX-Signature: SIGNATURE\r\nContent-Length: 7\r\n\r\n{\"a\":2}",
	"POST /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/shows/SHOWS HTTP/1.1\r\nHost: h\r\nX-Secret: SECRET\r\nX-Note: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/shows/SHOWS HTTP/1.1\r\nHost: h\r\nX-Secret: another\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/loose/LOOSE HTTP/1.1\r\nHost: h\r\nX-Signature: SIGNATURE\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/loose/LOOSE HTTP/1.1\r\nHost: h\r\nX-Signature: SIGNATURE\r\nContent-Length: 7\r\n\r\n{\"a\":3}",
	"POST /v1/discovery/webhooks/bank/BANK HTTP/1.1\r\nHost: h\r\nX-Client-Cert: PASSED\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/bank/BANK HTTP/1.1\r\nHost: h\r\nX-Client-Cert: nobody\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"GET /v1/discovery/webhooks/bank/BANK HTTP/1.1\r\nHost: h\r\nX-Client-Cert: PASSED\r\n\r\n",
	"GET /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n\r\n",
	"PUT /partners/orders HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eDp5\r\nContent-Length: 3\r\n\r\nabc",
	"DELETE /nowhere HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: 2\r\n\r\n{}\r\n", // with a line end of an old client
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: 2\r\n\r\n{}\r\n\r\n\n",
	"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n\r\n",
	"POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nX-Request-Id: mine\r\nIdempotency-Key: k\r\nTraceparent: 00-1-2-01\r\nContent-Length: 4\r\n\r\nbodyPOST /v1/exceptions/e2/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: 5\r\n\r\nbody2",
}

// last is sent behind everything: where it is answered as what it is, the bytes before it
// were taken for the same requests.
const last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

// exchange sends bytes to one of the two, in two pieces, and returns all that comes back.
func (w *ways) exchange(t testing.TB, way int, sent string, split int) []byte {
	t.Helper()
	c, err := net.Dial("tcp", w.addr[way])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	for _, piece := range []string{sent[:split], sent[split:]} {
		if _, err := io.WriteString(c, piece); err != nil {
			break // it may have been refused already
		}
	}
	got, err := io.ReadAll(c)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("way %d does not end: %q", way, got)
	}
	return got
}

var ids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// read returns answers as they can be compared.
func read(got []byte) (answers []string) {
	reader := bufio.NewReader(bytes.NewReader(got))
	for {
		answer, err := http.ReadResponse(reader, nil)
		if err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				answers = append(answers, "not an answer")
			}
			return answers
		}
		body, err := io.ReadAll(answer.Body)
		for _, name := range []string{"Date", "X-Request-Id"} {
			if len(answer.Header[name]) > 0 {
				answer.Header[name] = []string{"set"}
			}
		}
		fields := []string{}
		for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
			fields = append(fields, fmt.Sprintf("%s: %q", name, answer.Header[name]))
		}
		answers = append(answers, ids.ReplaceAllString(fmt.Sprintf("%s %v %d %v %v %v\n%s %v", answer.Status, fields, answer.ContentLength, answer.TransferEncoding, answer.Close, answer.Trailer, body, err), "ID"))
	}
}

// attempts is how often bytes are sent where the two ways differ: a machine that stands
// still for some milliseconds may be taken for a client that does.
const attempts = 4

// compare sends the same bytes both ways, and fails where anything differs.
func (w *ways) compare(t testing.TB, sent string, split int) {
	t.Helper()
	sent += last
	split = min(max(split, 0), len(sent))
	for left := attempts; ; left-- {
		var got, upstream [2]string
		for i := range w.addr {
			answers := w.exchange(t, i, sent, split)
			requests, ids := w.upstream[i].take()
			whole := bytes.Count(answers, []byte("\r\nX-Request-Id: ")) >= len(ids) // and not broken off
			for _, id := range ids {
				if whole && !bytes.Contains(answers, []byte("\r\nX-Request-Id: "+id+"\r\n")) {
					t.Errorf("to %q at %d way %d answers %q, and the upstream was told of %s", sent, split, i, answers, id)
				}
			}
			got[i] = strings.Join(read(answers), "\n")
			upstream[i] = madeHere.ReplaceAllString(strings.NewReplacer(w.addr[i], "ADDR", w.upstream[i].addr, "UPSTREAM").Replace(strings.Join(requests, "\n")), "$1 MADE")
		}
		if got[0] == got[1] && upstream[0] == upstream[1] {
			return
		}
		if left == 1 {
			t.Errorf("to %q at %d\nthe lane answers\n%s\nand sends\n%s\n\nCaddy answers\n%s\nand sends\n%s", sent, split, got[0], upstream[0], got[1], upstream[1])
			return
		}
	}
}

// madeHere is what is another in every request: a JWT, and the id of a span or of a trace.
var madeHere = regexp.MustCompile(`(Bearer|Traceparent:\[00-0af7651916cd43dd8448eb211c80319c|Traceparent:\[00)[ -][A-Za-z0-9._-]+`)

// TestBothWays: the lane decides, forwards and answers as Caddy's way does, whatever the
// upstream answers, and behind a trusted proxy and with an access log, too.
func TestBothWays(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	for _, with := range []setting{
		{},
		{options: "trusted_proxies static 127.0.0.0/8\ntrusted_proxies_strict\n"},
		{options: "trusted_proxies static 127.0.0.0/8\nclient_ip_headers X-Client X-Forwarded-For\n"},
		{directives: "log\n", words: "tracing\n"},
		{words: "held_bodies 16KiB\n", proxy: "host upstream\n"},
	} {
		w := newWays(t, with)
		for _, request := range requests {
			request = w.fill(request)
			w.compare(t, request, len(request))
			w.compare(t, request, len(request)-1)
			w.compare(t, request, 10)
		}
		for i := range 100 { // one after the other every answer of the upstream comes by
			body := fmt.Sprint(i)
			w.compare(t, w.fill(fmt.Sprintf("POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)), 1<<20)
		}
		large := strings.Repeat("x", 20<<10) // which is held for its idempotency key
		w.compare(t, w.fill(fmt.Sprintf("POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: %d\r\n\r\n%s", len(large), large)), 1<<20)
		if t.Failed() {
			t.Fatalf("with %q", with)
		}
		caddy.Stop()
	}
}

// TestAccessLogOfBothWays: a line of the access log does not tell by which way a request went.
func TestAccessLogOfBothWays(t *testing.T) {
	sent := slices.Clone(requests)
	for i := range 100 { // upon which every answer of the upstream comes by
		sent = append(sent, fmt.Sprintf("POST /v1/exceptions/e1/callback HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: %d\r\n\r\n%s", len(fmt.Sprint(i)), fmt.Sprint(i)))
	}
	for _, format := range []string{"json", "hookgate"} {
		for _, options := range []string{"", "trusted_proxies static 127.0.0.0/8\ntrusted_proxies_strict\n"} {
			w := newWays(t, setting{
				options: options, words: "allow_unredacted_logs\n",
				directives: "log {WAY} {\noutput file {LOGS}/{WAY}\nformat " + format + "\n}\n",
			})
			for _, request := range sent {
				for i := range w.addr {
					w.exchange(t, i, w.fill(request)+last, 0)
				}
			}
			caddy.Stop() // which ends the lines that are under way
			got, want := w.logged(t, 0), w.logged(t, 1)
			if len(got) < len(sent) {
				t.Fatalf("%d lines", len(got))
			}
			want = want[len(want)-len(got):] // there were probes before
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("%s, %s\nthe lane writes\n%s\nand Caddy\n%s", format, options, got[i], want[i])
				}
			}
		}
	}
}

// logged returns the access log of one of the two, without what no two requests share.
func (w *ways) logged(t *testing.T, way int) (lines []string) {
	text, err := os.ReadFile(fmt.Sprint(w.logs, "/", way))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(ids.ReplaceAll(text, []byte("ID"))) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		request := fields["request"].(map[string]any)
		for _, name := range []string{"ts", "duration", "logger"} {
			delete(fields, name)
		}
		for _, name := range []string{"remote_port", "remote_addr"} {
			delete(request, name)
		}
		sorted, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(sorted))
	}
	return lines
}

// TestStalledAnswer: a client that is gone does not leave a request behind whose answer
// stops in the middle.
func TestStalledAnswer(t *testing.T) {
	w := newWays(t, setting{})
	for i := range w.addr {
		c, err := net.Dial("tcp", w.addr[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, w.fill("POST /v1/exceptions/e1/callback"+stalled+" HTTP/1.1\r\nHost: h\r\nX-Callback-Token: CALLBACK\r\nContent-Length: 2\r\n\r\n{}"))
		<-w.upstream[i].stalls
		c.Close()
	}
	for i := range w.upstream {
		select {
		case <-w.upstream[i].stalls:
		case <-time.After(patience):
			t.Errorf("way %d keeps the connection to the upstream", i)
		}
	}
}

// FuzzBothWays is TestBothWays for any bytes.
func FuzzBothWays(f *testing.F) { fuzz(f, setting{}) }

// FuzzBehindProxy is the same behind a trusted proxy, with all that is told of a request.
func FuzzBehindProxy(f *testing.F) {
	f.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	fuzz(f, setting{options: "trusted_proxies static 127.0.0.0/8\ntrusted_proxies_strict\n", directives: "log\n", words: "tracing\n"})
}

func fuzz(f *testing.F, with setting) {
	w := newWays(f, with)
	for _, request := range requests {
		f.Add(request, 1<<20)
	}
	f.Fuzz(func(t *testing.T, request string, split int) {
		sent := w.fill(request)
		if !lane.Plain([]byte(sent)) {
			return
		}
		w.compare(t, sent, split)
	})
}
