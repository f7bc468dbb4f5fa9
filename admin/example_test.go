package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hookgate/hookgate/admin"
	"github.com/hookgate/hookgate/admin/bearer"
	"github.com/hookgate/hookgate/store"
)

// The API is an http.Handler on a store: any server can mount it.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "hookgate")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	credentials, err := store.New(store.Config{EmbeddedDir: dir, Namespace: "hookgate"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := credentials.Start(store.Tuning{}); err != nil {
		fmt.Println(err)
		return
	}
	defer credentials.Destruct()

	secret := []byte("0123456789abcdef0123456789abcdef")
	api, err := admin.New(admin.Config{Store: credentials, JWT: bearer.Config{Secrets: [][]byte{secret}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer api.Close()
	server := httptest.NewServer(api)
	defer server.Close()

	operator, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "example", "tenant_id": "11111111-1111-4111-8111-111111111111", "role": "admin", "exp": time.Now().Add(time.Minute).Unix(),
	}).SignedString(secret)
	if err != nil {
		fmt.Println(err)
		return
	}
	request, err := http.NewRequest("POST", server.URL+"/v1/credentials", strings.NewReader(`{"kind": "callback", "label": "JIRA"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+operator)
	request.Header.Set("Content-Type", "application/json")
	answer, err := server.Client().Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	var minted struct{ Kind, Label, Status, Token string }
	if err := json.NewDecoder(answer.Body).Decode(&minted); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Status)
	fmt.Println(minted.Kind, minted.Label, minted.Status, minted.Token[:4])
	// Output:
	// 201 Created
	// callback JIRA active mcb_
}
