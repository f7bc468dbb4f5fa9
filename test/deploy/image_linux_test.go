package deploy

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/hookgate/hookgate/store/redistest"
	"github.com/hookgate/hookgate/test/hookgatetest"
)

// container is the Dockerfile's image on disk, whose commands run with it as their
// root, as its user and with its environment: what a container is but for namespaces.
type container struct {
	t     *testing.T
	image image
	root  string
}

func newContainer(t *testing.T, files map[string]string) container {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can change the root directory")
	}
	c := container{t, parseImage(t), t.TempDir()}
	for to, from := range c.image.copies {
		to = filepath.Join(c.root, to)
		switch from {
		case "/src/bin/hookgate":
			// A link, for a file that was just written may still be open in a process
			// that another test is starting, and cannot be run then.
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(hookgatetest.Binary(), to); err != nil {
				t.Fatal(err)
			}
			continue
		case "/state":
			if err := os.MkdirAll(to, 0o755); err != nil {
				t.Fatal(err)
			}
			uid, gid := c.user()
			if err := os.Chown(to, uid, gid); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, to, string(content), 0o644)
	}
	for path, text := range files {
		write(t, filepath.Join(c.root, path), text, 0o644)
	}
	return c
}

func (c container) user() (uid, gid int) {
	user, group, _ := strings.Cut(c.image.user, ":")
	uid, err := strconv.Atoi(user)
	if err != nil {
		c.t.Fatal(err)
	}
	gid, err = strconv.Atoi(group)
	if err != nil {
		c.t.Fatal(err)
	}
	return uid, gid
}

// command returns a call of a program in the container.
func (c container) command(environment []string, words ...string) *exec.Cmd {
	uid, gid := c.user()
	return &exec.Cmd{
		Path: words[0], Args: words, Dir: "/", Env: slices.Concat(c.image.env, environment),
		SysProcAttr: &syscall.SysProcAttr{Chroot: c.root, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}},
	}
}

// files returns every path outside the state with its mode.
func (c container) files() map[string]fs.FileMode {
	found := map[string]fs.FileMode{}
	err := filepath.WalkDir(c.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "/var/lib/hookgate") {
			return fs.SkipDir
		}
		info, err := entry.Info()
		found[path] = info.Mode()
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return found
}

// TestImage runs what the Dockerfile makes with the Caddyfiles that are mounted into
// it: there is nothing but the hookgatetest.Binary(), and nothing of it can be written to.
func TestImage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config, secrets string
		env             func(*redistest.Server) []string
	}{
		"compose": {
			config: "deploy/docker/Caddyfile", secrets: "/run/secrets/redis_password /run/secrets/jwt_secret",
			env: func(*redistest.Server) []string { return nil },
		},
		"kubernetes": {
			config: "deploy/kubernetes/component/Caddyfile", secrets: "/run/secrets/hookgate/redis-password /run/secrets/hookgate/jwt-secret",
			env: func(redis *redistest.Server) []string {
				return []string{"HOOKGATE_REDIS_URL=" + redis.URL(), "HOOKGATE_PUBLIC_URL=https://hooks.example.com"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redis := startRedis(t)
			p := newPlaces(t, redis, startMatcher(t))
			password, secret, _ := strings.Cut(test.secrets, " ")
			c := newContainer(t, map[string]string{
				"/etc/hookgate/Caddyfile": p.local(t, read(t, test.config)), password: redisPassword + "\n", secret: hookgatetest.JWTSecret + "\n",
			})
			before := c.files()
			g := startGate(t, p, c.command(test.env(redis), slices.Concat(c.image.entrypoint, c.image.cmd)...))
			g.serves()
			if text := g.Output.String(); strings.Contains(text, `"level":"error"`) {
				t.Errorf("it misses something:\n%s", text)
			}

			status, err := os.ReadFile("/proc/" + strconv.Itoa(g.Process.PID()) + "/status")
			if err != nil {
				t.Fatal(err)
			}
			uid, _ := c.user()
			for _, want := range []string{`Uid:\s+` + strconv.Itoa(uid) + `\s`, `CapEff:\s+0+\n`, `CapPrm:\s+0+\n`} {
				if !regexp.MustCompile(want).Match(status) {
					t.Errorf("%s is not in\n%s", want, status)
				}
			}

			healthy := func() bool {
				words := slices.Clone(c.image.health)
				words[len(words)-1] = strings.Replace(words[len(words)-1], "http://127.0.0.1:9090", g.Status, 1)
				return c.command(nil, words...).Run() == nil
			}
			if !healthy() {
				t.Error("HEALTHCHECK fails")
			}
			redis.Kill() // a restart would not heal it
			hookgatetest.Eventually(t, "Redis is missed", func() bool {
				_, answer, err := g.try("GET", g.Status+"/readyz", "")
				return err == nil && strings.Contains(answer, "degraded")
			})
			if !healthy() {
				t.Error("HEALTHCHECK fails without Redis")
			}
			redis.Restart()
			hookgatetest.Eventually(t, "Redis is there", func() bool {
				_, answer, err := g.try("GET", g.Status+"/readyz", "")
				return err == nil && strings.Contains(answer, `"status":"ok","checks"`)
			})
			g.drains()
			if healthy() {
				t.Error("HEALTHCHECK succeeds where nothing runs")
			}
			if after := c.files(); !maps.Equal(before, after) {
				t.Errorf("before %v\nafter %v", before, after)
			}
		})
	}
}
