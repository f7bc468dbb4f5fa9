package deploy

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

const (
	unitPath          = "deploy/systemd/hookgate.service"
	serviceConfigPath = "deploy/systemd/Caddyfile"
)

// exposure is the highest that systemd-analyze may come to, in tenths; without any of
// the unit's restrictions it is 96.
const exposure = "15"

func TestUnit(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	// The program has to be there for the check.
	const installed = "/usr/local/bin/hookgate"
	text := read(t, unitPath)
	if !strings.Contains(text, "ExecStart="+installed+" run --config /etc/hookgate/Caddyfile") {
		t.Fatal("the unit does not start " + installed)
	}
	unit := filepath.Join(t.TempDir(), "hookgate.service")
	write(t, unit, strings.ReplaceAll(text, installed, hookgatetest.Binary()), 0o644)
	if out := output(t, analyze, "verify", "--man=no", unit); out != "" {
		t.Errorf("systemd-analyze verify:\n%s", out)
	}
	output(t, analyze, "security", "--no-pager", "--offline=true", "--threshold="+exposure, unit)
}

// TestUnitHandsOverWhatIsRead: the credentials that the unit loads are the files that the
// Caddyfile reads, and the installation makes each of them.
func TestUnitHandsOverWhatIsRead(t *testing.T) {
	unit := read(t, unitPath)
	loaded := regexp.MustCompile(`(?m)^LoadCredential=([\w-]+):(\S+)$`).FindAllStringSubmatch(unit, -1)
	var names []string
	for _, credential := range loaded {
		names = append(names, credential[1])
		if !regexp.MustCompile(`(?m)^#   install -m 0600 \S+ ` + regexp.QuoteMeta(credential[2]) + `$`).MatchString(unit) {
			t.Errorf("it is not said how to make %s", credential[2])
		}
	}
	if n := strings.Count(unit, "\nLoadCredential"); n != len(loaded) {
		t.Errorf("%d credentials are understood, %d loaded", len(loaded), n)
	}
	var wanted []string
	for _, file := range regexp.MustCompile(`\{\$CREDENTIALS_DIRECTORY\}/([\w-]+)`).FindAllStringSubmatch(read(t, serviceConfigPath), -1) {
		wanted = append(wanted, file[1])
	}
	slices.Sort(names)
	slices.Sort(wanted)
	if wanted = slices.Compact(wanted); len(wanted) == 0 || !slices.Equal(names, wanted) {
		t.Errorf("the unit loads %q, the Caddyfile reads %q", names, wanted)
	}
}

// TestUnitOutlastsTheDrain: systemd kills only what did not end by itself.
func TestUnitOutlastsTheDrain(t *testing.T) {
	if stop, drain := setting(t, read(t, unitPath), "TimeoutStopSec="), drain(t, read(t, serviceConfigPath)); stop <= drain {
		t.Errorf("TimeoutStopSec is %v, shutdown_delay and grace_period take up to %v", stop, drain)
	}
}

// drain returns how long a Caddyfile lets hookgate take to end.
func drain(t *testing.T, caddyfile string) time.Duration {
	return setting(t, caddyfile, "shutdown_delay ") + setting(t, caddyfile, "grace_period ")
}

func setting(t *testing.T, text, name string) time.Duration {
	t.Helper()
	found := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(name) + `(\S+)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("there is no %s", name)
	}
	value, err := time.ParseDuration(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// service is a gate that was started as the unit does.
type service struct {
	*gate
	config      string // the path of its Caddyfile
	environment []string
}

// startService runs hookgate as the unit does, as far as that goes without systemd.
func startService(t *testing.T, environment ...string) service {
	t.Helper()
	dir := t.TempDir()
	p := newPlaces(t, startRedis(t), startMatcher(t))
	config := filepath.Join(dir, "Caddyfile")
	// With a sink, for its metrics are there only then.
	text := strings.Replace(p.local(t, read(t, serviceConfigPath)), "\thookgate {\n", "\thookgate {\n\t\taudit_sink file "+filepath.Join(dir, "audit.log")+"\n", 1)
	write(t, config, text, 0o644)
	write(t, filepath.Join(dir, "credentials/redis-password"), redisPassword+"\n", 0o600)
	write(t, filepath.Join(dir, "credentials/jwt-secret"), hookgatetest.JWTSecret+"\n", 0o600)
	cmd := exec.Command(hookgatetest.Binary(), "run", "--config", config, "--adapter", "caddyfile")
	state := filepath.Join(dir, "state")
	cmd.Env = slices.Concat(environment, hookgatetest.Home(state), []string{"CREDENTIALS_DIRECTORY=" + filepath.Join(dir, "credentials")})
	return service{startGate(t, p, cmd), config, cmd.Env}
}

// startMatcher runs the stand-in for Matcher of the compose file, and returns its
// address.
func startMatcher(t *testing.T) string {
	t.Helper()
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: hookgatetest.FreePort(t)}).String()
	cmd := exec.Command(hookgatetest.Binary(), "respond", "--listen", address, "--status", "200", "--header", "Content-Type: application/json", `{"status":"accepted"}`)
	home := t.TempDir()
	cmd.Env = hookgatetest.Home(home)
	hookgatetest.Begin(t, cmd)
	hookgatetest.Eventually(t, "the stand-in listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	return address
}

// TestService: the configuration works with the credentials that systemd hands over,
// and systemd learns of start, reload and end, as Type=notify wants it.
func TestService(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	notify.SetReadDeadline(time.Now().Add(2 * hookgatetest.Patience))
	awaitNotice := func(want string) {
		t.Helper()
		message := make([]byte, 4096)
		for {
			n, err := notify.Read(message)
			if err != nil {
				t.Fatalf("systemd is not told %s: %v", want, err)
			}
			if bytes.Contains(message[:n], []byte(want)) {
				return
			}
		}
	}
	g := startService(t, "NOTIFY_SOCKET="+socket)
	awaitNotice("READY=1")
	g.serves()

	if !strings.Contains(read(t, unitPath), `
ExecReload=/usr/local/bin/hookgate validate --config /etc/hookgate/Caddyfile --adapter caddyfile
ExecReload=/bin/kill -USR1 $MAINPID
`) {
		t.Error("the unit reloads otherwise")
	}
	validates := func(want int) {
		t.Helper()
		cmd := exec.Command(hookgatetest.Binary(), "validate", "--config", g.config, "--adapter", "caddyfile")
		cmd.Env = g.environment
		if out, stderr, code := hookgatetest.Run(t, cmd); code != want {
			t.Errorf("validate ends with %d, want %d:\n%s%s", code, want, out, stderr)
		}
	}
	text, err := os.ReadFile(g.config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, g.config, strings.Replace(string(text), "max_body 1MiB", "max_body 1KiB", 1), 0o644)
	validates(0)
	g.Process.Signal(syscall.SIGUSR1)
	awaitNotice("RELOADING=1")
	awaitNotice("READY=1")
	g.want(http.StatusRequestEntityTooLarge, "HKG-1413", http.MethodPost, g.Vendors+callback, strings.Repeat("x", 2000))
	g.serves()

	write(t, g.config, strings.Replace(string(text), "max_body", "frobnicate", 1), 0o644)
	validates(1)

	g.drains()
	awaitNotice("STOPPING=1")
}
