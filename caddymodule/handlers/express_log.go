package handlers

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
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

// logLine is the answer to a request that is logged.
type logLine struct {
	http.ResponseWriter
	loggers     []*zap.Logger
	begin       time.Time
	request     *http.Request // as it came
	body        interface{ Len() int }
	length      int
	credentials bool
	status      int
	size        int
}

// begin begins the line of a request; ok is false where it has none.
func (l *accessLog) begin(w http.ResponseWriter, r *http.Request) (line *logLine, ok bool) {
	loggers := l.loggers(r.Host)
	if len(loggers) == 0 {
		return nil, false
	}
	line = &logLine{ResponseWriter: w, loggers: loggers, begin: time.Now(), request: r.Clone(r.Context()), credentials: l.config.ShouldLogCredentials}
	if line.body, ok = r.Body.(interface{ Len() int }); ok {
		line.length = line.body.Len()
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

// write writes the line, with the fields that Caddy's has.
func (l *logLine) write() {
	level := zapcore.InfoLevel
	if l.status >= http.StatusInternalServerError {
		level = zapcore.ErrorLevel
	}
	read := 0
	if l.body != nil {
		read = l.length - l.body.Len()
	}
	user, _ := caddyhttp.GetVar(l.request.Context(), userVar).(string)
	for _, logger := range l.loggers {
		if entry := logger.Check(level, "handled request"); entry != nil {
			entry.Write(
				zap.Object("request", caddyhttp.LoggableHTTPRequest{Request: l.request, ShouldLogCredentials: l.credentials}),
				zap.Int("bytes_read", read),
				zap.String("user_id", user),
				zap.Duration("duration", time.Since(l.begin)),
				zap.Int("size", l.size),
				zap.Int("status", l.status),
				zap.Object("resp_headers", caddyhttp.LoggableHTTPHeader{Header: l.Header(), ShouldLogCredentials: l.credentials}),
			)
		}
	}
}

var _ http.ResponseWriter = (*logLine)(nil)
