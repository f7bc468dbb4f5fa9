package admin

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin/console"
	"github.com/hookgate/hookgate/problem"
)

// front is what every request passes first. It gives the request its id, answers in
// place of a router that would send plain text and redirects, and turns a panic
// into a problem document.
type front struct {
	mux     *http.ServeMux
	log     *slog.Logger
	observe func(operation string, status int)
	client  func(*http.Request) netip.Addr
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A request id from the client is not taken over: it could repeat another's, or
	// carry anything into the log.
	x := &exchange{ResponseWriter: w, log: f.log, id: uuid.Must(uuid.NewV7()), operation: noOperation, client: f.client(r)}
	x.Header().Set("X-Request-Id", x.id.String())
	defer f.finish(x)
	f.route(x, x.attach(r))
}

// route serves paths that are exactly those of a resource. The router itself would
// redirect an unclean path and match an escaped one: two spellings of one resource
// are one too many where something in front of us filters by path. The slash that people put
// behind the console is let through: it is answered by a redirect, and serves nothing.
func (f *front) route(x *exchange, r *http.Request) {
	target := r.URL.EscapedPath()
	if strings.Contains(target, "%") || path.Clean(target) != target && target != console.Path+"/" {
		refuse(problem.NoResource).write(x)
		return
	}
	fallback, pattern := f.mux.Handler(r)
	if pattern != "" {
		f.mux.ServeHTTP(x, r)
		return
	}
	// The router tells which methods a resource has only by answering.
	answer := discarded{}
	fallback.ServeHTTP(answer, r)
	if allow := answer.Header().Get("Allow"); allow != "" {
		refuse(problem.NoSuchMethod).with("Allow", allow).write(x)
		return
	}
	refuse(problem.NoResource).write(x)
}

// finish reports the request, and what became of a panic. The panic's value is not
// logged: it may hold a token.
func (f *front) finish(x *exchange) {
	cause := recover()
	if cause != nil && cause != http.ErrAbortHandler {
		f.log.Error("panic while serving a request",
			slog.String("request_id", x.id.String()), slog.String("operation", x.operation),
			slog.String("type", fmt.Sprintf("%T", cause)), slog.String("stack", string(debug.Stack())))
		if x.status == 0 {
			x.refuse(refuse(problem.OperationFailed))
			cause = nil
		}
	}
	if cause == nil && x.status == 0 {
		x.status = http.StatusOK // what net/http sends for a handler that wrote nothing
	}
	if cause != nil {
		x.status = 0 // whatever was sent, the answer was cut
	}
	f.observe(x.operation, x.status)
	f.logRefusal(x)
	if cause != nil {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// logRefusal writes a line about whoever was not let in: it tells somebody who tries tokens
// from an operator whose token has expired. What the token claims is not in it.
func (f *front) logRefusal(x *exchange) {
	switch x.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
	default:
		return
	}
	fields := []any{slog.String("request_id", x.id.String()), slog.Int("status", x.status), slog.String("code", x.code), slog.String("operation", x.operation)}
	if x.client.IsValid() {
		fields = append(fields, slog.String("client_ip", x.client.String()))
	}
	tenant := x.refused
	if tenant == uuid.Nil { // it was not the role, nor the rate
		tenant = x.operator.Tenant
	}
	if tenant != uuid.Nil {
		fields = append(fields, slog.String("tenant", tenant.String()))
	}
	f.log.Info("refused", fields...)
}

// peerAddress returns the address at the other end of the connection.
func peerAddress(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr()
}

// discarded is a ResponseWriter of which only the header is kept.
type discarded http.Header

func (d discarded) Header() http.Header         { return http.Header(d) }
func (d discarded) Write(b []byte) (int, error) { return len(b), nil }
func (d discarded) WriteHeader(int)             {}
