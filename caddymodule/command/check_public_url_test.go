package command

import (
	"strings"
	"testing"
)

// TestCheckPublicURL: what is said of a vendor that signs its URL.
func TestCheckPublicURL(t *testing.T) {
	const (
		twilio = "http://:8080 {\nhookgate {\nvendor twilio {\nverify twilio {env.X}\n}\n}\nhookgate_proxy matcher:4018\n}\n"
		admin  = "http://:8081 {\nhookgate_admin {\nconnections any\n}\n}\n"
	)
	for name, tc := range map[string]struct {
		sites string
		want  string // of the finding; "": there is none
	}{
		"nothing says it":        {twilio + admin, "vendor twilio, verify twilio, signs the URL"},
		"in words":               {strings.Replace(twilio, "verify twilio {env.X}", "verify {\nsignature header X\nsigned {url}{body}\nsecret x\n}", 1), "vendor twilio signs the URL"},
		"the guard says it":      {strings.Replace(twilio, "hookgate {", "hookgate {\npublic_url https://a.example.com", 1), ""},
		"an admin API says it":   {twilio + strings.Replace(admin, "connections any", "public_url https://a.example.com", 1), ""},
		"nothing signs a URL":    {strings.ReplaceAll(twilio, "verify twilio", "verify github"), ""},
		"another guard says its": {twilio + "http://:8082 {\nhookgate {\npublic_url https://a.example.com\n}\nhookgate_proxy matcher:4018\n}\n", "vendor twilio, verify twilio, signs the URL"},
	} {
		findings, err := checkPublicURL(serversOf(t, tc.sites))
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want == "" && len(findings) > 0, tc.want != "" && (len(findings) != 1 || !strings.Contains(findings[0].Detail, tc.want)):
			t.Errorf("%s: %v", name, findings)
		}
	}
}
