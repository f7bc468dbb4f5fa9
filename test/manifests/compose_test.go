package manifests

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func compose(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "docker/docker-compose.yml")}, cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestCompose: the file is one by Compose's own schema, and no container can write to
// itself or has a right beyond a user's.
func TestCompose(t *testing.T) {
	project := compose(t)
	for _, name := range []string{"hookgate", "matcher", "redis", "prometheus", "grafana"} {
		s, found := project.Services[name]
		if !found {
			t.Fatalf("there is no %s", name)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) != 0 || s.Privileged ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: read_only %v, cap_drop %q, cap_add %q, security_opt %q", name, s.ReadOnly, s.CapDrop, s.CapAdd, s.SecurityOpt)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is published on %q", name, port.HostIP)
			}
		}
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil || !v.ReadOnly {
				t.Errorf("%s mounts %s: read-only %v, %v", name, v.Source, v.ReadOnly, err)
			}
		}
	}
	if _, reached := project.Services["prometheus"].Networks["matcher"]; reached || len(project.Services["matcher"].Networks) != 1 {
		t.Error("others than Hookgate reach Matcher")
	}
	if !project.Networks["matcher"].Internal || !project.Networks["redis"].Internal {
		t.Error("Matcher or Redis can be reached from outside")
	}
	for name, secret := range project.Secrets {
		// Docker cannot put any other into a read-only container.
		if secret.File == "" {
			t.Errorf("the secret %s is no file", name)
		}
		if out, err := exec.Command("git", "check-ignore", secret.File).CombinedOutput(); err != nil {
			t.Errorf("git would take in %s: %s", secret.File, out)
		}
	}
	context, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if built := project.Services["hookgate"].Build; built.Context != context {
		t.Errorf("the image is built from %s", built.Context)
	}
}

// TestComposeCaddyfile: it loads, names services that there are, and is given the time
// that it may take to end.
func TestComposeCaddyfile(t *testing.T) {
	project := compose(t)
	text, err := os.ReadFile(filepath.Join(deploy, "docker/Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	config := string(text)
	dir := t.TempDir()
	for name := range project.Secrets {
		if !strings.Contains(config, "/run/secrets/"+name) {
			t.Errorf("the Caddyfile does not use %s", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for service, address := range map[string]string{"redis": "redis://redis:6379", "matcher": "hookgate_proxy matcher:4018"} {
		if _, found := project.Services[service]; !found || !strings.Contains(config, address) {
			t.Errorf("the Caddyfile does not use %s", address)
		}
	}
	path := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(config, "/run/secrets", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary(t), "validate", "--config", path, "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	drain := duration(t, config, "shutdown_delay") + duration(t, config, "grace_period")
	if given := time.Duration(*project.Services["hookgate"].StopGracePeriod); given <= drain {
		t.Errorf("it is killed after %v, and may take %v", given, drain)
	}
}

// TestComposeRedis runs the command of the Redis container, as far as the machine has
// one: the password is asked for, and stands in no command line.
func TestComposeRedis(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("HOOKGATE_REQUIRE_REDIS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "redis_password"), []byte("of-the-server\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := slices.Clone(compose(t).Services["redis"].Command)
	script := strings.NewReplacer("$$", "$", "/run/secrets", dir, "/data", dir).Replace(command[len(command)-1])
	socket := filepath.Join(dir, "s")
	script = strings.TrimRight(script, "\n") + " --port 0 --unixsocket " + socket
	redis := exec.Command(command[0], append(command[1:len(command)-1], script)...)
	if err := redis.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		exec.Command("redis-cli", "-s", socket, "-a", "of-the-server", "shutdown", "nosave").Run()
		redis.Wait()
	})
	ask := func(environment ...string) string {
		cmd := exec.Command("redis-cli", "-s", socket, "config", "get", "appendonly")
		cmd.Env = append(os.Environ(), environment...)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(ask("REDISCLI_AUTH=of-the-server"), "yes"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("Redis does not answer: ", ask("REDISCLI_AUTH=of-the-server"))
		}
	}
	if answer := ask(); !strings.Contains(answer, "NOAUTH") {
		t.Errorf("without a password: %s", answer)
	}
}
