package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const canary = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"

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
	enc := testEncoder(t).Clone()
	for _, f := range with {
		f.AddTo(enc)
	}
	buf, err := enc.EncodeEntry(zapcore.Entry{Level: zapcore.InfoLevel, Message: message}, fields)
	if err != nil {
		t.Fatal(err)
	}
	if secret := canary[4:]; strings.Contains(buf.String(), secret) || strings.Contains(buf.String(), secret[:12]) {
		t.Errorf("the token is in %s", buf)
	}
	if strings.Count(buf.String(), "\n") != 1 {
		t.Errorf("not one line: %q", buf)
	}
	var line map[string]any
	if err := json.Unmarshal(buf.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, buf)
	}
	return line
}

func canaryRequest(vars map[string]any) *http.Request {
	r := httptest.NewRequest("POST", "/v1/"+canary+"?q="+canary, nil)
	r.Header.Set("X-Callback-Token", canary)
	r.Header.Set("Referer", "https://x/"+canary)
	r.Host = canary + ".example"
	return r.WithContext(context.WithValue(r.Context(), caddyhttp.VarsCtxKey, vars))
}

type nested struct{ inner zapcore.ObjectMarshaler }

func (n nested) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return enc.AddObject("inner", n.inner)
}

func TestEncoderPrintsNoSecret(t *testing.T) {
	request := caddyhttp.LoggableHTTPRequest{Request: canaryRequest(map[string]any{routeVar: "/v1/{token}", caddyhttp.ClientIPVarKey: "203.0.113.9"})}
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
		"error":             zap.Error(errors.New("cannot parse " + canary)),
		"url error":         zap.Error(&url.Error{Op: "Get", URL: "http://x/" + canary, Err: errors.New("no")}),
		"string":            zap.String("text", "a "+canary+" b"),
		"strings":           zap.Strings("texts", []string{canary}),
		"bytes":             zap.ByteString("bytes", []byte(canary)),
		"escaped":           zap.String("text", strings.Replace(canary, "_", "%5F", 1)),
		"cut off":           zap.String("text", canary[:20]),
		"key":               zap.String(canary, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			logLine(t, "message", nil, []zap.Field{field})
			logLine(t, "message", []zap.Field{field}, nil)
			logLine(t, "about "+canary, []zap.Field{zap.Namespace("n"), field}, []zap.Field{field})
		})
	}
}

func TestEncoderShowsTheRoute(t *testing.T) {
	for want, vars := range map[string]map[string]any{"/v1/{token}": {routeVar: "/v1/{token}"}, "-": {}} {
		line := logLine(t, "handled request", []zap.Field{
			zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: canaryRequest(vars)}),
		}, []zap.Field{zap.Int("status", 401)})
		request := line["request"].(map[string]any)
		if request["route"] != want || request["method"] != "POST" || line["status"] != 401.0 || line["msg"] != "handled request" {
			t.Errorf("%v", line)
		}
	}
}

func TestEncoderKeepsWhatIsHarmless(t *testing.T) {
	line := logLine(t, "x", nil, []zap.Field{zap.String("text", "mcb_ and mwh_ are prefixes"), zap.Int("n", 3), zap.Any("list", []int{1})})
	if line["text"] != "mcb_ and mwh_ are prefixes" || line["n"] != 3.0 {
		t.Errorf("%v", line)
	}
}
