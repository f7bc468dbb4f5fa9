package console

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// requireEnv, set to 1, makes a missing Chromium fail the tests instead of skipping
// them. So does CI.
const requireEnv = "HOOKGATE_REQUIRE_CHROMIUM"

// browser is the context of the Chromium that all tests share, and gate the hookgate.
var (
	browser context.Context
	gate    *server
)

func TestMain(m *testing.M) {
	path := chromium()
	if path == "" {
		if os.Getenv(requireEnv) == "1" || os.Getenv("CI") == "true" {
			fmt.Fprintln(os.Stderr, "chromium is not installed")
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "skipped: chromium is not installed")
		return
	}
	hookgatetest.Main(m, startGate, func(dir string) (func(), error) { return startBrowser(path, dir) })
}

func startGate(dir string) (end func(), err error) {
	if gate, err = startServer(dir); err != nil {
		return nil, err
	}
	return gate.stop, nil
}

func startBrowser(path, dir string) (end func(), err error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900))
	for _, flag := range []string{"disable-quic", "disable-component-update", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	var endBrowser context.CancelFunc
	browser, endBrowser = chromedp.NewContext(allocator)
	if err := chromedp.Do(browser); err != nil {
		endAllocator()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return func() { endBrowser(); endAllocator() }, nil
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
