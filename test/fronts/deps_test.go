package fronts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// modules returns the directory with http-proxy, as make fronts-deps makes it.
func modules(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("testdata/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "http-proxy")); err != nil {
		missing(t, "http-proxy is not installed: make fronts-tools installs it")
	}
	return dir
}

// buildStock builds the Caddy that people download, once.
var buildStock = sync.OnceValue(func() error {
	// As make fronts-deps leaves it: to build it takes minutes where nothing is cached.
	if ready, err := filepath.Abs("testdata/stockcaddy"); err == nil {
		if _, err := os.Stat(ready); err == nil {
			stock = ready
			return nil
		}
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
