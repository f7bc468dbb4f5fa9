package test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestScripts runs what operators type, as testdata/script has it. Beside testscript's
// own commands there are those of scriptCommands.
func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/script", embedded)
}

// TestScriptsOnEachStore does so for each kind of store.
func TestScriptsOnEachStore(t *testing.T) {
	t.Parallel()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		runScripts(t, "testdata/stores", func(t testing.TB) store { return onRedis(t, syncing) })
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		runScripts(t, "testdata/stores", embedded)
	})
}

func runScripts(t *testing.T, dir string, newStore func(testing.TB) store) {
	testscript.Run(t, testscript.Params{
		Dir: dir, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			if err := os.Symlink(hookgatetest.Binary(), filepath.Join(env.WorkDir, "hookgate")); err != nil {
				return err
			}
			env.Vars = append(env.Vars, hookgatetest.Home(filepath.Join(env.WorkDir, "home"))...)
			env.Vars = append(env.Vars, "PATH="+env.WorkDir+":"+os.Getenv("PATH"), hookgatetest.SecretEnv+"="+hookgatetest.JWTSecret,
				"TENANT="+tenantA, "UPPERCASE="+strings.ToUpper(tenantA), "UNHEARD="+plausible("mcb_", 1))
			env.Values["test"], env.Values["store"] = env.T(), newStore
			return nil
		},
		Cmds: scriptCommands,
	})
}

// scriptCommands are those that scripts have of ours. Where one takes a command, that is
// one of hookgate.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"serve": serveScript, "exits": exits, "refused": refused, "eventually": eventuallySays,
	"use": useToken, "let": let, "token": onlyToken, "row": row, "ids": ids, "expand": expand,
}

// serve [guard lines]: runs hookgate until the script ends, in front of a Matcher that
// accepts everything. The command line talks to it as an admin of $TENANT.
func serveScript(ts *testscript.TestScript, _ bool, guard []string) {
	t := ts.Value("test").(testing.TB)
	g := start(t, config{
		store: ts.Value("store").(func(testing.TB) store)(t), upstream: newUpstream(t).addr, app: []string{"usage_flush 100ms", sealKey}, guard: guard,
	})
	ts.Setenv("VENDORS", g.Vendors)
	ts.Setenv("HOOKGATE_SERVER", g.Admin)
	for name, who := range map[string]struct{ tenant, role string }{
		"ADMIN": {tenantA, "admin"}, "VIEWER": {tenantA, "viewer"}, "OTHER": {tenantB, "admin"},
	} {
		ts.Setenv(name, hookgatetest.OperatorToken(t, who.tenant, who.role))
	}
	ts.Setenv("HOOKGATE_TOKEN", ts.Getenv("ADMIN"))
}

// exits CODE command: it ends with this code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("hookgate", args[1:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// refused CODE TEXT command: exits with the code and says the text on standard error
// alone, with the request's id where the text is a code of ours; and no credential.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, append(args[:1:1], args[2:]...))
	said := ts.ReadFile("stderr")
	if ts.ReadFile("stdout") != "" || !strings.HasPrefix(said, "hookgate: ") || !strings.Contains(said, args[1]) {
		ts.Fatalf("that is not an error with %q", args[1])
	}
	if strings.HasPrefix(args[1], "HKG-") && !strings.Contains(said, "request id ") {
		ts.Fatalf("no request id")
	}
	for _, secret := range []string{"HOOKGATE_TOKEN", "UNHEARD"} {
		if value := ts.Getenv(secret); value != "" && strings.Contains(said, value) {
			ts.Fatalf("%s is repeated", secret)
		}
	}
}

// eventually PATTERN command: its standard output matches in the end.
func eventuallySays(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	hookgatetest.Eventually(ts.Value("test").(testing.TB), "says "+args[0], func() bool {
		ts.Check(ts.Exec("hookgate", args[1:]...))
		return pattern.MatchString(ts.ReadFile("stdout"))
	})
}

// use STATUS TOKEN, use STATUS VENDOR TOKEN, use STATUS PATH CLIENT:SECRET: a request
// gets this status.
func useToken(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	secret := args[len(args)-1]
	method, target := http.MethodPost, callbackPath
	if len(args) == 3 {
		target = webhooksPath + args[1] + "/" + secret
	}
	isAPI := len(args) == 3 && strings.HasPrefix(args[1], "/")
	if isAPI {
		method, target = http.MethodGet, args[1]
	}
	r, err := http.NewRequest(method, ts.Getenv("VENDORS")+target, strings.NewReader("{}"))
	ts.Check(err)
	if isAPI {
		client, ofClient, _ := strings.Cut(secret, ":")
		r.SetBasicAuth(client, ofClient)
	} else if len(args) == 2 {
		r.Header.Set("X-Callback-Token", secret)
	}
	response, err := newClient(ts.Value("test").(testing.TB)).Do(r)
	ts.Check(err)
	response.Body.Close()
	if response.StatusCode != want {
		ts.Fatalf("status %d, want %d", response.StatusCode, want)
	}
}

// let NAME FILE PATTERN: sets a variable to the group of the first match in a file,
// stdout or stderr. let NAME sha256 TEXT sets it to a digest.
func let(ts *testscript.TestScript, _ bool, args []string) {
	if args[1] == "sha256" {
		ts.Setenv(args[0], fmt.Sprintf("%x", sha256.Sum256([]byte(args[2]))))
		return
	}
	found := regexp.MustCompile(args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
	if found == nil {
		ts.Fatalf("%s does not match %s", args[1], args[2])
	}
	ts.Setenv(args[0], found[1])
}

var ourToken = regexp.MustCompile(`^m(cb|wh)_[0-9A-Za-z]{49}\n$`)

// token NAME: a token stands alone on standard output, and is the variable from now on.
func onlyToken(ts *testscript.TestScript, _ bool, args []string) {
	out, said := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	token := strings.TrimSuffix(out, "\n")
	said, _, _ = strings.Cut(said, "The vendor posts to ") // a webhook's URL has it, and comes last
	if !ourToken.MatchString(out) || strings.Contains(said, token) || !strings.Contains(said, "id ") {
		ts.Fatalf("no token, or not alone")
	}
	ts.Setenv(args[0], token)
}

// row CELL...: a table on standard output has a row with these cells, in this order.
func row(ts *testscript.TestScript, _ bool, cells []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if inOrder(line, cells) {
			return
		}
	}
	ts.Fatalf("no row with %q", cells)
}

func inOrder(line string, cells []string) bool {
	for _, cell := range cells {
		var found bool
		if _, line, found = strings.Cut(line, cell); !found {
			return false
		}
	}
	return true
}

// ids ID...: standard output is JSON, one credential a line, with these ids in order.
func ids(ts *testscript.TestScript, _ bool, want []string) {
	var got []string
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var c struct{ ID string }
		ts.Check(json.Unmarshal([]byte(line), &c))
		got = append(got, c.ID)
	}
	if !slices.Equal(got, want) {
		ts.Fatalf("%q, want %q", got, want)
	}
}

// expand FILE...: replaces variables in files.
func expand(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		text := os.Expand(ts.ReadFile(file), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}
