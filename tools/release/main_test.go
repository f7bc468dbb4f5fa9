// Package release tests what `make release` made: that it is whole, and that it installs
// and runs. `make release-check` says where it is.
package release

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

const root = "../.."

// dist is the directory of the release, version what its binaries say.
var dist, version = os.Getenv("HOOKGATE_DIST"), os.Getenv("HOOKGATE_VERSION")

func TestMain(m *testing.M) {
	if dist == "" || version == "" {
		println("HOOKGATE_DIST and HOOKGATE_VERSION are not set: run make release, then make release-check")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// systems are those that a binary is published for, processors those of Linux.
var (
	systems    = []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"}
	processors = []string{"amd64", "arm64"}
)

// published returns the path of the one file that a pattern finds.
func published(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dist, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// output returns what a command prints; it has to succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, &out, &problems)
	}
	return out.String()
}

// tool skips a test where a program is missing that .ci/run installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// machine runs a script as root on this system, of which nothing is changed: it sees a
// copy of the root file system, which is thrown away. The files are in its directory.
func machine(t *testing.T, script string, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	setUp := `set -e
mount -t tmpfs none "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
`
	if runtime.GOOS != "linux" || exec.Command("unshare", "-m", "sh", "-c", setUp, dir).Run() != nil {
		if os.Getenv("HOOKGATE_REQUIRE_MOUNT") != "" {
			t.Fatal("no file system can be mounted here")
		}
		t.Skip("no file system can be mounted here: HOOKGATE_REQUIRE_MOUNT=1 makes this fail")
	}
	setUp += `mount --bind /proc "$0/root/proc"
mount --rbind /dev "$0/root/dev"
mkdir -p "$0/root/tmp/release"
script=$1
shift
[ $# = 0 ] || cp "$@" "$0/root/tmp/release"
# A policy that starts no service, and no locale that is not there.
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	chroot "$0/root" sh -ec "cd /tmp/release; $script"
`
	return output(t, "unshare", append([]string{"-m", "sh", "-c", setUp, dir, script}, files...)...)
}
