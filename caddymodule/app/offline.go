package app

import (
	"encoding/json"
	"errors"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/hookgate/hookgate/store"
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
	settings, err := app.storeConfig()
	if err != nil {
		return nil, err
	}
	s, err := store.New(settings)
	if err != nil {
		return nil, err
	}
	return s, s.Start(store.Tuning{Offline: true})
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
