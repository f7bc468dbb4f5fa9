package caddymodule

import (
	"fmt"
	"log"
	"runtime/metrics"
	"testing"
)

// atImport is read when the modules are imported and no test has run.
var atImport = hostProcess()

func hostProcess() string {
	gogc := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(gogc)
	return fmt.Sprintf("standard log %T, flags %d, GOGC %d", log.Writer(), log.Flags(), gogc[0].Value.Uint64())
}

// TestImportLeavesTheProcessAlone: a Caddy with these modules and a configuration
// without them is as it was. Its standard log is Caddy's own, by way of zap.
func TestImportLeavesTheProcessAlone(t *testing.T) {
	if want := "standard log *zap.loggerWriter, flags 0, GOGC 100"; atImport != want {
		t.Errorf("%s; want %s", atImport, want)
	}
}
