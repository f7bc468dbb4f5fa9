package trail

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
	"github.com/hookgate/hookgate/store/redistest"
)

// collector is a server that keeps what it has taken.
type collector struct {
	mu     sync.Mutex
	taken  bytes.Buffer
	refuse func(n int) bool // the n-th request
	asked  int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	switch {
	case r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("Content-Type") != "application/x-ndjson" || r.Method != http.MethodPost:
		w.WriteHeader(http.StatusUnauthorized)
	case c.refuse != nil && c.refuse(c.asked):
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		c.taken.Write(body)
		w.WriteHeader(http.StatusAccepted)
	}
}

func (c *collector) text() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.taken.Bytes())
}

// listen serves c over TLS, and returns the configuration of a sink to it.
func (c *collector) listen(t testing.TB) SinkConfig {
	t.Helper()
	server := httptest.NewTLSServer(c)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return SinkConfig{Kind: KindHTTPS, Address: server.URL + "/audit?key=k", Token: "s3cret", CA: ca}
}

// TestHTTPSSink: what the server does not take comes again, in order, and a process goes on
// where the one before was.
func TestHTTPSSink(t *testing.T) {
	onEachStore(t, func(t *testing.T, s *store.Store) {
		c := &collector{refuse: func(n int) bool { return n%2 == 1 }}
		config := c.listen(t)
		r, stop := sending(t, s, config, "")
		mintAll(t, s, "one", "two", "three")
		eventually(t, "all are there", func() bool { return len(said(t, c.text())) == 3 })
		eventually(t, "it is kept that all are", func() bool { return r.State().Sent == 3 })
		if state := r.State(); state.Sent != 3 || state.Failed == 0 {
			t.Errorf("%+v", state)
		}
		stop()
		mintAll(t, s, "four")
		sending(t, s, config, "")
		eventually(t, "the fourth is there", func() bool { return len(said(t, c.text())) == 4 })
		wantSaid(t, c.text(), "one", "two", "three", "four")
		whole(t, false, c.text())
	})
}

// TestOneProcessSends: of several one sends, and another goes on when it is gone, with or
// without a word.
func TestOneProcessSends(t *testing.T) {
	server := redistest.Start(t)
	config := store.Config{Redis: redisconn.Server{URLs: []string{server.URL()}}, Namespace: "hookgate"}
	a, b := open(t, config), open(t, config)
	c := new(collector)
	sink := c.listen(t)
	has := func(label string) func() bool {
		return func() bool { return bytes.Contains(c.text(), []byte(`"`+label+`"`)) }
	}
	_, stopA := sending(t, a, sink, "a")
	sending(t, b, sink, "b")
	mintAll(t, a, "one", "two")
	mintAll(t, b, "three")
	eventually(t, "all are there", has("three"))
	stopA()
	mintAll(t, b, "four")
	eventually(t, "the other goes on", has("four"))

	// A third takes the lease from the second, which does not know.
	leased := &leasedSink{transport: &httpSink{url: sink.Address, token: sink.Token, ca: sink.CA}, store: a, process: "c", lease: time.Minute, now: time.Now}
	r, err := New(sink, 1, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	leased.name = r.sink.(*leasedSink).name
	if err := leased.open(t.Context()); err != errElsewhere {
		t.Errorf("beside another: %v", err)
	}
	server.Client().HDel(t.Context(), "{hookgate}:w:"+leased.name, "h")
	eventually(t, "a third has it", func() bool { return leased.open(t.Context()) == nil })
	mintAll(t, a, "five")
	from, err := leased.idle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entries, err := a.Outbox(t.Context(), from.OutboxPosition, 10)
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	batch, err := batchOf(from, entries, 0)
	if err == nil {
		err = leased.send(t.Context(), batch)
	}
	if err != nil {
		t.Fatal(err)
	}
	if found := whole(t, true, c.text()); found.Lines != 5 {
		t.Errorf("%+v\n%s", found, c.text())
	}
}

// TestGap: entries that were gone before they could be sent are told of.
func TestGap(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, store.Config{Redis: redisconn.Server{URLs: []string{server.URL()}}, Namespace: "hookgate"})
	c := new(collector)
	sink := c.listen(t)
	r, stop := sending(t, s, sink, "")
	mintAll(t, s, "one")
	eventually(t, "it is there", func() bool { return r.State().Sent == 1 })
	stop()
	mintAll(t, s, "two", "three", "four")
	server.Client().XTrimMaxLen(t.Context(), "{hookgate}:w", 1)
	r, stop = sending(t, s, sink, "")
	eventually(t, "it goes on", func() bool { return r.State().Sent == 2 })
	wantSaid(t, c.text(), "one", "gap", "four")
	stop()
	if state := r.State(); state.Lost != 2 || !bytes.Contains(c.text(), []byte(`"lost":2`)) {
		t.Errorf("%+v\n%s", state, c.text())
	}

	// The data set is emptied: what it had and was not sent nobody knows.
	server.Client().Del(t.Context(), "{hookgate}:w")
	r, _ = sending(t, s, sink, "")
	mintAll(t, s, "five")
	eventually(t, "it goes on", func() bool { return len(said(t, c.text())) == 5 })
	wantSaid(t, c.text(), "one", "gap", "four", "gap", "five")
	if found := whole(t, false, c.text()); found.Gaps != 2 {
		t.Errorf("%+v", found)
	}
}

// TestASinkThatHangs holds up no change.
func TestASinkThatHangs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := open(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	r, _ := sending(t, s, SinkConfig{Kind: KindHTTPS, Address: "https://" + listener.Addr().String()}, "")
	mintAll(t, s, "one", "two", "three")
	eventually(t, "they wait", func() bool { return r.State().Lag > 0 && r.State().Sent == 0 })
}

