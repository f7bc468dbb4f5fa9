package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hookgate/hookgate/store/redisconn"
)

// reserveSize is how much of the disk is held for revocations, in bytes: room for about a
// thousand of them, when nothing else fits any more.
const reserveSize = 1 << 20

// probeInterval is how long the journal is taken for writable after it was proved to be.
const probeInterval = 2 * time.Second

// ErrNoRoom: the journal cannot be written, most likely because the disk is full.
var ErrNoRoom = errors.New("the journal cannot be written")

// Probe proves that a change could be written now, through the journal and not past it,
// and that there is room for revocations beyond it.
func (e *DataSet) Probe() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.proved.Add(probeInterval).After(time.Now()) {
		return nil
	}
	err := e.keepReserve()
	if err == nil {
		err = e.Journal.Probe()
	}
	if err == nil {
		e.proved = time.Now()
	}
	return err
}

// RunUrgent is Run for a change that only takes away. It may use the reserve.
func (e *DataSet) RunUrgent(ctx context.Context, script redisconn.Script, keys []string, args []any) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	reply, err := e.run(ctx, script, keys, args)
	if errors.Is(err, ErrNoRoom) && e.reserved {
		e.reserved = false
		if err := os.Remove(e.reserve); err != nil {
			return nil, err
		}
		reply, err = e.run(ctx, script, keys, args)
	}
	return reply, err
}

// keepReserve takes room on the disk, which only deleting the file gives free.
func (e *DataSet) keepReserve() error {
	if e.reserved {
		return nil
	}
	// Not a hole: what is written takes its place on every file system.
	err := os.WriteFile(e.reserve, make([]byte, reserveSize), 0o600)
	if err == nil {
		err = syncFile(e.reserve)
	}
	if err != nil {
		os.Remove(e.reserve)
		return fmt.Errorf("%w: no room is left for revocations: %w", ErrNoRoom, err)
	}
	e.reserved = true
	return nil
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
