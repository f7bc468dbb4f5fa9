package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/embedded"
)

// ConfigFile is the configuration file of a command: ./Caddyfile where there is no path.
type ConfigFile struct {
	Path string
	// Adapter is the format, as Caddy calls it. Without one, what is not JSON is taken for a
	// Caddyfile.
	Adapter string
}

// Read reads the file.
func (f ConfigFile) Read() (*caddy.Config, error) {
	adapter := f.Adapter
	if adapter == "" && f.Path != "" && filepath.Ext(f.Path) != ".json" {
		adapter = "caddyfile"
	}
	text, _, _, err := caddycmd.LoadConfig(f.Path, adapter)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, errNoFile
	}
	config := new(caddy.Config)
	return config, json.Unmarshal(text, config)
}

var (
	errNoFile = errors.New("there is no Caddyfile here: name the configuration with --config")
	errNoApp  = errors.New("the configuration has no hookgate { ... } block in its global options")
)

// offlineStore opens the store of a configuration for one operation on its data, beside
// the servers that run with it. An embedded store that is not there is made only where
// mayMake is set: nothing is found in one of a directory that was mistyped, and a backup of
// that would look like a good one.
func offlineStore(config *caddy.Config, mayMake bool, tune func(*App) (store.Tuning, error)) (*store.Store, error) {
	app, err := readApp(config)
	if err != nil {
		return nil, err
	}
	settings, err := app.storeConfig()
	if err != nil {
		return nil, err
	}
	if settings.EmbeddedDir != "" && !mayMake {
		if err := embedded.Exists(settings.EmbeddedDir); err != nil {
			return nil, err
		}
	}
	tuning, err := tune(app)
	if err != nil {
		return nil, err
	}
	s, err := store.New(settings)
	if err != nil {
		return nil, err
	}
	tuning.Offline, tuning.WaitReplicas = true, app.WaitReplicas
	return s, s.Start(tuning)
}

func untuned(*App) (store.Tuning, error) { return store.Tuning{}, nil }

func readApp(config *caddy.Config) (*App, error) {
	raw, ok := config.AppsRaw[appName]
	if !ok {
		return nil, errNoApp
	}
	app := new(App)
	if err := caddy.StrictUnmarshalJSON(raw, app); err != nil {
		return nil, err
	}
	if app.Namespace == "" {
		app.Namespace = defaultNamespace
	}
	return app, nil
}

// CheckStore looks at the store of a configuration. What it tries on Redis leaves nothing
// behind; an embedded store it only looks at.
func CheckStore(ctx context.Context, config *caddy.Config) ([]store.Finding, error) {
	app, err := readApp(config)
	if err != nil {
		return nil, err
	}
	settings, err := app.storeConfig()
	if err != nil {
		return nil, err
	}
	if settings.EmbeddedDir != "" {
		return []store.Finding{lookAt(settings.EmbeddedDir)}, nil
	}
	s, err := offlineStore(config, false, untuned)
	if err != nil {
		return nil, err
	}
	defer s.Destruct()
	return s.Check(ctx), nil
}

// lookAt looks at an embedded store.
func lookAt(dir string) store.Finding {
	found := store.Finding{Check: "embedded", Severity: store.SeverityOK}
	switch size, err := embedded.Look(dir); {
	case errors.Is(err, embedded.ErrLocked):
		found.Detail = "in use by a running server"
	case err != nil:
		found.Severity, found.Detail = store.SeverityProblem, err.Error()
	case size == 0:
		found.Detail = "there is none yet: the first start makes it"
	default:
		found.Detail = fmt.Sprintf("the journal has %d bytes", size)
	}
	if found.Severity == store.SeverityOK {
		if err := embedded.LookForRoom(dir); err != nil {
			found.Severity, found.Detail = store.SeverityProblem, err.Error()
		}
	}
	return found
}

// Operation is what a command does with a store.
type Operation func(*store.Store) error

// WithStore runs one operation on the data of a configuration file. An embedded store must
// be there.
func WithStore(file ConfigFile, operation Operation) error {
	return withStore(file, false, operation)
}

// WithStoreOrNew is WithStore for an operation that fills a store: an embedded one is made
// where there is none.
func WithStoreOrNew(file ConfigFile, operation Operation) error {
	return withStore(file, true, operation)
}

func withStore(file ConfigFile, mayMake bool, operation Operation) error {
	config, err := file.Read()
	if err != nil {
		return err
	}
	s, err := offlineStore(config, mayMake, untuned)
	if err != nil {
		return err
	}
	return errors.Join(operation(s), s.Destruct())
}

// Reseal seals the secrets in the data set of a configuration file anew with its first
// seal_key, and returns how many credentials have some.
func Reseal(ctx context.Context, file ConfigFile) (int, error) {
	config, err := file.Read()
	if err != nil {
		return 0, err
	}
	s, err := offlineStore(config, false, func(a *App) (t store.Tuning, err error) {
		t.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
		if t.SealKeys, err = a.sealKeys(); err == nil && t.SealKeys == nil {
			err = errors.New("the configuration has no seal_key")
		}
		return t, err
	})
	if err != nil {
		return 0, err
	}
	n, err := s.Reseal(ctx)
	return n, errors.Join(err, s.Destruct())
}
