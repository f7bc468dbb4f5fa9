// Command stockcaddy is Caddy as it is downloaded, with its standard modules: the
// benchmark's measure. It is a module of its own to keep what it needs out of ours.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() { caddycmd.Main() }
