package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"github.com/hookgate/hookgate/internal/spans"
)

// exporters holds the one exporter of the process: a reload keeps it, for the environment
// does not change.
var exporters = caddy.NewUsagePool()

const exporterKey = "otlp"

// tracesEndTime is how long the last traces may take to be sent when the process ends.
const tracesEndTime = 2 * time.Second

// exporter sends traces.
type exporter struct {
	provider *trace.TracerProvider
	tracer   *spans.Tracer
}

// provisionTracing sets traces up. It sends nothing yet.
func (a *App) provisionTracing() error {
	if !a.Tracing {
		return nil
	}
	off, err := tracesOff(os.Getenv)
	if err != nil || off {
		return err
	}
	pooled, _, err := exporters.LoadOrNew(exporterKey, func() (caddy.Destructor, error) { return newExporter() })
	if err != nil {
		return fmt.Errorf("hookgate: tracing: %w", err)
	}
	a.spans = pooled.(*exporter)
	logger := a.ctx.Logger()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("traces are lost", zap.Error(err))
	}))
	return nil
}

// releaseTracing gives the exporter back; the last configuration ends it.
func (a *App) releaseTracing() error {
	if a.spans == nil {
		return nil
	}
	_, err := exporters.Delete(exporterKey)
	return err
}

// Tracer returns what makes the traces of the configuration; nil: nothing does.
func (a *App) Tracer() *spans.Tracer {
	if a.spans == nil {
		return nil
	}
	return a.spans.tracer
}

// tracesOff reports whether the environment turns traces off. What it asks for and is not
// there is an error: nobody would learn where their traces went.
func tracesOff(env func(string) string) (bool, error) {
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") {
		return true, nil
	}
	switch exporter := env("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return true, nil
	case "", "otlp":
	default:
		return false, errors.New("hookgate: tracing: OTEL_TRACES_EXPORTER is otlp or none")
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch env(name) {
		case "":
			continue
		case "http/protobuf":
			return false, nil
		}
		return false, fmt.Errorf("hookgate: tracing: %s is http/protobuf; collectors take that on port 4318", name)
	}
	return false, nil
}

func newExporter() (*exporter, error) {
	ctx := context.Background()
	// What the SDK logs on its own quotes the environment, in which headers may hold a
	// collector's password. Exports that fail are told by the error handler.
	otel.SetLogger(logr.Discard())
	// Endpoint, headers, certificates and time limits are those of the environment.
	client, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "hookgate"), attribute.String("service.version", Version(""))),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	// The sampler is that of the environment, too.
	provider := trace.NewTracerProvider(trace.WithBatcher(client), trace.WithResource(about))
	return &exporter{provider, spans.New(provider)}, nil
}

// Destruct sends what is left, unless the collector is silent.
func (e *exporter) Destruct() error {
	ctx, cancel := context.WithTimeout(context.Background(), tracesEndTime)
	defer cancel()
	_ = e.provider.Shutdown(ctx) // what is lost is in the log
	return nil
}
