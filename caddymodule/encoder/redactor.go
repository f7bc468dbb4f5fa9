package encoder

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/credential"
)

// redactor filters what is added to an object of a log entry, and to the objects
// and arrays within it. Numbers, times and booleans pass.
type redactor struct {
	zapcore.ObjectEncoder
	plain []string // keys whose strings are known to be ours
}

// AddObject implements zapcore.ObjectEncoder.
func (r redactor) AddObject(key string, object zapcore.ObjectMarshaler) error {
	switch v := object.(type) {
	case caddyhttp.LoggableHTTPRequest:
		return r.addRequest(key, v.Request)
	case *caddyhttp.LoggableHTTPRequest:
		return r.addRequest(key, v.Request)
	case caddyhttp.LoggableHTTPHeader, *caddyhttp.LoggableHTTPHeader:
		return nil // the names of headers are the client's choice too
	}
	return r.ObjectEncoder.AddObject(key, redactedObject(object))
}

// addRequest adds a request, and its id beside it, where our own lines have it too.
func (r redactor) addRequest(key string, request *http.Request) error {
	if id := vars.KnownRequestID(request); id != "" {
		r.ObjectEncoder.AddString("request_id", id)
	}
	return r.ObjectEncoder.AddObject(key, safeRequest{request})
}

// AddArray implements zapcore.ObjectEncoder.
func (r redactor) AddArray(key string, array zapcore.ArrayMarshaler) error {
	return r.ObjectEncoder.AddArray(key, redactedArray(array, slices.Contains(r.plain, key)))
}

// AddReflected implements zapcore.ObjectEncoder. What a value prints by reflection
// cannot be told: a request, a header, a whole configuration.
func (r redactor) AddReflected(key string, _ any) error {
	r.ObjectEncoder.AddString(key, unknownWord)
	return nil
}

// AddString implements zapcore.ObjectEncoder.
func (r redactor) AddString(key, value string) {
	switch {
	case key == "kid" && slices.Contains(r.plain, key): // an issuer chose it
		if !plainKeyID(value) {
			value = unknownWord
		}
	case slices.Contains(r.plain, key):
	case key == "user_id": // the credential's id, or what another handler takes for one
		if _, err := uuid.Parse(value); err != nil && value != "" {
			value = unknownWord
		}
	default:
		value = safeText(value)
	}
	r.ObjectEncoder.AddString(key, value)
}

// maxKeyID is the longest id of a key that is printed, in bytes: a digest in hexadecimal.
const maxKeyID = 64

// plainKeyID reports whether the id of a key can be printed as it is.
func plainKeyID(id string) bool {
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' && c != '=' {
			return false
		}
	}
	return len(id) <= maxKeyID && !credential.HasToken(id)
}

// AddByteString implements zapcore.ObjectEncoder.
func (r redactor) AddByteString(key string, value []byte) { r.AddString(key, string(value)) }

// AddBinary implements zapcore.ObjectEncoder.
func (r redactor) AddBinary(key string, _ []byte) { r.ObjectEncoder.AddString(key, unknownWord) }

// redactedObject filters the fields of an object. None of its keys is plain: what
// they are about depends on the object.
func redactedObject(object zapcore.ObjectMarshaler) zapcore.ObjectMarshaler {
	return zapcore.ObjectMarshalerFunc(func(inner zapcore.ObjectEncoder) error {
		return object.MarshalLogObject(redactor{inner, nil})
	})
}

func redactedArray(array zapcore.ArrayMarshaler, plain bool) zapcore.ArrayMarshaler {
	return zapcore.ArrayMarshalerFunc(func(inner zapcore.ArrayEncoder) error {
		return array.MarshalLogArray(arrayRedactor{inner, plain})
	})
}

// arrayRedactor filters what is added to an array.
type arrayRedactor struct {
	zapcore.ArrayEncoder
	plain bool
}

// AppendString implements zapcore.PrimitiveArrayEncoder.
func (r arrayRedactor) AppendString(value string) {
	if !r.plain {
		value = safeText(value)
	}
	r.ArrayEncoder.AppendString(value)
}

// AppendByteString implements zapcore.PrimitiveArrayEncoder.
func (r arrayRedactor) AppendByteString(value []byte) { r.AppendString(string(value)) }

// AppendArray implements zapcore.ArrayEncoder.
func (r arrayRedactor) AppendArray(array zapcore.ArrayMarshaler) error {
	return r.ArrayEncoder.AppendArray(redactedArray(array, r.plain))
}

// AppendObject implements zapcore.ArrayEncoder.
func (r arrayRedactor) AppendObject(object zapcore.ObjectMarshaler) error {
	return r.ArrayEncoder.AppendObject(redactedObject(object))
}

// AppendReflected implements zapcore.ArrayEncoder.
func (r arrayRedactor) AppendReflected(any) error {
	r.ArrayEncoder.AppendString(unknownWord)
	return nil
}

// safeRequest prints of a request what no client can put a token in.
type safeRequest struct{ *http.Request }

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (r safeRequest) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	addr := unknownWord // of a unix socket there is none
	if parsed, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		addr = netip.AddrPortFrom(parsed.Addr().WithZone(""), parsed.Port()).String()
	}
	enc.AddString("remote_addr", addr)
	if client := vars.ClientAddress(r.Request); client.IsValid() {
		enc.AddString("client_ip", client.String())
	}
	enc.AddString("proto", knownProtocol(r.Proto))
	enc.AddString("method", knownMethod(r.Method))
	route, ok := caddyhttp.GetVar(r.Context(), vars.Route).(string)
	if !ok {
		route = unknownWord
	}
	enc.AddString("route", route)
	return nil
}

// knownProtocol returns a protocol that a request can arrive with, or "-": of an
// extended CONNECT the client names it.
func knownProtocol(proto string) string {
	switch proto {
	case "HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0":
		return proto
	}
	return unknownWord
}

// knownMethod returns a method of the standard, or "-": a client may send any word.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return unknownWord
}
