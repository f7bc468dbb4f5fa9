package app

import (
	"log"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookgate/hookgate/caddymodule/encoder"
	"github.com/hookgate/hookgate/internal/footprint"
	"github.com/hookgate/hookgate/store/redisconn"
)

// logAtImport is where the standard library's logger writes as long as no configuration
// says otherwise: Caddy's default log, through an encoder that masks nothing.
var logAtImport = log.Writer()

// SetUpProcess changes what belongs to the process and not to a configuration. It does
// so once, called by the main function of cmd/hookgate and, in a Caddy that was built
// with these modules, by the first App that is provisioned; importing them does not.
//
//   - The standard library's global logger writes to the default log, where our encoder
//     is. Proxies and servers without an error log write there, with parts of requests
//     in it. Where the configuration has a `sink` log already, it keeps that.
//   - The log of the Redis client is off. It goes to standard error past the encoder, and
//     floods it while Redis is away; what matters of it is in the errors we log.
//   - Garbage collection is paced to the live heap, unless GOGC is set.
func SetUpProcess() { setUpProcess() }

var setUpProcess = sync.OnceFunc(func() {
	if log.Writer() == logAtImport {
		log.SetFlags(0)
		log.SetOutput(standardLog{})
	}
	redisconn.Silence()
	footprint.StartPacer()
})

// standardLog passes lines on to whatever the default log is at the time. That may be one
// of a configuration that did not load because it lacks our encoder: Caddy keeps it.
type standardLog struct{}

func (standardLog) Write(line []byte) (int, error) {
	caddy.Log().Named("stdlib").Info(encoder.SafeText(strings.TrimRight(string(line), "\n")))
	return len(line), nil
}
