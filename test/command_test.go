package test

import (
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// tree returns every path below dir.
func tree(t testing.TB, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestValidate: a configuration can be checked anywhere, and the check changes
// nothing.
func TestValidate(t *testing.T) {
	t.Parallel()
	running := start(t, config{store: embedded(t)})
	nowhere := filepath.Join(t.TempDir(), "data")
	for _, test := range []struct {
		name  string
		store store
	}{
		{"unreachable Redis", store{words: "redis://127.0.0.1:1"}},
		{"unresolvable Redis", store{words: "rediss://user:password@redis.invalid:6379/3"}},
		{"embedded, in use", running.config.store},
		{"embedded, not there yet", store{words: "embedded " + nowhere}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := hookgatetest.Write(t, dir, config{store: test.store}.text(t, running.ports)) // its listeners are in use, too
			before := tree(t, dir)
			stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, "validate", "--config", path))
			if code != 0 || !strings.Contains(stdout, "Valid configuration") {
				t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
			}
			if after := tree(t, dir); !slices.Equal(before, after) {
				t.Errorf("created: %v", after)
			}
		})
	}
	if paths := tree(t, filepath.Dir(nowhere)); len(paths) != 1 {
		t.Errorf("created: %v", paths)
	}
	c := running.operator(t, tenantA, "admin").mintCallback("") // it has not been disturbed
	wantProblem(t, running.use(t, c), http.StatusBadGateway, "HKG-1502")
}

// TestInvalidConfiguration: what cannot be meant is refused with words that say
// what is wrong, by validate and by run.
func TestInvalidConfiguration(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-in-a-url"
	valid := config{
		store: store{words: "redis://127.0.0.1:1"},
		app:   []string{"usage_flush 5s"}, guard: []string{"max_body 1MB"},
	}.text(t, hookgatetest.FreePorts(t))
	for _, test := range []struct {
		name     string
		old, new string
		want     string
	}{
		{"unknown word in the option", "usage_flush 5s", "flush 5s", `unknown word "flush" in hookgate`},
		{"unknown word in the guard", "max_body 1MB", "maxbody 1MB", `unknown word "maxbody" in hookgate`},
		{"unknown word in the admin API", "connections static pluggy-main belvo-main", "vendors pluggy", `unknown word "vendors" in hookgate_admin`},
		{"unknown word in jwt", "secret {env", "key {env", `unknown word "key" in jwt`},
		{"given twice in the option", "usage_flush 5s", "usage_flush 5s\nusage_flush 5s", "usage_flush is given twice"},
		{"given twice in the guard", "max_body 1MB", "max_body 1MB\nmax_body 2MB", "max_body is given twice"},
		{"given twice in the admin API", "connections static", "connections any\nconnections static", "connections is given twice"},
		{"given twice in jwt", "secret {env", "issuer x\nissuer y\nsecret {env", "issuer is given twice"},
		{"unresolved JWT secret", "env.HOOKGATE_TEST_SECRET", "env.HOOKGATE_NO_SUCH", "jwt secret: evaluated placeholder {env.HOOKGATE_NO_SUCH} is empty"},
		{"JWT secret in a file that is missing", "env.HOOKGATE_TEST_SECRET", "file./no/such/file", "jwt secret: "},
		{"unresolved Redis URL", "redis redis://127.0.0.1:1", "redis {env.HOOKGATE_NO_SUCH}", "redis: evaluated placeholder {env.HOOKGATE_NO_SUCH} is empty"},
		{"bad Redis URL", "redis redis://127.0.0.1:1", "redis http://:" + secret + "@localhost", "redis"},
		{"no store", "redis redis://127.0.0.1:1", "", "say where the credentials are"},
		{"bad duration", "usage_flush 5s", "usage_flush soon", `"soon" is not a positive duration`},
		{"duration out of bounds", "usage_flush 5s", "max_staleness 1s", "max_staleness must be between"},
		{"bad size", "max_body 1MB", "max_body much", `"much" is not a size`},
		{"path without a token", "max_body 1MB", "webhook /hooks/{vendor}", "{token} exactly once"},
		{"path with a wildcard", "max_body 1MB", "callback /hooks/*", "cannot stand in this path"},
		{"public URL without TLS", " insecure", "", "public_url"},
		{"bad namespace", "usage_flush 5s", "namespace {x}", "namespace must be"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(valid, test.old) == 0 {
				t.Fatalf("%q is not in the valid Caddyfile", test.old)
			}
			dir := t.TempDir()
			path := hookgatetest.Write(t, dir, strings.Replace(valid, test.old, test.new, 1))
			for _, word := range []string{"validate", "run"} {
				stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(dir, word, "--config", path, "--adapter", "caddyfile"))
				message := strings.ReplaceAll(stdout+stderr, `\"`, `"`)
				if code == 0 || !strings.Contains(message, test.want) {
					t.Errorf("%s: exit code %d, want an error with %q:\n%s", word, code, test.want, message)
				}
				if strings.Contains(message, secret) || strings.Contains(message, hookgatetest.JWTSecret) {
					t.Errorf("%s prints a secret:\n%s", word, message)
				}
			}
		})
	}
}

// TestEmbeddedStoreInUse: a second process on one directory ends at once, and says
// why.
func TestEmbeddedStoreInUse(t *testing.T) {
	t.Parallel()
	first := start(t, config{store: embedded(t)})
	_, stderr, code := hookgatetest.Run(t, hookgatetest.Serve(t, t.TempDir(), config{store: first.config.store}.text(t, hookgatetest.FreePorts(t))))
	if code == 0 || !strings.Contains(stderr, "the directory is in use by another process") {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
}

// TestHelp: the commands that the help recommends and warns of are there.
func TestHelp(t *testing.T) {
	t.Parallel()
	stdout, _, code := hookgatetest.Run(t, hookgatetest.Command(t.TempDir(), "help"))
	if strings.Contains(stdout, "$ caddy ") || !strings.Contains(stdout, "$ hookgate run") || strings.Contains(stdout, "caddyserver.com/docs") {
		t.Errorf("the help is Caddy's:\n%s", stdout)
	}
	about, list, _ := strings.Cut(stdout, "Available Commands:")
	_, names, _ := strings.Cut(about, "these serve it:")
	for _, name := range regexp.MustCompile(`[a-z]+(-[a-z]+)*`).FindAllString(strings.Split(names, ".")[0]+" upgrade add-package remove-package", -1) {
		if !strings.Contains(list, "\n  "+name+" ") || !strings.Contains(about, name) {
			t.Errorf("%s is no command, or not mentioned:\n%s", name, stdout)
		}
	}
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
}
