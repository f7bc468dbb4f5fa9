package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/hookgate/hookgate/store"
	"github.com/hookgate/hookgate/store/embedded"
)

// ReadConfig reads a configuration file for a command. What is not JSON is taken
// for a Caddyfile.
func ReadConfig(file string) (*caddy.Config, error) {
	adapter := "caddyfile"
	if file == "" || filepath.Ext(file) == ".json" {
		adapter = ""
	}
	text, _, _, err := caddycmd.LoadConfig(file, adapter)
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

// OfflineStore opens the store of a configuration for one operation on its data,
// beside the servers that run with it.
func OfflineStore(config *caddy.Config) (*store.Store, error) {
	settings, tuning, err := storeSettings(config)
	if err != nil {
		return nil, err
	}
	s, err := store.New(settings)
	if err != nil {
		return nil, err
	}
	return s, s.Start(tuning)
}

func storeSettings(config *caddy.Config) (store.Config, store.Tuning, error) {
	tuning := store.Tuning{Offline: true}
	raw, ok := config.AppsRaw[appName]
	if !ok {
		return store.Config{}, tuning, errNoApp
	}
	app := new(App)
	if err := caddy.StrictUnmarshalJSON(raw, app); err != nil {
		return store.Config{}, tuning, err
	}
	if app.Namespace == "" {
		app.Namespace = defaultNamespace
	}
	settings, err := app.storeConfig()
	tuning.WaitReplicas = app.WaitReplicas
	return settings, tuning, err
}

// CheckStore looks at the store of a configuration. What it tries on Redis leaves nothing
// behind; an embedded store it only looks at.
func CheckStore(ctx context.Context, config *caddy.Config) ([]store.Finding, error) {
	settings, _, err := storeSettings(config)
	if err != nil {
		return nil, err
	}
	if settings.EmbeddedDir != "" {
		return []store.Finding{lookAt(settings.EmbeddedDir)}, nil
	}
	s, err := OfflineStore(config)
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
	return found
}

// WithStore runs one operation on the data of a configuration file.
func WithStore(file string, operation func(*store.Store) error) error {
	config, err := ReadConfig(file)
	if err != nil {
		return err
	}
	s, err := OfflineStore(config)
	if err != nil {
		return err
	}
	return errors.Join(operation(s), s.Destruct())
}
