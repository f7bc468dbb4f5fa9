package redistest

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestServerKeepsItsDataOverKillAndRestart(t *testing.T) {
	s := Start(t, WithAOF())
	ctx := context.Background()
	if err := s.Client().Set(ctx, "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){s.Kill, s.Stop, func() {}} {
		pid := s.PID()
		end()
		s.Restart()
		if s.PID() == pid {
			t.Fatal("Restart kept the old process")
		}
		got, err := s.Client().Get(ctx, "key").Result()
		if err != nil || got != "value" {
			t.Fatalf("after a restart: %q, %v", got, err)
		}
	}
}

func TestSuspendedServerAnswersAfterResume(t *testing.T) {
	s := Start(t)
	rdb := s.Client()
	s.Suspend()
	answered := make(chan error, 1)
	go func() { answered <- rdb.Ping(context.Background()).Err() }()
	select {
	case err := <-answered:
		t.Fatalf("a suspended server answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	s.Resume()
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	var pid int
	t.Run("server", func(t *testing.T) {
		s := Start(t)
		pid = s.PID()
		s.Suspend() // ends all the same
	})
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(syscall.Signal(0)); err == nil {
		t.Fatalf("redis-server %d outlived its test", pid)
	}
}
