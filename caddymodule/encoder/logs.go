package encoder

import (
	"errors"
	"io"
	"reflect"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/internal/droplog"
)

// Caddy gives modules no way to the logs of the configuration that they are of: an
// encoder does not learn who writes what it encodes, and an app not which encoders there
// are. So their fields are read, and one is replaced, by name. TestLogsOfThisCaddy says
// when they are no longer there.

var errUnknownCaddy = errors.New("the logs of this version of Caddy are not as Hookgate knows them")

// openLog is a log of the configuration that is being loaded.
type openLog struct {
	name string
	*caddy.BaseLog
}

// openLogs returns the logs of the configuration of ctx, as far as they are set up.
func openLogs(ctx caddy.Context) (logs []openLog, err error) {
	field := reflect.ValueOf(ctx).FieldByName("cfg")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*caddy.Config]() {
		return nil, errUnknownCaddy
	}
	config := (*caddy.Config)(field.UnsafePointer())
	if config == nil || config.Logging == nil {
		return nil, nil
	}
	if config.Logging.Sink != nil {
		logs = append(logs, openLog{"sink", &config.Logging.Sink.BaseLog})
	}
	for name, log := range config.Logging.Logs {
		logs = append(logs, openLog{name, &log.BaseLog})
	}
	return logs, nil
}

// inside returns where a log has a field.
func inside[T any](log openLog, name string) (*T, error) {
	field := reflect.ValueOf(log.BaseLog).Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != reflect.TypeFor[T]() {
		return nil, errUnknownCaddy
	}
	return (*T)(field.Addr().UnsafePointer()), nil
}

// boundWriters puts a droplog.Writer before the writers of a configuration. It is called
// as an encoder is set up: the writer of its log is open then, and nothing has been
// logged yet.
func boundWriters(ctx caddy.Context) error {
	logs, err := openLogs(ctx)
	if err != nil {
		return err
	}
	for _, log := range logs {
		writer, err := inside[io.WriteCloser](log, "writer")
		if err != nil {
			return err
		}
		if _, bound := (*writer).(*droplog.Writer); bound || *writer == nil {
			continue
		}
		opener, err := inside[caddy.WriterOpener](log, "writerOpener")
		if err != nil {
			return err
		}
		w := droplog.New(*writer, joined(*opener))
		*writer = w
		ctx.OnCancel(w.Retire)
	}
	return nil
}

// joined returns how many bytes of lines a writer may get in one piece: one over a network
// may take a piece for a line.
func joined(opener caddy.WriterOpener) int {
	switch opener.(type) {
	case caddy.StderrWriter, *caddy.StderrWriter, caddy.StdoutWriter, *caddy.StdoutWriter, *logging.FileWriter:
		return droplog.Joined
	}
	return 0
}

// UnsafeLogs returns the names of the logs of a configuration that is being loaded that
// do not print through our encoder, sorted: what UnsafeLoggers is for one that is not.
func UnsafeLogs(ctx caddy.Context) ([]string, error) {
	logs, err := openLogs(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, log := range logs {
		encoder, err := inside[zapcore.Encoder](log, "encoder")
		if err != nil {
			return nil, err
		}
		opener, err := inside[caddy.WriterOpener](log, "writerOpener")
		if err != nil {
			return nil, err
		}
		core, err := inside[zapcore.Core](log, "core")
		if err != nil {
			return nil, err
		}
		_, ours := (*encoder).(*Encoder)
		_, discards := (*opener).(*caddy.DiscardWriter)
		if reflect.TypeOf(*core) == reflect.TypeOf(zapcore.NewTee(nil, nil)) { // a core of the configuration's gets what we get
			ours, discards = false, false
		}
		if !ours && !discards {
			names = append(names, log.name)
		}
	}
	slices.Sort(names)
	return names, nil
}
