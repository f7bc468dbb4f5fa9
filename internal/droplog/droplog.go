// Package droplog writes log lines without holding the one who logs for longer than a
// bound: a pipe that nobody reads, a collector that does not take what it is sent, and a
// disk that is stuck must not stop the requests that are logged. Lines beyond what can
// wait in memory are dropped and counted.
package droplog

import (
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how long a line waits to be written. Whoever logs after that waits no
	// more until the writer works again.
	patience = 200 * time.Millisecond
	// room is how many bytes of lines wait for a writer that is late.
	room = 1 << 20
	// memory is how long a loss counts for Losing.
	memory = time.Minute
)

var (
	dropped  atomic.Uint64
	late     atomic.Int64 // writers that are
	lastLoss atomic.Int64 // in ns of Unix time
)

// Dropped returns how many lines were lost since the process began.
func Dropped() uint64 { return dropped.Load() }

// Losing reports whether lines are late or were lost just now.
func Losing() bool {
	return late.Load() > 0 || time.Now().UnixNano()-lastLoss.Load() < int64(memory)
}

func drop() {
	dropped.Add(1)
	lastLoss.Store(time.Now().UnixNano())
}

// Writer hands lines to another writer, in their order.
type Writer struct {
	to io.WriteCloser

	mu      sync.Mutex
	waiting []line
	size    int  // of waiting, in bytes
	writing bool // a goroutine is
	late    bool // it has been for longer than patience
	retired bool
}

type line struct {
	text    []byte
	written chan struct{}
}

// New returns a Writer to another one.
func New(to io.WriteCloser) *Writer { return &Writer{to: to} }

// Write implements io.Writer. It returns when p is written, or cannot wait to be. An
// error would make zap write to standard error, where nobody may be reading either; so
// it returns none, and counts the line.
func (w *Writer) Write(p []byte) (int, error) {
	l := line{slices.Clone(p), make(chan struct{})}
	if !w.add(l) {
		return len(p), nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-l.written:
	case <-timer.C:
		w.markLate(l)
	}
	return len(p), nil
}

// add takes a line in, and reports whether it is worth waiting for.
func (w *Writer) add(l line) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size > 0 && w.size+len(l.text) > room {
		drop()
		return false
	}
	w.waiting = append(w.waiting, l)
	w.size += len(l.text)
	if !w.writing {
		w.writing = true
		go w.write()
	}
	return !w.late
}

// write writes what is waiting, and ends when nothing is.
func (w *Writer) write() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.waiting) > 0 {
		next := w.waiting[0]
		w.mu.Unlock()
		_, err := w.to.Write(next.text)
		if err != nil {
			drop()
		}
		w.mu.Lock()
		w.waiting = w.waiting[1:]
		w.size -= len(next.text)
		w.setLate(false)
		close(next.written)
	}
	w.waiting, w.writing = nil, false
}

// pending returns how many bytes are not written yet.
func (w *Writer) pending() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}

// markLate notes that a line has waited in vain.
func (w *Writer) markLate(l line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-l.written:
	default:
		w.setLate(true)
	}
}

func (w *Writer) setLate(is bool) {
	if w.late == is {
		return
	}
	w.late = is
	switch {
	case w.retired:
	case is:
		late.Add(1)
	default:
		late.Add(-1)
	}
}

// Retire takes the writer out of Losing: its configuration is gone.
func (w *Writer) Retire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.retired && w.late {
		late.Add(-1)
	}
	w.retired = true
}

// Close implements io.Closer.
func (w *Writer) Close() error { return w.to.Close() }
