package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/alicebob/miniredis/v2"
	"github.com/gofrs/flock"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/journal"
)

// Exists returns an error where no data set is in a directory. It changes nothing.
func Exists(dir string) error {
	_, err := os.Stat(filepath.Join(dir, "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no embedded store in %s", dir)
	}
	return err
}

// Look reads the data set in a directory as Open does, and returns the size of its
// journal, 0 where there is none yet. It changes nothing.
func Look(dir string) (size int, err error) {
	if err := directoryOrNone(dir); err != nil {
		return 0, err
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetFlag(os.O_RDONLY))
	switch free, err := lock.TryRLock(); {
	case errors.Is(err, fs.ErrNotExist): // nobody has opened it yet
	case err != nil:
		return 0, err
	case !free:
		return 0, ErrLocked
	default:
		if err := lock.Close(); err != nil {
			return 0, err
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	e := &DataSet{Redis: miniredis.NewMiniRedis()}
	e.rdb = redis.NewClient(e.Options().Simple())
	defer e.Redis.Close()
	defer e.rdb.Close()
	_, err = journal.ReplayRecords(data, e.replay)
	return len(data), err
}

// directoryOrNone checks that dir is a directory, or could be made.
func directoryOrNone(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "open", Path: dir, Err: errors.New("not a directory")}
	case errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir:
		return directoryOrNone(filepath.Dir(dir))
	}
	return err
}
