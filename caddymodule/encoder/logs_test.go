package encoder

import (
	"encoding/json"
	"io"
	"slices"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/internal/droplog"
)

// beside is a core that a configuration puts beside a log's own.
type beside struct{ zapcore.Core }

func (beside) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.cores.beside", New: func() caddy.Module { return &beside{zapcore.NewNopCore()} }}
}

func init() { caddy.RegisterModule(beside{}) }

// TestLogsOfThisCaddy: what is read of Caddy by name is there, and the logs found in a
// configuration that is being loaded are those found in its text.
func TestLogsOfThisCaddy(t *testing.T) {
	const ours, theirs = `"encoder":{"format":"hookgate"}`, `"encoder":{"format":"json"}`
	for _, logging := range []string{
		``,
		`"logs":{"default":{` + ours + `}}`,
		`"sink":{` + ours + `},"logs":{"default":{` + ours + `},"file":{` + ours + `,"writer":{"output":"file","filename":"` + t.TempDir() + `/log"}}}`,
		`"sink":{` + theirs + `},"logs":{"default":{` + ours + `},"sink":{` + ours + `}}`,
		`"logs":{"default":{` + theirs + `},"log0":{` + ours + `}}`,
		`"logs":{"default":{` + ours + `,"core":{"module":"beside"}}}`,
		`"logs":{"default":{"writer":{"output":"discard"}},"log0":{` + theirs + `,"writer":{"output":"discard"}}}`,
	} {
		text := `{"logging":{` + logging + `}}`
		var config, loading caddy.Config
		for _, into := range []*caddy.Config{&config, &loading} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatal(err)
			}
		}
		ctx, err := caddy.ProvisionContext(&loading)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := UnsafeLogs(ctx); err != nil || !slices.Equal(got, UnsafeLoggers(&config)) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, UnsafeLoggers(&config))
		}
		logs, err := openLogs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, log := range logs {
			writer, err := inside[io.WriteCloser](log, "writer")
			if err != nil {
				t.Fatal(err)
			}
			_, bound := (*writer).(*droplog.Writer)
			encoder, err := inside[zapcore.Encoder](log, "encoder")
			if err != nil {
				t.Fatal(err)
			}
			if _, ours := (*encoder).(*Encoder); ours && !bound {
				t.Errorf("%s: %s can hold a request", text, log.name)
			}
		}
	}
}
