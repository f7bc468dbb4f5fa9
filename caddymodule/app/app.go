// Package app is the global option hookgate: it owns the credential store of the process,
// and what the guards and admin APIs of a configuration have to know of each other.
package app

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookgate/hookgate/caddymodule/encoder"
	"github.com/hookgate/hookgate/caddymodule/grammar"
	"github.com/hookgate/hookgate/credential/seal"
	"github.com/hookgate/hookgate/gate"
	"github.com/hookgate/hookgate/internal/handover"
	"github.com/hookgate/hookgate/store"
)

func init() { caddy.RegisterModule(App{}) }

const (
	appName = "hookgate"

	defaultNamespace    = "hookgate"
	defaultMaxStaleness = caddy.Duration(30 * time.Second)
	defaultUsageFlush   = caddy.Duration(5 * time.Second)

	// A keyring proves its freshness twice a second; a bound near that would refuse
	// webhooks for every hiccup. Above an hour it is no bound.
	minMaxStaleness = caddy.Duration(2 * time.Second)
	maxMaxStaleness = caddy.Duration(time.Hour)
	minUsageFlush   = caddy.Duration(100 * time.Millisecond)
	maxUsageFlush   = caddy.Duration(time.Hour)

	maxWaitReplicas = 16

	expressOn, expressOff = "on", "off"
	defaultHeldBodies     = 64 << 20
)

// heldBodies is the process's: what an old configuration holds counts for a new one, too.
var heldBodies = gate.NewRoom(defaultHeldBodies)

// HeldBodies returns the room for bodies that are held in memory.
func HeldBodies() *gate.Room { return heldBodies }

// stores holds the running stores by the fingerprint of their configuration. A
// reload that does not change it keeps the store: its keyring stays loaded, its
// connections stay open.
var stores = caddy.NewUsagePool()

// App owns the credential store of the process. There is one per configuration,
// set in the global options; guards and admin handlers refer to it.
type App struct {
	// Where the credentials are. Required.
	Redis *Redis `json:"redis,omitempty"`

	// The prefix of every key. Sidecars with the same namespace share their
	// credentials. Default: `hookgate`.
	Namespace string `json:"namespace,omitempty"`

	// How long requests are decided from memory after the last proof that it equals
	// Redis: the upper bound on how long a revoked token can live on a sidecar that
	// is cut off. After it every decision is 503. Default: 30s.
	MaxStaleness caddy.Duration `json:"max_staleness,omitempty"`

	// How often lastUsedAt is written, and so how much of it a crash loses.
	// Default: 5s.
	UsageFlush caddy.Duration `json:"usage_flush,omitempty"`

	// How many replicas must have a mint, rotation or revocation before it counts as
	// done. Default: 0.
	WaitReplicas int `json:"wait_replicas,omitempty"`

	// How many entries of a tenant's audit log are kept, and for how long.
	// Default: 100000 and 90 days.
	AuditKeep int            `json:"audit_keep,omitempty"`
	AuditLife caddy.Duration `json:"audit_life,omitempty"`

	// Where each entry of the audit log is sent to.
	AuditSinks []AuditSink `json:"audit_sinks,omitempty"`

	// Whether plain requests are served on the bytes of their connection: `on` or `off`.
	// Default: `on`.
	Express string `json:"express,omitempty"`

	// The keys that seal the secrets by which vendors prove themselves in the data set, each
	// 32 bytes in base64: the first seals, all of them open. Placeholders, so that no key
	// stands in the configuration. Without one no credential can have such a secret.
	SealKeys []string `json:"seal_key,omitempty"`

	// How many bytes of bodies are held in memory, for proofs and for idempotency keys, all
	// together. Beyond that a request is 503. Default: 64 MiB.
	HeldBodies int64 `json:"held_bodies,omitempty"`

	// How many live credentials one tenant may have, -1 for any number. A credential in
	// its grace and its successor count once; expired ones do not count. Default: 10000.
	Quota int `json:"quota,omitempty"`

	// Load although a log prints past the encoder hookgate. It gets to see requests as
	// they come in, and so every token. Default: false.
	AllowUnredactedLogs bool `json:"allow_unredacted_logs,omitempty"`

	// Send traces of requests to a collector of OpenTelemetry. The OTEL_ variables of the
	// environment say to which, and of how many. Default: false.
	Tracing bool `json:"tracing,omitempty"`

	ctx   caddy.Context
	peers *peers
	shift *handover.Shift
	key   string // in stores; "" until we hold a reference
	store *store.Store
	keys  *seal.Keys
	held  []string // in claims
	sinks *auditSinks
	spans *exporter // nil: no traces
}

