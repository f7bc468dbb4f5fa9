package admin_test

import (
	"fmt"
	"testing"

	"github.com/hookgate/hookgate/admin/api"
	"github.com/hookgate/hookgate/store"
)

// TestWordsOfTheAPI: what package api says to clients is what the server takes and the
// store does.
func TestWordsOfTheAPI(t *testing.T) {
	paths := at(t, openAPI(t, newServer(t)), "paths")
	parameter := func(path, name string) map[string]any {
		for _, p := range at(t, paths, path, "get", "parameters").([]any) {
			if at(t, p, "name") == name {
				return at(t, p, "schema").(map[string]any)
			}
		}
		t.Fatalf("%s has no parameter %s", path, name)
		return nil
	}
	for _, c := range []struct {
		path, parameter string
		words           []string
	}{
		{api.CredentialsPath, "kind", api.Kinds},
		{api.CredentialsPath, "status", api.Statuses},
		{api.AuditPath, "action", api.Actions},
	} {
		if got := parameter(c.path, c.parameter)["enum"]; fmt.Sprint(got) != fmt.Sprint(c.words) {
			t.Errorf("%s: the server takes %v, clients are told %v", c.parameter, got, c.words)
		}
	}
	for _, path := range []string{api.CredentialsPath, api.AuditPath} {
		limit := parameter(path, "limit")
		if limit["default"] != float64(api.DefaultPage) || limit["maximum"] != float64(api.MaxPage) {
			t.Errorf("%s: pages of %v, at most %v", path, limit["default"], limit["maximum"])
		}
	}
	if api.DefaultPage != store.DefaultPage || api.MaxPage != store.MaxPage {
		t.Errorf("the store has pages of %d, at most %d", store.DefaultPage, store.MaxPage)
	}
}
