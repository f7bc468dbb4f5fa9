package encoder

import (
	"log"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// Caddy sends what is written to the standard library's global logger past every
// configured log, through an encoder of its own. Proxies and servers without an
// error log write there, with parts of requests in it. So it goes to the default log
// instead, where our encoder is.
func init() {
	log.SetFlags(0)
	log.SetOutput(standardLog{})
}

// standardLog passes lines on to whatever the default log is at the time. A `sink`
// log, where one is configured, takes its place.
type standardLog struct{}

func (standardLog) Write(line []byte) (int, error) {
	caddy.Log().Named("stdlib").Info(strings.TrimRight(string(line), "\n"))
	return len(line), nil
}
