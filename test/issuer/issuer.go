// Package issuer is an OpenID provider for tests, made with the library of one that people
// run: it has a login page, codes with PKCE, and the device flow.
package issuer

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// What an issuer has of Hookgate, and of somebody who signs in there.
const (
	ClientSecret = "client-secret-canary"
	Username     = "test-user@localhost"
	Password     = "verysecure"
	Subject      = "id1"
)

// Issuer is one that runs.
type Issuer struct {
	*httptest.Server
	ClientID string // what it knows Hookgate by
	storage  *claiming
}

// clients serialises what is registered in the library's one table of clients, in which
// each issuer has a name of its own.
var clients sync.Mutex

// Start starts an issuer that sends browsers back to these addresses.
func Start(callbacks ...string) (*Issuer, error) {
	clients.Lock()
	defer clients.Unlock()
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	id := "console-" + server.Listener.Addr().String()
	storage.RegisterClients(storage.WebClient(id, ClientSecret, callbacks...))
	s := &claiming{Storage: storage.NewStorage(storage.NewUserStore("http://localhost")), claims: map[string]any{}}
	config := &op.Config{
		CodeMethodS256: true, AuthMethodPost: true,
		DeviceAuthorization: op.DeviceAuthorizationConfig{Lifetime: time.Minute, PollInterval: time.Second, UserFormPath: "/device", UserCode: op.UserCodeBase20},
	}
	rand.Read(config.CryptoKey[:])
	provider, err := op.NewProvider(config, s, op.StaticIssuer(url), op.WithAllowInsecure())
	if err != nil {
		server.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	interceptor := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	mux.Handle("/login/username", interceptor.HandlerFunc(login(s, op.AuthCallbackURL(provider))))
	server.Config.Handler = mux
	server.Start()
	return &Issuer{server, id, s}, nil
}

// Claim adds claims to every id token from now on.
func (i *Issuer) Claim(claims map[string]any) {
	i.storage.mu.Lock()
	defer i.storage.mu.Unlock()
	i.storage.claims = maps.Clone(claims)
}

// Approve does what somebody does who types the code of a device.
func (i *Issuer) Approve(ctx context.Context, userCode string) error {
	return i.storage.CompleteDeviceAuthorization(ctx, userCode, Subject)
}

// Deny is Approve for somebody who does not know the device.
func (i *Issuer) Deny(ctx context.Context, userCode string) error {
	return i.storage.DenyDeviceAuthorization(ctx, userCode)
}

// claiming is the library's storage with claims of our own.
type claiming struct {
	*storage.Storage
	mu     sync.Mutex
	claims map[string]any
}

func (s *claiming) SetUserinfoFromRequest(ctx context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	if err := s.Storage.SetUserinfoFromRequest(ctx, info, request, scopes); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, value := range s.claims {
		info.AppendClaims(name, value)
	}
	return nil
}

// GetClientByClientID lets the one client use the device flow, too.
func (s *claiming) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	client, err := s.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return everyGrant{client}, nil
}

type everyGrant struct{ op.Client }

func (c everyGrant) GrantTypes() []oidc.GrantType {
	return slices.Concat(c.Client.GrantTypes(), []oidc.GrantType{oidc.GrantTypeDeviceCode})
}

func (everyGrant) LoginURL(id string) string { return "/login/username?authRequestID=" + id }

const loginPage = `<!doctype html><title>Sign in</title><form method="post">
<input id="username" name="username"><input id="password" name="password" type="password"><button id="go">Sign in</button></form>`

func login(s *claiming, callback func(context.Context, string) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, loginPage)
			return
		}
		id := r.FormValue("authRequestID")
		if err := s.CheckUsernamePassword(r.FormValue("username"), r.FormValue("password"), id); err != nil {
			http.Error(w, "wrong name or password", http.StatusForbidden)
			return
		}
		http.Redirect(w, r, callback(r.Context(), id), http.StatusFound)
	}
}
