package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOperatorSettings(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flagToken, bad, empty := file("flag.jwt", "from.the.flag\n"), file("bad.jwt", "a b"), file("empty.jwt", "\n")
	file("hookgate/file.jwt", " from.the.file ")
	everybodys := file("everybodys.jwt", "of.every.body")
	if err := os.Chmod(everybodys, 0o644); err != nil {
		t.Fatal(err)
	}
	own := file("own.json", `{"server":"https://own.example","token_file":"flag.jwt"}`)
	unknown, broken := file("unknown.json", `{"sever":"https://x"}`), file("broken.json", `{`)
	full := `{"server":"http://10.0.0.1:8081","token_file":"file.jwt","insecure_http":true}`

	for name, tc := range map[string]struct {
		flags             settings
		server, token     string // of the environment
		config            string // of the default file
		wantBase, wantJWT string
		wantErr           string
		wantWarning       bool
	}{
		"flags":                      {flags: settings{server: "https://flag.example", tokenFile: flagToken}, server: "https://env.example", token: "e", config: full, wantBase: "https://flag.example", wantJWT: "from.the.flag"},
		"environment":                {server: "http://127.0.0.1:8081", token: "from.the.env", config: full, wantBase: "http://127.0.0.1:8081", wantJWT: "from.the.env"},
		"file":                       {config: full, wantBase: "http://10.0.0.1:8081", wantJWT: "from.the.file"},
		"another file":               {flags: settings{configFile: own}, config: full, wantBase: "https://own.example", wantJWT: "from.the.flag"},
		"everybody's file":           {flags: settings{server: "https://x", tokenFile: everybodys}, wantBase: "https://x", wantJWT: "of.every.body", wantWarning: true},
		"without a file":             {server: "https://env.example/x/", token: "e", wantBase: "https://env.example/x/", wantJWT: "e"},
		"localhost":                  {server: "http://localhost:1", token: "e", wantBase: "http://localhost:1", wantJWT: "e"},
		"IPv6":                       {server: "http://[::1]:1", token: "e", wantBase: "http://[::1]:1", wantJWT: "e"},
		"another machine, insisted":  {flags: settings{insecureHTTP: true}, server: "http://hookgate:8081", token: "e", wantBase: "http://hookgate:8081", wantJWT: "e"},
		"another machine":            {server: "http://hookgate:8081", token: "e", wantErr: "--insecure-http"},
		"looks like this machine":    {server: "http://localhost.example.com", token: "e", wantErr: "--insecure-http"},
		"no server":                  {token: "e", wantErr: "no server"},
		"no token":                   {server: "https://x", wantErr: "no operator's JWT"},
		"no scheme":                  {server: "127.0.0.1:8081", token: "e", wantErr: "must be a URL"},
		"another scheme":             {server: "ftp://x", token: "e", wantErr: "must be a URL"},
		"password in the address":    {server: "https://u:p@x", token: "e", wantErr: "must be a URL"},
		"query in the address":       {server: "https://x?a", token: "e", wantErr: "must be a URL"},
		"token file that is missing": {flags: settings{tokenFile: dir + "/none"}, server: "https://x", wantErr: "no such file"},
		"token with a space":         {flags: settings{tokenFile: bad}, server: "https://x", wantErr: "characters"},
		"empty token":                {flags: settings{tokenFile: empty}, server: "https://x", token: "e", wantErr: "empty"},
		"unknown member":             {flags: settings{configFile: unknown}, token: "e", wantErr: "sever"},
		"broken file":                {flags: settings{configFile: broken}, token: "e", wantErr: "broken.json"},
		"file that is missing":       {flags: settings{configFile: dir + "/none"}, token: "e", wantErr: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CONFIG_HOME", dir)
			t.Setenv("HOME", dir)
			t.Setenv(serverEnv, tc.server)
			t.Setenv(tokenEnv, tc.token)
			if tc.config != "" {
				defer os.Remove(file("hookgate/config.json", tc.config))
			}
			var said strings.Builder
			tc.flags.stderr = func() io.Writer { return &said }
			client, err := tc.flags.client()
			if tc.wantErr != "" {
				var wrong usageError
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tc.wantErr) || strings.Contains(err.Error(), "u:p") {
					t.Errorf("%v, want an error with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if client.base.String() != tc.wantBase || client.token != tc.wantJWT {
				t.Errorf("%s with %s", client.base, client.token)
			}
			if warned := strings.Contains(said.String(), "chmod 600"); warned != tc.wantWarning {
				t.Errorf("it said %q", said.String())
			}
		})
	}
}
