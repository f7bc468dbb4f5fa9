package console

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookgate/hookgate/test/binary"
)

// requireEnv, set to 1, makes a missing Chromium fail the tests instead of skipping
// them. So does CI.
const requireEnv = "HOOKGATE_REQUIRE_CHROMIUM"

// browser is the context of the Chromium that all tests share, gate the hookgate, and
// program where its binary is.
var (
	browser context.Context
	gate    *server
	program string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path := chromium()
	if path == "" {
		if os.Getenv(requireEnv) == "1" || os.Getenv("CI") == "true" {
			fmt.Fprintln(os.Stderr, "chromium is not installed")
			return 1
		}
		fmt.Fprintln(os.Stderr, "skipped: chromium is not installed")
		return 0
	}
	dir, err := os.MkdirTemp("", "hookgate-console")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, err = binary.Find(dir)
	if err == nil {
		gate, err = startServer(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer gate.stop()

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900))
	for _, flag := range []string{"disable-quic", "disable-component-update", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	defer endAllocator()
	var end context.CancelFunc
	browser, end = chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(browser); err != nil {
		fmt.Fprintln(os.Stderr, "start chromium:", err)
		return 1
	}
	return m.Run()
}

func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
