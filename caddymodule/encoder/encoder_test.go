package encoder

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/hookgate/hookgate/credential/credentialtest"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/caddymodule/vars"
)

func testEncoder(t *testing.T) zapcore.Encoder {
	t.Helper()
	ctx, cancel := caddy.NewContext(caddy.Context{Context: context.Background()})
	t.Cleanup(cancel)
	e := new(Encoder)
	if err := e.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	return e
}

// logLine encodes one entry the way zap does: some fields added to the logger, some
// with the entry.
func logLine(t *testing.T, message string, with, fields []zap.Field) map[string]any {
	t.Helper()
	return encoded(t, "http.handlers.hookgate", message, with, fields)
}

func encoded(t *testing.T, logger, message string, with, fields []zap.Field) map[string]any {
	t.Helper()
	enc := testEncoder(t).Clone()
	for _, f := range with {
		f.AddTo(enc)
	}
	buf, err := enc.EncodeEntry(zapcore.Entry{Level: zapcore.InfoLevel, LoggerName: logger, Message: message}, fields)
	if err != nil {
		t.Fatal(err)
	}
	if secret := credentialtest.Canary[4:]; strings.Contains(buf.String(), secret) || strings.Contains(buf.String(), secret[:12]) {
		t.Errorf("the token is in %s", buf)
	}
	if strings.Count(buf.String(), "\n") != 1 || strings.ContainsFunc(strings.TrimSuffix(buf.String(), "\n"), unicode.IsControl) {
		t.Errorf("not one line: %q", buf)
	}
	var line map[string]any
	if err := json.Unmarshal(buf.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, buf)
	}
	return line
}

func canaryRequest(vars map[string]any) *http.Request {
	r := httptest.NewRequest("POST", "/v1/"+credentialtest.Canary+"?q="+credentialtest.Canary, nil)
	r.Header.Set("X-Callback-Token", credentialtest.Canary)
	r.Header.Set("Referer", "https://x/"+credentialtest.Canary)
	r.Host = credentialtest.Canary + ".example"
	return r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, vars))
}

type nested struct{ inner zapcore.ObjectMarshaler }

func (n nested) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return enc.AddObject("inner", n.inner)
}

func TestEncoderPrintsNoSecret(t *testing.T) {
	request := caddyhttp.LoggableHTTPRequest{Request: canaryRequest(map[string]any{vars.Route: "/v1/{token}", caddyhttp.ClientIPVarKey: "203.0.113.9"})}
	for name, field := range map[string]zap.Field{
		"request":           zap.Object("request", request),
		"pointer":           zap.Object("request", &request),
		"nested request":    zap.Object("outer", nested{request}),
		"inline request":    zap.Inline(request),
		"headers":           zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: request.Header}),
		"reflected headers": zap.Any("headers", request.Header),
		"reflected URL":     zap.Reflect("url", request.URL),
		"URL":               zap.Stringer("url", request.URL),
		"uri":               zap.String("uri", request.RequestURI),
		"error":             zap.Error(errors.New("cannot parse " + credentialtest.Canary)),
		"url error":         zap.Error(&url.Error{Op: "Get", URL: "http://x/" + credentialtest.Canary, Err: errors.New("no")}),
		"string":            zap.String("text", "a "+credentialtest.Canary+" b"),
		"strings":           zap.Strings("texts", []string{credentialtest.Canary}),
		"bytes":             zap.ByteString("bytes", []byte(credentialtest.Canary)),
		"escaped":           zap.String("text", strings.Replace(credentialtest.Canary, "_", "%5F", 1)),
		"cut off":           zap.String("text", credentialtest.Canary[:20]),
		"key":               zap.String(credentialtest.Canary, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			logLine(t, "message", nil, []zap.Field{field})
			logLine(t, "message", []zap.Field{field}, nil)
			logLine(t, "about "+credentialtest.Canary, []zap.Field{zap.Namespace("n"), field}, []zap.Field{field})
		})
	}
}

