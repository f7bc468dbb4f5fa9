package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/keyring"
	"github.com/hookgate/hookgate/store/embedded"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Store is the credentials of one namespace: their records in Redis or on disk,
// and the keyring that mirrors their digests. Safe for concurrent use.
type Store struct {
	config   Config
	keys     keyspace
	clock    *keyring.ServerClock
	keyring  *keyring.Keyring
	usage    *usageRecorder
	proofs   proofRecorder
	refusals refusalRecorder
	events   events // of the embedded store
	claims   claims // of any other
	batches  batches
	tuning   atomic.Pointer[Tuning]

	opened   atomic.Pointer[backend] // nil until Start
	recounts recounts
	reading  chan struct{} // a place for each batch of records that is read at once
	lists    chan struct{} // a place for each whole list that may be read at once
	follower *follower

	starting sync.Mutex
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// backend is the way to the data set.
type backend struct {
	commands     redisconn.Conn
	tail         redisconn.Conn
	lists        redisconn.Conn
	scripts      scriptRunner
	ledgerLength int
	shared       bool // other sidecars can be on the same data set
	// openReplica connects to a replica, which snapshots are read from; nil: they are not.
	openReplica func(context.Context) (*redis.Client, error)
	close       func() error
}

// writable proves that a change could be written now. A Redis server has proved it with
// the probe.
func (b *backend) writable() error {
	if e, ok := b.scripts.(*embedded.DataSet); ok {
		return e.Probe()
	}
	return nil
}

var errNoReplicas = errors.New("the embedded store has no replicas to wait for")

var errNotStarted = fmt.Errorf("%w: not started yet", ErrUnavailable)

func (s *Store) backend() (*backend, error) {
	if b := s.opened.Load(); b != nil {
		return b, nil
	}
	return nil, errNotStarted
}

// serverLedgerLength is how many changes the ledger keeps. It must cover what a cut-off
// sidecar may miss; one that missed more takes a snapshot. About 150 bytes each.
const serverLedgerLength = 100_000

// New returns a Store that does nothing yet: it neither dials Redis nor touches
// the disk, so that a configuration can be validated anywhere.
func New(config Config) (*Store, error) {
	keys, err := newKeyspace(config.Namespace)
	if err != nil {
		return nil, err
	}
	if config.EmbeddedDir != "" {
		if len(config.Redis.URLs) > 0 {
			return nil, errTwoHomes
		}
		if err := config.Redis.CheckSnapshotFrom(); err != nil {
			return nil, err
		}
	} else if _, _, err := config.Redis.Options(); err != nil {
		return nil, err
	}
	if config.Clock == nil {
		config.Clock = time.Now
	}
	clock := &keyring.ServerClock{Local: config.Clock}
	s := &Store{config: config, keys: keys, clock: clock, keyring: keyring.New(clock), usage: newUsageRecorder(clock), lists: make(chan struct{}, maxLists), reading: make(chan struct{}, redisconn.ListConnections)}
	s.follower = newFollower(s)
	return s, nil
}

// Start opens the store and begins to follow the ledger. Redis need not be
// reachable: until it is, the keyring is not loaded and nothing can be decided.
// Starting a running store only changes its tuning.
//
// It fails where the embedded directory cannot be used: locked by another process,
// corrupt, or not writable; and where Redis answers and is too old (redisconn.ErrTooOld).
func (s *Store) Start(t Tuning) error {
	s.starting.Lock()
	defer s.starting.Unlock()
	if t.Logger == nil {
		t.Logger = slog.New(slog.DiscardHandler)
	}
	if t.UsageFlush <= 0 {
		t.UsageFlush = DefaultUsageFlush
	}
	if t.AuditKeep <= 0 {
		t.AuditKeep = DefaultAuditKeep
	}
	if t.AuditLife <= 0 {
		t.AuditLife = DefaultAuditLife
	}
	if t.Quota == 0 {
		t.Quota = DefaultQuota
	}
	if t.WaitReplicas > 0 && s.config.EmbeddedDir != "" {
		return errNoReplicas
	}
	s.tuning.Store(&t)
	s.keyring.OpenWith(s.openProof)
	if s.opened.Load() != nil {
		return nil
	}
	b, err := s.open(t.Offline)
	if err != nil {
		return err
	}
	if !t.Offline {
		if err := b.newEnough(); err != nil {
			return errors.Join(err, b.tail.Close(), b.commands.Close(), b.close())
		}
	}
	s.opened.Store(b)
	if t.Offline {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.running.Go(func() { s.follower.run(ctx, b) })
	s.running.Go(func() { s.flushUsage(ctx, b) })
	s.running.Go(func() { s.follower.beCounted(ctx, b) })
	if s.config.EmbeddedDir == "" {
		s.running.Go(func() { s.warnOfLosing(ctx, b) })
	}
	s.running.Go(func() { s.tidy(ctx) })
	return nil
}

// newEnough fails where Redis answers and is too old. One that is silent is looked at when
// it can be reached, and never followed if it is.
func (b *backend) newEnough() error {
	ctx, cancel := context.WithTimeout(context.Background(), redisconn.CommandTimeout)
	defer cancel()
	if _, err := b.tail.Node(ctx); errors.Is(err, redisconn.ErrTooOld) {
		return err
	}
	return nil
}

// open makes the way to the data set. An old server may be read by an operation on the
// data set, which is how one gets away from it.
func (s *Store) open(offline bool) (*backend, error) {
	if s.config.EmbeddedDir != "" {
		e, err := embedded.Open(s.config.EmbeddedDir)
		if err != nil {
			return nil, fmt.Errorf("open the embedded store: %w", err)
		}
		opt := e.Options()
		return &backend{
			commands: redisconn.ConnectInside(opt, redisconn.CommandConnections),
			tail:     redisconn.ConnectInside(hashesAsLists(opt), redisconn.TailConnections),
			lists:    redisconn.ConnectInside(patient(hashesAsLists(opt)), redisconn.ListConnections),
			scripts:  e, ledgerLength: embedded.LedgerLength, close: e.Close,
		}, nil
	}
	opt, network, err := s.config.Redis.Options()
	if err != nil {
		return nil, err
	}
	if err := s.config.Redis.Load(opt); err != nil {
		return nil, err
	}
	redisconn.Harden(opt)
	connect := func(opt *redis.UniversalOptions, connections int) redisconn.Conn {
		conn := redisconn.Connect(s.config.Redis.Topology, opt, network, s.keys.meta(), connections)
		if offline {
			return conn
		}
		return redisconn.NewEnough(conn)
	}
	var openReplica func(context.Context) (*redis.Client, error)
	if s.config.Redis.SnapshotFrom == redisconn.FromReplicas {
		openReplica = func(ctx context.Context) (*redis.Client, error) {
			return redisconn.OpenReplica(ctx, s.config.Redis.Topology, hashesAsLists(opt), s.keys.meta())
		}
	}
	commands := connect(opt, redisconn.CommandConnections)
	return &backend{
		openReplica: openReplica,
		commands:    commands,
		tail:        connect(hashesAsLists(opt), redisconn.TailConnections),
		lists:       connect(patient(hashesAsLists(opt)), redisconn.ListConnections),
		scripts:     serverScripts{commands, s.keys.meta()}, ledgerLength: serverLedgerLength, shared: true,
		close: func() error { return nil },
	}, nil
}

// listPatience is how long a list waits for one of its connections.
const listPatience = 10 * time.Second

// patient: many operators queue for few connections, and that is no sign of trouble.
func patient(opt *redis.UniversalOptions) *redis.UniversalOptions {
	waiting := *opt
	waiting.PoolTimeout = listPatience
	return &waiting
}

// hashesAsLists asks for RESP2: there a bucket is a list, as which a million digests are
// read in two thirds of the time that maps take; and of a batch of records no map of each
// is left behind.
func hashesAsLists(opt *redis.UniversalOptions) *redis.UniversalOptions {
	lists := *opt
	lists.Protocol = 2
	return &lists
}

// shutdownFlush bounds how long closing waits for the last lastUsedAt to be written.
const shutdownFlush = 2 * time.Second

// Destruct stops the store: it writes what is known of lastUsedAt and releases connections
// and files, those of claims behind the last of them. It implements caddy.Destructor.
func (s *Store) Destruct() error {
	s.starting.Lock()
	defer s.starting.Unlock()
	b := s.opened.Load()
	if b == nil {
		return nil
	}
	if s.stop != nil {
		s.stop()
	}
	b.tail.Close() // a blocked XREAD ends only with its connection
	s.running.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownFlush)
	defer cancel()
	err := errors.Join(s.usage.flush(ctx, s.keys, b.scripts), s.proofs.flush(ctx, s.keys, b.scripts), s.refusals.flush(ctx, s.keys, b.scripts, true))
	release := func() error {
		s.opened.Store(nil)
		return errors.Join(b.lists.Close(), b.commands.Close(), b.close())
	}
	if s.claims.defers(func() { _ = release() }) {
		return err
	}
	return errors.Join(err, release())
}

// Keyring returns the keyring, which is empty and not loaded until the store has
// been started and reached Redis.
func (s *Store) Keyring() *keyring.Keyring { return s.keyring }

// MarkUsed notes that a credential was used at a local time.
func (s *Store) MarkUsed(id uuid.UUID, local time.Time) { s.usage.mark(id, local) }

func (s *Store) flushUsage(ctx context.Context, b *backend) {
	for {
		// Jitter, so that many sidecars do not flush in step.
		every := s.tuning.Load().UsageFlush
		timer := time.NewTimer(every*9/10 + rand.N(every/10+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if err := s.usage.flush(ctx, s.keys, b.scripts); err != nil && ctx.Err() == nil {
			s.log().Warn("lastUsedAt could not be written; it is kept for the next flush", "error", err)
		}
		if err := s.proofs.flush(ctx, s.keys, b.scripts); err != nil && ctx.Err() == nil {
			s.log().Warn("the results of proofs could not be written; they are kept for the next flush", "error", err)
		}
		if err := s.refusals.flush(ctx, s.keys, b.scripts, false); err != nil && ctx.Err() == nil {
			s.log().Warn("the last refusals could not be written; they are kept for the next flush", "error", err)
		}
	}
}

// tidyInterval is how often memory of what is gone is looked for, so that it is given back
// within a minute.
const tidyInterval = 20 * time.Second

// tidy gives back to the system what the keyring has given up: by itself the collector
// keeps it for the next burst.
func (s *Store) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.keyring.Tidy() {
			debug.FreeOSMemory()
		}
	}
}

func (s *Store) log() *slog.Logger { return s.tuning.Load().Logger }