// CaddyModule returns the Caddy module information.
func (App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appName, New: func() caddy.Module { return new(App) }}
}

// Provision takes the store from the running configuration or makes a new one. It
// neither dials Redis nor opens files: `validate` runs anywhere.
func (a *App) Provision(ctx caddy.Context) error {
	SetUpProcess()
	if err := readyToLoad(); err != nil {
		return err
	}
	if err := a.checkLogs(ctx); err != nil {
		return err
	}
	a.ctx, a.peers, a.shift = ctx, NewPeers(), new(handover.Shift)
	if a.Namespace == "" {
		a.Namespace = defaultNamespace
	}
	if a.MaxStaleness == 0 {
		a.MaxStaleness = defaultMaxStaleness
	}
	if a.UsageFlush == 0 {
		a.UsageFlush = defaultUsageFlush
	}
	if err := grammar.Within("max_staleness", a.MaxStaleness, minMaxStaleness, maxMaxStaleness); err != nil {
		return err
	}
	if err := grammar.Within("usage_flush", a.UsageFlush, minUsageFlush, maxUsageFlush); err != nil {
		return err
	}
	if a.WaitReplicas < 0 || a.WaitReplicas > maxWaitReplicas {
		return fmt.Errorf("hookgate: wait_replicas must be between 0 and %d", maxWaitReplicas)
	}
	if a.Express != "" && a.Express != expressOn && a.Express != expressOff {
		return errors.New("hookgate: express is on or off")
	}
	if a.HeldBodies == 0 {
		a.HeldBodies = defaultHeldBodies
	}
	if a.HeldBodies < 0 {
		return errors.New("hookgate: held_bodies must be positive")
	}
	if a.AuditKeep < 0 || a.AuditLife < 0 {
		return errors.New("hookgate: audit_keep takes a positive number and a positive duration")
	}
	if a.Quota < store.NoQuota {
		return errors.New("hookgate: quota takes a positive number or off")
	}
	if err := a.provisionTracing(); err != nil {
		return err
	}
	sinks, err := a.auditSinks()
	if err != nil {
		return err
	}
	config, err := a.storeConfig()
	if err != nil {
		return err
	}
	if a.keys, err = a.sealKeys(); err != nil {
		return err
	}
	key := config.Fingerprint()
	pooled, _, err := stores.LoadOrNew(key, func() (caddy.Destructor, error) { return store.New(config) })
	if err != nil {
		return fmt.Errorf("hookgate: %w", err)
	}
	a.key, a.store = key, pooled.(*store.Store)
	if a.sinks, err = newAuditSinks(sinks, a.store, ctx.Slogger()); err != nil {
		return err
	}
	return Register(ctx.GetMetricsRegistry(), storeCollector{a.store}, processCollector{}, a.sinks.collector())
}

// checkLogs: the first reload without our encoder would write every token to disk.
func (a *App) checkLogs(ctx caddy.Context) error {
	if a.AllowUnredactedLogs {
		return nil
	}
	unsafe, err := encoder.UnsafeLogs(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("hookgate: %w; allow_unredacted_logs loads it all the same", err)
	case len(unsafe) > 0:
		return fmt.Errorf("hookgate: tokens can get into the output of these logs: %s; write format hookgate in each, in the global option log default first, or allow_unredacted_logs in the hookgate block", strings.Join(unsafe, ", "))
	}
	return nil
}

