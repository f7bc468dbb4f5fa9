package manifests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
)

// binary returns the path of hookgate, which `make test-manifests` builds.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("HOOKGATE_BINARY")
	if path == "" {
		path = "../../bin/hookgate"
	}
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("run make build before: %v", err)
	}
	return path
}

// form is a way to run Hookgate in Kubernetes.
type form struct {
	objects
	pod     *apps.Deployment // the one with Hookgate in it
	beside  bool             // Matcher is in it, too
	ours    bool             // all of it is made here, and not only changed
	version string           // of Matcher
}

// eachForm runs a test with all of them.
func eachForm(t *testing.T, test func(*testing.T, form)) {
	beside := func(o objects, ours bool, version string) form {
		return form{o, o.deployments["matcher"], true, ours, version}
	}
	own := func(o objects, version string) form {
		return form{o, o.deployments["hookgate"], false, true, version}
	}
	for name, made := range map[string]func(*testing.T) form{
		"dev":             func(t *testing.T) form { return beside(overlay(t, "dev"), true, "4") },
		"prod":            func(t *testing.T) form { return beside(overlay(t, "prod"), true, "4") },
		"component":       func(t *testing.T) form { return beside(component(t), false, "2") },
		"component alone": func(t *testing.T) form { return beside(component(t, otherRoutes, ""), false, "2") },
		"chart":           func(t *testing.T) form { return own(ownPods(t, ""), "2") },
		"chart for 4": func(t *testing.T) form {
			return own(ownPods(t, "{matcher: {version: 4, otherRoutes: false}, podMonitor: true}"), "4")
		},
		"chart for 2, open":          func(t *testing.T) form { return own(ownPods(t, openMatcher), "2-open") },
		"chart as a sidecar":         func(t *testing.T) form { return beside(sidecar(t, ""), false, "4") },
		"chart, sidecar, all routes": func(t *testing.T) form { return beside(sidecar(t, "matcher: {otherRoutes: true}"), false, "4") },
	} {
		t.Run(name, func(t *testing.T) {
			f := made(t)
			if f.pod == nil {
				t.Fatalf("there is no Deployment with Hookgate among %v", f.deployments)
			}
			test(t, f)
		})
	}
}

const openMatcher = "matcher: {version: 2, authorisation: false, tenants: [0199d5a4-0000-7000-8000-00000000000a]}"

const otherRoutes = "  - ../kubernetes/other-routes # leave it out, and nobody but vendors gets through\n"

// container returns one of the pod with Hookgate.
func (f form) container(t *testing.T, name string) core.Container {
	t.Helper()
	return container(t, f.pod, name)
}

func container(t *testing.T, pod *apps.Deployment, name string) core.Container {
	t.Helper()
	for _, c := range pod.Spec.Template.Spec.Containers {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%s has no container %s", pod.Name, name)
	return core.Container{}
}

// environment is what a container gets, as the kubelet puts it together.
func (o objects) environment(c core.Container) map[string]string {
	env := map[string]string{}
	for _, from := range c.EnvFrom {
		if config := o.configs[unhashed(from.ConfigMapRef.Name)]; config != nil && config.Name == from.ConfigMapRef.Name {
			for name, value := range config.Data {
				env[name] = value
			}
		}
	}
	for _, variable := range c.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			if config := o.configs[unhashed(from.ConfigMapKeyRef.Name)]; config != nil && config.Name == from.ConfigMapKeyRef.Name {
				value = config.Data[from.ConfigMapKeyRef.Key]
			}
		}
		env[variable.Name] = expand(value, env)
	}
	return env
}

// expand replaces $(NAME) by what is known of it until then.
func expand(value string, env map[string]string) string {
	return regexp.MustCompile(`\$\((\w+)\)`).ReplaceAllStringFunc(value, func(reference string) string {
		if known, found := env[reference[2:len(reference)-1]]; found {
			return known
		}
		return reference
	})
}

func (o objects) caddyfile(t *testing.T) string {
	t.Helper()
	if o.configs["hookgate"] == nil || o.configs["hookgate"].Data["Caddyfile"] == "" {
		t.Fatal("there is no Caddyfile")
	}
	return o.configs["hookgate"].Data["Caddyfile"]
}

// hookgate runs a command over the configuration, in the environment of its container.
func (f form) hookgate(t *testing.T, command string) []byte {
	t.Helper()
	dir := t.TempDir()
	// The secrets are elsewhere here.
	const mounted = "/run/secrets/hookgate/"
	for _, name := range []string{"redis-password", "jwt-secret"} {
		if !strings.Contains(f.caddyfile(t), mounted+name) {
			t.Errorf("the Caddyfile does not use %s%s", mounted, name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range f.configs["hookgate"].Data {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, mounted, dir+"/")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary(t), command, "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	for name, value := range f.environment(f.container(t, "hookgate")) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	return out
}

// listeners are the handlers that the configuration has at each address, as JSON.
func (f form) listeners(t *testing.T) map[string]string {
	t.Helper()
	var config struct {
		Apps struct {
			HTTP struct {
				Servers map[string]struct {
					Listen []string
					Routes json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal(f.hookgate(t, "adapt"), &config); err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for _, server := range config.Apps.HTTP.Servers {
		at[server.Listen[0]] = string(server.Routes)
	}
	return at
}
