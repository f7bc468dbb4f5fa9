package admin_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
)

// testKey is a private key; generating RSA keys takes long, so tests share them.
type testKey func() crypto.Signer

func rsaKey(bits int) testKey {
	return sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) })
}

func ecKey(curve elliptic.Curve) testKey {
	return sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) })
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	rsa2048, otherRSA, rsa1024 = rsaKey(2048), rsaKey(2048), rsaKey(1024)
	p224, p256, p384, p521     = ecKey(elliptic.P224()), ecKey(elliptic.P256()), ecKey(elliptic.P384()), ecKey(elliptic.P521())
	ed                         = sync.OnceValue(func() crypto.Signer { _, key, err := ed25519.GenerateKey(rand.Reader); return must(key, err) })
)

func publicPEM(k testKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k().Public()))})
}

// keyed signs the claims of tenant A's admin, with changes to claims and header.
func keyed(t testing.TB, algorithm string, key any, header map[string]any, changes jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claimsWith(changes))
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatalf("sign with %s: %v", algorithm, err)
	}
	return "Bearer " + text
}

var publicKeys = []struct {
	name       string
	key        testKey
	algorithms []string // the first is the default
}{
	{"RSA", rsa2048, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}},
	{"P-256", p256, []string{"ES256"}},
	{"P-384", p384, []string{"ES384"}},
	{"P-521", p521, []string{"ES512"}},
	{"Ed25519", ed, []string{"EdDSA"}},
}

func withPublicKey(pem []byte, algorithms ...string) option {
	return withJWT(func(j *bearer.Config) { j.Secrets, j.PublicKeys, j.Algorithms = nil, [][]byte{pem}, algorithms })
}

func TestPublicKey(t *testing.T) {
	for _, k := range publicKeys {
		t.Run(k.name, func(t *testing.T) {
			byDefault := newServer(t, withPublicKey(publicPEM(k.key)))
			all := newServer(t, withPublicKey(publicPEM(k.key), k.algorithms...))
			for i, algorithm := range k.algorithms {
				token := keyed(t, algorithm, k.key(), nil, nil)
				all.must(200, token, "GET", callbacksPath, "")
				if i == 0 {
					byDefault.must(200, token, "GET", callbacksPath, "")
				} else {
					checkProblem(t, byDefault.as(token, "GET", callbacksPath, ""), 401, "HKG-2401")
				}
			}
		})
	}
	t.Run("several", func(t *testing.T) {
		s := newServer(t, withJWT(func(j *bearer.Config) {
			j.Secrets, j.PublicKeys = nil, [][]byte{publicPEM(rsa2048), publicPEM(p256)}
		}))
		s.must(200, keyed(t, "RS256", rsa2048(), nil, nil), "GET", callbacksPath, "")
		s.must(200, keyed(t, "ES256", p256(), nil, nil), "GET", callbacksPath, "")
		checkProblem(t, s.as(keyed(t, "ES384", p384(), nil, nil), "GET", callbacksPath, ""), 401, "HKG-2401")
	})
	t.Run("PKCS #1", func(t *testing.T) {
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(rsa2048().Public().(*rsa.PublicKey))})
		newServer(t, withPublicKey(text)).must(200, keyed(t, "RS256", rsa2048(), nil, nil), "GET", callbacksPath, "")
	})
}

