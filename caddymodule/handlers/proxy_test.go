package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/guard"
)

// proxySite is a site with nothing but the proxy, and these lines in its block.
func proxySite(upstream string, lines ...string) string {
	return "http://:8080 {\nhookgate_proxy " + upstream + " {\n" + strings.Join(lines, "\n") + "\n}\n}"
}

// TestNoGuardInFront: without a guard, and without the word for it, nothing goes
// upstream.
func TestNoGuardInFront(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s reached the upstream", r.URL)
	}))
	defer upstream.Close()
	server := serve(t, 8080, proxySite(upstream.URL))
	for _, path := range []string{"/", "/v1/exceptions/7d4f/callback"} {
		answer, err := http.Post(server.URL+path, "text/plain", strings.NewReader("event"))
		if err != nil {
			t.Fatal(err)
		}
		if code := problemOf(t, answer); answer.StatusCode != http.StatusInternalServerError || code != "HKG-1500" {
			t.Errorf("%s: %d %q", path, answer.StatusCode, code)
		}
	}
}

// TestUnguarded: who says nothing of himself to a guard says nothing to the upstream
// that only a guard may, and comes to no path of a guard.
func TestUnguarded(t *testing.T) {
	got := make(chan *http.Request, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		got <- r
	}))
	defer upstream.Close()
	server := serve(t, 8080, proxySite(upstream.URL, "unguarded")+`
http://:8081 {
	hookgate {
		callback /v1/exceptions/{exceptionId}/callback
		webhook /in/{vendor}/{token} -> /hooks/{vendor}/{credentialId}
	}
	hookgate_proxy 127.0.0.1:9
}`)
	send := func(path, head string) *http.Response {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: hooks.example.com\r\n%s\r\n", path, head)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	const chunked = "Transfer-Encoding: chunked\r\nTrailer: X-Tenant-Id\r\n"
	answer := send("/v1/reports?a=b;c", "Authorization: Bearer x\r\nX-Tenant-Id: forged\r\nx-tenant-id: forged\r\nX.Tenant.ID: forged\r\nX_Hookgate_Kind: api\r\n"+
		"X-Hookgate-Anything: forged\r\nX-Other: kept\r\n"+chunked+"\r\n5\r\nevent\r\n0\r\nX-Tenant-Id: forged\r\n")
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%d", answer.StatusCode)
	}
	r := <-got
	if r.RequestURI != "/v1/reports?a=b;c" || r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("X-Other") != "kept" || len(r.Trailer) > 0 {
		t.Errorf("%s %v %v", r.RequestURI, r.Header, r.Trailer)
	}
	for name := range r.Header {
		if plain := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name)); plain == "x-tenant-id" || strings.HasPrefix(plain, "x-hookgate-") {
			t.Errorf("%s reached the upstream", name)
		}
	}
	for _, path := range []string{
		"/v1/exceptions/7d4f/callback", "/V1/exceptions/7d4f/callback/", "/v1/exceptions/7d4f/%63allback", "http://x/v1/exceptions/7d4f/callback",
		"//v1/exceptions/7d4f/callback", "/x/../v1/exceptions/7d4f/callback", "/in/pluggy/abc", "/hooks/pluggy/7d4f",
	} {
		answer := send(path, "Content-Length: 0\r\n")
		if code := problemOf(t, answer); answer.StatusCode != http.StatusNotFound || code != "HKG-1404" {
			t.Errorf("%s: %d %q", path, answer.StatusCode, code)
		}
	}
	if len(got) > 0 {
		t.Errorf("%s reached the upstream", (<-got).RequestURI)
	}
}

// TestHost: which Host the upstream gets.
func TestHost(t *testing.T) {
	got := make(chan string, 1)
	answer := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.Host + ", for " + r.Header.Get("X-Forwarded-Host")
	})
	plain := httptest.NewServer(answer)
	defer plain.Close()
	secure := httptest.NewTLSServer(answer)
	defer secure.Close()
	authority := writeAuthority(t, secure)
	for _, tc := range []struct {
		upstream string
		lines    []string
		want     string
	}{
		{plain.URL, nil, "hooks.example.com"},
		{plain.URL, []string{"host client"}, "hooks.example.com"},
		{plain.URL, []string{"host upstream"}, plain.Listener.Addr().String()},
		{secure.URL, []string{authority}, secure.Listener.Addr().String()},
		{secure.URL, []string{authority, "host upstream"}, secure.Listener.Addr().String()},
		{secure.URL, []string{authority, "host client"}, "hooks.example.com"},
	} {
		server := serve(t, 8080, proxySite(tc.upstream, append(tc.lines, "unguarded")...))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "hooks.example.com"
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s %v: %d", tc.upstream, tc.lines, answer.StatusCode)
		}
		if host := <-got; host != tc.want+", for hooks.example.com" {
			t.Errorf("%s %v: %s", tc.upstream, tc.lines, host)
		}
	}
}

