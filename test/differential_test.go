package test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// secondReader is an upstream on fasthttp, as Matcher is: a parser that shares no code
// with the guard's. Every answer names the request that it is to.
type secondReader struct {
	addr  string
	check func(*fasthttp.RequestCtx) error

	mu     sync.Mutex
	serial int
	wrong  []string
}

func newSecondReader(t *testing.T) *secondReader {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &secondReader{addr: listener.Addr().String()}
	server := &fasthttp.Server{Handler: u.serve, Logger: silent{}, NoDefaultServerHeader: true}
	go server.Serve(listener)
	t.Cleanup(func() { server.Shutdown() })
	return u
}

type silent struct{}

func (silent) Printf(string, ...any) {}

const serialHeader = "X-Upstream-Serial"

func (u *secondReader) serve(ctx *fasthttp.RequestCtx) {
	err := u.check(ctx)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.serial++
	ctx.Response.Header.Set(serialHeader, strconv.Itoa(u.serial))
	if err != nil {
		u.wrong = append(u.wrong, fmt.Sprintf("%v:\n%s", err, ctx.Request.String()))
	}
}

// authorised are the credentials whose tokens the requests carry.
type authorised struct{ callback, plain, signed credential }

var (
	callbackShape = regexp.MustCompile(`^/v1/exceptions/[A-Za-z0-9_-]{1,128}/callback(\?.*)?$`)
	webhookShape  = regexp.MustCompile(`^/v1/discovery/webhooks/([a-z]+)/([0-9a-f-]{36})(\?.*)?$`)
)

