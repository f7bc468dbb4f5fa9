package release

import (
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestInstallPage runs what the page about installing says to type, on a copy of this
// machine; what it leaves out, test/docs says why.
func TestInstallPage(t *testing.T) {
	tool(t, "apt-get")
	page := string(read(t, filepath.Join(root, "docs/install.md")))
	commands := func(info string) string {
		var script strings.Builder
		blocks := regexp.MustCompile("(?ms)^```sh "+info+"\n(.*?)^```$").FindAllStringSubmatch(page, -1)
		for _, block := range blocks {
			script.WriteString(block[1])
		}
		if len(blocks) == 0 {
			t.Fatalf("the page has no sh %s", info)
		}
		return script.String()
	}
	files := []string{published(t, "SHA256SUMS"), deb(t, runtime.GOARCH), published(t, "hookgate-linux-"+runtime.GOARCH+".tar.gz")}
	// Of a whole release only these files are there.
	script := strings.Replace(commands("deb"), "--check", "--ignore-missing --check", 1)
	out := machine(t, "REDIS_PASSWORD=secret\n"+script+"\nstat -c '%a %U %n' /etc/hookgate/*\nwc -c </etc/hookgate/jwt-secret\n", files...)
	for _, want := range []string{"600 root /etc/hookgate/jwt-secret\n", "600 root /etc/hookgate/redis-password\n", "644 root /etc/hookgate/Caddyfile\n", "\n64\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	script = strings.ReplaceAll(commands("archive"), "linux-amd64", "linux-"+runtime.GOARCH)
	if out := machine(t, script+"\nsystemd-analyze verify --man=no /etc/systemd/system/hookgate.service\n", files...); !strings.HasPrefix(out, "hookgate "+version+",") {
		t.Errorf("the archive: %s", out)
	}
}