// rawUpstream answers every request with these bytes, and closes the connection. It
// returns its address.
func rawUpstream(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(conn, answer)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestInterimAnswersByVersion: a client gets interim answers over HTTP/1.1, and none
// over HTTP/1.0, which has none.
func TestInterimAnswersByVersion(t *testing.T) {
	const final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	for _, code := range []int{100, 102, 103} {
		interim := strings.Repeat(fmt.Sprintf("HTTP/1.1 %d Interim\r\nLink: </a>\r\n\r\n", code), 10)
		server := serve(t, 8080, proxySite(rawUpstream(t, interim+final), "unguarded"))
		for version, want := range map[string]int{"1.0": 0, "1.1": 10} {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprintf(conn, "POST / HTTP/%s\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nevent", version)
			all, err := io.ReadAll(conn)
			_ = conn.Close()
			text := string(all)
			if n := strings.Count(text, fmt.Sprintf(" %d ", code)); err != nil || n != want || !strings.Contains(text, " 200 OK\r\n") || !strings.HasSuffix(text, "ok") {
				t.Errorf("HTTP/%s, %d: %d of them, %v\n%s", version, code, n, err, text)
			}
		}
	}
}

// TestExpect: a client that waits to be asked for its body is asked, though the upstream
// never does.
func TestExpect(t *testing.T) {
	server := serve(t, 8080, proxySite(rawUpstream(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "unguarded"))
	for _, body := range []string{"event", strings.Repeat("x", 100_000)} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
		read := bufio.NewReader(conn)
		if line, err := read.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		_, _ = read.ReadString('\n')
		_, _ = io.WriteString(conn, body)
		if line, err := read.ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
			t.Errorf("%q, %v", line, err)
		}
	}
}

// TestUpstreamFails: a client learns whether its request can have been delivered.
func TestUpstreamFails(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections, and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	const fast = "try_duration 1ms\ndial_timeout 300ms\nresponse_header_timeout 300ms"
	for _, tc := range []struct {
		name, upstream string
		status         int
		says           string
	}{
		{"refused", closed.URL, http.StatusBadGateway, "was not sent"},
		{"no handshake", "https://" + mute.Addr().String(), http.StatusBadGateway, "was not sent"},
		{"closed upon the request", rawUpstream(t, ""), http.StatusBadGateway, "may have been delivered"},
		{"no HTTP", rawUpstream(t, "SSH-2.0-OpenSSH\r\n\r\n"), http.StatusBadGateway, "may have been delivered"},
		{"no answer", mute.Addr().String(), http.StatusGatewayTimeout, "may have got the request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := serve(t, 8080, proxySite(tc.upstream, fast, "unguarded"))
			answer, err := http.Post(server.URL, "text/plain", strings.NewReader("event"))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, _ := io.ReadAll(answer.Body)
			if answer.StatusCode != tc.status || !strings.Contains(string(body), tc.says) {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
		})
	}
}

// TestProxyErrorTells: what a guard in front gets as an error tells whether anything was
// sent, too.
func TestProxyErrorTells(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for upstream, want := range map[string]string{
		closed.URL:         "was not sent",
		rawUpstream(t, ""): "may have been delivered",
	} {
		p := &Proxy{Upstream: upstream, TryDuration: 1}
		if err := p.Provision(newContext(t)); err != nil {
			t.Fatal(err)
		}
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.WithContext(withVars(r.Context()))
			vars.SetForwarding(r, new(guard.Forwarding))
			failure, ok := p.ServeHTTP(w, r, nil).(caddyhttp.HandlerError)
			if !ok || !strings.Contains(gate.UpstreamProblem(failure.StatusCode, failure.Err).Meaning, want) {
				t.Errorf("%s: %v", upstream, failure)
			}
		})
		server := httptest.NewServer(handler)
		answer, err := http.Post(server.URL, "text/plain", strings.NewReader("event"))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		server.Close()
	}
}
