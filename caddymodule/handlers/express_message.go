package handlers

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/internal/spans"
	"github.com/hookgate/hookgate/internal/wire"
)

// appendMessage writes the request as the upstream is to see it: what the gate and the proxy
// make of one of net/http.
func (x *plainExchange) appendMessage() {
	r, f := x.r, &x.forwarding
	target := url.URL{Path: f.Path, RawPath: f.RawPath, RawQuery: r.Query}
	if f.NewQuery {
		target.RawQuery = f.Query
	}
	host := r.Host
	if x.proxy.Host == hostUpstream {
		host = x.proxy.to.Host
	}
	started, told := x.Spans.Upstream()
	x.Upstream = started
	out := append(append(append(append(x.message[:0], r.Method...), ' '), target.RequestURI()...), " HTTP/1.1\r\n"...)
	out = wire.AppendField(out, "Host", host)
	for _, field := range r.Fields {
		switch name := field.Name; {
		case name == "Content-Length", name == "X-Forwarded-For", name == "X-Forwarded-Host", name == "X-Forwarded-Proto":
		case f.Sets(name), f.Drops(name):
		case name == spans.HeaderParent && told.Parent != "", name == spans.HeaderState && told.DropState:
		case name == "Accept-Encoding":
			out = wire.AppendField(out, name, gate.Readable(field.Value))
		default:
			out = wire.AppendPlain(out, name, field.Value)
		}
	}
	for name, value := range f.Fields {
		out = wire.AppendField(out, name, value)
	}
	if told.Parent != "" {
		out = wire.AppendPlain(out, spans.HeaderParent, told.Parent)
	}
	if x.sender.client != "" {
		out = wire.AppendPlain(out, "X-Forwarded-For", x.sender.client)
	}
	out = wire.AppendPlain(out, "X-Forwarded-Host", x.sender.host)
	out = wire.AppendPlain(out, "X-Forwarded-Proto", x.sender.proto)
	if len(r.Body) > 0 || r.Method != http.MethodGet && r.Method != http.MethodDelete {
		out = append(strconv.AppendInt(append(out, "Content-Length: "...), int64(len(r.Body)), 10), "\r\n"...)
	}
	x.message = append(append(out, "\r\n"...), r.Body...)
}
