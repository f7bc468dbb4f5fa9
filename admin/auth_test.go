package admin_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/store"
)

func withJWT(change func(*bearer.Config)) option {
	return func(c *admin.Config) { change(&c.JWT) }
}

func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// claimsWith returns the claims of tenant A's admin with some changed; nil removes one.
func claimsWith(changes jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{"tenant_id": tenantA.String(), "roles": "admin", "exp": now.Add(time.Hour).Unix()}
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func hs256(t *testing.T, changes jwt.MapClaims) string {
	t.Helper()
	return "Bearer " + signed(t, jwt.SigningMethodHS256, claimsWith(changes), secret)
}

// assemble makes a token by hand.
func assemble(header, claims any, signature string) string {
	return "Bearer " + segment(header) + "." + segment(claims) + "." + signature
}

func segment(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func TestRefusedTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// The signature of an HMAC token whose header says RS256: the confusion attack.
	hmacSigned := strings.Split(signed(t, jwt.SigningMethodHS256, claimsWith(nil), secret), ".")
	critical := jwt.NewWithClaims(jwt.SigningMethodHS256, claimsWith(nil))
	critical.Header["crit"] = []string{"b64"}
	withCrit, err := critical.SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	valid := hs256(t, nil)
	s := newServer(t)

	for name, authorization := range map[string]string{
		"no token":               "Bearer",
		"only spaces":            "Bearer   ",
		"garbage":                "Bearer garbage",
		"two segments":           "Bearer a.b",
		"four segments":          valid + ".x",
		"not base64":             "Bearer !!!.???.###",
		"token in braces":        "Bearer {" + valid[7:] + "}",
		"second token":           valid + " " + valid[7:],
		"alg none":               assemble(map[string]any{"alg": "none"}, claimsWith(nil), ""),
		"alg None":               assemble(map[string]any{"alg": "None"}, claimsWith(nil), ""),
		"alg missing":            assemble(map[string]any{"typ": "JWT"}, claimsWith(nil), hmacSigned[2]),
		"alg a number":           assemble(map[string]any{"alg": 256}, claimsWith(nil), hmacSigned[2]),
		"alg RS256 on HMAC":      assemble(map[string]any{"alg": "RS256"}, claimsWith(nil), hmacSigned[2]),
		"alg RS256":              "Bearer " + signed(t, jwt.SigningMethodRS256, claimsWith(nil), key),
		"alg not pinned":         "Bearer " + signed(t, jwt.SigningMethodHS384, claimsWith(nil), secret),
		"signature missing":      "Bearer " + hmacSigned[0] + "." + hmacSigned[1] + ".",
		"claims swapped":         "Bearer " + hmacSigned[0] + "." + segment(claimsWith(jwt.MapClaims{"tenant_id": tenantB.String()})) + "." + hmacSigned[2],
		"another secret":         "Bearer " + signed(t, jwt.SigningMethodHS256, claimsWith(nil), []byte("another secret of thirty-two byte")),
		"crit":                   "Bearer " + withCrit,
		"header null":            assemble(nil, claimsWith(nil), hmacSigned[2]),
		"claims null":            assemble(map[string]any{"alg": "HS256"}, nil, hmacSigned[2]),
		"expired":                hs256(t, jwt.MapClaims{"exp": now.Add(-31 * time.Second).Unix()}),
		"expired for the leeway": hs256(t, jwt.MapClaims{"exp": now.Add(-30 * time.Second).Unix()}),
		"exp missing":            hs256(t, jwt.MapClaims{"exp": nil}),
		"exp zero":               hs256(t, jwt.MapClaims{"exp": 0}),
		"exp a string":           hs256(t, jwt.MapClaims{"exp": "never"}),
		"exp a day too far":      hs256(t, jwt.MapClaims{"exp": now.AddDate(0, 0, 31).Unix()}),
		"exp in another age":     hs256(t, jwt.MapClaims{"exp": 1e300}),
		"exp at the last second": hs256(t, jwt.MapClaims{"exp": int64(math.MaxInt64)}),
		"nbf in the future":      hs256(t, jwt.MapClaims{"nbf": now.Add(31 * time.Second).Unix()}),
		"issued in the future":   hs256(t, jwt.MapClaims{"iat": now.Add(31 * time.Second).Unix()}),
		"two tenants":            hs256(t, jwt.MapClaims{"tenantId": tenantB.String()}),
		"tenant not a UUID":      hs256(t, jwt.MapClaims{"tenant_id": "acme"}),
		"tenant empty":           hs256(t, jwt.MapClaims{"tenant_id": ""}),
		"tenant a number":        hs256(t, jwt.MapClaims{"tenant_id": 1}),
		"a tenant not a UUID":    hs256(t, jwt.MapClaims{"tenant_id": []string{tenantA.String(), "acme"}}),
		"list and one tenant":    hs256(t, jwt.MapClaims{"tenant_id": []string{tenantA.String(), tenantB.String()}, "tenantId": tenantA.String()}),
		"tenant nil":             hs256(t, jwt.MapClaims{"tenant_id": uuid.Nil.String()}),
		"tenant urn":             hs256(t, jwt.MapClaims{"tenant_id": tenantA.URN()}),
		"tenant in braces":       hs256(t, jwt.MapClaims{"tenant_id": "{" + tenantA.String() + "}"}),
		"tenant with space":      hs256(t, jwt.MapClaims{"tenant_id": tenantA.String() + " "}),
		"second tenant not UUID": hs256(t, jwt.MapClaims{"tenantId": "acme"}),
		"roles a number":         hs256(t, jwt.MapClaims{"roles": 1}),
		"roles of numbers":       hs256(t, jwt.MapClaims{"roles": []any{"admin", 1}}),
		"huge":                   "Bearer " + strings.Repeat("a", 16<<10),
		"huge but valid":         hs256(t, jwt.MapClaims{"pad": strings.Repeat("a", 16<<10)}),
	} {
		t.Run(name, func(t *testing.T) {
			a := s.as(authorization, "GET", callbacksPath, "")
			checkProblem(t, a, 401, "HKG-2401")
			if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="hookgate", error="invalid_token"` {
				t.Errorf("WWW-Authenticate %q", got)
			}
			for _, part := range strings.FieldsFunc(authorization, func(r rune) bool { return r == ' ' || r == '.' })[1:] {
				if len(part) > 3 && (strings.Contains(string(a.body), part) || strings.Contains(s.log.String(), part)) {
					t.Errorf("a part of the token came back: %q", part)
				}
			}
		})
	}
}

func TestMissingToken(t *testing.T) {
	s := newServer(t)
	for _, authorization := range []string{"", "Basic YTpi", "Token abc"} {
		a := s.as(authorization, "GET", callbacksPath, "")
		checkProblem(t, a, 401, "HKG-2401")
		if got := a.Header.Get("WWW-Authenticate"); got != `Bearer realm="hookgate"` {
			t.Errorf("WWW-Authenticate %q", got)
		}
	}
}

func TestSeveralAuthorizationHeaders(t *testing.T) {
	s := newServer(t)
	r := request("GET", callbacksPath, "")
	r.Header["Authorization"] = []string{adminOf(t, tenantA), adminOf(t, tenantA)}
	checkProblem(t, s.send(r), 401, "HKG-2401")
}

func TestSchemeIsCaseInsensitive(t *testing.T) {
	s := newServer(t)
	for _, scheme := range []string{"bearer ", "BEARER ", "Bearer   "} {
		s.must(200, scheme+adminOf(t, tenantA)[len("Bearer "):], "GET", callbacksPath, "")
	}
}

func TestTokenIsCheckedBeforeTheBody(t *testing.T) {
	s := newServer(t)
	r := request("POST", callbacksPath, "")
	r.Body = unreadable{t}
	checkProblem(t, s.send(r), 401, "HKG-2401")
	r = request("POST", callbacksPath, "")
	r.Body = unreadable{t}
	r.Header.Set("Authorization", viewerOf(t, tenantA))
	checkProblem(t, s.send(r), 403, "HKG-2403")
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyReadAfterClose
}
func (unreadable) Close() error { return nil }

func TestIssuerAndAudience(t *testing.T) {
	s := newServer(t, withJWT(func(c *bearer.Config) { c.Issuer, c.Audiences = "idp", []string{"api", "hookgate"} }))
	for _, aud := range []any{"hookgate", []string{"other", "hookgate"}} {
		s.must(200, hs256(t, jwt.MapClaims{"iss": "idp", "aud": aud}), "GET", callbacksPath, "")
	}
	for _, changes := range []jwt.MapClaims{
		{"aud": "hookgate"},
		{"iss": "other", "aud": "hookgate"},
		{"iss": "idp"},
		{"iss": "idp", "aud": "other"},
		{"iss": "idp", "aud": []string{}},
	} {
		checkProblem(t, s.as(hs256(t, changes), "GET", callbacksPath, ""), 401, "HKG-2401")
	}
}

func TestAlgorithmsArePinned(t *testing.T) {
	s := newServer(t, withJWT(func(c *bearer.Config) { c.Algorithms = []string{"HS384", "HS512"} }))
	s.must(200, "Bearer "+signed(t, jwt.SigningMethodHS384, claimsWith(nil), secret), "GET", callbacksPath, "")
	s.must(200, "Bearer "+signed(t, jwt.SigningMethodHS512, claimsWith(nil), secret), "GET", callbacksPath, "")
	checkProblem(t, s.as(hs256(t, nil), "GET", callbacksPath, ""), 401, "HKG-2401")
}

// TestLeeway: clocks differ, and issuers set nbf and iat to their own now.
func TestLeeway(t *testing.T) {
	ahead := func(d time.Duration) jwt.MapClaims {
		return jwt.MapClaims{"nbf": now.Add(d).Unix(), "iat": now.Add(d).Unix(), "exp": now.Add(time.Second - d).Unix()}
	}
	s := newServer(t)
	s.must(200, hs256(t, ahead(30*time.Second)), "GET", callbacksPath, "")
	checkProblem(t, s.as(hs256(t, ahead(32*time.Second)), "GET", callbacksPath, ""), 401, "HKG-2401")
	s = newServerOn(t, s.store, withJWT(func(c *bearer.Config) { c.Leeway = 2 * time.Second }))
	s.must(200, hs256(t, ahead(2*time.Second)), "GET", callbacksPath, "")
	checkProblem(t, s.as(hs256(t, ahead(4*time.Second)), "GET", callbacksPath, ""), 401, "HKG-2401")
}

// TestClaimPaths: a name that no claim has leads through claims.
func TestClaimPaths(t *testing.T) {
	s := newServer(t, withJWT(func(c *bearer.Config) {
		c.TenantClaims, c.RolesClaims = []string{"https://example.com/org.id"}, []string{"realm_access.roles"}
	}))
	inner := map[string]any{"roles": []string{"admin"}}
	tenant := map[string]any{"id": tenantA.String()}
	for _, c := range []struct {
		name   string
		claims jwt.MapClaims
		status int
	}{
		{"paths", jwt.MapClaims{"https://example.com/org": tenant, "realm_access": inner}, 201},
		{"whole names", jwt.MapClaims{"https://example.com/org.id": tenantA.String(), "realm_access.roles": "admin"}, 201},
		{"the whole name counts first", jwt.MapClaims{"https://example.com/org": tenant, "realm_access": inner, "realm_access.roles": "viewer"}, 403},
		{"no such member", jwt.MapClaims{"https://example.com/org": tenant, "realm_access": map[string]any{"groups": "admin"}}, 403},
		{"no object", jwt.MapClaims{"https://example.com/org": tenant, "realm_access": "roles"}, 403},
		{"no tenant at the end", jwt.MapClaims{"https://example.com/org": map[string]any{"id": tenant}, "realm_access": inner}, 401},
		{"no tenant", jwt.MapClaims{"https://example.com": tenant, "realm_access": inner}, 403},
	} {
		if a := s.as(tokenFor(t, c.claims), "POST", callbacksPath, "{}"); a.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, a.StatusCode, a.body)
		}
	}
}

func TestTenantClaims(t *testing.T) {
	missing := hs256(t, jwt.MapClaims{"tenant_id": nil})
	checkProblem(t, newServer(t).as(missing, "GET", callbacksPath, ""), 403, "HKG-2001")

	s := newServer(t, withJWT(func(c *bearer.Config) { c.DefaultTenant = tenantA }))
	s.must(201, missing, "POST", callbacksPath, `{}`)
	if list := s.must(200, adminOf(t, tenantA), "GET", callbacksPath, "").list(t, "credentials"); len(list) != 1 {
		t.Errorf("the default tenant has %v", list)
	}
	// A broken claim must not fall back to the default.
	for _, tenant := range []any{"acme", "", 7, json.RawMessage("null")} {
		checkProblem(t, s.as(hs256(t, jwt.MapClaims{"tenant_id": tenant}), "GET", callbacksPath, ""), 401, "HKG-2401")
	}

	s = newServer(t, withJWT(func(c *bearer.Config) { c.TenantClaims = []string{"org"} }))
	s.must(200, hs256(t, jwt.MapClaims{"org": tenantA.String(), "tenant_id": "ignored"}), "GET", callbacksPath, "")
	checkProblem(t, s.as(hs256(t, nil), "GET", callbacksPath, ""), 403, "HKG-2001")
}

func TestRoles(t *testing.T) {
	const none, reads, writes = "none", "reads", "writes"
	for _, c := range []struct {
		name   string
		claims jwt.MapClaims
		byRole bearer.Role // the default role
		want   string
	}{
		{"no claim", jwt.MapClaims{}, "", none},
		{"no claim, default none", jwt.MapClaims{}, bearer.RoleNone, none},
		{"no claim, default viewer", jwt.MapClaims{}, bearer.RoleViewer, reads},
		{"no claim, default admin", jwt.MapClaims{}, bearer.RoleAdmin, writes},
		{"unknown role gets no default", jwt.MapClaims{"roles": "intern"}, bearer.RoleAdmin, none},
		{"empty list gets no default", jwt.MapClaims{"roles": []string{}}, bearer.RoleAdmin, none},
		{"viewer beats the default", jwt.MapClaims{"roles": "viewer"}, bearer.RoleAdmin, reads},
		{"admin", jwt.MapClaims{"roles": "admin"}, "", writes},
		{"owner", jwt.MapClaims{"role": "owner"}, "", writes},
		{"viewer", jwt.MapClaims{"role": "viewer"}, "", reads},
		{"list", jwt.MapClaims{"roles": []string{"viewer", "owner"}}, "", writes},
		{"spaces", jwt.MapClaims{"roles": "openid viewer"}, "", reads},
		{"both claims", jwt.MapClaims{"roles": "viewer", "role": "admin"}, "", writes},
		{"admin, then viewer", jwt.MapClaims{"roles": []string{"admin", "viewer"}}, "", writes},
		{"another case", jwt.MapClaims{"roles": "Admin"}, "", none},
		{"a part of it", jwt.MapClaims{"roles": "administrator"}, "", none},
		{"null beside a good one", jwt.MapClaims{"role": nil, "roles": "viewer"}, "", reads},
		{"null gets no default", jwt.MapClaims{"roles": nil}, bearer.RoleAdmin, none},
		{"spaces within a list", jwt.MapClaims{"roles": []string{"x admin"}}, "", none},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, withJWT(func(j *bearer.Config) { j.DefaultRole = c.byRole }))
			c.claims["tenant_id"] = tenantA.String()
			who := tokenFor(t, c.claims)
			read, write := s.as(who, "GET", callbacksPath, ""), s.as(who, "POST", callbacksPath, `{}`)
			if c.want == none {
				checkProblem(t, read, 403, "HKG-2403")
			} else if read.StatusCode != 200 {
				t.Errorf("reading: %s", read.body)
			}
			if c.want == writes {
				if write.StatusCode != 201 {
					t.Errorf("writing: %s", write.body)
				}
				return
			}
			checkProblem(t, write, 403, "HKG-2403")
			id := uuid.NewString()
			checkProblem(t, s.as(who, "DELETE", callbacksPath+"/"+id, ""), 403, "HKG-2403")
			checkProblem(t, s.as(who, "POST", callbacksPath+"/"+id+"/rotate", ""), 403, "HKG-2403")
			checkProblem(t, s.as(who, "POST", tokensPath, mintPluggy), 403, "HKG-2403")
			checkProblem(t, s.as(who, "DELETE", tokensPath+"/"+id, ""), 403, "HKG-2403")
			checkProblem(t, s.as(who, "POST", tokensPath+"/"+id+"/rotate", ""), 403, "HKG-2403")
		})
	}
}

func TestUnusableConfiguration(t *testing.T) {
	usable := newStore(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	for name, c := range map[string]struct {
		change option
		says   string
	}{
		"no store":          {func(c *admin.Config) { c.Store = nil }, "store"},
		"no secret":         {withJWT(func(j *bearer.Config) { j.Secrets = nil }), "empty"},
		"algorithm none":    {withJWT(func(j *bearer.Config) { j.Algorithms = []string{"none"} }), `"none"`},
		"algorithm RS256":   {withJWT(func(j *bearer.Config) { j.Algorithms = []string{"HS256", "RS256"} }), `"RS256"`},
		"algorithm in case": {withJWT(func(j *bearer.Config) { j.Algorithms = []string{"hs256"} }), `"hs256"`},
		"default role":      {withJWT(func(j *bearer.Config) { j.DefaultRole = "root" }), `"root"`},
		"raw public URL":    {func(c *admin.Config) { c.PublicURL = "https://HOOKS.example.com/" }, "public URL"},
	} {
		t.Run(name, func(t *testing.T) {
			config := admin.Config{Store: usable, JWT: bearer.Config{Secrets: [][]byte{secret}}}
			c.change(&config)
			_, err := admin.New(config)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want an error about %s", err, c.says)
			}
			if strings.Contains(err.Error(), string(secret[:31])) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestShortSecretIsWarnedOf(t *testing.T) {
	usable := newStore(t, store.Config{EmbeddedDir: t.TempDir(), Namespace: "hookgate"})
	for length, warned := range map[int]bool{31: true, 32: false} {
		var log bytes.Buffer
		_, err := admin.New(admin.Config{
			Store: usable, JWT: bearer.Config{Secrets: [][]byte{secret[:length]}}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "level=WARN") != warned || strings.Contains(log.String(), string(secret[:length])) {
			t.Errorf("%d bytes: logged %q", length, log.String())
		}
	}
}

func TestMaxTTL(t *testing.T) {
	at := func(d time.Duration) string { return hs256(t, jwt.MapClaims{"exp": now.Add(d).Unix()}) }
	for _, c := range []struct {
		max       time.Duration
		good, bad time.Duration
	}{
		{0, 30 * 24 * time.Hour, 30*24*time.Hour + time.Second},
		{time.Minute, time.Minute, 61 * time.Second},
	} {
		s := newServer(t, withJWT(func(j *bearer.Config) { j.MaxTTL = c.max }))
		s.must(200, at(c.good), "GET", callbacksPath, "")
		checkProblem(t, s.as(at(c.bad), "GET", callbacksPath, ""), 401, "HKG-2401")
	}
}
