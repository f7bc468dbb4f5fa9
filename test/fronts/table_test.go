package fronts

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// front is a proxy as the page shows it, and what is its own way of doing things.
type front struct {
	name  string // also of its snippet
	title string // of its row on the page
	wraps string // the block of Hookgate's side; "": hookgate

	frame   string      // what the snippet is put into, in testdata
	pairs   [][2]string // what is replaced in the snippet: HTTP, HTTPS, GATE and STATUS are ports
	further string      // lines of a test's own behind the snippet
	command func(*testing.T, *proxy) *exec.Cmd

	tls             bool // it ends TLS, and redirects from port 80
	h2              bool // it takes HTTP/2 from vendors
	foreignHost     bool // it sends another Host than the vendor's
	checks          bool // it asks /readyz
	readyzOfVendors bool // and that on the port of the vendors

	tooLarge  int      // the status of 24 KiB of headers
	noLength  int      // its answer to a POST without Content-Length; 0: it is passed on
	typed     int      // ours, where it passes one on that has a Content-Type; 0: it is taken
	nominated int      // its answer to a Connection header that names others; 0: it is passed on
	joins     bool     // it makes one header of two with the same name
	merges    bool     // it makes / of // at the beginning of a path
	resends   []string // the requests of TestSentOnce that it sends twice over a connection that was used before
}

func (f front) side() string { return cmp.Or(f.wraps, "hookgate") }

// What is replaced to listen elsewhere than on 80 and 443 of all addresses.
var (
	ofNginx   = [][2]string{{"listen 80;", "listen 127.0.0.1:HTTP;"}, {"/var/log/nginx/error.log", "stderr"}, {"listen 443 ", "listen 127.0.0.1:HTTPS "}}
	ofHAProxy = [][2]string{{"bind :80", "bind 127.0.0.1:HTTP"}, {"bind :443", "bind 127.0.0.1:HTTPS"}, {"port 9090", "port STATUS"}}
	ofCaddy   = [][2]string{
		{"health_port 9090", "health_port STATUS"},
		{"\tlog default", "\tadmin off\n\tpersist_config off\n\thttp_port HTTP\n\thttps_port HTTPS\n\tdefault_bind 127.0.0.1\n\tlog default"},
	}
)

var fronts = []front{
	{
		name: "nginx", title: "nginx", frame: "nginx.conf", pairs: ofNginx, command: nginx,
		tls: true, h2: true, tooLarge: 400,
	},
	{
		name: "nginx-default", title: "nginx, HTTP/1.0", frame: "nginx.conf", pairs: ofNginx[:2], command: nginx,
		foreignHost: true, tooLarge: 400, typed: 400,
	},
	{
		name: "haproxy", title: "HAProxy", frame: "haproxy.cfg", pairs: ofHAProxy, command: haproxy,
		tls: true, h2: true, checks: true, tooLarge: 400,
	},
	{
		name: "haproxy-proxy-protocol", title: "HAProxy, PROXY protocol", frame: "haproxy.cfg", pairs: ofHAProxy, command: haproxy,
		wraps: "hookgate-proxy-protocol",
		tls:   true, h2: true, checks: true, tooLarge: 400,
	},
	{
		name: "apache", title: "Apache httpd", frame: "apache.conf", pairs: [][2]string{{"*:80>", "127.0.0.1:HTTP>"}, {"*:443>", "127.0.0.1:HTTPS>"}}, command: apache,
		tls: true, checks: true, readyzOfVendors: true, tooLarge: 400, joins: true, merges: true,
	},
	{
		name: "varnish", title: "Varnish", frame: "varnish.vcl", pairs: [][2]string{{`"hookgate";`, `"127.0.0.1";`}, {`"8080"`, `"GATE"`}}, command: varnish,
		checks: true, readyzOfVendors: true, tooLarge: 400, nominated: 400, resends: []string{"without a body", "with a key, without a body"},
	},
	{
		name: "lighttpd", title: "lighttpd", frame: "lighttpd.conf", pairs: [][2]string{{`"hookgate"`, `"127.0.0.1"`}, {"8080 ", "GATE "}}, command: lighttpd,
		tooLarge: 431, noLength: 411, joins: true,
	},
	{
		name: "squid", title: "Squid", frame: "squid.conf", command: squid,
		pairs:    [][2]string{{"http_port 80 ", "http_port 127.0.0.1:HTTP "}, {"cache_peer hookgate parent 8080", "cache_peer 127.0.0.1 parent GATE"}},
		tooLarge: 431,
	},
	{
		name: "caddy", title: "Caddy", frame: "caddy.caddyfile", pairs: ofCaddy, command: caddy,
		tls: true, h2: true, checks: true, tooLarge: 431, resends: []string{"with a key, without a body"},
	},
	{
		name: "node", title: "Node, http-proxy", frame: "node.js", pairs: [][2]string{{"listen(80)", "listen(HTTP, '127.0.0.1')"}}, command: node,
		tooLarge: 431, joins: true, merges: true,
	},
}

// named returns the front of that name.
func named(t *testing.T, name string) front {
	t.Helper()
	for _, f := range fronts {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("there is no front %s", name)
	return front{}
}

func nginx(t *testing.T, p *proxy) *exec.Cmd {
	return exec.Command(program(t, "nginx"), "-p", p.Dir, "-c", p.conf, "-e", "stderr")
}

func haproxy(t *testing.T, p *proxy) *exec.Cmd {
	return exec.Command(program(t, "haproxy"), "-db", "-f", p.conf)
}

func apache(t *testing.T, p *proxy) *exec.Cmd {
	return exec.Command(program(t, "apache2"), "-X", "-d", p.Dir, "-f", p.conf)
}

func varnish(t *testing.T, p *proxy) *exec.Cmd {
	args := strings.Fields(strings.NewReplacer(":80", p.addr, "/etc/varnish/hooks.vcl", p.conf).Replace(snippet(t, "varnish-arguments")))
	return exec.Command(program(t, args[0]), append([]string{"-F", "-j", "none", "-T", "none", "-n", filepath.Join(p.Dir, "work")}, args[1:]...)...)
}

func lighttpd(t *testing.T, p *proxy) *exec.Cmd {
	return exec.Command(program(t, "lighttpd"), "-D", "-f", p.conf)
}

func squid(t *testing.T, p *proxy) *exec.Cmd {
	return exec.Command(program(t, "squid"), "-N", "-f", p.conf)
}

func node(t *testing.T, p *proxy) *exec.Cmd {
	cmd := exec.Command(program(t, "node"), p.conf)
	cmd.Env = append(os.Environ(), "NODE_PATH="+tool(t, "node_modules"))
	return cmd
}

func caddy(t *testing.T, p *proxy) *exec.Cmd {
	cmd := exec.Command(tool(t, "stockcaddy"), "run", "--config", p.conf, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), hookgatetest.Home(p.Dir)...)
	return cmd
}
