package hookgatetest

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// SecretEnv is where a Caddyfile of the tests has the secret of operators' tokens
	// from.
	SecretEnv = "HOOKGATE_TEST_SECRET"
	// JWTSecret signs operators' tokens.
	JWTSecret = "0123456789abcdef0123456789abcdef-test"
)

// OperatorToken returns the token of an operator called "test".
func OperatorToken(t testing.TB, tenant, role string) string {
	t.Helper()
	return SignJWT(t, jwt.MapClaims{"tenant_id": tenant, "roles": []string{role}, "sub": "test"})
}

// SignJWT signs claims with JWTSecret. They hold for an hour unless they say otherwise.
func SignJWT(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	if _, given := claims["exp"]; !given {
		claims["exp"] = time.Now().Add(time.Hour).Unix()
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(JWTSecret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}
