package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"

	"github.com/hookgate/hookgate/internal/process"
)

//go:embed config
var configs embed.FS

const (
	// patience is how long a server may take to listen.
	patience = 20 * time.Second

	// What the set-ups without a store of ours let in. Its checksum is right, as that of
	// our tokens is, so that all check the same bytes.
	peerToken = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"
)

// rig is every process that a run has started, and the directory that they share.
type rig struct {
	root string // of the repository
	dir  string

	hookgate string // the binary under test, where it is not to be built
	other    string // one to compare it with
	profiled bool   // our set-ups have an admin endpoint, to take profiles from

	// credentials that our set-ups have besides the one that is used.
	credentials, otherCredentials int
	built                         map[string]string
	upstream                      string // host:port

	auth *authService
	ends []func()
}

// newRig returns a rig for the checkout in the current directory.
func newRig() (*rig, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hookgate-bench")
	if err != nil {
		return nil, err
	}
	// nginx' workers give up root.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	r := &rig{root: root, dir: dir, built: make(map[string]string)}
	for _, script := range []string{"accepted.lua", "refused.lua", "signed.lua"} {
		text, err := configs.ReadFile("config/" + script)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, script), text, 0o644); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// startRig returns a rig with its upstream running. The binary under test is built where none
// is given.
func startRig(ctx context.Context, hookgate string) (*rig, error) {
	r, err := newRig()
	if err != nil {
		return nil, err
	}
	r.hookgate = hookgate
	if err := r.startUpstream(ctx); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// end ends every process, the newest first.
func (r *rig) end() {
	for len(r.ends) > 0 {
		last := len(r.ends) - 1
		r.ends[last]()
		r.ends = r.ends[:last]
	}
	os.RemoveAll(r.dir)
}

// start runs a server, and returns when it listens at addr.
func (r *rig) start(name, addr string, argv ...string) (*process.Process, error) {
	output := filepath.Join(r.dir, name+".log")
	file, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.dir, file, file
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+r.dir, "XDG_CONFIG_HOME="+r.dir)
	endOrderly(cmd)
	p, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	r.ends = append(r.ends, func() { stop(p) })
	if err := p.Await(patience, func() bool { return listens(addr) }); err != nil {
		text, _ := os.ReadFile(output)
		return nil, fmt.Errorf("%s: %w\n%s", name, err, text[max(0, len(text)-2000):])
	}
	return p, nil
}

// stop ends a server in such a way that it ends its own children: a killed nginx leaves
// its workers behind.
func stop(p *process.Process) {
	p.Signal(syscall.SIGTERM)
	if !p.Wait(patience) {
		p.Kill()
	}
}

func listens(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// write renders one of the configurations to a file of the rig.
func (r *rig) write(config, name string, values any) (string, error) {
	t, err := template.ParseFS(configs, "config/"+config)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, values); err != nil {
		return "", err
	}
	path := filepath.Join(r.dir, name)
	return path, os.WriteFile(path, text.Bytes(), 0o644)
}

// goBuild builds a program that is not under test, once.
func (r *rig) goBuild(ctx context.Context, name, dir string) (string, error) {
	return r.build(name, func(path string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "nobadger,nomysql,nopgx", "-ldflags", "-s -w", "-o", path, ".")
		cmd.Dir = filepath.Join(r.root, dir)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		return cmd
	})
}

// buildHookgate builds hookgate as the Makefile does, unless there is a ready one.
func buildHookgate(ctx context.Context, r *rig) (string, error) {
	if r.hookgate != "" {
		return filepath.Abs(r.hookgate)
	}
	return r.build("hookgate", func(path string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "build", "BIN="+path)
		cmd.Dir = r.root
		return cmd
	})
}

func (r *rig) build(name string, command func(path string) *exec.Cmd) (string, error) {
	if path, ok := r.built[name]; ok {
		return path, nil
	}
	path := filepath.Join(r.root, "bin", "bench", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if output, err := command(path).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, output)
	}
	r.built[name] = path
	return path, nil
}

func (r *rig) startUpstream(ctx context.Context) error {
	path, err := r.goBuild(ctx, "upstream", "bench/upstream")
	if err != nil {
		return err
	}
	r.upstream = loopback(freePort())
	_, err = r.start("upstream", r.upstream, path, "-listen", r.upstream)
	return err
}

// startRedis runs a redis-server that keeps nothing.
func (r *rig) startRedis(name string) (addr string, p *process.Process, err error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", nil, missing("redis-server")
	}
	port := freePort()
	addr = loopback(port)
	p, err = r.start(name, addr, path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", r.dir)
	return addr, p, err
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort returns a port that nobody listens on, or 0.
func freePort() int {
	port, _ := process.FreePort()
	return port
}