func TestUnusablePublicKey(t *testing.T) {
	usable := newServer(t).store
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(ed()))})
	good := publicPEM(rsa2048)
	for name, j := range map[string]bearer.Config{
		"not PEM":           {PublicKeys: [][]byte{[]byte("ssh-ed25519 AAAA")}},
		"private key":       {PublicKeys: [][]byte{private}},
		"certificate":       {PublicKeys: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})}},
		"not DER":           {PublicKeys: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")})}},
		"two keys":          {PublicKeys: [][]byte{append(good[:len(good):len(good)], publicPEM(p256)...)}},
		"short RSA":         {PublicKeys: [][]byte{publicPEM(rsa1024)}},
		"P-224":             {PublicKeys: [][]byte{publicPEM(p224)}},
		"with a secret":     {PublicKeys: [][]byte{good}, Secrets: [][]byte{secret}},
		"with a URL":        {PublicKeys: [][]byte{good}, KeySetURL: "https://idp.example/jwks"},
		"URL and secret":    {Secrets: [][]byte{secret}, KeySetURL: "https://idp.example/jwks"},
		"HS256":             {PublicKeys: [][]byte{good}, Algorithms: []string{"HS256"}},
		"RS256 and HS256":   {PublicKeys: [][]byte{good}, Algorithms: []string{"RS256", "HS256"}},
		"none":              {PublicKeys: [][]byte{good}, Algorithms: []string{"none"}},
		"ES256 with RSA":    {PublicKeys: [][]byte{good}, Algorithms: []string{"ES256"}},
		"RS256 with P-256":  {PublicKeys: [][]byte{publicPEM(p256)}, Algorithms: []string{"RS256"}},
		"ES384 with P-256":  {PublicKeys: [][]byte{publicPEM(p256)}, Algorithms: []string{"ES384"}},
		"URL and HS256":     {KeySetURL: "https://idp.example/jwks", Algorithms: []string{"HS256"}},
		"URL, RS and HS":    {KeySetURL: "https://idp.example/jwks", Algorithms: []string{"RS256", "HS256"}},
		"secret and RS256":  {Secrets: [][]byte{secret}, Algorithms: []string{"RS256"}},
		"http":              {KeySetURL: "http://idp.example/jwks"},
		"no scheme":         {KeySetURL: "idp.example/jwks"},
		"file":              {KeySetURL: "file:///etc/jwks.json"},
		"user and password": {KeySetURL: "https://user:hunter2@idp.example/jwks"},
		"negative lifetime": {Secrets: [][]byte{secret}, MaxTTL: -1},
	} {
		if _, err := admin.New(admin.Config{Store: usable, JWT: j}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestConfusion: what proves nothing where tokens are signed with a private key.
func TestConfusion(t *testing.T) {
	type verified struct {
		*server
		kid map[string]any
	}
	idp := newIssuer(t)
	idp.publish(jwk(rsa2048, "k1", nil), jwk(p256, "k2", nil), jwk(ed, "k3", nil))
	algorithms := []string{"RS256", "PS256", "ES256", "EdDSA"}
	servers := map[string]verified{
		"JWKS": {newServer(t, idp.option(algorithms...)), map[string]any{"kid": "k1"}},
		"file": {newServer(t, withPublicKey(publicPEM(rsa2048), "RS256", "PS256")), nil},
	}
	der := must(x509.MarshalPKIXPublicKey(rsa2048().Public()))
	pkcs1 := x509.MarshalPKCS1PublicKey(rsa2048().Public().(*rsa.PublicKey))
	for kind, s := range servers {
		s.must(200, keyed(t, "RS256", rsa2048(), s.kid, nil), "GET", callbacksPath, "")
		s.must(200, keyed(t, "PS256", rsa2048(), s.kid, nil), "GET", callbacksPath, "")
		requests := idp.requests()
		for name, authorization := range map[string]string{
			"HS256 with the PEM":        keyed(t, "HS256", publicPEM(rsa2048), s.kid, nil),
			"HS256 with the DER":        keyed(t, "HS256", der, s.kid, nil),
			"HS256 with the PKCS #1":    keyed(t, "HS256", pkcs1, s.kid, nil),
			"HS256 with the modulus":    keyed(t, "HS256", rsa2048().Public().(*rsa.PublicKey).N.Bytes(), s.kid, nil),
			"HS256 with the secret":     keyed(t, "HS256", secret, s.kid, nil),
			"HS256 with nothing":        keyed(t, "HS256", []byte{}, s.kid, nil),
			"HS512 with the PEM":        keyed(t, "HS512", publicPEM(rsa2048), s.kid, nil),
			"none":                      keyed(t, "none", jwt.UnsafeAllowNoneSignatureType, s.kid, nil),
			"none as RS256":             assemble(map[string]any{"alg": "RS256", "kid": "k1"}, claimsWith(nil), ""),
			"another RSA key":           keyed(t, "RS256", otherRSA(), s.kid, nil),
			"algorithm that is not in":  keyed(t, "RS512", rsa2048(), s.kid, nil),
			"ES256 as that key":         keyed(t, "ES256", p256(), map[string]any{"kid": "k1"}, nil),
			"EdDSA as that key":         keyed(t, "EdDSA", ed(), map[string]any{"kid": "k1"}, nil),
			"ES256 of zeros":            assemble(map[string]any{"alg": "ES256", "kid": "k2"}, claimsWith(nil), zeros(64)),
			"own key in jwk":            keyed(t, "RS256", otherRSA(), with(s.kid, "jwk", jwk(otherRSA, "k1", nil)), nil),
			"own key by jku":            keyed(t, "RS256", otherRSA(), with(s.kid, "jku", idp.URL+"/elsewhere"), nil),
			"own certificate by x5u":    keyed(t, "RS256", otherRSA(), with(s.kid, "x5u", idp.URL+"/elsewhere"), nil),
			"own certificate in x5c":    keyed(t, "RS256", otherRSA(), with(s.kid, "x5c", []string{"AAAA"}), nil),
			"crit":                      keyed(t, "RS256", rsa2048(), with(s.kid, "crit", []string{"b64"}), nil),
			"crit empty":                keyed(t, "RS256", rsa2048(), with(s.kid, "crit", []string{}), nil),
			"crit null":                 keyed(t, "RS256", rsa2048(), with(s.kid, "crit", nil), nil),
			"exp missing":               keyed(t, "RS256", rsa2048(), s.kid, jwt.MapClaims{"exp": nil}),
			"exp too far":               keyed(t, "RS256", rsa2048(), s.kid, jwt.MapClaims{"exp": now.AddDate(1, 0, 0).Unix()}),
			"expired":                   keyed(t, "RS256", rsa2048(), s.kid, jwt.MapClaims{"exp": now.Unix() - 31}),
			"nbf in the future":         keyed(t, "RS256", rsa2048(), s.kid, jwt.MapClaims{"nbf": now.Unix() + 31}),
			"100 KB":                    keyed(t, "RS256", rsa2048(), s.kid, jwt.MapClaims{"pad": zeros(100 << 10)}),
			"100 KB of header":          keyed(t, "RS256", rsa2048(), with(s.kid, "pad", zeros(100<<10)), nil),
			"signature of another text": swapped(keyed(t, "RS256", rsa2048(), s.kid, nil), keyed(t, "RS256", rsa2048(), s.kid, jwt.MapClaims{"roles": "viewer"})),
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				a := s.within(t).as(authorization, "GET", callbacksPath, "")
				checkProblem(t, a, 401, "HKG-2401")
				if a.Header.Get("WWW-Authenticate") == "" {
					t.Error("no WWW-Authenticate")
				}
			})
		}
		if n := idp.requests() - requests; n != 0 {
			t.Errorf("%s: %d requests were provoked", kind, n)
		}
	}
}
