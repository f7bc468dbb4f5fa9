// The kernel does not steer connections between sockets of Multipath TCP, as the
// package handover has it do so that a reload loses none.
//go:debug multipathtcp=0

// Hookgate is Caddy with the modules of Hookgate and the few of Caddy's own that an
// authenticating reverse proxy needs. What can leak a URL (Caddy's tracing, templates,
// a file server) is left out.
package main

import (
	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyevents"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/logging"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/proxyprotocol"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/requestbody"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/timeouts"
	_ "github.com/caddyserver/caddy/v2/modules/caddytls"
	_ "github.com/caddyserver/caddy/v2/modules/caddytls/standardstek"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
	_ "github.com/caddyserver/caddy/v2/modules/logging"
	_ "github.com/caddyserver/caddy/v2/modules/metrics"

	_ "github.com/hookgate/hookgate/caddymodule"
	"github.com/hookgate/hookgate/caddymodule/app"
)

// version is stamped by the linker: `make build` takes it from git.
var version string

func main() {
	app.SetUpProcess()
	caddy.CustomBinaryName = "hookgate"
	caddy.CustomVersion = "hookgate " + app.Version(version) + ", caddy" // Caddy's own follows
	caddy.CustomLongDescription = `Hookgate authenticates inbound webhooks before they reach Matcher.
It is Caddy with its own modules. Of Caddy's commands these serve it:
run, start, stop, reload, validate, adapt, fmt, list-modules, version.
Not upgrade, add-package and remove-package: they put a Caddy without
Hookgate in the place of this program.`
	nameInHelp()
	caddycmd.Main()
}
