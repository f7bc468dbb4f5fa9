package droplog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// sink is a writer that stands still while it is held.
type sink struct {
	held chan struct{}
	text bytes.Buffer
	err  error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.held != nil {
		<-s.held
	}
	s.text.Write(p)
	return len(p), s.err
}

func (s *sink) Close() error { return nil }

// TestPipeThatNobodyReads: every line returns, the first ones wait, and nothing else is
// lost once somebody reads.
func TestPipeThatNobodyReads(t *testing.T) {
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := Dropped()
	w := New(pipe, Joined)
	text := strings.Repeat("x", 1<<10)
	const lines = 3 << 10
	for i := range lines {
		if _, err := fmt.Fprintf(w, "%d %s\n", i, text); err != nil {
			t.Fatal(err)
		}
	}
	lost := Dropped() - before
	if lost == 0 || lost == lines || !Losing() {
		t.Errorf("%d of %d lines are lost", lost, lines)
	}
	go func() {
		for w.pending() > 0 {
			runtime.Gosched()
		}
		pipe.Close()
	}()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range strings.Split(strings.TrimSpace(string(got)), "\n") {
		if l != fmt.Sprintf("%d %s", i, text) {
			t.Fatalf("line %d is %.20s", i, l)
		}
	}
	if Dropped()-before != lost {
		t.Error("lines are lost although somebody reads")
	}
}

// TestLate: a writer that is late holds one line for as long as patience says, and the
// others not at all.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lastLoss.Store(0)
		s := &sink{held: make(chan struct{})}
		w := New(s, 0)
		for range 3 {
			io.WriteString(w, "a\n")
		}
		if !Losing() {
			t.Error("nobody says that lines are late")
		}
		close(s.held)
		synctest.Wait()
		if io.WriteString(w, "b\n"); s.text.String() != "a\na\na\nb\n" || Losing() {
			t.Errorf("%q; losing: %v", &s.text, Losing())
		}
	})
}

// TestFailingWriter: what could not be written is counted, and is no error: zap would
// print that on standard error.
func TestFailingWriter(t *testing.T) {
	before := Dropped()
	if _, err := New(&sink{err: errors.New("disk full")}, 0).Write([]byte("a\n")); err != nil || Dropped() != before+1 {
		t.Errorf("%v, %d lost", err, Dropped()-before)
	}
}

// TestRetire: a writer of a configuration that is gone counts no more, however it ends.
func TestRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lastLoss.Store(0)
		s := &sink{held: make(chan struct{})}
		w := New(s, 0)
		io.WriteString(w, "a\n")
		w.Retire()
		w.Retire()
		if Losing() {
			t.Error("it counts")
		}
		close(s.held)
		synctest.Wait()
		if n := late.Load(); n != 0 {
			t.Errorf("%d writers are late", n)
		}
	})
}

// pending returns how many bytes are not written yet.
func (w *Writer) pending() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}
