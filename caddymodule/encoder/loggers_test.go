package encoder

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

func TestUnsafeLoggers(t *testing.T) {
	const ours, json_ = `{"encoder":{"format":"hookgate"}}`, `{"encoder":{"format":"json"}}`
	for _, tc := range []struct {
		name, config string
		want         []string
	}{
		{"nothing configured", `{}`, []string{"default"}},
		{"ours", `{"logging":{"logs":{"default":` + ours + `}}}`, nil},
		{"default without an encoder", `{"logging":{"logs":{"default":{}}}}`, []string{"default"}},
		{"default with another", `{"logging":{"logs":{"default":` + json_ + `}}}`, []string{"default"}},
		{"ours, wrapped", `{"logging":{"logs":{"default":{"encoder":{"format":"filter","wrap":{"format":"hookgate"}}}}}}`, []string{"default"}},
		{"ours, with a core beside", `{"logging":{"logs":{"default":{"encoder":{"format":"hookgate"},"core":{"module":"mock"}}}}}`, []string{"default"}},
		{"default discarded", `{"logging":{"logs":{"default":{"writer":{"output":"discard"}}}}}`, nil},
		{"access log of a site", `{"logging":{"logs":{"default":` + ours + `,"log1":` + json_ + `,"log0":{"include":["http.log.access.log0"]}}},` +
			`"apps":{"http":{"servers":{"srv0":{"logs":{"default_logger_name":"log0"}}}}}}`, []string{"log0", "log1"}},
		{"access log of a site, ours", `{"logging":{"logs":{"default":` + ours + `,"log0":` + ours + `}}}`, nil},
		{"only a site's log", `{"logging":{"logs":{"log0":` + ours + `}}}`, []string{"default"}},
		{"sink", `{"logging":{"sink":{},"logs":{"default":` + ours + `}}}`, []string{"sink"}},
		{"sink, ours", `{"logging":{"sink":` + ours + `,"logs":{"default":` + ours + `}}}`, nil},
	} {
		config := new(caddy.Config)
		if err := json.Unmarshal([]byte(tc.config), config); err != nil {
			t.Fatal(err)
		}
		if got := UnsafeLoggers(config); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
