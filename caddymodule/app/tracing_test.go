package app

import (
	"strings"
	"testing"
)

// TestTracesOff: the environment can turn traces off; what it asks for and is not there is an error.
func TestTracesOff(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		off  bool
		want string // in the error
	}{
		{nil, false, ""},
		{map[string]string{"OTEL_SDK_DISABLED": "TRUE"}, true, ""},
		{map[string]string{"OTEL_SDK_DISABLED": "false"}, false, ""},
		{map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, true, ""},
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, false, ""},
		{map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, "OTEL_TRACES_EXPORTER"},
		{map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, false, ""},
		{map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "OTEL_EXPORTER_OTLP_PROTOCOL"},
		{map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}, false, ""},
		{map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, false, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"},
	} {
		off, err := tracesOff(func(name string) string { return test.env[name] })
		if off != test.off || (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: off %v, %v", test.env, off, err)
		}
	}
}
