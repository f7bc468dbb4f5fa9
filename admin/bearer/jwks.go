package bearer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/internal/fetch"
)

const (
	// keySetMaxAge is how old the keys may be before they are read again, so that a
	// key that the issuer has withdrawn does not stay.
	keySetMaxAge = 10 * time.Minute
	// keySetSpacing is the time between two attempts to read the keys, whatever is
	// asked for: anybody can send tokens with made-up key ids.
	keySetSpacing = 10 * time.Second
	// keySetTimeout is how long one attempt may take.
	keySetTimeout = 5 * time.Second
)

// maxFormer bounds the ids that are remembered of keys that are gone.
const maxFormer = 1000

// keySet is the keys of an issuer, read from its JWKS when they are first needed.
// jwkset's own client is not used: it reads the keys while the configuration is
// loaded and waits for them, lets one malformed key hide all others, has one key for an
// id, and takes a document of any size.
type keySet struct {
	url        string
	tokenFile  string // with the bearer token that is sent along; "" sends none
	client     *fetch.Client
	algorithms []string
	now        func() time.Time
	log        *slog.Logger

	life  context.Context // of the fetches
	end   context.CancelFunc
	tasks sync.WaitGroup

	mu     sync.Mutex
	closed bool
	keys   map[string][]setKey
	// former are ids of keys that the issuer has withdrawn.
	former  map[string]bool
	dropped string    // the keys that are of no use, as they were last logged
	loaded  time.Time // last success, zero before the first
	tried   time.Time // last attempt
	failed  bool      // how that ended
	tries   int       // how many there have been
	good    int       // which of them was the last success
	current *attempt  // the running attempt, or nil
}

// attempt is one try to read the keys, for everybody who waits for it.
type attempt struct {
	done chan struct{}
	err  error // once done
}

// noKeys: the issuer's keys are not known, so that nobody can tell whether a token is good.
type noKeys struct{ retryAfter time.Duration }

func (noKeys) Error() string { return "the issuer's keys are not known" }

// errNoKeyID refuses a token that names no key. To try every key would let anybody make
// us verify as many signatures as the issuer has keys.
var errNoKeyID = errors.New("the token does not say which key it is signed with")

func newKeySet(config Config, algorithms []string, now func() time.Time, log *slog.Logger) *keySet {
	s := &keySet{
		url: config.KeySetURL, tokenFile: config.KeySetToken, client: newKeySetClient(config.KeySetRoots),
		algorithms: algorithms, now: now, log: log, former: make(map[string]bool),
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// source is the keySource: of the keys with the token's key id all that fit its
// algorithm.
func (s *keySet) source(ctx context.Context) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) {
		id, _ := token.Header["kid"].(string)
		if id == "" {
			return nil, errNoKeyID
		}
		keys, err := s.find(ctx, id)
		if err != nil {
			return nil, err
		}
		return fitting(keys, token), nil
	}
}

// close ends a running fetch. The keys that are known stay known.
func (s *keySet) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.tasks.Wait()
}

// find returns the keys with an id. An unknown id may be that of a new key, so the set
// is read again before the token is refused.
func (s *keySet) find(ctx context.Context, id string) ([]setKey, error) {
	_, _, tries := s.lookup(id)
	if err := s.freshen(ctx); err != nil {
		return nil, err
	}
	if keys, known, _ := s.lookup(id); known {
		return keys, nil
	}
	if err := s.refresh(ctx); err != nil {
		return nil, err
	}
	if keys, known, _ := s.lookup(id); known {
		return keys, nil
	}
	return nil, s.absent(id, tries)
}

// lookup also returns how often the keys have been asked for.
func (s *keySet) lookup(id string) (keys []setKey, known bool, tries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys, known = s.keys[id]
	return keys, known, s.tries
}

// errUnknownKey: the issuer has no such key.
var errUnknownKey = errors.New("the issuer has no key of this id")

// absent tells whether an unknown id is that of no key, or may be that of a newer key
// than those that were read. The token came after a number of tries.
func (s *keySet) absent(id string, tries int) error {
	s.mu.Lock()
	gone := s.good > tries || s.former[id]
	s.mu.Unlock()
	if gone {
		return errUnknownKey
	}
	return s.unknown()
}

// freshen reads the keys where there are none or they are old. Old keys go on while
// the issuer cannot be reached.
func (s *keySet) freshen(ctx context.Context) error {
	s.mu.Lock()
	loaded, failed := !s.loaded.IsZero(), s.failed
	old := s.now().Sub(s.loaded) > keySetMaxAge
	s.mu.Unlock()
	switch {
	case !loaded:
		return s.refresh(ctx)
	case old && failed: // known to be down: nobody waits for the next attempt
		s.try()
	case old:
		_ = s.refresh(ctx)
	}
	return nil
}

// refresh reads the keys and waits for them, unless they were read a moment ago. The
// error is that they are not known now.
func (s *keySet) refresh(ctx context.Context) error {
	f := s.try()
	if f == nil {
		return s.lately()
	}
	select {
	case <-f.done:
		if f.err == nil {
			return nil
		}
	case <-ctx.Done():
	}
	return s.unknown()
}

// try starts to read the keys, or joins whoever does. It returns nil where that
// was tried a moment ago.
func (s *keySet) try() *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil || s.closed {
		return s.current
	}
	now := s.now()
	if !s.tried.IsZero() && now.Sub(s.tried) < keySetSpacing {
		return nil
	}
	s.tried = now
	s.tries++
	f := &attempt{done: make(chan struct{})}
	s.current = f
	s.tasks.Go(func() { s.run(f) })
	return f
}

func (s *keySet) run(f *attempt) {
	ctx, cancel := context.WithTimeout(s.life, keySetTimeout)
	defer cancel()
	var keys map[string][]setKey
	var dropped []droppedKey
	text, err := s.download(ctx)
	if err == nil {
		keys, dropped, err = readKeySet(text, s.algorithms)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.err, s.failed, s.current = err, err != nil, nil
	if err != nil {
		s.log.Warn("the JWKS cannot be read", slog.Any("error", err), slog.Bool("keys_from_before", !s.loaded.IsZero()))
	} else {
		s.replace(keys)
		s.report(dropped)
	}
	close(f.done)
}

// replace takes over the keys that were just read.
func (s *keySet) replace(keys map[string][]setKey) {
	if len(s.former) > maxFormer {
		clear(s.former)
	}
	for id := range s.keys {
		s.former[id] = true
	}
	s.keys, s.loaded, s.good = keys, s.now(), s.tries
	usable := 0
	for id, same := range keys {
		delete(s.former, id)
		usable += len(same)
	}
	if usable == 0 {
		s.log.Warn("the JWKS has no key that can verify the configured algorithms")
	}
}

// report logs the keys that are of no use, where they are others than before.
func (s *keySet) report(dropped []droppedKey) {
	all := fmt.Sprint(dropped)
	if all == s.dropped {
		return
	}
	s.dropped = all
	for _, k := range dropped {
		s.log.Info("a key of the JWKS is not used", slog.String("kid", k.id), slog.Any("reason", k.reason))
	}
}

// lately is how the last attempt ended.
func (s *keySet) lately() error {
	s.mu.Lock()
	known := !s.failed && !s.loaded.IsZero()
	s.mu.Unlock()
	if known {
		return nil
	}
	return s.unknown()
}

func (s *keySet) unknown() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return noKeys{retryAfter: s.tried.Add(keySetSpacing).Sub(s.now())}
}
