package app

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

const holdEnv = "HOOKGATE_TEST_HOLD"

// TestMain is, in a process that the test below starts, one that holds a name until its
// standard input ends.
func TestMain(m *testing.M) {
	name := os.Getenv(holdEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	if _, err := net.Listen("unix", name); err != nil {
		os.Exit(1)
	}
	os.Stdout.WriteString("held\n")
	bufio.NewReader(os.Stdin).ReadString('\n')
}

// TestClaimOfAnotherUser: whoever has an account on the machine can take the name of an
// address, and must not keep Hookgate from starting with it.
func TestClaimOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	for name, uid := range map[string]uint32{"another user": 65534, "the same user": 0} {
		const address = "127.0.0.1:17"
		holder := exec.Command("/proc/self/exe")
		holder.Env = []string{holdEnv + "=" + claimName(address)}
		holder.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		stdin, err := holder.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := holder.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := holder.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		held, err := claimAddresses(&caddyhttp.App{Servers: map[string]*caddyhttp.Server{"srv0": {Listen: []string{address}}}}, zap.NewNop())
		if uid != 0 && err != nil || uid == 0 && (err == nil || !strings.Contains(err.Error(), "another Hookgate serves "+address)) || slices.Contains(held, address) {
			t.Errorf("%s: %q, %v", name, held, err)
		}
		stdin.Close()
		holder.Wait()
	}
}
