package test

import (
	"strings"
	"testing"

	"github.com/hookgate/hookgate/test/hookgatetest"
)

// TestUnredactedLogsDoNotLoad: a log that could print a token is a mistake until the
// operator says otherwise, in a file that is loaded first and in one that is reloaded.
func TestUnredactedLogsDoNotLoad(t *testing.T) {
	t.Parallel()
	const ours, theirs = "log default {\n\t\tformat hookgate\n\t}", "log default {\n\t\tformat json\n\t}"
	const site = "http://127.0.0.1:1 {\n\thookgate\n"
	for name, test := range map[string]struct {
		options, site string
		unsafe        string // "": none
	}{
		"ours":                    {ours, site, ""},
		"ours, and a site's":      {ours, site + "\tlog {\n\t\tformat hookgate\n\t}\n", ""},
		"discarded":               {ours, site + "\tlog {\n\t\toutput discard\n\t\tformat json\n\t}\n", ""},
		"no default":              {"", site, "default"},
		"another encoder":         {theirs, site, "default"},
		"ours, wrapped":           {"log default {\n\t\tformat filter {\n\t\t\twrap hookgate\n\t\t}\n\t}", site, "default"},
		"a site of its own":       {ours, site + "\tlog {\n\t\tformat console\n\t}\n", "log0"},
		"a site without a format": {ours, site + "\tlog {\n\t\toutput stdout\n\t}\n", "log0"},
		"the standard library's":  {ours + "\n\tlog sink {\n\t\tformat json\n\t}", site, "sink"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, allowed := range []bool{false, true} {
				g := &gate{t: t, dir: t.TempDir()}
				word := ""
				if allowed {
					word = "\n\t\tallow_unredacted_logs"
				}
				g.write("{\n\t" + test.options + "\n\thookgate {\n\t\tredis embedded \"" + g.dir + "/data\"" + word + "\n\t}\n}\n" + test.site + "}\n")
				stdout, stderr, code := hookgatetest.Run(t, hookgatetest.Command(g.dir, "validate", "--config", g.caddyfile()))
				if loads := allowed || test.unsafe == ""; loads != (code == 0) ||
					!loads && !strings.Contains(stdout+stderr, "tokens can get into the output of these logs: "+test.unsafe+";") {
					t.Errorf("allowed: %v; exit code %d:\n%s%s", allowed, code, stdout, stderr)
				}
			}
		})
	}
}
