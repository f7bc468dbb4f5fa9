// Package caddymodule is what a Caddy is built with to be a Hookgate: it registers the
// modules and commands of the packages below it, and has nothing of its own.
package caddymodule

import (
	_ "github.com/hookgate/hookgate/caddymodule/app"
	_ "github.com/hookgate/hookgate/caddymodule/command"
	_ "github.com/hookgate/hookgate/caddymodule/encoder"
	_ "github.com/hookgate/hookgate/caddymodule/handlers"
	_ "github.com/hookgate/hookgate/caddymodule/listener"
)
