package trail

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"github.com/hookgate/hookgate/internal/fetch"
	"github.com/hookgate/hookgate/store"
)

// Kinds of a sink.
const (
	KindFile   = "file"
	KindSyslog = "syslog"
	KindHTTPS  = "https"
)

// SinkConfig says where entries of the audit log go to.
type SinkConfig struct {
	Kind    string
	Address string // a path, a URL, or that of a syslog server
	Token   string // of an https sink, "" for none
	CA      string // a PEM file, "" for the system's authorities
}

var errKind = errors.New("a sink is of the kind file, syslog or https")

// process names this process in the leases of sinks.
var process = func() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}()

// Check tells what is wrong about the configuration. It neither dials nor opens a file.
func (c SinkConfig) Check() error {
	_, _, err := c.make()
	return err
}

// make returns a file, or the transport of a leased sink.
func (c SinkConfig) make() (*fileSink, transport, error) {
	switch {
	case c.Token != "" && c.Kind != KindHTTPS:
		return nil, nil, errors.New("only an https sink takes a token")
	case c.CA != "" && c.Kind == KindFile:
		return nil, nil, errors.New("a file takes no tls_ca")
	}
	switch c.Kind {
	case KindFile:
		if !filepath.IsAbs(c.Address) {
			return nil, nil, errors.New("the path of a file is absolute")
		}
		return &fileSink{path: filepath.Clean(c.Address)}, nil, nil
	case KindSyslog:
		s, err := syslogOf(c.Address)
		if err != nil {
			return nil, nil, errors.New("the address of a syslog server is udp://host:port, tcp://host:port, tls://host:port or unix:///path")
		}
		if s.ca = c.CA; c.CA != "" && !s.tls {
			return nil, nil, errors.New("tls_ca is for tls:// alone")
		}
		return nil, s, nil
	case KindHTTPS:
		u, err := url.Parse(c.Address)
		if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || !fetch.Secure(u) {
			return nil, nil, errors.New("the address of an https sink is an https URL, or an http URL on this machine")
		}
		return nil, &httpSink{url: c.Address, token: c.Token, ca: c.CA}, nil
	}
	return nil, nil, errKind
}

// embeddedLease: an embedded data set is one process's, so nobody else waits for the lease,
// and each renewal would be a line of the journal.
const embeddedLease = 365 * 24 * time.Hour

// New returns the runner of a sink, the number-th of the configuration.
func New(c SinkConfig, number int, s *store.Store, log *slog.Logger) (*Runner, error) {
	file, server, err := c.make()
	if err != nil {
		return nil, err
	}
	r := &Runner{
		name: fmt.Sprintf("%s-%d", c.Kind, number), key: c.Kind + " " + c.Address,
		store: s, log: log, now: time.Now, poll: pollEvery, standby: standbyEvery, backoff: minBackoff,
	}
	if file != nil {
		file.now = time.Now
		r.sink = file
		return r, nil
	}
	// An address can have a secret in it: what stands in the data set is a hash.
	sum := sha256.Sum256([]byte(r.key))
	leased := &leasedSink{transport: server, store: s, name: hex.EncodeToString(sum[:8]), process: process, lease: leaseTime, now: time.Now}
	if !s.Shared() {
		leased.process, leased.lease = "embedded", embeddedLease
	}
	r.sink = leased
	return r, nil
}
