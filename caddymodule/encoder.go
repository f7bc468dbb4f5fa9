package caddymodule

import (
	"net/http"
	"net/url"
	"regexp"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

func init() { caddy.RegisterModule(Encoder{}) }

// Encoder writes log entries as JSON without anything secret in them. Caddy's own
// encoders print a request as it came in, and so every token in a header or a path,
// whatever handlers did to it since: access, error and reverse_proxy logs all hold
// a copy made before any handler ran. This one prints of a request only what cannot
// hold a token, the route that the guard matched in place of the URI, and masks
// whatever else looks like a token.
type Encoder struct {
	zapcore.Encoder `json:"-"`
}

// CaddyModule returns the Caddy module information.
func (Encoder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.encoders.hookgate", New: func() caddy.Module { return new(Encoder) }}
}

// Provision sets up the JSON encoder behind.
func (e *Encoder) Provision(ctx caddy.Context) error {
	inner := new(logging.JSONEncoder)
	if err := inner.Provision(ctx); err != nil {
		return err
	}
	e.Encoder = inner.Encoder
	return nil
}

// UnmarshalCaddyfile parses `format hookgate`, which takes no arguments.
func (e *Encoder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the encoder's name
	if d.NextArg() || d.NextBlock(0) {
		return d.ArgErr()
	}
	return nil
}

// Clone implements zapcore.Encoder.
func (e Encoder) Clone() zapcore.Encoder { return Encoder{e.Encoder.Clone()} }

// EncodeEntry implements zapcore.Encoder.
func (e Encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	// Fields go through a clone of this encoder: the inner one would add them
	// unfiltered.
	clone := Encoder{e.Encoder.Clone()}
	for _, field := range fields {
		field.AddTo(clone)
	}
	buf, err := clone.Encoder.EncodeEntry(entry, nil)
	if err == nil {
		maskTokens(buf.Bytes())
	}
	return buf, err
}

// AddObject implements zapcore.ObjectEncoder.
func (e Encoder) AddObject(key string, object zapcore.ObjectMarshaler) error {
	return redactor{e.Encoder}.AddObject(key, object)
}

// AddReflected implements zapcore.ObjectEncoder.
func (e Encoder) AddReflected(key string, value any) error {
	return redactor{e.Encoder}.AddReflected(key, value)
}

// AddString implements zapcore.ObjectEncoder.
func (e Encoder) AddString(key, value string) {
	redactor{e.Encoder}.AddString(key, value)
}

// redactor filters what is added to an object, and to the objects within it.
type redactor struct{ zapcore.ObjectEncoder }

func (r redactor) AddObject(key string, object zapcore.ObjectMarshaler) error {
	switch v := object.(type) {
	case caddyhttp.LoggableHTTPRequest:
		return r.ObjectEncoder.AddObject(key, safeRequest{v.Request})
	case *caddyhttp.LoggableHTTPRequest:
		return r.ObjectEncoder.AddObject(key, safeRequest{v.Request})
	case caddyhttp.LoggableHTTPHeader, *caddyhttp.LoggableHTTPHeader:
		return nil
	}
	return r.ObjectEncoder.AddObject(key, zapcore.ObjectMarshalerFunc(func(inner zapcore.ObjectEncoder) error {
		return object.MarshalLogObject(redactor{inner})
	}))
}

func (r redactor) AddReflected(key string, value any) error {
	switch value.(type) {
	case http.Header, map[string][]string, *http.Request, http.Request, *url.URL, url.URL:
		return nil
	}
	return r.ObjectEncoder.AddReflected(key, value)
}

func (r redactor) AddString(key, value string) {
	switch key {
	case "uri", "url", "request_uri", "path", "query":
		value = "-"
	}
	r.ObjectEncoder.AddString(key, value)
}

// safeRequest prints of a request what no client can put a token in.
type safeRequest struct{ *http.Request }

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (r safeRequest) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("remote_addr", r.RemoteAddr)
	if ip, ok := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string); ok {
		enc.AddString("client_ip", ip)
	}
	enc.AddString("proto", r.Proto)
	enc.AddString("method", knownMethod(r.Method))
	route, ok := caddyhttp.GetVar(r.Context(), routeVar).(string)
	if !ok {
		route = "-"
	}
	enc.AddString("route", route)
	return nil
}

// knownMethod returns a method of the standard, or "-": a client may send any word.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "-"
}

// tokenPattern finds our tokens, whole or cut off, plain or with an escaped
// underscore, in a line of log.
var tokenPattern = regexp.MustCompile(`m(?:cb|wh)(?:_|%5[Ff])[0-9A-Za-z]{4,}`)

// maskTokens overwrites every token in line but its prefix.
func maskTokens(line []byte) {
	for _, at := range tokenPattern.FindAllIndex(line, -1) {
		for i := at[0] + len("mcb_"); i < at[1]; i++ {
			line[i] = '*'
		}
	}
}

// Interface guards
var (
	_ caddy.Provisioner     = (*Encoder)(nil)
	_ zapcore.Encoder       = (*Encoder)(nil)
	_ caddyfile.Unmarshaler = (*Encoder)(nil)
)
