package app

import (
	"errors"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/redisconn"
)

// Redis says where the credentials are: on Redis servers, or in an embedded store.
// Every value can be a placeholder, which is resolved when the configuration is
// loaded, so that no password need stand in it.
type Redis struct {
	// How the servers are organised: empty for one endpoint, cluster or sentinel.
	Topology string `json:"topology,omitempty"`

	// redis://, rediss:// or unix:// URLs: the server, some nodes of the cluster, or
	// the sentinels.
	URLs []string `json:"urls,omitempty"`

	// The name that the sentinels know the master by.
	Master string `json:"master,omitempty"`

	// The directory of the embedded store, for a single process without Redis.
	Embedded string `json:"embedded,omitempty"`

	// Who we are at Redis. Each overrides what the URL says.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`

	// A file that holds the password. It is read anew for every connection.
	PasswordFile string `json:"password_file,omitempty"`

	// Who we are at the sentinels.
	SentinelUsername string `json:"sentinel_username,omitempty"`
	SentinelPassword string `json:"sentinel_password,omitempty"`

	// PEM files: the authorities to trust instead of the system's, and a client
	// certificate with its key. They are read anew for every connection.
	TLSCA   string `json:"tls_ca,omitempty"`
	TLSCert string `json:"tls_cert,omitempty"`
	TLSKey  string `json:"tls_key,omitempty"`

	// The name that the certificates of the servers have, where it is not the host of
	// their addresses.
	TLSServerName string `json:"tls_server_name,omitempty"`

	// What all credentials are read from at a start, say: master, or replicas of a
	// Cluster or behind sentinels. Empty for the master.
	SnapshotFrom string `json:"snapshot_from,omitempty"`
}

// Settings returns what is a word with one argument.
func (r *Redis) Settings() map[string]*string {
	return map[string]*string{
		"username": &r.Username, "password": &r.Password, "password_file": &r.PasswordFile,
		"sentinel_username": &r.SentinelUsername, "sentinel_password": &r.SentinelPassword,
		"tls_ca": &r.TLSCA, "tls_cert": &r.TLSCert, "tls_key": &r.TLSKey, "tls_server_name": &r.TLSServerName,
		"snapshot_from": &r.SnapshotFrom,
	}
}

// UnmarshalCaddyfile parses
//
//	redis <url> | cluster <url>... | sentinel <master> <url>... | embedded <dir> {
//	    username          <name>
//	    password          <password>
//	    password_file     <path>
//	    sentinel_username <name>
//	    sentinel_password <password>
//	    tls_ca            <path>
//	    tls_cert          <path>
//	    tls_key           <path>
//	    tls_server_name   <name>
//	    snapshot_from     master | replicas
//	}
func (r *Redis) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	args := d.RemainingArgs()
	switch {
	case len(args) >= 2 && args[0] == "cluster":
		r.Topology, r.URLs = string(redisconn.Cluster), args[1:]
	case len(args) >= 3 && args[0] == "sentinel":
		r.Topology, r.Master, r.URLs = string(redisconn.Sentinel), args[1], args[2:]
	case len(args) == 2 && args[0] == "embedded":
		r.Embedded = args[1]
	case len(args) == 1 && args[0] != "cluster" && args[0] != "sentinel" && args[0] != "embedded":
		r.URLs = args
	default:
		return grammar.ArgErr(d, "redis")
	}
	return r.Words().Parse(d, "redis")
}

// Words is the grammar of the block, whose words may also stand beside redis, but not
// in both places.
func (r *Redis) Words() grammar.Words {
	w := make(grammar.Words)
	for name, to := range r.Settings() {
		w[name] = grammar.Once(func(d *caddyfile.Dispenser) (err error) {
			if *to != "" {
				return d.Errf("%s is given twice", name)
			}
			*to, err = grammar.OneArg(d)
			return err
		})
	}
	return w
}

// fill resolves the settings into config.
func (r *Redis) fill(config *store.Config) error {
	if (len(r.URLs) == 0) == (r.Embedded == "") {
		return errors.New("hookgate: say where the credentials are: redis <url> or redis embedded <dir>")
	}
	resolved := *r
	resolved.URLs = make([]string, len(r.URLs))
	var err error
	for i, url := range r.URLs {
		if resolved.URLs[i], err = grammar.Resolve("redis", url); err != nil {
			return err
		}
	}
	settings := resolved.Settings()
	settings["redis embedded"], settings["redis sentinel"] = &resolved.Embedded, &resolved.Master
	for word, value := range settings {
		if *value == "" {
			continue
		}
		if *value, err = grammar.Resolve(word, *value); err != nil {
			return err
		}
	}
	config.EmbeddedDir = resolved.Embedded
	config.Redis = redisconn.Server{
		Topology: redisconn.Topology(resolved.Topology), URLs: resolved.URLs, Master: resolved.Master,
		Username: resolved.Username, Password: resolved.Password, PasswordFile: resolved.PasswordFile,
		SentinelUsername: resolved.SentinelUsername, SentinelPassword: resolved.SentinelPassword,
		TLSCA: resolved.TLSCA, TLSCert: resolved.TLSCert, TLSKey: resolved.TLSKey, TLSServerName: resolved.TLSServerName,
		SnapshotFrom: resolved.SnapshotFrom,
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*Redis)(nil)
