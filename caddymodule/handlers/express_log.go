package handlers

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/hookgate/hookgate/caddymodule/vars"
	"github.com/hookgate/hookgate/guard"
	"github.com/hookgate/hookgate/internal/wire"
)

// accessLog writes the access log of a server as Caddy does, which keeps its own way to
// itself.
type accessLog struct {
	config *caddyhttp.ServerLogConfig // nil: there is none
	logger *zap.Logger
}

func newAccessLog(ctx caddy.Context, server *caddyhttp.Server) accessLog {
	return accessLog{config: server.Logs, logger: ctx.Logger(new(caddyhttp.App)).Named("log.access")}
}

// plainLogs reports whether an accessLog knows which loggers a request has.
func plainLogs(config *caddyhttp.ServerLogConfig) bool {
	if config == nil {
		return true
	}
	wild := func(host string) bool { return strings.ContainsAny(host, "*{") }
	for host := range config.LoggerNames {
		if wild(host) {
			return false
		}
	}
	return !config.Trace && !slices.ContainsFunc(config.SkipHosts, wild)
}

// loggers returns where a request to a Host is logged.
func (l *accessLog) loggers(host string) []*zap.Logger {
	if l.config == nil {
		return nil
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(host)
	names, mapped := l.config.LoggerNames[host]
	switch {
	case mapped:
	case l.config.SkipUnmappedHosts, slices.ContainsFunc(l.config.SkipHosts, func(skip string) bool { return strings.EqualFold(skip, host) }):
		return nil
	default:
		names = []string{l.config.DefaultLoggerName}
	}
	loggers := make([]*zap.Logger, len(names))
	for i, name := range names {
		if loggers[i] = l.logger; name != "" {
			loggers[i] = l.logger.Named(name)
		}
	}
	return loggers
}

// logged is what a line of the access log tells.
type logged struct {
	request      *http.Request // as it came
	began        time.Time
	read         int    // of its body
	user         string // the credential
	status, size int
	header       http.Header // of the answer
}

// write writes a line, with the fields that Caddy's has.
func (l *accessLog) write(loggers []*zap.Logger, line *logged) {
	level := zapcore.InfoLevel
	if line.status >= http.StatusInternalServerError {
		level = zapcore.ErrorLevel
	}
	credentials := l.config.ShouldLogCredentials
	for _, logger := range loggers {
		if entry := logger.Check(level, "handled request"); entry != nil {
			entry.Write(
				zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: line.request, ShouldLogCredentials: credentials}),
				zap.Int("bytes_read", line.read),
				zap.String("user_id", line.user),
				zap.Duration("duration", time.Since(line.began)),
				zap.Int("size", line.size),
				zap.Int("status", line.status),
				zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: line.header, ShouldLogCredentials: credentials}),
			)
		}
	}
}

// logLine is the answer to a request that is logged.
type logLine struct {
	http.ResponseWriter
	logged
	log     *accessLog
	loggers []*zap.Logger
	body    interface{ Len() int }
}

// begin begins the line of a request that came then; ok is false where it has none.
func (l *accessLog) begin(w http.ResponseWriter, r *http.Request, then time.Time) (line *logLine, ok bool) {
	loggers := l.loggers(r.Host)
	if len(loggers) == 0 {
		return nil, false
	}
	line = &logLine{ResponseWriter: w, logged: logged{request: r.Clone(r.Context()), began: then}, log: l, loggers: loggers}
	if line.body, ok = r.Body.(interface{ Len() int }); ok {
		line.read = line.body.Len()
	}
	return line, true
}

// WriteHeader implements http.ResponseWriter.
func (l *logLine) WriteHeader(status int) {
	if l.status == 0 && status >= http.StatusOK {
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (l *logLine) Write(b []byte) (int, error) {
	if l.status == 0 {
		l.WriteHeader(http.StatusOK)
	}
	n, err := l.ResponseWriter.Write(b)
	l.size += n
	return n, err
}

// Unwrap serves http.ResponseController.
func (l *logLine) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// write writes the line, when the answer is sent.
func (l *logLine) write() {
	if l.body != nil {
		l.read -= l.body.Len()
	}
	l.user, _ = caddyhttp.GetVar(l.request.Context(), userVar).(string)
	l.header = l.Header()
	l.log.write(l.loggers, &l.logged)
}

// log writes the line of a request that was answered.
func (x *plainExchange) log(a *wire.Answer) {
	e := x.express
	loggers := e.log.loggers(x.r.Host)
	if len(loggers) == 0 {
		return
	}
	head := *x.r
	head.Body = nil // no line has it
	line := logged{
		request: e.withClient(head.HTTP(), x.sender.client), began: x.began, read: len(x.r.Body),
		status: a.Status, size: len(a.Body), header: make(http.Header, len(a.Fields)+1),
	}
	vars.SetRequestID(line.request, x.id)
	noteRoute(line.request, &x.Decision)
	for _, f := range a.Fields {
		line.header.Add(f.Name, f.Value)
	}
	if a.Status != http.StatusNoContent && a.Status != http.StatusNotModified {
		line.header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	if x.Decision.Outcome == guard.Allowed {
		line.user = x.Decision.Credential.String()
	}
	e.log.write(loggers, &line)
}

var _ http.ResponseWriter = (*logLine)(nil)
