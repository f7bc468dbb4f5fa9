// Package embedded is a data set for one process: miniredis on an in-memory pipe, with
// every change in a journal before it runs.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gofrs/flock"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/store/journal"
	"github.com/hookgate/hookgate/store/redisconn"
)

// LedgerLength is short: the only reader is this process, and XREAD in
// miniredis walks the whole stream.
const LedgerLength = 1000

// compactAt is how large the journal grows, in bytes, before it is replaced by a
// snapshot; more where the snapshot itself is larger.
const compactAt = 8 << 20

// DataSet is a data set without a Redis server: miniredis on an in-memory pipe,
// with every write script journalled and synced before it runs. For one process,
// and up to some ten thousand credentials.
type DataSet struct {
	Redis *miniredis.Miniredis
	rdb   *redis.Client // the scripts' own way in
	lock  *flock.Flock
	path  string

	mu      sync.Mutex // one script at a time, journal and execution in the same order
	Journal *journal.Journal
	loaded  map[string]bool // scripts that the journal holds
	Compact int64           // size at which to compact

	reserve  string    // a file that holds room for revocations
	reserved bool      // it is there
	proved   time.Time // when the journal was last found to be writable
}

// ErrLocked: another process has the embedded store open.
var ErrLocked = errors.New("the directory is in use by another process")

func Open(dir string) (_ *DataSet, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, "lock"), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, ErrLocked
	}
	e := &DataSet{Redis: miniredis.NewMiniRedis(), lock: lock, path: filepath.Join(dir, "journal"), reserve: filepath.Join(dir, "reserve")}
	e.rdb = redis.NewClient(e.Options().Simple())
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if err := journal.RemoveUnfinished(e.path); err != nil {
		return nil, err
	}
	if e.Journal, err = journal.Open(e.path, e.replay); err != nil {
		return nil, err
	}
	e.loaded = make(map[string]bool)
	e.Compact = compactAt
	// Where there is no room for it the store starts all the same: what it knows decides,
	// and Probe says what is wrong.
	_ = e.keepReserve()
	return e, nil
}

// Options lets a client reach the data set.
func (e *DataSet) Options() *redis.UniversalOptions {
	opt := &redis.UniversalOptions{
		Addrs: []string{"embedded"},
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			conn, err := e.Redis.Dial()
			if err != nil {
				return nil, err
			}
			return &bufferedConn{Conn: conn}, nil
		},
	}
	redisconn.Harden(opt)
	// No network, no timeouts but those of a caller: a machine that stalls for a second,
	// or a large replay, must not look like a lost reply.
	opt.ReadTimeout, opt.WriteTimeout = -1, -1
	return opt
}

func (e *DataSet) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.rdb.Close()
	e.Redis.Close()
	if e.Journal != nil {
		err = errors.Join(err, e.Journal.Close())
	}
	return errors.Join(err, e.lock.Unlock())
}

// replay runs one journalled command. A script that failed when it was journalled
// fails again, and changes nothing again. It runs at the time of then: miniredis
// makes the ids of stream entries of it, by which the audit log is trimmed.
func (e *DataSet) replay(command []string) error {
	if at, ok := journalledTime(command); ok {
		e.Redis.SetTime(at)
		defer e.Redis.SetTime(time.Time{})
	}
	args := make([]any, len(command))
	for i, arg := range command {
		args[i] = arg
	}
	err := e.rdb.Do(context.Background(), args...).Err()
	if redisconn.IsServerReply(err) && command[0] == "EVALSHA" && !redis.HasErrorPrefix(err, "NOSCRIPT") {
		return nil
	}
	return err
}

