//go:build !linux

package caddymodule

func forgetStartup() {}