// TestSyslogSink: on a stream with octet counting, as datagrams one in each, and again where
// the server had gone.
func TestSyslogSink(t *testing.T) {
	for _, scheme := range []string{"tcp", "tls", "udp", "unix", "unix stream"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := open(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
			d := newDaemon(t, scheme)
			sending(t, s, d.config, "")
			mintAll(t, s, "one", "two")
			eventually(t, "both are there", func() bool { return len(said(t, d.text())) == 2 })
			if d.listener != nil {
				d.hangUp()
				mintAll(t, s, "three")
				eventually(t, "it comes on another connection", func() bool { return bytes.Contains(d.text(), []byte(`"three"`)) })
			}
			whole(t, true, d.text())
		})
	}
}

// TestLongLines: what no datagram carries is told of, and holds up nothing.
func TestLongLines(t *testing.T) {
	entries := []store.OutboxEntry{
		{OutboxPosition: store.OutboxPosition{ID: "1-0", Number: 1}, AuditEntry: store.AuditEntry{Tenant: tenant, Actor: "alice", Action: "mint", Label: strings.Repeat("x", maxDatagram)}},
		{OutboxPosition: store.OutboxPosition{ID: "2-0", Number: 2}, AuditEntry: store.AuditEntry{Tenant: tenant, Actor: "alice", Action: "mint", Label: "two"}},
		{OutboxPosition: store.OutboxPosition{ID: "3-0", Number: 3}, AuditEntry: store.AuditEntry{Tenant: tenant, Changes: "{"}},
		{OutboxPosition: store.OutboxPosition{ID: "4-0", Number: 4}, Unreadable: true},
	}
	b, err := batchOf(place{}, entries, maxDatagram)
	if err != nil {
		t.Fatal(err)
	}
	text := append(bytes.Join(b.lines, []byte("\n")), '\n')
	wantSaid(t, text, "omitted", "two", "omitted", "omitted")
	whole(t, false, text)
}

func TestSinkConfig(t *testing.T) {
	for _, c := range []SinkConfig{
		{Kind: "file", Address: "/var/log/hookgate/audit.log"},
		{Kind: "syslog", Address: "udp://localhost:514"}, {Kind: "syslog", Address: "tls://[2001:db8::1]:6514", CA: "ca.pem"}, {Kind: "syslog", Address: "unix:///dev/log"},
		{Kind: "https", Address: "https://siem.example.com/in?a=b", Token: "t", CA: "ca.pem"}, {Kind: "https", Address: "http://127.0.0.1:8088"},
	} {
		if err := c.Check(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []SinkConfig{
		{}, {Kind: "kafka", Address: "x"}, {Kind: "file", Address: "audit.log"}, {Kind: "file", Address: "/x", Token: "t"}, {Kind: "file", Address: "/x", CA: "c"},
		{Kind: "syslog", Address: "localhost:514"}, {Kind: "syslog", Address: "udp://localhost"}, {Kind: "syslog", Address: "tcp://u:secret@h:1"}, {Kind: "syslog", Address: "unix://dev/log"},
		{Kind: "syslog", Address: "tcp://h:1", CA: "c"}, {Kind: "https", Address: "http://siem.example.com"}, {Kind: "https", Address: "https://u:secret@h"}, {Kind: "https", Address: "siem"},
	} {
		if err := c.Check(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// daemon is a server of syslog.
type daemon struct {
	config   SinkConfig
	listener net.Listener // nil for datagrams

	mu    sync.Mutex
	lines bytes.Buffer
	conns []net.Conn
}

func newDaemon(t *testing.T, scheme string) *daemon {
	t.Helper()
	d := &daemon{config: SinkConfig{Kind: KindSyslog}}
	network, address := "tcp", "127.0.0.1:0"
	if strings.HasPrefix(scheme, "unix") {
		dir, err := os.MkdirTemp("", "s") // the path of a socket is short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		network, address = "unix", filepath.Join(dir, "s")
	}
	switch scheme {
	case "udp", "unix":
		if network == "unix" {
			network = "unixgram"
		} else {
			network = "udp"
		}
		conn, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		d.config.Address = scheme + "://" + conn.LocalAddr().String()
		go func() {
			buffer := make([]byte, 1<<16)
			for {
				n, _, err := conn.ReadFrom(buffer)
				if err != nil {
					return
				}
				d.take(t, buffer[:n])
			}
		}()
		return d
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	d.config.Address = "tcp://" + listener.Addr().String()
	switch scheme {
	case "tls":
		certificates := redistest.NewCertificates(t)
		pair, err := tls.LoadX509KeyPair(certificates.ServerCert, certificates.ServerKey)
		if err != nil {
			t.Fatal(err)
		}
		d.config.Address, d.config.CA = "tls://"+listener.Addr().String(), certificates.CA
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	case "unix stream":
		d.config.Address = "unix://" + address
	}
	d.listener = listener
	t.Cleanup(func() { listener.Close(); d.hangUp() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns = append(d.conns, conn)
			d.mu.Unlock()
			go d.serve(t, conn)
		}
	}()
	return d
}

func (d *daemon) serve(t *testing.T, conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		count, err := r.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSpace(count))
		if err != nil {
			t.Errorf("octet count %q", count)
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(r, message); err != nil {
			return
		}
		d.take(t, message)
	}
}

var rfc5424 = regexp.MustCompile(`^<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]+ hookgate - audit - (\{.*\})$`)

func (d *daemon) take(t *testing.T, message []byte) {
	found := rfc5424.FindSubmatch(message)
	if found == nil {
		t.Errorf("message %s", message)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(&d.lines, "%s\n", found[1])
}

func (d *daemon) text() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.lines.Bytes())
}

func (d *daemon) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range d.conns {
		conn.Close()
	}
	d.conns = nil
}
