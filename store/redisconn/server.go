package redisconn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Topology says how the Redis servers are organised.
type Topology string

// The topologies. Standalone is also what a managed service with one endpoint is.
const (
	Standalone Topology = ""
	Sentinel   Topology = "sentinel"
	Cluster    Topology = "cluster"
)

// Server says how to reach Redis and who we are there. Credentials come from the
// URL where the fields are empty.
type Server struct {
	Topology Topology
	// URLs are redis://, rediss:// or unix:// addresses: one for Standalone, some of
	// the nodes for Cluster, the sentinels for Sentinel. They differ in their hosts
	// only; user, password and database are those of the first.
	URLs []string
	// Master is the name that the sentinels know the master by.
	Master string

	Username string
	Password string
	// PasswordFile is read anew for every connection, so that a rotated password needs
	// no restart. Surrounding white space is not part of the password.
	PasswordFile string

	SentinelUsername string
	SentinelPassword string

	// TLSCA, TLSCert and TLSKey are PEM files: the authorities to trust instead of the
	// system's, and a client certificate. They are read anew for every connection.
	TLSCA   string
	TLSCert string
	TLSKey  string
	// TLSServerName is the name that the certificate of every server has; empty for the
	// host of its address. All that is of TLS needs rediss://.
	TLSServerName string

	// SnapshotFrom is FromReplicas where snapshots may be read from a replica: of a
	// Cluster, or one that sentinels know. FromMaster where empty.
	SnapshotFrom string
}

var (
	errNoRedis    = errors.New("no Redis address")
	errManyURLs   = errors.New("several Redis addresses need cluster or sentinel")
	errMaster     = errors.New("sentinel needs the name of the master, and only sentinel takes one")
	errTopology   = errors.New("unknown Redis topology")
	errTwoSecrets = errors.New("either a Redis password or a password file, not both")
	errClusterDB  = errors.New("a Redis Cluster has database 0 only")
	errTLSScheme  = errors.New("the words of TLS need a rediss:// address")
	errTLSPair    = errors.New("a TLS client certificate needs its key, and a key its certificate")
)

// connectionLife bounds how long a connection lives: an old password or certificate that
// was rotated out must not be used for ever.
const connectionLife = 30 * time.Minute

// Options checks the configuration, and returns it as go-redis has it. It reads
// no file, so that a configuration can be validated anywhere.
func (s Server) Options() (*redis.UniversalOptions, string, error) {
	switch {
	case len(s.URLs) == 0:
		return nil, "", errNoRedis
	case s.Topology == Standalone && len(s.URLs) > 1:
		return nil, "", errManyURLs
	case !slices.Contains([]Topology{Standalone, Sentinel, Cluster}, s.Topology):
		return nil, "", errTopology
	case (s.Topology == Sentinel) != (s.Master != ""):
		return nil, "", errMaster
	case s.Password != "" && s.PasswordFile != "":
		return nil, "", errTwoSecrets
	case (s.TLSCert == "") != (s.TLSKey == ""):
		return nil, "", errTLSPair
	}
	if err := s.CheckSnapshotFrom(); err != nil {
		return nil, "", err
	}
	var first address
	universal := &redis.UniversalOptions{MasterName: s.Master}
	for i, text := range s.URLs {
		parsed, err := parseURL(text)
		if err != nil {
			return nil, "", err
		}
		if i == 0 {
			first = parsed
		}
		if err := parsed.follows(first); err != nil {
			return nil, "", err
		}
		if parsed.Network == "unix" && s.Topology != Standalone {
			return nil, "", errRedisURLs
		}
		universal.Addrs = append(universal.Addrs, parsed.Addr)
	}
	if s.Topology == Cluster && first.DB != 0 {
		return nil, "", errClusterDB
	}
	secure := first.TLSConfig != nil
	if !secure && s.TLSCA+s.TLSCert+s.TLSServerName != "" {
		return nil, "", errTLSScheme
	}
	universal.DB = first.DB
	universal.Username, universal.Password = first.Username, first.Password
	if s.Username != "" {
		universal.Username = s.Username
	}
	if s.Password != "" {
		universal.Password = s.Password
	}
	universal.SentinelUsername, universal.SentinelPassword = s.SentinelUsername, s.SentinelPassword
	universal.Dialer = s.dial(secure)
	return universal, first.Network, nil
}

// Load adds to the options what is in files, and fails where they cannot be read.
func (s Server) Load(opt *redis.UniversalOptions) error {
	if s.PasswordFile != "" {
		if _, err := s.readPassword(); err != nil {
			return err
		}
		username := opt.Username
		opt.CredentialsProviderContext = func(context.Context) (string, string, error) {
			password, err := s.readPassword()
			return username, password, err
		}
		opt.ConnMaxLifetime = connectionLife
	}
	if s.TLSCA+s.TLSCert != "" {
		if _, err := s.readTLS(); err != nil {
			return err
		}
		opt.ConnMaxLifetime = connectionLife
	}
	return nil
}

func (s Server) readPassword() (string, error) {
	password, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read the Redis password: %w", err)
	}
	return strings.TrimSpace(string(password)), nil
}