func TestEncoderShowsTheRoute(t *testing.T) {
	for want, vars := range map[string]map[string]any{"/v1/{token}": {vars.Route: "/v1/{token}"}, "-": {}} {
		line := logLine(t, "handled request", []zap.Field{
			zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: canaryRequest(vars)}),
		}, []zap.Field{zap.Int("status", 401)})
		request := line["request"].(map[string]any)
		if request["route"] != want || request["method"] != "POST" || line["status"] != 401.0 || line["msg"] != "handled request" {
			t.Errorf("%v", line)
		}
	}
}

func TestEncoderKeepsWhatIsUseful(t *testing.T) {
	for _, tc := range []struct {
		logger, message string
		field           zap.Field
		want            any // of the field
		wantMessage     string
	}{
		{"http.log.error", "dial tcp 10.0.0.7:4018: connect: connection refused", zap.String("err_trace", "reverseproxy.statusError (reverseproxy.go:1)"),
			"reverseproxy.statusError (reverseproxy.go:1)", "dial tcp 10.0.0.7:4018: connect: connection refused"},
		{"http.log.error", "dial tcp: lookup upstream.internal on 10.0.0.10:53: no such host", zap.Int("status", 502),
			502.0, "dial tcp: lookup - on 10.0.0.10:53: no such host"},
		{"http.handlers.reverse_proxy", "selected upstream", zap.String("upstream", "matcher:4018"), "matcher:4018", "selected upstream"},
		{"http.handlers.reverse_proxy", "upstream roundtrip", zap.Error(context.DeadlineExceeded), "context deadline exceeded", "upstream roundtrip"},
		{"http.handlers.hookgate", "refused", zap.String("outcome", "source_ip"), "source_ip", "refused"},
		{"http.log.access.log0", "handled request", zap.String("user_id", "01900000-0000-7000-8000-000000000001"),
			"01900000-0000-7000-8000-000000000001", "handled request"},
		{"http.log.access", "handled request", zap.String("user_id", "alice"), "-", "handled request"},
		{"http.handlers.hookgate_admin", "a key of the JWKS is not used", zap.String("kid", "Key_2026-01.a="), "Key_2026-01.a=", "a key of the JWKS is not used"},
		{"http.handlers.hookgate_admin", "a key of the JWKS is not used", zap.String("kid", strings.Repeat("k", 64)), strings.Repeat("k", 64), "a key of the JWKS is not used"},
		{"http.handlers.hookgate_admin", "a key of the JWKS is not used", zap.String("kid", strings.Repeat("k", 65)), "-", "a key of the JWKS is not used"},
		{"http.handlers.hookgate_admin", "a key of the JWKS is not used", zap.String("kid", "https://issuer.example/k?a"), "-", "a key of the JWKS is not used"},
		{"http.handlers.hookgate_admin", "a key of the JWKS is not used", zap.String("kid", credentialtest.Canary), "-", "a key of the JWKS is not used"},
		{"http.log.access", "handled request", zap.String("kid", "my-own-secret"), "-", "handled request"},
		{"http", "server running", zap.Strings("protocols", []string{"h1", "h2"}), []any{"h1", "h2"}, "server running"},
		{"", "using config from file", zap.String("file", "/etc/hookgate/Caddyfile"), "/etc/hookgate/Caddyfile", "using config from file"},
		{"hookgate", "cannot follow Redis; the keyring serves until it is too old", zap.Error(errors.New("LOADING Redis is loading the dataset in memory")),
			"LOADING Redis is loading the dataset in memory", "cannot follow Redis; the keyring serves until it is too old"},
		{"http.stdlib", "http: TLS handshake error from 192.0.2.1:50123: EOF", zap.Int("n", 3), 3.0, "http: TLS handshake error from 192.0.2.1:50123: EOF"},
		{"http.stdlib", "http: panic serving 192.0.2.1:50123: my-own-secret\ngoroutine 9 [running]:\nmain.f(0xc0)\n\t/src/a.go:12 +0x1\nmain.g()\n\t/src/b.go:7\n",
			zap.Int("n", 3), 3.0, "http: panic serving 192.0.2.1:50123: - | /src/a.go:12 | /src/b.go:7"},
		{"somebody.elses", "hello my-own-secret", zap.String("request_id", "my-own-secret"), "-", "hello -"},
		{"http.handlers.somebody_elses", "my-own-secret", zap.Strings("name", []string{"my-own-secret", "x"}), []any{"-", "-"}, "-"},
	} {
		line := encoded(t, tc.logger, tc.message, nil, []zap.Field{tc.field})
		if line["msg"] != tc.wantMessage || !reflect.DeepEqual(line[tc.field.Key], tc.want) {
			t.Errorf("%s: %v", tc.logger, line)
		}
	}
}