// check returns what is wrong with a request that arrived: it must be one that some
// credential of ours was allowed to make, and say whose.
func (a authorised) check(ctx *fasthttp.RequestCtx) error {
	target := string(ctx.Request.Header.RequestURI())
	var c credential
	var want map[string]string
	if callbackShape.MatchString(target) {
		c, want = a.callback, map[string]string{"x-hookgate-kind": "callback", "x-hookgate-external-system": "JIRA"}
	} else if m := webhookShape.FindStringSubmatch(target); m != nil {
		if c = a.plain; m[1] == "pluggy" {
			c = a.signed
		}
		want = map[string]string{"x-hookgate-kind": "webhook", "x-hookgate-vendor": c.vendor, "x-hookgate-connection": c.vendor + "-main"}
		if m[1] != c.vendor || m[2] != c.id {
			return fmt.Errorf("the path of nobody's: %s", target)
		}
	} else {
		return fmt.Errorf("a path that is not guarded: %q", target)
	}
	if method := string(ctx.Method()); method != "POST" {
		return fmt.Errorf("method %q", method)
	}
	want["x-tenant-id"], want["x-hookgate-credential-id"] = tenantA, c.id
	lengths := 0
	for name, value := range ctx.Request.Header.All() {
		key := normal(string(name))
		switch {
		case key == "x-tenant-id" || strings.HasPrefix(key, "x-hookgate-"):
			if want[key] != string(value) {
				return fmt.Errorf("%s: %q, want %q once", name, value, want[key])
			}
			delete(want, key)
		case key == "content-length" || key == "transfer-encoding":
			lengths++
		case key == "authorization" || key == "x-callback-token" || key == "x-http-method-override" || key == "x-original-url" || key == "forwarded":
			return fmt.Errorf("%s: %q", name, value)
		case key == "x-forwarded-for" && string(value) != "127.0.0.1":
			return fmt.Errorf("%s: %q", name, value)
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("missing: %v", want)
	}
	if lengths > 1 {
		return fmt.Errorf("framed in %d ways", lengths)
	}
	if text := ctx.Request.String(); strings.Contains(text, a.callback.token) || strings.Contains(text, a.plain.token) || strings.Contains(text, a.signed.token) {
		return fmt.Errorf("a token")
	}
	if c == a.signed {
		// What the guard verified is what arrived, byte for byte.
		if line := signed(hookgatetest.JWTSecret, string(ctx.Request.Body())); !strings.EqualFold(line, "X-Signature: "+string(ctx.Request.Header.Peek("X-Signature"))) {
			return fmt.Errorf("a body that was not signed: %q", ctx.Request.Body())
		}
	}
	return nil
}

// requests are what mutations start from, and are sent as they are too.
func (a authorised) requests() []string {
	const body = `{"event":"paid","amount":1}`
	post := func(target, body string, lines ...string) string {
		return "POST " + target + " HTTP/1.1\r\nHost: hooks.example.com\r\n" + strings.Join(append(lines, "Content-Length: "+decimalLength(body)), "\r\n") + "\r\n\r\n" + body
	}
	chunked := func(target, body string, lines ...string) string {
		return "POST " + target + " HTTP/1.1\r\nHost: hooks.example.com\r\n" + strings.Join(append(lines, "Transfer-Encoding: chunked"), "\r\n") + "\r\n\r\n" +
			hexLength(body) + "\r\n" + body + "\r\n0\r\n\r\n"
	}
	token, signature := "X-Callback-Token: "+a.callback.token, signed(hookgatetest.JWTSecret, body)
	smuggled := post(callbackPath, "{}", "X-Callback-Token: x", "X-Tenant-Id: "+tenantB)
	base := []string{
		post(callbackPath, body, token), chunked(callbackPath, body, token), post(a.plain.path(), body), chunked(a.plain.path()+"?a=b", body),
		post(a.signed.path(), body, signature), chunked(a.signed.path(), body, signature),
		post(callbackPath, body, token) + post(a.signed.path(), body, signature) + post(callbackPath, body), // pipelined
	}
	for _, request := range base {
		base = append(base, strings.ReplaceAll(request, "HTTP/1.1", "HTTP/1.0"))
	}
	// Refused while it is sent: what follows is thrown away, and never read as requests.
	refused := post(callbackPath, strings.Repeat(smuggled, 1000), "X-Callback-Token: nobodys")
	base = append(base, refused, strings.ReplaceAll(refused, "HTTP/1.1", "HTTP/1.0"), strings.Replace(refused, "\r\n", "\r\nConnection: close\r\n", 1))
	head := "POST " + callbackPath + " HTTP/1.1\r\nHost: x\r\n" + token + "\r\n"
	return append(base,
		// The classics of request smuggling, each with a second request in its body.
		head+"Content-Length: "+decimalLength("0\r\n\r\n"+smuggled)+"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+smuggled,
		head+"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"+hexLength(smuggled)+"\r\n"+smuggled+"\r\n0\r\n\r\n",
		head+"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"+smuggled,
		head+"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n"+smuggled,
		head+"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"+smuggled,
		head+"Transfer-Encoding:\vchunked\r\nContent-Length: 0\r\n\r\n"+smuggled,
		head+"Content-Length: 0\r\nContent-Length: "+decimalLength(smuggled)+"\r\n\r\n"+smuggled,
		head+"Content-Length: +0\r\n\r\n"+smuggled,
		head+"Content-Length: 0\n\r\n"+smuggled,
		head+"Transfer-Encoding: chunked\r\n\r\n5;a=\n\r\n01234\r\n0\r\n\r\n"+smuggled,
		head+"Transfer-Encoding: chunked\r\n\r\n5\n01234\n0\n\n"+smuggled,
		head+"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Tenant-Id: "+tenantB+"\r\n\r\n"+smuggled,
		head+"X-Other: a\rX-Tenant-Id: "+tenantB+"\r\nContent-Length: 0\r\n\r\n",
		head+"X-Other: a\nX-Tenant-Id: "+tenantB+"\r\nContent-Length: 0\r\n\r\n",
		head+" X-Tenant-Id: "+tenantB+"\r\nContent-Length: 0\r\n\r\n",
		head+"X-Tenant-Id : "+tenantB+"\r\nContent-Length: 0\r\n\r\n",
		head+"X-Tenant-Id: "+tenantB+"\r\nX-Tenant-Id:\r\nx_tenant_id: "+tenantB+"\r\nContent-Length: 0\r\n\r\n",
		head+"Connection: X-Tenant-Id, X-Hookgate-Kind, Content-Length, Transfer-Encoding\r\nContent-Length: 2\r\n\r\n{}",
		head+"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"+smuggled,
		strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1)+"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"+smuggled,
	)
}

// fragments are what mutations put in.
var fragments = []string{
	"\r\n", "\n", "\r", " ", "\t", "\x00", "\v", ":", ";", "%2f", "/", "//", "/../", "\\", "?", "#", "\x80", ",", "0", "ffffffffffffffff",
	"\r\nTransfer-Encoding: chunked", "\r\nContent-Length: 0", "\r\nContent-Length: 5", "\r\nX-Tenant-Id: " + tenantB, "\r\nX_Hookgate_Kind: callback",
	"\r\nConnection: X-Tenant-Id", "\r\nTrailer: X-Tenant-Id", "\r\nUpgrade: h2c", "\r\nX-HTTP-Method-Override: DELETE", "\r\nX-Forwarded-For: 1.2.3.4",
	"\r\n\r\n", "0\r\n\r\n", "\r\n0\r\nX-Tenant-Id: " + tenantB + "\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\n\r\n", "GET ", "HTTP/1.0", "http://x",
}

