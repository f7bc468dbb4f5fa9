package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/redis/go-redis/v9"

	"github.com/hookgate/hookgate/bench/dataset"
	"github.com/hookgate/hookgate/credential"
	"github.com/hookgate/hookgate/internal/process"
)

// setup is one way to let webhooks in, ready to be measured.
type setup struct {
	name  string
	url   string // where it takes webhooks
	token string // that it lets in
	// processes are those that the set-up consists of. The upstream and wrk are none.
	processes []*process.Process
	signing   *signing // of the requests, where they have a proof

	// Of those of ours: addresses, and the file of the configuration.
	redis, status, admin, config string
}

// blueprint is a set-up that can be started.
type blueprint struct {
	name  string
	about string
	start func(context.Context, *rig) (*setup, error)
}

// Names of set-ups that bars compare.
const (
	bare        = "caddy"
	ours        = "hookgate"
	oursReverse = "hookgate-reverse_proxy"
	oursOther   = "hookgate-other"
	forwardAuth = "caddy-forward_auth"
	authRequest = "nginx-auth_request"
	nginxLua    = "nginx-lua"
	oursTraced  = "hookgate-traced"
	oursTenth   = "hookgate-traced-tenth"
	oursSigned  = "hookgate-signed"
	oursProof   = "hookgate-proof"
	oursReplay  = "hookgate-replay"
	oursIngress = "hookgate-ingress"
)

var blueprints = []blueprint{
	{bare, "stock Caddy, `reverse_proxy` alone: no authentication", startCaddy},
	{ours, "the guard and `hookgate_proxy`", hookgateWith(ours, "hookgate_proxy", buildHookgate)},
	{oursReverse, "the guard and Caddy's `reverse_proxy`", hookgateWith(oursReverse, "reverse_proxy", buildHookgate)},
	{oursTraced, "the same as `hookgate`, with a trace of every request", tracedHookgate(nil)},
	{oursTenth, "the same, with a trace of every tenth request", tracedHookgate([]string{"OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.1"})},
	{oursSigned, "the same as `hookgate`; its requests have a proof, at which it does not look", signedHookgate(signing{})},
	{oursProof, "the same, and the proof is verified: HMAC-SHA256 with a timestamp, `verify standard-webhooks`", signedHookgate(signing{Verify: true})},
	{oursReplay, "the same with `replay 10m`, a new id in every request", signedHookgate(signing{Verify: true, Replay: "10m"})},
	{oursIngress, "the same as `hookgate`, behind a trusted proxy that names the client, and with an access log, as in `deploy/`", hookgateWith(oursIngress, "hookgate_proxy", buildHookgate)},
	{oursOther, "another binary of hookgate, of an older state say", hookgateWith(oursOther, "hookgate_proxy", otherBinary)},
	{authRequest, "nginx `auth_request` to a small Go service: SHA-256, Redis `GET`", startAuthRequest},
	{forwardAuth, "stock Caddy `forward_auth` to the same service", startForwardAuth},
	{nginxLua, "nginx with a shared dict of digests, checked in Lua", startNginxLua},
	{"haproxy", "HAProxy with a map of digests", startHAProxy},
}

// missing is a peer that is not on this machine.
type missing string

func (m missing) Error() string { return string(m) + " is not on this machine" }

// site is what the configurations are made of.
type site struct {
	Dir, Upstream, Auth, Redis, Terminal, Modules, Token, Tenant, Digest, Admin string

	Port, Status int
	Tracing      bool
	Ingress      bool
	Signing      *signing
}

func (r *rig) site() site {
	return site{
		Dir: r.dir, Upstream: r.upstream, Port: freePort(), Admin: "off",
		Token: peerToken, Tenant: dataset.Tenant, Digest: credential.DigestToken(peerToken).String(),
	}
}

// serve runs a server with one of the configurations. It is started with argv and the
// path of its configuration.
func (r *rig) serve(name, config string, s site, argv ...string) (*setup, error) {
	path, err := r.write(config, name+".conf", s)
	if err != nil {
		return nil, err
	}
	addr := loopback(s.Port)
	p, err := r.start(name, addr, append(argv, path)...)
	if err != nil {
		return nil, err
	}
	return &setup{name: name, url: "http://" + addr, token: s.Token, config: path, processes: []*process.Process{p}}, nil
}

func startCaddy(ctx context.Context, r *rig) (*setup, error) {
	path, err := r.goBuild(ctx, "stockcaddy", "bench/stockcaddy")
	if err != nil {
		return nil, err
	}
	return r.serve(bare, "caddy.caddyfile", r.site(), path, "run", "--adapter", "caddyfile", "--config")
}

func otherBinary(_ context.Context, r *rig) (string, error) {
	if r.other != "" {
		return filepath.Abs(r.other)
	}
	return "", missing("another binary of hookgate (-other)")
}

// hookgateWith returns how to start hookgate with one of the proxies behind the guard.
func hookgateWith(name, terminal string, binary func(context.Context, *rig) (string, error)) func(context.Context, *rig) (*setup, error) {
	return func(ctx context.Context, r *rig) (*setup, error) {
		path, err := binary(ctx, r)
		if err != nil {
			return nil, err
		}
		credentials := r.credentials
		if name == oursOther {
			credentials = r.otherCredentials
		}
		return r.startHookgate(ctx, name, []string{path}, terminal, credentials)
	}
}

// tracedHookgate returns how to start hookgate with traces, which go to a collector in this
// process: what they cost there counts for nobody.
func tracedHookgate(sampling []string) func(context.Context, *rig) (*setup, error) {
	return func(ctx context.Context, r *rig) (*setup, error) {
		path, err := buildHookgate(ctx, r)
		if err != nil {
			return nil, err
		}
		collector, err := r.startCollector()
		if err != nil {
			return nil, err
		}
		command := append([]string{"env", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + collector}, sampling...)
		return r.startHookgate(ctx, fmt.Sprintf("traced-%d", len(sampling)), append(command, path), "hookgate_proxy", r.credentials)
	}
}

