package handlers

import (
	"errors"
	"net/http"
	"net/netip"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/guard"
)

var errNoPath = errors.New("the name of the connection cannot stand in the path to the upstream")

// prepare makes the last checks on an allowed request, which take its body, and
// turns it into what the upstream is to see. The path is the one the decision was
// made on, built anew from its validated parts.
func (g *Guard) prepare(w http.ResponseWriter, r *http.Request, d *guard.Decision, client netip.Addr) error {
	if d.Path == "" {
		g.logger.Error("cannot forward", zap.Stringer("credential", d.Credential), zap.Error(errNoPath))
		return errNoPath
	}
	if d.Signature != nil {
		var err error
		if d.Outcome, err = g.verifyBody(w, r, d.Signature); err != nil || d.Outcome != guard.Allowed {
			return err
		}
	}
	token := r.Header[g.TokenHeader]
	g.stripHeaders(r, client)
	if g.ForwardToken && len(token) > 0 {
		r.Header[g.TokenHeader] = token
	}
	if err := g.setIdempotencyKey(w, r, d, r.RequestURI); err != nil {
		return err
	}
	// The body may have taken its time, and the credential ended meanwhile.
	if _, held := r.Body.(*heldBody); held {
		if *d = g.recheck(*d); d.Outcome != guard.Allowed {
			return nil
		}
	}
	if err := g.assert(d); err != nil || d.Outcome != guard.Allowed {
		return err
	}
	guard.SetIdentity(r.Header, d)
	caddyhttp.SetVar(r.Context(), vars.Guarded, true)
	// Trailers arrive after the decision, and could repeat any header. Without the
	// map there is nothing that net/http could fill at the end of the body.
	r.Trailer = nil
	if r.URL.Path != d.Path || r.URL.RawPath != "" || d.RawPath != d.Path {
		r.URL.Path, r.URL.RawPath = d.Path, d.RawPath
		r.RequestURI = r.URL.RequestURI()
	}
	if repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Set("http.auth.user.id", d.Credential.String()) // user_id in Caddy's access log
	}
	return nil
}

// stripHeaders deletes what the client must not get through.
func (g *Guard) stripHeaders(r *http.Request, client netip.Addr) {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	strip := guard.Strip{TokenHeader: g.TokenHeader, TrustedPeer: trusted}
	if server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		strip.ClientIPHeaders = server.ClientIPHeaders
	}
	guard.StripHeaders(r.Header, strip)
	if trusted && client.IsValid() {
		// The proxy that follows makes X-Forwarded-For of the peer's address. Behind an
		// ingress that would be the ingress.
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
}

// unframed reports whether r may have a body that net/http does not see: chunks mean
// nothing in HTTP/1.0, so it takes a body without Content-Length for none, and an
// event would be lost with a 200. Methods that have no body as a rule come without one.
func unframed(r *http.Request) bool {
	if r.ProtoAtLeast(1, 1) || len(r.Header["Content-Length"]) > 0 {
		return false
	}
	return r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
}