// mutate changes a few places of a request.
func mutate(r *rand.Rand, request string) string {
	b := []byte(request)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(b) + 1)
		end := min(len(b), at+r.IntN(12))
		switch r.IntN(6) {
		case 0:
			b = append(b[:at:at], b[end:]...)
		case 1:
			b = append(b[:end:end], b[at:]...) // twice
		case 2:
			if at < len(b) {
				b[at] ^= 1 << r.IntN(8)
			}
		default:
			b = append(b[:at:at], append([]byte(fragments[r.IntN(len(fragments))]), b[at:]...)...)
		}
	}
	return string(b)
}

// TestSecondParserSeesWhatWasAuthorised sends bytes that are nearly requests, and
// compares what the guard let through with what a parser of another make got. The
// connections of refused requests linger.
func TestSecondParserSeesWhatWasAuthorised(t *testing.T) {
	t.Parallel()
	const mutations, connections = 8000, 12
	u := newSecondReader(t)
	g := start(t, config{
		store: embedded(t), upstream: u.addr,
		servers: []string{"timeouts {\n\t\t\tread_header 200ms\n\t\t\tread_body 200ms\n\t\t\tidle 200ms\n\t\t}"},
		guard:   []string{"vendor pluggy {\n\t\t\tsignature X-Signature {env.HOOKGATE_TEST_SECRET}\n\t\t}"},
	})
	admin := g.operator(t, tenantA, "admin")
	g.operator(t, tenantB, "admin").mintCallback("forged") // tenant B is somebody
	a := authorised{callback: admin.mintCallback("JIRA"), plain: admin.mintWebhook("belvo"), signed: admin.mintWebhook("pluggy")}
	u.check = a.check

	requests := make(chan string)
	var mu sync.Mutex
	var answers bytes.Buffer
	cutOff := 0
	var senders sync.WaitGroup
	for range connections {
		senders.Go(func() {
			for request := range requests {
				text, whole := exchangeBytes(t, g, request)
				mu.Lock()
				answers.Write(text)
				if !whole {
					cutOff++
				}
				mu.Unlock()
			}
		})
	}
	r := rand.New(rand.NewPCG(20260102, 30405))
	base := a.requests()
	for _, request := range base {
		requests <- request
	}
	for range mutations {
		requests <- mutate(r, base[r.IntN(len(base))])
	}
	close(requests)
	senders.Wait()

	u.mu.Lock()
	defer u.mu.Unlock()
	for _, wrong := range u.wrong {
		t.Error(wrong)
	}
	// Nothing arrived but what was allowed, and its answer went to who had asked. Of a
	// connection that the server resets, an answer may be lost on the way.
	answered := bytes.Count(answers.Bytes(), []byte(serialHeader+": "))
	if u.serial > allowed(t, g) {
		t.Errorf("%d requests arrived, only %d were allowed", u.serial, allowed(t, g))
	}
	if answered > u.serial || answered < u.serial-cutOff {
		t.Errorf("%d requests arrived, %d were answered from there, %d connections cut off", u.serial, answered, cutOff)
	}
	refused := bytes.Count(answers.Bytes(), []byte(`"code":"HKG-`)) + bytes.Count(answers.Bytes(), []byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain"))
	if u.serial < mutations/20 || refused < mutations/20 {
		t.Errorf("of %d only %d arrived and %d were refused", mutations, u.serial, refused)
	}
	t.Logf("%d arrived, %d were refused, %d connections were cut off", u.serial, refused, cutOff)
}

// exchangeBytes sends bytes over a connection of their own, and returns all that
// comes back until the server closes it, and whether it did so in order.
func exchangeBytes(t *testing.T, g *gate, request string) (text []byte, whole bool) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.Vendors, "http://"))
	if err != nil {
		t.Error(err)
		return nil, false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(hookgatetest.Patience))
	// A last request that ends the connection, unless the one before took it for its body.
	io.WriteString(conn, request+"GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	text, err = io.ReadAll(conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Errorf("no end of the answers to %q", request)
	}
	return text, err == nil
}

// allowed returns how many requests the guard has let through.
func allowed(t *testing.T, g *gate) (n int) {
	t.Helper()
	for _, m := range allowedMetric.FindAllStringSubmatch(g.Metrics(t), -1) {
		count, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		n += count
	}
	return n
}

var allowedMetric = regexp.MustCompile(`(?m)^hookgate_auth_requests_total\{[^}]*outcome="allowed"[^}]*\} (\d+)$`)
