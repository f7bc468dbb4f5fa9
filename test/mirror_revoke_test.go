package test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestMirrorRevokesLater: a revocation holds here whatever becomes of Matcher, and reaches
// it when it can.
func TestMirrorRevokesLater(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		m := mirrorOf(t, s)
		operator := m.operator(t, tenantA, "admin")
		facade, own, again := operator.mintCallback("a"), operator.mintCallback("b"), operator.mintCallback("c")
		m.down()
		wantProblem(t, operator.do(http.MethodDelete, callbackCredentials+"/"+facade.id, ""), http.StatusBadGateway, "HKG-2512")
		wantProblem(t, operator.do(http.MethodPost, "/v1/credentials/"+own.id+"/revoke", ""), http.StatusBadGateway, "HKG-2512")
		for range 2 {
			wantProblem(t, operator.do(http.MethodDelete, "/v1/credentials/"+again.id, ""), http.StatusBadGateway, "HKG-2512")
		}
		wantMetric(t, m.gate, "hookgate_mirror_pending_revocations", 3)
		for _, c := range []credential{facade, own, again} {
			if status := m.posts(c); status != http.StatusUnauthorized {
				t.Errorf("revoked here, it is %d", status)
			}
		}
		// A reload forgets none of it.
		m.Reload("successfully reloaded config from file")
		wantMetric(t, m.gate, "hookgate_mirror_pending_revocations", 3)
		m.up()
		wantStatus(t, operator.do(http.MethodDelete, "/v1/credentials/"+again.id, ""), http.StatusNoContent)
		hookgatetest.Eventually(t, "the revocations reach Matcher by themselves", func() bool {
			return metric(t, m.gate, "hookgate_mirror_pending_revocations") == 0
		})
		for _, c := range []credential{facade, own, again} {
			if status := m.straight(c); status != http.StatusUnauthorized {
				t.Errorf("at Matcher it is %d", status)
			}
		}
		wantStatus(t, operator.do(http.MethodDelete, callbackCredentials+"/"+facade.id, ""), http.StatusNoContent)
		wantMetric(t, m.gate, "hookgate_mirror_given_up_total", 0)
	})
}

// TestMirrorKnowsWhatIsRevokedAlready, whatever Matcher says to a second revocation; and
// what Matcher does not take at all it does not take for done.
func TestMirrorKnowsWhatIsRevokedAlready(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	operator := m.operator(t, tenantA, "admin")
	for _, status := range []int{http.StatusNotFound, http.StatusConflict} {
		m.RevokedAgain = status
		c := operator.mintCallback("")
		m.Revoke(c.token) // by somebody else, at Matcher
		operator.revoke(c)
	}
	c := operator.mintCallback("")
	for _, status := range []int{401, 403, 404, 409, 429, 500} {
		m.Before(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete {
				w.WriteHeader(status)
			}
			return r.Method == http.MethodDelete
		})
		wantProblem(t, operator.do(http.MethodDelete, callbackCredentials+"/"+c.id, ""), http.StatusBadGateway, "HKG-2512")
	}
}

// TestMirrorGivesUp: a JWT that has ended opens nothing.
func TestMirrorGivesUp(t *testing.T) {
	t.Parallel()
	m := mirrorOf(t, embedded(t))
	c := m.operator(t, tenantA, "admin").mintCallback("")
	m.down()
	brief := operator{t, m.gate, hookgatetest.SignJWT(t, jwt.MapClaims{"tenant_id": tenantA, "roles": "admin", "exp": time.Now().Add(2 * time.Second).Unix()})}
	wantProblem(t, brief.do(http.MethodDelete, callbackCredentials+"/"+c.id, ""), http.StatusBadGateway, "HKG-2512")
	hookgatetest.Eventually(t, "it is given up", func() bool { return metric(t, m.gate, "hookgate_mirror_given_up_total") == 1 })
	wantMetric(t, m.gate, "hookgate_mirror_pending_revocations", 0)
	if text := m.Output.String(); !strings.Contains(text, "not repeated any more") {
		t.Error("the log does not say so")
	}
}
