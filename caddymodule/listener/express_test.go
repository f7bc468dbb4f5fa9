package listener_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/timeouts"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/metrics"
	"github.com/google/uuid"

	_ "github.com/hookgate/hookgate/caddymodule"
	"github.com/hookgate/hookgate/caddymodule/app"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/lane"
)

const patience = 20 * time.Second

// answers are what the upstream says, by what it is asked.
var answers = []string{
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"ok\": true}",
	"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nServer: matcher\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n<p>hi</p>",
	"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
	"HTTP/1.1 202 Accepted\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n",
	"HTTP/1.1 204 No Content\r\nX-Request-Id: theirs\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("y", 5000),
	"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"code\":\"MTCH-0018\"}",
	"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"code\":\"MTCH-0001\"}",
	"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno",
	"HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nto the end",
	"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 299 Odd\r\nContent-Length: 0\r\nX-Empty:\r\nDate: Sat, 28 Nov 2026 00:00:00 GMT\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
	"nonsense\r\n\r\n",
	"",
}

// recorder is an upstream that answers each request by what it says, and keeps it.
type recorder struct {
	addr string
	mu   sync.Mutex
	got  []string
	ids  []string // of got
}

func newRecorder(t testing.TB) *recorder {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	u := &recorder{addr: listener.Addr().String()}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go u.serve(c)
		}
	}()
	return u
}

func (u *recorder) serve(c net.Conn) {
	defer c.Close()
	reader := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		header := r.Header
		id := header.Get("X-Request-Id")
		delete(header, "X-Request-Id")
		u.mu.Lock()
		u.ids = append(u.ids, id)
		u.got = append(u.got, fmt.Sprintf("%s %s %s %v %v %d\n%s", r.Method, r.RequestURI, r.Host, header, r.TransferEncoding, r.ContentLength, body))
		u.mu.Unlock()
		hash := fnv.New32a()
		hash.Write([]byte(r.RequestURI))
		hash.Write(body)
		answer := answers[hash.Sum32()%uint32(len(answers))]
		if _, err := io.WriteString(c, answer); err != nil || answer == "" || strings.HasSuffix(answer, "short") || !strings.Contains(answer, " 204 ") && !strings.Contains(answer, "Content-Length") && !strings.Contains(answer, "chunked") {
			return
		}
	}
}

func (u *recorder) take() (got, ids []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	got, ids = u.got, u.ids
	u.got, u.ids = nil, nil
	return got, ids
}

// ways are two servers of one configuration: the first one has the lane.
type ways struct {
	addr     [2]string
	upstream [2]*recorder
	tokens   struct{ callback, belvo, pluggy, signs, shows string }
}

// secret is the one of Matcher, and of the vendors that sign or show it.
var secret = strings.Repeat("s", 32)

