// Package encoder is the log encoder hookgate, which prints nothing that it does not know
// to be safe.
package encoder

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/credential"
)

func init() { caddy.RegisterModule(Encoder{}) }

// Encoder writes log entries as JSON without anything secret in them. Caddy's own
// encoders print a request as it came in, and so every token in a header or a path,
// whatever handlers did to it since: access, error and reverse_proxy logs all hold
// a copy made before any handler ran.
//
// This one fails closed: what it does not know to be safe it does not print. Of a
// request it prints what no client can put a token in, with the route that the guard
// matched in place of the URI; of a message or a field that it does not know only
// the words that errors consist of. Last, it masks whatever still looks like a token
// of ours.
type Encoder struct {
	zapcore.Encoder `json:"-"`
}

// CaddyModule returns the Caddy module information.
func (Encoder) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.encoders.hookgate", New: func() caddy.Module { return new(Encoder) }}
}

// Provision sets up the JSON encoder behind, and sees to it that no log holds a request.
func (e *Encoder) Provision(ctx caddy.Context) error {
	inner := new(logging.JSONEncoder)
	if err := inner.Provision(ctx); err != nil {
		return err
	}
	e.Encoder = inner.Encoder
	return boundWriters(ctx)
}

// UnmarshalCaddyfile parses `format hookgate`, which takes no arguments.
func (e *Encoder) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return grammar.Words{}.ParseAlone(d)
}

// Clone implements zapcore.Encoder.
func (e Encoder) Clone() zapcore.Encoder { return Encoder{e.Encoder.Clone()} }

// EncodeEntry implements zapcore.Encoder.
func (e Encoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	// Fields go through the redactor: the inner encoder would add them as they are.
	logger := knownLoggerOf(entry.LoggerName)
	safe := zap.Inline(zapcore.ObjectMarshalerFunc(func(inner zapcore.ObjectEncoder) error {
		redacted := zapcore.ObjectEncoder(redactor{inner, logger.plain})
		for _, field := range fields {
			field.AddTo(redacted)
		}
		return nil
	}))
	switch {
	case entry.LoggerName == stdlibLogger:
		entry.Message = safePanic(entry.Message)
	case !logger.message:
		entry.Message = safeText(entry.Message)
	}
	buf, err := e.Encoder.EncodeEntry(entry, []zapcore.Field{safe})
	if err == nil {
		credential.MaskTokens(buf.Bytes())
	}
	return buf, err
}

// Fields that a logger was given beforehand are added to the encoder itself. Which
// logger it is nobody knows then, so that no key is plain.

func (e Encoder) strict() redactor { return redactor{e.Encoder, nil} }

// AddObject implements zapcore.ObjectEncoder.
func (e Encoder) AddObject(key string, object zapcore.ObjectMarshaler) error {
	return e.strict().AddObject(key, object)
}

// AddArray implements zapcore.ObjectEncoder.
func (e Encoder) AddArray(key string, array zapcore.ArrayMarshaler) error {
	return e.strict().AddArray(key, array)
}

// AddReflected implements zapcore.ObjectEncoder.
func (e Encoder) AddReflected(key string, value any) error {
	return e.strict().AddReflected(key, value)
}

// AddString implements zapcore.ObjectEncoder.
func (e Encoder) AddString(key, value string) { e.strict().AddString(key, value) }

// AddByteString implements zapcore.ObjectEncoder.
func (e Encoder) AddByteString(key string, value []byte) { e.strict().AddByteString(key, value) }

// AddBinary implements zapcore.ObjectEncoder.
func (e Encoder) AddBinary(key string, value []byte) { e.strict().AddBinary(key, value) }

// Interface guards
var (
	_ caddy.Provisioner     = (*Encoder)(nil)
	_ zapcore.Encoder       = (*Encoder)(nil)
	_ caddyfile.Unmarshaler = (*Encoder)(nil)
)