// TestEncoderPrintsNothingItDoesNotKnow: a token without our prefix looks like any
// other word, so no word passes that errors do not consist of.
func TestEncoderPrintsNothingItDoesNotKnow(t *testing.T) {
	const foreign = "minted.elsewhere-1"
	request := caddyhttp.LoggableHTTPRequest{Request: canaryRequest(map[string]any{caddyhttp.ClientIPVarKey: foreign})}
	request.RemoteAddr, request.Proto, request.Method = foreign, foreign, foreign
	request.Host, request.RequestURI, request.TransferEncoding = foreign, "/"+foreign, []string{foreign}
	request.TLS = &tls.ConnectionState{ServerName: foreign, NegotiatedProtocol: foreign}
	request.Header = http.Header{foreign: {foreign}}
	fields := []zap.Field{
		zap.Object("request", request), zap.Object("tls", caddyhttp.LoggableTLSConnState(*request.TLS)),
		zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: request.Header}),
		zap.String("user_id", foreign), zap.String("host", foreign), zap.String("header", foreign), zap.String("method_trunc", foreign),
		zap.String("dial", foreign), zap.String("error", "http: bad "+foreign+" here"), zap.NamedError("write_error", errors.New(foreign)),
		zap.Errors("errors", []error{errors.New(foreign)}), zap.Any("any", struct{ A string }{foreign}), zap.Reflect("map", map[string]string{foreign: foreign}),
		zap.Binary("binary", []byte(foreign)), zap.ByteString("bytes", []byte(foreign)), zap.ByteStrings("list", [][]byte{[]byte(foreign)}),
		zap.Objects("objects", []nested{{nested{request}}}), zap.Inline(nested{zapcore.ObjectMarshalerFunc(func(e zapcore.ObjectEncoder) error {
			e.AddString("request_id", foreign)
			return e.AddArray("outcome", zapcore.ArrayMarshalerFunc(func(a zapcore.ArrayEncoder) error {
				a.AppendString(foreign)
				return errors.Join(a.AppendReflected(foreign), a.AppendArray(zap.Strings("", []string{foreign}).Interface.(zapcore.ArrayMarshaler)))
			}))
		})}),
		zap.Stringer("stringer", &url.URL{Path: foreign}), zap.Any("panic", errors.New(foreign)), zap.Strings("strings", []string{foreign}),
	}
	for _, logger := range []string{"", "http", "http.stdlib", "http.log.access", "http.log.error", "http.handlers.reverse_proxy", "http.handlers.hookgate", "other"} {
		for _, field := range fields {
			message := "handled request"
			if !knownLoggerOf(logger).message {
				message = "about " + foreign
			}
			for _, line := range []map[string]any{
				encoded(t, logger, message, nil, []zap.Field{field}), encoded(t, logger, message, []zap.Field{field}, nil),
			} {
				if text, _ := json.Marshal(line); strings.Contains(string(text), foreign) {
					t.Errorf("%s: %s", logger, text)
				}
			}
		}
	}
}

func TestEncoderWritesOneLine(t *testing.T) {
	for _, text := range []string{
		"a\r\nb", "a\n{\"level\":\"info\"}", "\x1b[31mred\x1b[0m", "\"},\"level\":\"error\",\"x\":{\"", "\x00\x01\x7f", "\xff\xfe", "\u2028\u2029\u0085", "{env.PATH} {http.request.uri}",
	} {
		for _, logger := range []string{"http.log.error", "http.stdlib", "other"} {
			line := encoded(t, logger, text, nil, []zap.Field{zap.String("error", text), zap.String("outcome", text), zap.String("header", text)})
			if line["level"] != "info" {
				t.Errorf("%q: %v", text, line)
			}
		}
	}
}