// Keys are those of seal_key; nil where there are none.
func (a *App) Keys() *seal.Keys { return a.keys }

// sealKeys reads the keys; nil where there are none.
func (a *App) sealKeys() (*seal.Keys, error) {
	if len(a.SealKeys) == 0 {
		return nil, nil
	}
	texts := make([]string, len(a.SealKeys))
	for i, text := range a.SealKeys {
		var err error
		if texts[i], err = grammar.Resolve("seal_key", text); err != nil {
			return nil, err
		}
	}
	keys, err := seal.ParseKeys(texts...)
	if err != nil {
		return nil, fmt.Errorf("hookgate: seal_key: %w", err)
	}
	return keys, nil
}

func (a *App) storeConfig() (store.Config, error) {
	config := store.Config{Namespace: a.Namespace}
	if a.Redis == nil {
		return config, errors.New("hookgate: say where the credentials are: redis <url> or redis embedded <dir>")
	}
	return config, a.Redis.fill(&config)
}

// Start opens the store, or retunes it where a reload kept it running.
func (a *App) Start() error {
	if err := a.peers.checkPublicURL(); err != nil {
		return err
	}
	heldBodies.Resize(a.HeldBodies)
	servers, err := a.ctx.AppIfConfigured("http")
	if err == nil {
		a.held, err = claimAddresses(servers.(*caddyhttp.App), a.ctx.Logger())
		expectStop(servers.(*caddyhttp.App))
	}
	if err != nil && !errors.Is(err, caddy.ErrNotConfigured) {
		return err
	}
	err = a.store.Start(store.Tuning{
		UsageFlush:   time.Duration(a.UsageFlush),
		MaxStaleness: time.Duration(a.MaxStaleness),
		WaitReplicas: a.WaitReplicas,
		AuditKeep:    a.AuditKeep,
		AuditLife:    time.Duration(a.AuditLife),
		SealKeys:     a.keys,
		Quota:        a.Quota,
		Logger:       a.ctx.Slogger(),
	})
	if err != nil {
		return fmt.Errorf("hookgate: %w", err)
	}
	a.sinks.start()
	takeSignals()
	return nil
}

// Stop ends what sends the audit log, which that of a new configuration waits for. Requests of
// the old configuration may still be running, and need the store until Cleanup.
func (a *App) Stop() error {
	a.sinks.stop()
	return nil
}

// Cleanup gives the store and the addresses back; the last configuration that used them
// closes them.
func (a *App) Cleanup() error {
	a.sinks.stop() // where Start failed
	err := errors.Join(releaseAddresses(a.held), a.releaseTracing())
	if a.key == "" { // Provision failed before we held a reference
		return err
	}
	_, storeErr := stores.Delete(a.key)
	return errors.Join(err, storeErr)
}

// Around returns an app with a store that somebody else opened and closes.
func Around(s *store.Store) *App {
	return &App{store: s, peers: NewPeers(), shift: new(handover.Shift)}
}

// ExpressLane reports whether the express lane is wanted.
func (a *App) ExpressLane() bool { return a.Express != expressOff }

// Store returns the credential store of the configuration.
func (a *App) Store() *store.Store { return a.store }

// Peers returns what the guards and admin APIs of the configuration know of each other.
func (a *App) Peers() *peers { return a.peers }

// Shift returns the listeners of the configuration, and when their time begins and ends.
func (a *App) Shift() *handover.Shift { return a.shift }

// Configured returns the app for a handler being provisioned.
func Configured(ctx caddy.Context) (*App, error) {
	app, err := ctx.AppIfConfigured(appName)
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errors.New("hookgate: the global option hookgate { ... } is needed")
	}
	if err != nil {
		return nil, err
	}
	return app.(*App), nil
}

// Interface guards
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
