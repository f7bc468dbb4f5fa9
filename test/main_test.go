package test

import (
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// shared is a directory for what several tests make once.
var shared string

func TestMain(m *testing.M) {
	hookgatetest.Main(m, func(dir string) (func(), error) {
		shared = dir
		return func() {}, nil
	})
}
