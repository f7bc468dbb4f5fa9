package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestWriteTable(t *testing.T) {
	var out strings.Builder
	if err := writeTable(&out, [][]string{{"ID", "LABEL"}, {"1", ""}, {"22", "a\x1b[2Jb\n\u202ec\td"}}); err != nil {
		t.Fatal(err)
	}
	if want := "ID  LABEL\n1   -\n22  a\ufffd[2Jb \ufffdc\ufffdd\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestShownCredential(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var c shownCredential
	if err := json.Unmarshal([]byte(`{"id":"1","kind":"api","status":"grace","label":"B","clientId":"b-1","scopes":["a","b"],"metadata":{"n":1},
		"allowedIps":["::1"],"createdAt":"2026-01-02T03:04:05.678Z","expiresAt":"2027-01-02T03:04:05Z","graceUntil":"2026-03-05T05:06:07Z",
		"lastUsedAt":"2026-03-04T02:06:07Z","supersededBy":"2","ofANewerServer":true}`), &c); err != nil {
		t.Fatal(err)
	}
	if row := strings.Join(c.row(now), "|"); row != "1|api|grace|B|b-1|2026-01-02 03:04|2026-03-05 05:06|3 hours ago" {
		t.Error(row)
	}
	var lines strings.Builder
	for _, line := range c.lines(now) {
		lines.WriteString(strings.Join(line, "=") + "\n")
	}
	if want := `id=1
kind=api
status=grace
label=B
client id=b-1
scopes=a b
allowed from=::1
metadata={"n":1}
created=2026-01-02T03:04:05Z (2 months ago)
expires=2027-01-02T03:04:05Z (10 months from now)
last used=2026-03-04T02:06:07Z (3 hours ago)
grace until=2026-03-05T05:06:07Z (1 day from now)
superseded by=2
`; lines.String() != want {
		t.Error(lines.String())
	}
	c = shownCredential{ID: "2", Kind: "webhook", Vendor: "pluggy", Connection: "main"}
	if row := strings.Join(c.row(now), "|"); row != "2|webhook|||pluggy/main|||never" {
		t.Error(row)
	}
}

func TestTimeFlags(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for text, want := range map[string][2]string{ // expires, unused since
		"2027-01-02T03:04:05+01:00": {"2027-01-02T02:04:05Z", "2027-01-02T02:04:05Z"},
		"36h":                       {"2026-03-05T17:06:07Z", "2026-03-02T17:06:07Z"},
		"90d":                       {"2026-06-02T05:06:07Z", "2025-12-04T05:06:07Z"},
		"":                          {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	} {
		expires, err := timeFlag("expires", text, now)
		since, err2 := sinceFlag("unused-since", text, now)
		if err != nil || err2 != nil || expires.UTC().Format(time.RFC3339) != want[0] || since.UTC().Format(time.RFC3339) != want[1] {
			t.Errorf("%s: %s, %s, %v, %v", text, expires, since, err, err2)
		}
	}
	for _, text := range []string{"soon", "-1h", "0s", "2027-01-02", "1", "9999-12-31T23:59:59-01:00", "9999-12-31T00:00:01Z"} {
		if _, err := timeFlag("expires", text, now); err == nil {
			t.Errorf("%s was accepted", text)
		}
		if _, err := sinceFlag("unused-since", text, now); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestErrorsHoldNoToken(t *testing.T) {
	const token = "mcb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2Il7sk"
	var out strings.Builder
	cmd := &cobra.Command{}
	cmd.SetErr(&out)
	if err := exit(cmd, Usagef("invalid argument %q", token)); err == nil || strings.Contains(out.String(), "AAAA2Il7sk") || !strings.HasPrefix(out.String(), "hookgate: invalid argument") {
		t.Errorf("%q, %v", out.String(), err)
	}
}
