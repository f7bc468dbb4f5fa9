package faults

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// These tests mostly wait: for a server to come back, or for a bound to pass.
	flag.Set("test.parallel", "8")
	os.Exit(m.Run())
}
