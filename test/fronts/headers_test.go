package fronts

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// headers: what vendors need passes, and what is too large for anybody is refused as the
// client's fault.
func (s setup) headers(t *testing.T) {
	r := s.callbackRequest()
	value := strings.Repeat("v", 6<<10)
	r.fields = append(r.fields, "X-Large: "+value)
	wantTaken(t, s.proxy.send(r))
	if got := s.gate.upstream.one(t); got.header.Get("X-Large") != value {
		t.Error("a header of 6 KiB did not arrive as it was")
	}
	r.fields = append(r.fields, "X-Larger: "+strings.Repeat("v", 24<<10))
	// A proxy that answers while the rest is under way may lose its answer by that.
	var a answer
	for range 10 {
		if a = s.proxy.send(r); a.err == nil {
			break
		}
	}
	if a.err != nil || a.status != s.tooLarge {
		t.Errorf("%s, want %d", a, s.tooLarge)
	}
	s.gate.upstream.none(t)
}

// http2: what comes in over HTTP/2 is decided on and delivered in the same way.
func (s setup) http2(t *testing.T) {
	trust := s.proxy.trust.Clone()
	trust.NextProtos = nil
	transport := &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		over := trust.Clone()
		over.NextProtos = []string{"h2"}
		dialer := &tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(vendor)}}, Config: over}
		return dialer.DialContext(ctx, "tcp", s.proxy.addr)
	}}
	defer transport.CloseIdleConnections()
	post := func(token string, body []byte) answer {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+host+s.gate.callback.path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Callback-Token", token)
		got, err := transport.RoundTrip(r)
		if err != nil {
			return answer{err: err}
		}
		defer got.Body.Close()
		if got.ProtoMajor != 2 {
			t.Errorf("%s", got.Proto)
		}
		text, err := io.ReadAll(got.Body)
		return answer{status: got.StatusCode, header: got.Header, body: string(text), err: err}
	}
	wantTaken(t, post(s.gate.callback.token, []byte("{}")))
	if got := s.gate.upstream.one(t); got.body != "{}" || got.header.Get("X-Forwarded-For") != vendor {
		t.Errorf("at the upstream:\n%s", got)
	}
	for _, size := range []int{2, 2 * mib} {
		wantProblem(t, post("not-a-live-token", []byte(text(size))), 401, "HKG-1401")
	}
	s.gate.upstream.none(t)
}
