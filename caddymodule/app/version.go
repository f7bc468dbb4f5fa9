package app

import (
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// ownModule and caddysModule are the paths under which the go command notes versions.
const (
	ownModule    = "github.com/hookgate/hookgate"
	caddysModule = "github.com/caddyserver/caddy/v2"
)

// stamped is what the linker says the version is, "" where it says nothing.
var stamped string

// Version returns the version of Hookgate. stamp is what the main program was stamped
// with; without one it is what the go command knows, which in a Caddy that was built with
// our modules is that of the dependency.
func Version(stamp string) string {
	if stamp != "" {
		stamped = stamp
	}
	if stamped != "" {
		return stamped
	}
	return versionOf(ownModule)
}

func versionOf(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}

var buildInfo = desc("build_info", "1; the labels say what was built.", "version", "caddy", "go")

var builtFrom = sync.OnceValue(func() prometheus.Metric {
	return prometheus.MustNewConstMetric(buildInfo, prometheus.GaugeValue, 1, Version(""), versionOf(caddysModule), runtime.Version())
})
