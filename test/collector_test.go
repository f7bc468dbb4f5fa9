package test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	v1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// traceCollector takes traces as OTLP over HTTP has them.
type traceCollector struct {
	url string

	mu    sync.Mutex
	spans []*v1.Span
	text  string // of all that came
}

func newCollector(t testing.TB) *traceCollector {
	c := new(traceCollector)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text += prototext.Format(&request)
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// env makes a process send its traces there, and soon.
func (c *traceCollector) env() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.url, "OTEL_BSP_SCHEDULE_DELAY=20"}
}

// take returns the next spans, by their names, when there are n of them. They are of one request.
func (c *traceCollector) take(t testing.TB, n int) map[string]*v1.Span {
	t.Helper()
	var spans []*v1.Span
	hookgatetest.Eventually(t, "spans come", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.spans) < n {
			return false
		}
		spans, c.spans = c.spans, nil
		return true
	})
	named := make(map[string]*v1.Span)
	for _, span := range spans {
		named[span.Name] = span
	}
	if len(spans) != n || len(named) != n {
		t.Fatalf("%d spans, want %d: %v", len(spans), n, spans)
	}
	return named
}

// received returns all that came.
func (c *traceCollector) received() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text
}
