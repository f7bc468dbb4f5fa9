package handlers

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/admin/mirror"
	"github.com/hookgate/hookgate/caddymodule/grammar"
)

const (
	defaultMirrorTimeout = caddy.Duration(5 * time.Second)
	minMirrorTimeout     = caddy.Duration(100 * time.Millisecond)
	maxMirrorTimeout     = caddy.Duration(30 * time.Second)

	// mirrorPace is how often it is looked for revocations to repeat.
	mirrorPace = time.Second
)

// Mirror is the Matcher that mints, lists, rotates and revokes tokens of its own.
type Mirror struct {
	// Where it is. It gets the operator's own bearer token, which without TLS goes over
	// the network as it is.
	URL string `json:"url"`

	// A PEM file with the authorities to trust for https:// instead of the system's.
	TLSCA string `json:"tls_ca,omitempty"`

	// How long Matcher may take. Default: 5s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	key string // in mirrors; "" until we hold a reference
}

// mirrors holds the mirrors in use, by their settings: a reload that does not change them
// keeps the revocations that have yet to reach Matcher, which are in memory only.
var mirrors = caddy.NewUsagePool()

// pooledMirror is a mirror in the pool.
type pooledMirror struct{ *mirror.Mirror }

// Destruct implements caddy.Destructor.
func (m pooledMirror) Destruct() error {
	m.Close()
	return nil
}

// provision returns the mirror, nil where none is configured. It asks nothing of Matcher.
func (m *Mirror) provision(log *slog.Logger) (*mirror.Mirror, error) {
	if m == nil {
		return nil, nil
	}
	if m.Timeout == 0 {
		m.Timeout = defaultMirrorTimeout
	}
	if err := grammar.Within("mirror", m.Timeout, minMirrorTimeout, maxMirrorTimeout); err != nil {
		return nil, err
	}
	url, err := grammar.Resolve("mirror", m.URL)
	if err != nil {
		return nil, err
	}
	scheme, _, _ := strings.Cut(url, "://")
	roots, err := rootsOf(m.TLSCA, strings.ToLower(scheme))
	if err != nil {
		return nil, fmt.Errorf("hookgate_admin: mirror: %w", err)
	}
	trusted := [sha256.Size]byte{}
	if m.TLSCA != "" {
		pem, err := os.ReadFile(m.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("hookgate_admin: mirror: read tls_ca: %w", err)
		}
		trusted = sha256.Sum256(pem)
	}
	key := fmt.Sprintf("%s %s %x", url, time.Duration(m.Timeout), trusted)
	pooled, _, err := mirrors.LoadOrNew(key, func() (caddy.Destructor, error) {
		made, err := mirror.New(mirror.Config{
			URL: url, Timeout: time.Duration(m.Timeout), RootCAs: roots, Every: mirrorPace,
			Pending: func(change int) { mirrorPending.Add(float64(change)) }, GivenUp: mirrorGivenUp.Inc,
		})
		return pooledMirror{made}, err
	})
	if err != nil {
		return nil, fmt.Errorf("hookgate_admin: %w", err)
	}
	m.key = key
	kept := pooled.(pooledMirror).Mirror
	kept.LogTo(log)
	return kept, nil
}

// release gives up our reference, if provision came as far as taking one.
func (m *Mirror) release() error {
	if m == nil || m.key == "" {
		return nil
	}
	_, err := mirrors.Delete(m.key)
	return err
}

// parseMirror parses `mirror <url> [<timeout>]`, which may have a block with
// `tls_ca <path>`.
func parseMirror(d *caddyfile.Dispenser) (*Mirror, error) {
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 || args[0] == "" {
		return nil, grammar.ArgErr(d, "mirror")
	}
	m := &Mirror{URL: args[0]}
	if len(args) == 2 {
		var err error
		if m.Timeout, err = grammar.ParseDuration(d, args[1]); err != nil {
			return nil, err
		}
	}
	return m, m.Words().Parse(d, "mirror")
}

// Words are those of the block.
func (m *Mirror) Words() grammar.Words {
	return grammar.Words{"tls_ca": grammar.Into(&m.TLSCA, grammar.OneArg)}
}
