package store

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) {
	code := m.Run()
	sharedServers.end()
	os.Exit(code)
}

// suite owns what several tests share, until all of them have ended. Of testing.TB it
// has what redistest uses.
type suite struct {
	testing.TB
	mu       sync.Mutex
	cleanups []func()
}

func (s *suite) Helper()                  {}
func (s *suite) Failed() bool             { return false }
func (s *suite) Context() context.Context { return context.Background() }

func (s *suite) Cleanup(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanups = append(s.cleanups, f)
}

func (s *suite) TempDir() string {
	dir, err := os.MkdirTemp("", "hookgate-store")
	if err != nil {
		panic(err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (s *suite) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (s *suite) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (s *suite) Skip(args ...any)                  { panic(fmt.Sprint(args...)) }

func (s *suite) end() {
	for _, cleanup := range slices.Backward(s.cleanups) {
		cleanup()
	}
}

// knowsReplica reports whether a sentinel has found its master's replica.
func knowsReplica(sentinel *redis.Client) bool {
	return strings.Contains(sentinel.Info(context.Background(), "sentinel").Val(), "slaves=1")
}
