package release

import (
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// contents are the files of both packages.
var contents = []string{
	"/etc/hookgate/Caddyfile", "/usr/bin/hookgate", "/usr/lib/systemd/system/hookgate.service",
	"/usr/share/doc/hookgate/CHANGELOG.md", "/usr/share/doc/hookgate/Caddyfile.example", "/usr/share/doc/hookgate/README.md",
	"/usr/share/doc/hookgate/install.md", "/usr/share/doc/hookgate/sbom.cdx.json", "/usr/share/doc/hookgate/upgrade.md",
}

// rpmProcessors are the processors as rpm calls them.
var rpmProcessors = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

func deb(t *testing.T, processor string) string { return published(t, "hookgate_*_"+processor+".deb") }
func rpm(t *testing.T, processor string) string {
	return published(t, "hookgate-*."+rpmProcessors[processor]+".rpm")
}

func wantFiles(t *testing.T, got []string, also string) {
	t.Helper()
	want := append(slices.Clone(contents), also)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it has %q\nwant %q", got, want)
	}
}

func TestDeb(t *testing.T) {
	tool(t, "dpkg-deb")
	for _, processor := range processors {
		path := deb(t, processor)
		if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", path, "Architecture")); got != processor {
			t.Errorf("%s is for %s", filepath.Base(path), got)
		}
		if got := output(t, "dpkg-deb", "-I", path, "conffiles"); strings.TrimSpace(got) != "/etc/hookgate/Caddyfile" {
			t.Errorf("conffiles: %q", got)
		}
		var files []string
		for _, line := range regexp.MustCompile(`(?m)^-\S+ root/root .* \.(/\S+)$`).FindAllStringSubmatch(output(t, "dpkg-deb", "-c", path), -1) {
			files = append(files, line[1])
		}
		wantFiles(t, files, "/usr/share/doc/hookgate/copyright")
	}
}

func TestRPM(t *testing.T) {
	tool(t, "rpm")
	for _, processor := range processors {
		path := rpm(t, processor)
		if got := output(t, "rpm", "-qp", "--queryformat", "%{ARCH} %{LICENSE}", path); got != rpmProcessors[processor]+" Apache-2.0" {
			t.Errorf("%s is for %s", filepath.Base(path), got)
		}
		if got := output(t, "rpm", "-qpc", path); strings.TrimSpace(got) != "/etc/hookgate/Caddyfile" {
			t.Errorf("configuration: %q", got)
		}
		files := slices.DeleteFunc(strings.Fields(output(t, "rpm", "-qpl", path)), func(name string) bool { return name == "/etc/hookgate" })
		wantFiles(t, files, "/usr/share/licenses/hookgate/LICENSE")
	}
}

// installed is what is true after either package was installed.
const installed = `
hookgate version
getent passwd hookgate
systemd-analyze verify --man=no /usr/lib/systemd/system/hookgate.service
grep -x User=hookgate /usr/lib/systemd/system/hookgate.service
! grep DynamicUser /usr/lib/systemd/system/hookgate.service
for secret in jwt-secret redis-password; do echo something-long-enough-to-be-one-of-them >/etc/hookgate/$secret; done
CREDENTIALS_DIRECTORY=/etc/hookgate hookgate validate --config /etc/hookgate/Caddyfile --adapter caddyfile 2>&1
`

// TestDebInstalls: dpkg installs it on this Debian, an upgrade keeps what an operator
// changed, and a removal leaves what is theirs.
func TestDebInstalls(t *testing.T) {
	tool(t, "dpkg")
	tool(t, "systemd-analyze")
	wantInstalled(t, machine(t, "dpkg --install *.deb"+installed+`
echo '# mine' >>/etc/hookgate/Caddyfile
dpkg --install *.deb
tail -n 1 /etc/hookgate/Caddyfile
dpkg --remove hookgate
test ! -e /usr/bin/hookgate
test -e /etc/hookgate/Caddyfile
getent passwd hookgate
dpkg --purge hookgate
test ! -e /etc/hookgate/Caddyfile
test -e /etc/hookgate/jwt-secret
`, deb(t, runtime.GOARCH)))
}

// TestRPMInstalls does the same with rpm, which on Debian does not know what is installed.
func TestRPMInstalls(t *testing.T) {
	tool(t, "rpm")
	tool(t, "systemd-analyze")
	wantInstalled(t, machine(t, "rpm --install --nodeps *.rpm"+installed+`
echo '# mine' >>/etc/hookgate/Caddyfile
rpm --upgrade --force --nodeps *.rpm
tail -n 1 /etc/hookgate/Caddyfile
rpm --erase hookgate
test ! -e /usr/bin/hookgate
test -e /etc/hookgate/Caddyfile.rpmsave
getent passwd hookgate
`, rpm(t, runtime.GOARCH)))
}

func wantInstalled(t *testing.T, out string) {
	t.Helper()
	for _, want := range []string{"hookgate " + version + ", caddy v2.", "\nUser=hookgate\n", "Valid configuration\n", "\n# mine\n"} {
		if !strings.Contains("\n"+out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if n := strings.Count("\n"+out, "\nhookgate:x:"); n != 2 {
		t.Errorf("the user was there %d times in\n%s", n, out)
	}
}
