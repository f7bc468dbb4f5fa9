package app

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestAuditSinks(t *testing.T) {
	t.Setenv("SIEM_TOKEN", "s3cret")
	for text, want := range map[string]string{
		"audit_sink file /var/log/audit.log":                                              "",
		"audit_sink https https://siem.example.com {\ntoken {env.SIEM_TOKEN}\n}":          "",
		"audit_sink file /a\naudit_sink file /b":                                          "",
		"audit_sink":                                                                      "argument",
		"audit_sink file":                                                                 "argument",
		"audit_sink kafka x":                                                              "neither file nor syslog nor https",
		"audit_sink https://u:s3cret@siem.example.com https":                              "neither file nor syslog nor https",
		"audit_sink https https://siem.example.com {\nsecret x\n}":                        "unknown word",
		"audit_sink https https://siem.example.com {\ntoken x\ntoken y\n}":                "twice",
		"audit_sink https https://siem.example.com {\ntoken {env.NO_SUCH_SECRET_HERE}\n}": "audit_sink",
		"audit_sink file audit.log":                                                       "absolute",
		"audit_sink file /a\naudit_sink file /a":                                          "twice",
	} {
		app := new(App)
		err := app.UnmarshalCaddyfile(caddyfile.NewTestDispenser("hookgate {\nredis redis://h\n" + text + "\n}"))
		if err == nil {
			_, err = app.auditSinks()
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
