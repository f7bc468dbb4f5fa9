package encoder

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// knownLogger is what is known of what a logger writes.
type knownLogger struct {
	name string
	// below: it is known of all loggers below this one too.
	below bool
	// message: its messages are constants.
	message bool
	// plain are its fields that hold what we, Caddy or the configuration chose.
	plain []string
}

// knownLoggers are the loggers of this binary. Of another one only the words of
// errors are printed.
var knownLoggers = []knownLogger{
	{name: "", message: true, plain: []string{"file", "from", "to", "adapter", "signal", "pidfile", "dir", "module"}},
	{name: "caddy.listeners.hookgate", message: true, plain: []string{"address", "reason"}},
	{name: "events", message: true, plain: []string{"name"}},
	{name: "admin", below: true, message: true, plain: []string{"address", "origins"}},
	{name: "http", message: true, plain: []string{"name", "address", "network", "addr", "protocols", "server_id"}},
	{name: "http.auto_https", message: true, plain: []string{"server_name"}},
	{name: "http.log.access", below: true, message: true},
	{name: "http.log.error", below: true, plain: []string{"err_id", "err_trace"}}, // its messages are the errors
	{name: "http.handlers.hookgate", message: true, plain: []string{"request_id", "outcome", "route", "credential", "stack", "upstream_status", "upstream_code", "proof", "vendor"}},
	{name: "http.handlers.hookgate_proxy", message: true, plain: []string{"request_id", "outcome", "route"}}, // what net/http says goes to a logger below
	{name: "http.handlers.hookgate_admin", message: true, plain: []string{"request_id", "operation", "code", "type", "stack", "tenant", "credential", "status", "reason", "kid"}},
	{name: "http.handlers.reverse_proxy", below: true, message: true, plain: []string{"upstream"}}, // as configured; "dial" may hold more
	{name: "hookgate", message: true, plain: []string{"reason", "credential", "sink", "kid"}},
	{name: "hookgate.reload", message: true, plain: []string{"signal", "file", "adapter", "error"}}, // of the operator's own file, without its secrets
	{name: "tls", below: true, message: true},
}

// stdlibLogger is what net/http says of a server: errors with what a client sent,
// and panics.
const stdlibLogger = "http.stdlib"

// knownLoggerOf returns what is known of a logger: the entry with the longest name.
func knownLoggerOf(name string) (known knownLogger) {
	longest := -1
	for _, k := range knownLoggers {
		below, within := strings.CutPrefix(name, k.name)
		if within && (below == "" || k.below && below[0] == '.') && len(k.name) > longest {
			known, longest = k, len(k.name)
		}
	}
	return known
}

// UnsafeLoggers returns the names of the loggers in a configuration that do not
// print through our encoder, sorted. Access logs of servers are among them: a server
// names the logger, and what it says goes to every log that takes it in. Without a
// default log Caddy makes one with an encoder of its own. The sink is what the
// standard library's global logger writes to.
func UnsafeLoggers(config *caddy.Config) []string {
	var names []string
	logging := config.Logging
	if logging == nil {
		logging = new(caddy.Logging)
	}
	if logging.Logs[caddy.DefaultLoggerName] == nil {
		names = append(names, caddy.DefaultLoggerName)
	}
	for name, log := range logging.Logs {
		if log != nil && !safe(&log.BaseLog) {
			names = append(names, name)
		}
	}
	if sink := logging.Sink; sink != nil && !safe(&sink.BaseLog) {
		names = append(names, "sink")
	}
	slices.Sort(names)
	return names
}

// safe reports whether a log prints nothing that our encoder has not seen: a core beside
// it would get what it gets.
func safe(log *caddy.BaseLog) bool {
	return log.CoreRaw == nil && (discards(log.WriterRaw) || ourEncoder(log.EncoderRaw))
}

// ourEncoder reports whether a log prints through our encoder, directly: one that
// wraps it gets to see the fields first.
func ourEncoder(encoder json.RawMessage) bool {
	var module struct{ Format string }
	return json.Unmarshal(encoder, &module) == nil && module.Format == "hookgate"
}

func discards(writer json.RawMessage) bool {
	var module struct{ Output string }
	return json.Unmarshal(writer, &module) == nil && module.Output == "discard"
}