// newWays serves with these options of a server, and these directives of a site.
func newWays(t testing.TB, options, directives string) *ways {
	t.Helper()
	w := new(ways)
	for i := range w.addr {
		w.addr[i] = freeAddress(t)
		w.upstream[i] = newRecorder(t)
	}
	_, lanePort, _ := net.SplitHostPort(w.addr[0])
	_, plainPort, _ := net.SplitHostPort(w.addr[1])
	const timeouts = "protocols h1\ntimeouts {\nread_header 1s\nread_body 1s\nidle 1s\n}\n"
	text := fmt.Sprintf("{\nadmin off\npersist_config off\ngrace_period 1s\nlog default {\noutput discard\nformat hookgate\n}\nservers :%s {\nlistener_wrappers {\nhookgate\ntls\n}\n%s%s}\nservers :%s {\n%s%s}\nhookgate {\nredis embedded %q\n}\n}\n",
		lanePort, timeouts, options, plainPort, timeouts, options, t.TempDir()+"/store")
	for i, port := range []string{lanePort, plainPort} {
		text += fmt.Sprintf("http://:%s {\n%shookgate {\nmatcher 2 {\njwt_secret %s\n}\nwebhook /v1/discovery/webhooks/{vendor}/{token}\napi /partners/* products:read\nfailure_limit off\nvendor belvo {\nallow_ips 203.0.113.9\n}\n"+
			"vendor signs {\nsignature X-Signature %[3]s\n}\nvendor shows {\nverify {\nsignature header X-Secret\nalgorithm equal\nsecret %[3]s\n}\n}\n}\nhookgate_proxy %[4]s {\ntry_duration 100ms\n}\n}\n",
			port, directives, secret, w.upstream[i].addr)
	}
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatal(err)
	}
	config := new(caddy.Config)
	if err := json.Unmarshal(adapted, config); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Run(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caddy.Stop() })
	instance, err := caddy.ActiveContext().App("hookgate")
	if err != nil {
		t.Fatal(err)
	}
	s := instance.(*app.App).Store()
	tenant := uuid.New()
	mint := func(spec credential.Spec) string {
		spec.Tenant = tenant
		for end := time.Now().Add(patience); ; {
			_, token, err := s.Mint(t.Context(), spec)
			if err == nil {
				return token
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	w.tokens.callback = mint(credential.Spec{Kind: credential.KindCallback, Label: "JIRA"})
	w.tokens.belvo = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "belvo", Connection: "belvo-main"})
	w.tokens.pluggy = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "pluggy", Connection: "pluggy-main"})
	w.tokens.signs = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "signs", Connection: "main"})
	w.tokens.shows = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "shows", Connection: "main"})
	probe := w.fill("GET /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	for end := time.Now().Add(patience); !bytes.HasPrefix(w.exchange(t, 1, probe, 0), []byte("HTTP/1.1 204 ")); { // the keyring is being loaded
		if time.Now().After(end) {
			t.Fatal("the token does not work")
		}
	}
	return w
}

func freeAddress(t testing.TB) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

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
	"POST /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\nX-Signature: SIGNATURE\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\nX-Signature: SIGNATURE\r\nContent-Length: 7\r\n\r\n{\"a\":2}",
	"POST /v1/discovery/webhooks/signs/SIGNS HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/shows/SHOWS HTTP/1.1\r\nHost: h\r\nX-Secret: SECRET\r\nX-Note: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
	"POST /v1/discovery/webhooks/shows/SHOWS HTTP/1.1\r\nHost: h\r\nX-Secret: another\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
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

func (w *ways) fill(request string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(`{"a":1}`))
	return strings.NewReplacer("CALLBACK", w.tokens.callback, "BELVO", w.tokens.belvo, "PLUGGY", w.tokens.pluggy, "SIGNS", w.tokens.signs, "SHOWS", w.tokens.shows,
		"SIGNATURE", hex.EncodeToString(mac.Sum(nil)), "SECRET", secret).Replace(request)
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
			upstream[i] = bearer.ReplaceAllString(strings.ReplaceAll(strings.Join(requests, "\n"), w.addr[i], "ADDR"), "Bearer JWT")
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

var bearer = regexp.MustCompile(`Bearer [A-Za-z0-9._-]+`)

// TestBothWays: the lane decides, forwards and answers as Caddy's way does, whatever the
// upstream answers, and behind a trusted proxy and with an access log, too.
func TestBothWays(t *testing.T) {
	for _, with := range [][2]string{
		{}, {"trusted_proxies static 10.0.0.0/8\ntrusted_proxies_strict\n"}, {"trusted_proxies static 127.0.0.0/8\ntrusted_proxies_strict\n"}, {"", "log\n"},
	} {
		w := newWays(t, with[0], with[1])
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
		if t.Failed() {
			t.Fatalf("with %q", with)
		}
		caddy.Stop()
	}
}

// FuzzBothWays is the same for any bytes.
func FuzzBothWays(f *testing.F) {
	w := newWays(f, "", "")
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
