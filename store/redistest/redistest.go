// Package redistest runs real redis-server processes for tests: on loopback, on a
// port of their own, in a temporary directory, ended by their process id.
package redistest

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hookgate/hookgate/internal/process"
)

// RequireEnv, set to 1, makes a missing redis-server fail the test instead of
// skipping it.
const RequireEnv = "HOOKGATE_REQUIRE_REDIS"

// ServerEnv names the program to run, of whatever member of the Redis family, in place
// of the redis-server of the path.
const ServerEnv = "HOOKGATE_REDIS_SERVER"

// startTimeout bounds how long a server may take to answer. It is generous: test
// machines are busy, and nothing waits that long unless the server is broken.
const startTimeout = 20 * time.Second

// Server is one redis-server process, and the same one again after Restart.
type Server struct {
	t        testing.TB
	path     string
	dir      string
	port     int
	args     []string
	password string
	secure   *Certificates // it takes TLS connections only
	sentinel bool
	master   string // that it is a replica of: host and port

	process *process.Process // nil while it is not running
}

// Option changes how the server is run.
type Option func(*Server)

// WithAOF makes the server keep its data over Stop, Kill and Restart. With everysec a kill
// loses what was written while the disk was slow.
func WithAOF() Option { return WithArgs("--appendonly", "yes", "--appendfsync", "always") }

// WithArgs adds arguments to the command line, such as "--requirepass", "secret".
func WithArgs(args ...string) Option {
	return func(s *Server) { s.args = append(s.args, args...) }
}

// WithPassword makes the server ask for a password.
func WithPassword(password string) Option {
	return func(s *Server) {
		s.password = password
		s.args = append(s.args, "--requirepass", password)
	}
}

// WithSocket makes the server listen on a unix socket, too.
func WithSocket() Option {
	return func(s *Server) { s.args = append(s.args, "--unixsocket", s.Socket()) }
}

// ReplicaOf makes the server a replica of the one at host:port.
func ReplicaOf(addr string) Option {
	return func(s *Server) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			s.t.Fatal(err)
		}
		s.master = host + " " + port
	}
}

// Promote makes a replica a master, with whatever it has.
func (s *Server) Promote() {
	s.t.Helper()
	s.master = ""
	if err := s.Client().ReplicaOf(context.Background(), "NO", "ONE").Err(); err != nil {
		s.t.Fatal(err)
	}
}

// Start runs a server until the test ends, and returns when it answers.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := prepare(t)
	for _, option := range options {
		option(s)
	}
	s.start()
	return s
}

func prepare(t testing.TB) *Server {
	t.Helper()
	path, err := exec.LookPath(cmp.Or(os.Getenv(ServerEnv), "redis-server"))
	if err != nil {
		if os.Getenv(RequireEnv) == "1" {
			t.Fatalf("redis-server is required (%s=1) and missing: %v", RequireEnv, err)
		}
		t.Skip("redis-server is not installed")
	}
	return &Server{t: t, path: path, dir: t.TempDir()}
}

func (s *Server) start() {
	s.t.Helper()
	s.t.Cleanup(func() {
		s.Kill()
		if s.t.Failed() {
			text := s.log()
			s.t.Logf("redis-server at %s:\n%s", s.Addr(), text[max(0, len(text)-2000):])
		}
	})
	var err error
	// Between finding a free port and using it another process may take it.
	for range 5 {
		s.port = freePort(s.t)
		if err = s.run(); err == nil {
			return
		}
	}
	s.t.Fatalf("start redis-server: %v\n%s", err, s.log())
}

// Addr returns host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the server's redis:// or rediss:// address.
func (s *Server) URL() string {
	if s.secure != nil {
		return "rediss://" + s.Addr()
	}
	return "redis://" + s.Addr()
}

// Socket returns the path of the unix socket that WithSocket makes. It is short
// enough for any system.
func (s *Server) Socket() string { return filepath.Join(s.dir, "s") }

// Dir returns the server's working directory.
func (s *Server) Dir() string { return s.dir }

// PID returns the process id, or 0 while the server is not running.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.PID()
}

// Client returns a client of the test's own, closed when the test ends.
func (s *Server) Client() *redis.Client {
	rdb := redis.NewClient(&redis.Options{
		Addr: s.Addr(), Password: s.password, TLSConfig: s.secure.client(),
		MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	s.t.Cleanup(func() { rdb.Close() })
	return rdb
}

// Stop ends the server as an operator would, with SIGTERM, and waits for its end.
// Without WithAOF its data is gone.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the server with SIGKILL and waits for its end.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Restart starts the server again on the same port and directory, after stopping
// it where it still runs.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if err := s.run(); err != nil {
		s.t.Fatalf("restart redis-server: %v\n%s", err, s.log())
	}
}

// RestartLoading restarts the server and returns when it answers at all, while it may
// still be loading its data. The arguments are for this time only.
func (s *Server) RestartLoading(args ...string) {
	s.t.Helper()
	s.Stop()
	if err := s.launch(args...); err != nil {
		s.t.Fatalf("restart redis-server: %v", err)
	}
	if err := s.process.Await(startTimeout, func() bool { _, err := s.ping(); return err == nil }); err != nil {
		s.t.Fatalf("restart redis-server: %v\n%s", err, s.log())
	}
}

// Suspend freezes the server: connections stay open and nothing is answered.
func (s *Server) Suspend() { s.signal(syscall.SIGSTOP) }

// Resume undoes Suspend.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if s.process == nil {
		s.t.Fatal("redis-server is not running")
	}
	s.process.Signal(sig)
}

func (s *Server) end(sig syscall.Signal) {
	if s.process == nil {
		return
	}
	s.process.Signal(syscall.SIGCONT) // a suspended process takes no SIGTERM
	s.process.Signal(sig)
	if !s.process.Wait(startTimeout) {
		s.process.Kill()
	}
	s.process = nil
}

// run starts the process and waits until it answers.
func (s *Server) run() error {
	if err := s.launch(); err != nil {
		return err
	}
	err := s.process.Await(startTimeout, func() bool {
		answer, err := s.ping()
		return err == nil && !strings.HasPrefix(answer, "-LOADING")
	})
	if err != nil {
		s.Kill()
	}
	return err
}

func (s *Server) launch(args ...string) error {
	logFile, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer logFile.Close()
	cmd := exec.Command(s.path, append(s.arguments(), args...)...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	s.process, err = process.Start(cmd)
	return err
}

func (s *Server) arguments() []string {
	port, securePort := strconv.Itoa(s.port), "0"
	if s.secure != nil {
		port, securePort = securePort, port
	}
	args := []string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir}
	if s.sentinel {
		return append([]string{s.sentinelConfig(), "--sentinel"}, args...)
	}
	args = append(args, "--save", "", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--repl-timeout", "5")
	if s.secure != nil {
		args = append(args, "--tls-port", securePort, "--tls-auth-clients", "yes",
			"--tls-ca-cert-file", s.secure.CA, "--tls-cert-file", s.secure.ServerCert, "--tls-key-file", s.secure.ServerKey)
	}
	if s.master != "" {
		args = append(args, "--replicaof", s.master)
	}
	return append(args, s.args...)
}

// ping returns the server's first line, whatever it is: that it is still loading, or
// wants a password.
func (s *Server) ping() (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return "", err
	}
	if s.secure != nil {
		conn = tls.Client(conn, s.secure.client())
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "redis.log") }

func (s *Server) log() string {
	text, _ := os.ReadFile(s.logPath())
	return string(text)
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
