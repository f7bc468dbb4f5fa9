// Package droplog writes log lines without holding the one who logs for longer than a
// bound: a pipe that nobody reads, a collector that does not take what it is sent, and a
// disk that is stuck must not stop the requests that are logged. Lines beyond what can
// wait in memory are dropped and counted.
package droplog

import (
	"io"
	"runtime"
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
	// kept is the size in bytes up to which a batch's memory serves another batch.
	kept = 64 << 10
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

// Joined is how many bytes of lines may be written in one piece to whatever takes a stream
// of bytes: as many as a pipe takes without another process' lines in between (PIPE_BUF of
// Linux).
const Joined = 4 << 10

// Writer hands lines to another writer, in their order.
type Writer struct {
	to     io.WriteCloser
	joined int

	mu      sync.Mutex
	waiting *batch // nil: there is none
	size    int    // of all lines that are not written, in bytes
	writing *batch // nil: no goroutine is
	late    bool   // it has been for longer than patience
	retired bool
	spare   lines // empty, of a batch that is written
}

// lines are lines of log, one behind the other.
type lines struct {
	text []byte
	ends []int // of the lines in text
}

// batch are lines that came while others were written. Those who wait for them wait together.
type batch struct {
	lines
	timer    *time.Timer
	done     chan struct{} // closed when nobody is to wait any more
	released bool          // done is closed
}

// New returns a Writer to another one, which gets so many bytes of lines in one piece, or
// each line alone.
func New(to io.WriteCloser, joined int) *Writer { return &Writer{to: to, joined: joined} }

// Write implements io.Writer. It returns when p is written, or cannot wait to be. An
// error would make zap write to standard error, where nobody may be reading either; so
// it returns none, and counts the line.
func (w *Writer) Write(p []byte) (int, error) {
	if b := w.add(p); b != nil {
		<-b.done
	}
	return len(p), nil
}

// add takes a line in, and returns what to wait for; nil: nothing.
func (w *Writer) add(p []byte) *batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size > 0 && w.size+len(p) > room {
		drop()
		return nil
	}
	b := w.waiting
	if b == nil {
		b = &batch{lines: w.spare, done: make(chan struct{})}
		w.spare = lines{}
		b.timer = time.AfterFunc(patience, func() { w.markLate(b) })
		w.waiting = b
	}
	b.text = append(b.text, p...)
	b.ends = append(b.ends, len(b.text))
	w.size += len(p)
	if w.writing == nil {
		w.writing = b
		go w.write()
	}
	if w.late {
		return nil
	}
	return b
}

// write writes what is waiting, and ends when nothing is.
func (w *Writer) write() {
	runtime.Gosched() // those who are about to log join
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.waiting != nil {
		b := w.waiting
		w.writing, w.waiting = b, nil
		w.mu.Unlock()
		for start, i := 0, 0; i < len(b.ends); {
			first := i
			for i++; i < len(b.ends) && b.ends[i]-start <= w.joined; i++ {
			}
			if _, err := w.to.Write(b.text[start:b.ends[i-1]]); err != nil {
				for range i - first {
					drop()
				}
			}
			w.mu.Lock()
			w.size -= b.ends[i-1] - start
			w.setLate(false)
			w.mu.Unlock()
			start = b.ends[i-1]
		}
		b.timer.Stop()
		w.mu.Lock()
		if cap(b.text) <= kept {
			w.spare = lines{b.text[:0], b.ends[:0]}
		}
		b.release()
	}
	w.writing = nil
}

// release lets go those who wait; the Writer's mu is held.
func (b *batch) release() {
	if !b.released {
		b.released = true
		close(b.done)
	}
}

// markLate notes that lines have waited in vain.
func (w *Writer) markLate(b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.released {
		return
	}
	w.setLate(true)
	for _, b := range []*batch{w.writing, w.waiting} {
		if b != nil {
			b.release()
		}
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
