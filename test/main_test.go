package test

import (
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

func TestMain(m *testing.M) { hookgatetest.Main(m) }
