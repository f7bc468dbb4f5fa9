package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookgate/hookgate/internal/disktest"
	"github.com/hookgate/hookgate/store"
)

// TestCheckStoreOnAFullDisk: where a change would be answered with 503, or a revocation
// would find no room, check says so, be the store there or not, and in use or not.
func TestCheckStoreOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := disktest.Small(t, "2m")
	dir := filepath.Join(disk, "far", "data")
	config := &caddy.Config{AppsRaw: caddy.ModuleMap{appName: fmt.Appendf(nil, `{"redis":{"embedded":%q}}`, dir)}}
	check := func(state string, severity store.Severity, detail string) {
		t.Helper()
		found, err := CheckStore(t.Context(), config)
		if err != nil || len(found) != 1 || found[0].Severity != severity || !strings.Contains(found[0].Detail, detail) {
			t.Errorf("%s: %+v, %v, want %s %q", state, found, err, severity, detail)
		}
	}
	filler := filepath.Join(disk, "filler")
	fill := func(bytes int) {
		t.Helper()
		// What does not fit is left out.
		if err := os.WriteFile(filler, make([]byte, bytes), 0o600); err != nil && bytes < 2<<20 {
			t.Fatal(err)
		}
	}
	check("empty", store.SeverityOK, "the first start makes it")
	fill(1 << 20)
	check("no room for the reserve", store.SeverityProblem, "no room is left for revocations")
	fill(0)

	s, err := offlineStore(config, true, untuned)
	if err != nil {
		t.Fatal(err)
	}
	check("in use", store.SeverityOK, "in use by a running server")
	fill(2 << 20)
	check("in use on a full disk", store.SeverityProblem, "full")
	if err := s.Destruct(); err != nil {
		t.Fatal(err)
	}
	check("full", store.SeverityProblem, "full")
	fill(0)
	check("with its reserve", store.SeverityOK, "the journal has")
	fill(512 << 10)
	check("with its reserve, and less than another free", store.SeverityOK, "the journal has")
	if err := os.Remove(filepath.Join(dir, "reserve")); err != nil {
		t.Fatal(err)
	}
	fill(1 << 20)
	check("without its reserve", store.SeverityProblem, "no room is left for revocations")

	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	check("read-only", store.SeverityProblem, "read-only")
}
