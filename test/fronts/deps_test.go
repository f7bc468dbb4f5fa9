package fronts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// modulesEnv names the node_modules that has http-proxy.
const modulesEnv = "HOOKGATE_FRONTS_MODULES"

// modules returns the directory with http-proxy, as make fronts-deps makes it.
func modules(t *testing.T) string {
	t.Helper()
	dir := os.Getenv(modulesEnv)
	if dir == "" {
		dir = "node_modules"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "http-proxy")); err != nil {
		missing(t, "http-proxy is not installed: make fronts-deps installs it")
	}
	return dir
}

// buildStock builds the Caddy that people download, once.
var buildStock = sync.OnceValue(func() error {
	if ready := os.Getenv("HOOKGATE_STOCK_CADDY"); ready != "" {
		stock = ready
		return nil
	}
	build := exec.Command("go", "build", "-tags", "nobadger,nomysql,nopgx", "-o", stock, ".")
	build.Dir = filepath.Join(root, "bench/stockcaddy")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
})

func stockCaddy(t *testing.T) string {
	t.Helper()
	if err := buildStock(); err != nil {
		t.Fatal(err)
	}
	return stock
}