// startCollector takes traces until the rig ends.
func (r *rig) startCollector() (address string, err error) {
	listener, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
	})}
	go server.Serve(listener)
	r.ends = append(r.ends, func() { server.Close() })
	return listener.Addr().String(), nil
}

// startHookgate runs hookgate on a Redis of its own with so many credentials besides the
// one that is used.
func (r *rig) startHookgate(ctx context.Context, name string, command []string, terminal string, credentials int) (*setup, error) {
	return r.startHookgateFor(ctx, nil, name, command, terminal, credentials)
}

// startHookgateFor runs one whose senders sign, unless signing is nil.
func (r *rig) startHookgateFor(ctx context.Context, signing *signing, name string, command []string, terminal string, credentials int) (*setup, error) {
	redisAddr, redisServer, err := r.startRedis(name + "-redis")
	if err != nil {
		return nil, err
	}
	s := r.site()
	s.Signing, s.Ingress = signing, name == oursIngress
	if s.Token, err = dataset.Mint(ctx, redisAddr, signing.Vendor()); err != nil {
		return nil, err
	}
	if err := dataset.Copy(ctx, redisAddr, dataset.Random(credentials)); err != nil {
		return nil, err
	}
	s.Redis, s.Terminal, s.Status = redisAddr, terminal, freePort()
	if r.profiled {
		s.Admin = loopback(freePort())
	}
	s.Tracing = len(command) > 1
	up, err := r.serve(name, "hookgate.caddyfile", s, append(command, "run", "--adapter", "caddyfile", "--config")...)
	if err != nil {
		return nil, err
	}
	up.processes = append(up.processes, redisServer)
	up.redis, up.status, up.admin = redisAddr, loopback(s.Status), s.Admin
	up.signing = signing
	if err := up.processes[0].Await(patience, func() bool { return answers("http://" + up.status + "/readyz") }); err != nil {
		return nil, err
	}
	// What was written past the store must count as it does.
	found, err := up.metric(ctx, `hookgate_keyring_credentials{kind="callback"}`)
	if err == nil && int(found) != credentials+1 {
		err = fmt.Errorf("the keyring has %v credentials instead of %d", found, credentials+1)
	}
	return up, err
}

// authService is the service behind forward_auth and auth_request. They share it, for
// only one of them is measured at a time.
type authService struct {
	addr      string
	processes []*process.Process
}

func (r *rig) startAuthService(ctx context.Context) (*authService, error) {
	if r.auth != nil {
		return r.auth, nil
	}
	path, err := r.goBuild(ctx, "authservice", "bench/authservice")
	if err != nil {
		return nil, err
	}
	redisAddr, redisServer, err := r.startRedis("authservice-redis")
	if err != nil {
		return nil, err
	}
	rdb := redis.NewClient(&redis.Options{Addr: redisAddr})
	defer rdb.Close()
	if err := rdb.Set(ctx, "token:"+credential.DigestToken(peerToken).String(), dataset.Tenant, 0).Err(); err != nil {
		return nil, err
	}
	addr := loopback(freePort())
	p, err := r.start("authservice", addr, path, "-listen", addr, "-redis", redisAddr)
	if err != nil {
		return nil, err
	}
	r.auth = &authService{addr: addr, processes: []*process.Process{p, redisServer}}
	return r.auth, nil
}

func startForwardAuth(ctx context.Context, r *rig) (*setup, error) {
	path, err := r.goBuild(ctx, "stockcaddy", "bench/stockcaddy")
	if err != nil {
		return nil, err
	}
	return r.serveWithAuth(ctx, forwardAuth, "forward_auth.caddyfile", path, "run", "--adapter", "caddyfile", "--config")
}

func startAuthRequest(ctx context.Context, r *rig) (*setup, error) {
	if _, err := exec.LookPath("nginx"); err != nil {
		return nil, missing("nginx")
	}
	return r.serveWithAuth(ctx, authRequest, "nginx_auth_request.conf", "nginx", "-p", r.dir, "-c")
}

func (r *rig) serveWithAuth(ctx context.Context, name, config string, argv ...string) (*setup, error) {
	auth, err := r.startAuthService(ctx)
	if err != nil {
		return nil, err
	}
	s := r.site()
	s.Auth = auth.addr
	up, err := r.serve(name, config, s, argv...)
	if err != nil {
		return nil, err
	}
	up.processes = append(up.processes, auth.processes...)
	return up, nil
}

// nginxModules is where Debian has nginx' dynamic modules.
const nginxModules = "/usr/lib/nginx/modules"

func startNginxLua(_ context.Context, r *rig) (*setup, error) {
	if _, err := exec.LookPath("nginx"); err != nil {
		return nil, missing("nginx")
	}
	if _, err := os.Stat(nginxModules + "/ngx_http_lua_module.so"); err != nil {
		return nil, missing("nginx' Lua module")
	}
	s := r.site()
	s.Modules = nginxModules
	return r.serve("nginx-lua", "nginx_lua.conf", s, "nginx", "-p", r.dir, "-c")
}

func startHAProxy(_ context.Context, r *rig) (*setup, error) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		return nil, missing("haproxy")
	}
	s := r.site()
	if err := os.WriteFile(filepath.Join(r.dir, "tokens.map"), []byte(s.Digest+" "+s.Tenant+"\n"), 0o644); err != nil {
		return nil, err
	}
	return r.serve("haproxy", "haproxy.cfg", s, "haproxy", "-db", "-f")
}
