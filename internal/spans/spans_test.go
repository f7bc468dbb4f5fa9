package spans

import (
	"context"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace"
)

// TestWithoutTracer: nothing is made, and a vendor's headers stay as they are.
func TestWithoutTracer(t *testing.T) {
	header := http.Header{HeaderParent: {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, HeaderState: {"a=b"}}
	var none *Tracer
	if n := testing.AllocsPerRun(10, func() {
		r := none.Begin(header[HeaderParent])
		r.Proof(r.Now(), "ok")
		r.Replay(r.Now(), "new")
		upstream, told := r.Upstream()
		told.Apply(header)
		upstream.End(200)
		r.End("POST", "callback", "allowed", "/", 200)
		if r.Recorded() || r.TraceID() != "" {
			t.Error("it is recorded")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if header.Get(HeaderParent) != "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" || header.Get(HeaderState) != "a=b" {
		t.Errorf("%v", header)
	}
}

// BenchmarkSpans is what the spans of an allowed callback cost, without what the exporter
// does with them.
func BenchmarkSpans(b *testing.B) {
	for name, sampler := range map[string]trace.Sampler{"recorded": trace.AlwaysSample(), "unrecorded": trace.NeverSample()} {
		b.Run(name, func(b *testing.B) {
			tracer := New(trace.NewTracerProvider(trace.WithSampler(sampler), trace.WithSpanProcessor(trace.NewBatchSpanProcessor(nowhere{}))))
			for b.Loop() {
				header := http.Header{}
				r := tracer.Begin(header[HeaderParent])
				upstream, told := r.Upstream()
				told.Apply(header)
				upstream.End(200)
				r.End("POST", "callback", "allowed", "/v1/exceptions/{exceptionId}/callback", 200)
			}
		})
	}
}

// nowhere takes spans and does nothing with them.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                          { return nil }