// journalledTime returns the time that run put into a script call.
func journalledTime(command []string) (time.Time, bool) {
	if command[0] != "EVALSHA" || len(command) < 3 {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(command[2])
	if err != nil || n < 0 || len(command) <= 3+n {
		return time.Time{}, false
	}
	at, err := redisconn.ParseMillis(command[3+n])
	return at, err == nil
}

// Run journals a script call and then runs it.
func (e *DataSet) Run(ctx context.Context, script redisconn.Script, _ int, keys []string, args []any) (any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.keepReserve(); err != nil {
		return nil, err
	}
	return e.run(ctx, script, keys, args)
}

func (e *DataSet) run(ctx context.Context, script redisconn.Script, keys []string, args []any) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var commands [][]string
	if !e.loaded[script.Hash()] {
		commands = append(commands, []string{"SCRIPT", "LOAD", script.Source})
	}
	// The time is part of the call, so that a replay writes the same one.
	args = append([]any{time.Now().UnixMilli()}, args...)
	call := []string{"EVALSHA", script.Hash(), strconv.Itoa(len(keys))}
	call = append(call, keys...)
	for _, arg := range args {
		call = append(call, fmt.Sprint(arg))
	}
	if err := e.Journal.Append(append(commands, call)...); err != nil {
		e.proved = time.Time{}
		return nil, fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	e.loaded[script.Hash()] = true
	// Once journalled it has to run, whatever becomes of the caller: the state in
	// memory must be the one that a replay gives.
	reply, err := script.Run(context.WithoutCancel(ctx), e.rdb, keys, args...).Result()
	if err != nil && !redisconn.IsServerReply(err) {
		e.Journal.Broken = true
		return nil, err
	}
	if e.Journal.Size > e.Compact {
		e.Rewrite()
	}
	return reply, err
}

// Rewrite replaces the journal by the commands that make the present data set.
// Where that fails, on a full disk say, the old journal goes on and grows. The call
// that happened to come at this moment is on disk either way.
func (e *DataSet) Rewrite() error {
	err := e.Journal.Replace(e.path, e.Dump)
	if err == nil {
		e.loaded = make(map[string]bool)
	}
	e.Compact = max(compactAt, 2*e.Journal.Size)
	return err
}

// Persist puts on disk what was written past the scripts.
func (e *DataSet) Persist() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.Rewrite()
}

// Dump emits the commands that make the present data set.
func (e *DataSet) Dump(emit func([]string) error) error {
	for _, key := range e.Redis.Keys() {
		var err error
		switch kind := e.Redis.Type(key); kind {
		case "hash":
			err = e.dumpHash(key, emit)
		case "zset":
			err = e.dumpSortedSet(key, emit)
		case "stream":
			err = e.dumpStream(key, emit)
		case "set":
			err = e.dumpSet(key, emit)
		default:
			err = fmt.Errorf("a key of type %s is not ours", kind)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dumpBytes is about how long a command becomes that a large hash or set is dumped with.
// The journal takes no command of any length.
const dumpBytes = 1 << 20

// inParts emits a command again and again with some of the arguments, each width of them
// together.
func inParts(command, arguments []string, width int, emit func([]string) error) error {
	part, size := command[:len(command):len(command)], 0
	for i := 0; i < len(arguments); i += width {
		for _, argument := range arguments[i : i+width] {
			part = append(part, argument)
			size += len(argument)
		}
		if size >= dumpBytes || i+width == len(arguments) {
			if err := emit(part); err != nil {
				return err
			}
			part, size = command[:len(command):len(command)], 0
		}
	}
	return nil
}

func (e *DataSet) dumpHash(key string, emit func([]string) error) error {
	fields, err := e.Redis.HKeys(key)
	if err != nil {
		return err
	}
	arguments := make([]string, 0, 2*len(fields))
	for _, field := range fields {
		arguments = append(arguments, field, e.Redis.HGet(key, field))
	}
	return inParts([]string{"HSET", key}, arguments, 2, emit)
}

func (e *DataSet) dumpSortedSet(key string, emit func([]string) error) error {
	scores, err := e.Redis.SortedSet(key)
	if err != nil {
		return err
	}
	for member, score := range scores {
		if err := emit([]string{"ZADD", key, strconv.FormatFloat(score, 'f', -1, 64), member}); err != nil {
			return err
		}
	}
	return nil
}

func (e *DataSet) dumpSet(key string, emit func([]string) error) error {
	members, err := e.Redis.Members(key)
	if err != nil {
		return err
	}
	return inParts([]string{"SADD", key}, members, 1, emit)
}

func (e *DataSet) dumpStream(key string, emit func([]string) error) error {
	entries, err := e.Redis.Stream(key)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := emit(append([]string{"XADD", key, entry.ID}, entry.Values...)); err != nil {
			return err
		}
	}
	return nil
}
