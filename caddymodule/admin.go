package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/uuid"

	"github.com/hookgate/hookgate/admin"
)

func init() { caddy.RegisterModule(Admin{}) }

// Admin serves the API by which operators mint, list, rotate and revoke
// credentials, and the status paths. It belongs on a listener of its own that
// vendors cannot reach.
type Admin struct {
	// Where vendors reach the guard: the base of every webhook URL. Without it
	// webhook tokens cannot be minted.
	PublicURL string `json:"public_url,omitempty"`

	// Takes a public URL that vendors would refuse: without TLS, on another port, or
	// without a domain name.
	PublicURLInsecure bool `json:"public_url_insecure,omitempty"`

	// Which bearer tokens are accepted. Required.
	JWT *JWT `json:"jwt,omitempty"`

	// Which aggregator connections exist. Without it webhook tokens cannot be minted.
	Connections *Connections `json:"connections,omitempty"`

	api    http.Handler
	status http.Handler
}

// JWT says which bearer tokens the admin API accepts.
type JWT struct {
	// The shared secret. A placeholder, so that the secret does not stand in the
	// configuration.
	Secret string `json:"secret,omitempty"`

	// The algorithms: HS256, HS384 or HS512. Default: HS256.
	Algorithms []string `json:"algorithms,omitempty"`

	// What the iss and aud claims must be. Not checked by default.
	Issuer   string `json:"issuer,omitempty"`
	Audience string `json:"audience,omitempty"`

	// The claims that name the tenant. Default: tenant_id and tenantId.
	TenantClaims []string `json:"tenant_claims,omitempty"`

	// The claims that hold the roles. Default: roles and role.
	RolesClaims []string `json:"roles_claims,omitempty"`

	// The role of a token without one: none, viewer or admin. Default: none.
	DefaultRole string `json:"default_role,omitempty"`

	// The tenant of a token that names none. By default such a token is refused.
	DefaultTenant string `json:"default_tenant,omitempty"`
}

// Connections says which aggregator connections exist: any, or those listed.
type Connections struct {
	Any    bool     `json:"any,omitempty"`
	Static []string `json:"static,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.hookgate_admin", New: func() caddy.Module { return new(Admin) }}
}

// Provision builds the API.
func (a *Admin) Provision(ctx caddy.Context) error {
	app, err := configuredApp(ctx)
	if err != nil {
		return err
	}
	config := admin.Config{Store: app.store, Now: time.Now, Logger: ctx.Slogger(), Observe: observeAdmin}
	if config.JWT, err = a.jwt(); err != nil {
		return err
	}
	if a.PublicURL != "" {
		url, err := resolve("public_url", a.PublicURL)
		if err != nil {
			return err
		}
		if config.PublicURL, err = admin.ParsePublicURL(url, a.PublicURLInsecure); err != nil {
			return fmt.Errorf("hookgate_admin: public_url: %w", err)
		}
	}
	if c := a.Connections; c != nil {
		if c.Any == (len(c.Static) > 0) {
			return errors.New("hookgate_admin: connections takes either any or a list")
		}
		config.Connections = admin.StaticConnections(c.Static)
		if c.Any {
			config.Connections = admin.AnyConnection{}
		}
	}
	if a.api, err = admin.New(config); err != nil {
		return fmt.Errorf("hookgate_admin: %w", err)
	}
	a.status = newStatus(ctx, app)
	return nil
}

func (a *Admin) jwt() (admin.JWT, error) {
	if a.JWT == nil {
		return admin.JWT{}, errors.New("hookgate_admin: jwt is missing; nobody could sign in")
	}
	secret, err := resolve("jwt secret", a.JWT.Secret)
	if err != nil {
		return admin.JWT{}, err
	}
	config := admin.JWT{
		Secret:       []byte(secret),
		Algorithms:   a.JWT.Algorithms,
		Issuer:       a.JWT.Issuer,
		Audience:     a.JWT.Audience,
		TenantClaims: a.JWT.TenantClaims,
		RolesClaims:  a.JWT.RolesClaims,
		DefaultRole:  admin.Role(a.JWT.DefaultRole),
	}
	if a.JWT.DefaultTenant != "" {
		if config.DefaultTenant, err = uuid.Parse(a.JWT.DefaultTenant); err != nil || config.DefaultTenant == uuid.Nil {
			return admin.JWT{}, errors.New("hookgate_admin: default_tenant must be a UUID")
		}
	}
	return config, nil
}

func observeAdmin(operation string, status int) {
	adminRequests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if admin.IsStatusPath(r.URL.Path) {
		a.status.ServeHTTP(w, r)
	} else {
		a.api.ServeHTTP(w, r)
	}
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Admin)(nil)
	_ caddyhttp.MiddlewareHandler = (*Admin)(nil)
)
