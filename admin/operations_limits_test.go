package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
)

// TestEveryOperationHasItsLimits: the refusals that come before any operation, in the
// form that each documents.
func TestEveryOperationHasItsLimits(t *testing.T) {
	idp := newIssuer(t) // it publishes nothing
	limit, _ := withRate(admin.RateLimit{PerSecond: 1, Burst: 1})
	limited, keyless := fuzzServer(t, limit), fuzzServer(t, idp.option())
	doc := documentOf(t, limited)
	for path, item := range at(t, doc.root, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			id := at(t, op, "operationId").(string)
			t.Run(id, func(t *testing.T) {
				d := &driver{t: t, doc: doc, op: op.(map[string]any)}
				send := func(s *server, authorization string) answer {
					r := request(strings.ToUpper(method), strings.NewReplacer("{", "", "}", "").Replace(path), "")
					r.Header.Set("Authorization", authorization)
					return s.within(t).send(r)
				}
				who := operatorOf(t, tenantA, id, "intern")
				d.check("without a role", send(limited, who), refused)
				for name, a := range map[string]answer{
					"too often":    send(limited, who),
					"without keys": send(keyless, keyed(t, "RS256", rsa2048(), kid("k"), jwt.MapClaims{})),
				} {
					want := map[string]int{"too often": http.StatusTooManyRequests, "without keys": http.StatusServiceUnavailable}[name]
					if a.StatusCode != want || a.Header.Get("Retry-After") == "" {
						t.Errorf("%s: %d, Retry-After %q", name, a.StatusCode, a.Header.Get("Retry-After"))
					}
					d.checkForm(name, a)
				}
			})
		}
	}
}
