package bearer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
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

// keySet is the keys of an issuer, read from its JWKS when they are first needed.
// jwkset's own client is not used: it reads the keys while the configuration is
// loaded and waits for them, lets one malformed key hide all others, and takes a
// document of any size.
type keySet struct {
	keys *jwkset.MemoryJWKSet
	find keyfunc.Keyfunc

	url        string
	client     *fetch.Client
	algorithms []string
	now        func() time.Time
	log        *slog.Logger

	life  context.Context // of the fetches
	end   context.CancelFunc
	tasks sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	loaded  time.Time // last success, zero before the first
	tried   time.Time // last attempt
	failed  bool      // how that ended
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

func newKeySet(url string, algorithms []string, now func() time.Time, log *slog.Logger) (*keySet, error) {
	s := &keySet{
		keys: jwkset.NewMemoryStorage(), url: url, client: newKeySetClient(),
		algorithms: algorithms, now: now, log: log,
	}
	s.life, s.end = context.WithCancel(context.Background())
	var err error
	s.find, err = keyfunc.New(keyfunc.Options{Storage: keyStorage{s.keys, s}, Ctx: s.life})
	return s, err
}

// source is the keySource.
func (s *keySet) source(ctx context.Context) jwt.Keyfunc { return s.find.KeyfuncCtx(ctx) }

// close ends a running fetch. The keys that are known stay known.
func (s *keySet) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.tasks.Wait()
}

// keyStorage is how keyfunc reads the key set.
type keyStorage struct {
	jwkset.Storage
	set *keySet
}

func (k keyStorage) KeyRead(ctx context.Context, id string) (jwkset.JWK, error) {
	return k.set.key(ctx, id)
}

// KeyReadAll is asked for a token without a key id.
func (k keyStorage) KeyReadAll(context.Context) ([]jwkset.JWK, error) { return nil, errNoKeyID }

// key returns the key with an id. An unknown id may be that of a new key, so the
// set is read again before the token is refused.
func (s *keySet) key(ctx context.Context, id string) (jwkset.JWK, error) {
	if err := s.freshen(ctx); err != nil {
		return jwkset.JWK{}, err
	}
	key, err := s.keys.KeyRead(ctx, id)
	if !errors.Is(err, jwkset.ErrKeyNotFound) {
		return key, err
	}
	if err := s.refresh(ctx); err != nil {
		return jwkset.JWK{}, err
	}
	return s.keys.KeyRead(ctx, id)
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
	f := &attempt{done: make(chan struct{})}
	s.current = f
	s.tasks.Go(func() { s.run(f) })
	return f
}

func (s *keySet) run(f *attempt) {
	ctx, cancel := context.WithTimeout(s.life, keySetTimeout)
	defer cancel()
	keys, err := s.download(ctx)
	if err == nil {
		err = s.keys.KeyReplaceAll(ctx, keys)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.err, s.failed, s.current = err, err != nil, nil
	switch {
	case err != nil:
		s.log.Warn("the JWKS cannot be read", slog.Any("error", err), slog.Bool("keys_from_before", !s.loaded.IsZero()))
	case len(keys) == 0:
		s.log.Warn("the JWKS has no key that can verify the configured algorithms")
	}
	if err == nil {
		s.loaded = s.now()
	}
	close(f.done)
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
