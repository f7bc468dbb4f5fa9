package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/hookgate/hookgate/store/journal"
)

// changeSize is room for any change, in bytes, over the end of a block.
const changeSize = 2 * journal.ProbeBytes

// space is what a file system says of itself.
type space struct {
	free     int64 // in bytes, for whoever is not root
	readOnly bool
}

// newSpace: some file systems say that they have more blocks than there are bytes in an int64.
func newSpace(blocks uint64, blockSize int64, readOnly bool) space {
	size := max(blockSize, 1)
	return space{free: int64(min(blocks, uint64(math.MaxInt64/size))) * size, readOnly: readOnly}
}

// LookForRoom returns ErrNoRoom where a process with its data set in a directory could not
// write a change, or not keep its reserve. It changes nothing, so that it may be asked
// beside such a process. Where the file system does not tell it is taken to have room.
func LookForRoom(dir string) error {
	var reserve int64
	switch info, err := os.Stat(filepath.Join(dir, "reserve")); {
	case err == nil:
		reserve = info.Size()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	for { // where there is no directory yet, it gets to be where the nearest one is
		_, err := os.Stat(dir)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	on, known, err := spaceOf(dir)
	if err != nil || !known {
		return err
	}
	return on.holds(reserve)
}

// holds says whether there is room for a change, and for what is missing of a reserve of
// this many bytes.
func (s space) holds(reserve int64) error {
	missing := max(reserveSize-reserve, 0)
	switch {
	case s.readOnly:
		return fmt.Errorf("%w: the file system is read-only", ErrNoRoom)
	case s.free < changeSize:
		return fmt.Errorf("%w: the file system is full, with %d bytes free", ErrNoRoom, s.free)
	case s.free < missing+changeSize:
		return fmt.Errorf("%w: no room is left for revocations: %d bytes are free, and %d needed", ErrNoRoom, s.free, missing+changeSize)
	}
	return nil
}
