package listener_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/fnv"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
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

// stalled is a query upon which an answer stops within its body.
const stalled = "?stalled"

// recorder is an upstream that answers each request by what it says, and keeps it.
type recorder struct {
	addr   string
	stalls chan bool // gets true when an answer has stopped, and false when its connection is closed
	mu     sync.Mutex
	got    []string
	ids    []string // of those that get a whole answer
}

func newRecorder(t testing.TB) *recorder {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	u := &recorder{addr: listener.Addr().String(), stalls: make(chan bool, 2)}
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
		if strings.HasSuffix(r.RequestURI, stalled) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart")
			u.stalls <- true
			_, _ = io.Copy(io.Discard, c)
			u.stalls <- false
			return
		}
		header := r.Header
		id := header.Get("X-Request-Id")
		delete(header, "X-Request-Id")
		hash := fnv.New32a()
		hash.Write([]byte(r.RequestURI))
		hash.Write(body)
		answer := answers[hash.Sum32()%uint32(len(answers))]
		u.mu.Lock()
		if answer != "" && !strings.HasSuffix(answer, "short") { // upon which the client may get no answer at all
			u.ids = append(u.ids, id)
		}
		u.got = append(u.got, fmt.Sprintf("%s %s %s %v %v %d\n%s", r.Method, r.RequestURI, r.Host, header, r.TransferEncoding, r.ContentLength, body))
		u.mu.Unlock()
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
	logs     string // the folder of the access logs
	tokens   struct{ callback, belvo, pluggy, signs, shows, loose, bank string }
	passed   string // the certificate of the vendor bank, as a proxy passes it on
}

// secret is the one of Matcher, and of the vendors that sign or show it.
var secret = strings.Repeat("s", 32)

// setting is what may be around a guard: options of its server, directives of its site, in
// which {LOGS} is a folder and {WAY} the number of the way, words of the block hookgate, and of
// that of the proxy.
type setting struct{ options, directives, words, proxy string }

// newWays serves with a setting.
func newWays(t testing.TB, with setting) *ways {
	t.Helper()
	w := &ways{logs: t.TempDir()}
	if with.options == "" {
		with.options = "trusted_proxies static 10.0.0.0/8\ntrusted_proxies_strict\n" // somebody else
	}
	var authority string
	authority, w.passed = certified(t)
	for i := range w.addr {
		w.addr[i] = freeAddress(t)
		w.upstream[i] = newRecorder(t)
	}
	_, lanePort, _ := net.SplitHostPort(w.addr[0])
	_, plainPort, _ := net.SplitHostPort(w.addr[1])
	const timeouts = "protocols h1\ntimeouts {\nread_header 1s\nread_body 1s\nidle 1s\n}\n"
	text := fmt.Sprintf("{\nadmin off\npersist_config off\ngrace_period 1s\nlog default {\noutput discard\nformat hookgate\n}\nservers :%s {\nlistener_wrappers {\nhookgate\ntls\n}\n%s%s}\nservers :%s {\n%s%s}\nhookgate {\nredis embedded %q\n%s}\n}\n",
		lanePort, timeouts, with.options, plainPort, timeouts, with.options, t.TempDir()+"/store", with.words)
	for i, port := range []string{lanePort, plainPort} {
		text += fmt.Sprintf("http://:%s {\n%shookgate {\nmatcher 2 {\njwt_secret %s\n}\nwebhook /v1/discovery/webhooks/{vendor}/{token}\napi /partners/* products:read\nfailure_limit off\nvendor belvo {\nallow_ips 203.0.113.9\n}\n"+
			"vendor signs {\nsignature X-Signature %[3]s\n}\nvendor shows {\nverify {\nsignature header X-Secret\nalgorithm equal\nsecret %[3]s\n}\n}\n"+
			"vendor loose {\nsignature X-Signature %[3]s\nenforce off\n}\nvendor bank {\nclient_cert {\nca %[5]s\nsubject CN=bank\nfrom_header X-Client-Cert\n}\n}\n}\nhookgate_proxy %[4]s {\ntry_duration 100ms\n%[6]s}\n}\n",
			port, strings.NewReplacer("{LOGS}", w.logs, "{WAY}", fmt.Sprint(i)).Replace(with.directives), secret, w.upstream[i].addr, authority, with.proxy)
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
	w.tokens.loose = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "loose", Connection: "main"})
	w.tokens.bank = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "bank", Connection: "main"})
	w.tokens.shows = mint(credential.Spec{Kind: credential.KindWebhook, Vendor: "shows", Connection: "main"})
	probe := w.fill("GET /v1/discovery/webhooks/pluggy/PLUGGY HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	for end := time.Now().Add(patience); !bytes.HasPrefix(w.exchange(t, 1, probe, 0), []byte("HTTP/1.1 204 ")); { // the keyring is being loaded
		if time.Now().After(end) {
			t.Fatal("the token does not work")
		}
	}
	return w
}

// certified returns the file of an authority, and a certificate of it in the form of RFC 9440,
// section 2.1.
func certified(t testing.TB) (file, header string) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	make := func(template, parent *x509.Certificate) []byte {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(nil, template, parent, public, private)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	issuer := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: make(issuer, issuer)}), 0o600); err != nil {
		t.Fatal(err)
	}
	bank := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "bank"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	return file, ":" + base64.StdEncoding.EncodeToString(make(bank, issuer)) + ":"
}

// freeAddress returns one on which nothing listens. No connection takes its port meanwhile:
// those have the system's ephemeral ones, which are above.
func freeAddress(t testing.TB) string {
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000)))
		if err == nil {
			listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal("no address is free")
	return ""
}

func (w *ways) fill(request string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(`{"a":1}`))
	return strings.NewReplacer("CALLBACK", w.tokens.callback, "BELVO", w.tokens.belvo, "PLUGGY", w.tokens.pluggy, "SIGNS", w.tokens.signs, "SHOWS", w.tokens.shows,
		"LOOSE", w.tokens.loose, "BANK", w.tokens.bank, "PASSED", w.passed,
		"SIGNATURE", hex.EncodeToString(mac.Sum(nil)), "SECRET", secret).Replace(request)
}
