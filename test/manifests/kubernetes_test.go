// Package manifests reads what deploy/ has for Kubernetes and Docker Compose with
// their own libraries.
package manifests

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const deploy = "../../deploy"

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

func duration(t *testing.T, caddyfile, word string) time.Duration {
	t.Helper()
	found := regexp.MustCompile(`(?m)^\s*` + word + ` (\S+)$`).FindStringSubmatch(caddyfile)
	if found == nil {
		t.Fatalf("the Caddyfile has no %s", word)
	}
	value, err := time.ParseDuration(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestCaddyfile: what the pod gets loads there, with what else it gets.
func TestCaddyfile(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) { f.hookgate(t, "validate") })
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

// TestMatcherVersion: the guard is told which Matcher is behind it.
func TestMatcherVersion(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		guard := f.listeners(t)[":8080"]
		version, open := strings.CutSuffix(f.version, "-open")
		if !strings.Contains(guard, `"matcher":{`) || !strings.Contains(guard, `"version":"`+version+`"`) ||
			strings.Contains(guard, `"jwt_secret"`) != (version == "2" && !open) || strings.Contains(guard, `"tenants":["`) != open {
			t.Errorf("for Matcher %s the guard is %s", f.version, guard)
		}
	})
}

// TestMounts: every file that the Caddyfile names is mounted where it says.
func TestMounts(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		volumes := map[string]core.Volume{}
		for _, v := range f.pod.Spec.Template.Spec.Volumes {
			volumes[v.Name] = v
		}
		at := map[string]core.Volume{}
		for _, mount := range f.container(t, "hookgate").VolumeMounts {
			at[mount.MountPath] = volumes[mount.Name]
		}
		if v := at["/etc/hookgate"]; v.ConfigMap == nil || v.ConfigMap.Name != f.configs["hookgate"].Name {
			t.Errorf("the Caddyfile is not mounted: %+v", v)
		}
		secrets := at["/run/secrets/hookgate"]
		if secrets.Secret == nil || secrets.Secret.SecretName != "hookgate" || *secrets.Secret.DefaultMode != 0o444 {
			t.Errorf("the secrets are not mounted: %+v", secrets)
		}
		// Who runs there may read them.
		for _, c := range f.pod.Spec.Template.Spec.Containers {
			for _, mount := range c.VolumeMounts {
				if c.Name != "hookgate" && mount.Name == secrets.Name {
					t.Errorf("%s has the secrets", c.Name)
				}
			}
		}
		if v := at["/var/lib/hookgate"]; v.EmptyDir == nil {
			t.Errorf("there is nowhere to write: %+v", v)
		}
	})
}

// TestProbes: the kubelet and Prometheus ask where hookgate_status listens.
func TestProbes(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		hookgate, listeners := f.container(t, "hookgate"), f.listeners(t)
		for _, port := range hookgate.Ports {
			handler := map[string]string{"hooks": `"handler":"hookgate"`, "status": `"handler":"hookgate_status"`, "other-routes": `"unguarded":true`}[port.Name]
			if handler == "" || !strings.Contains(listeners[fmt.Sprintf(":%d", port.ContainerPort)], handler) {
				t.Errorf("%s is not at %d: %v", port.Name, port.ContainerPort, listeners)
			}
		}
		// All that listen, and the operators on loopback.
		if len(listeners) != len(hookgate.Ports)+1 {
			t.Errorf("%v listen, the ports are %v", listeners, hookgate.Ports)
		}
		for path, probe := range map[string]*core.Probe{"/healthz": hookgate.LivenessProbe, "/readyz": hookgate.ReadinessProbe} {
			if probe == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "status" {
				t.Errorf("%s: %+v", path, probe)
			}
		}
		if p := hookgate.StartupProbe; p == nil || p.HTTPGet.Path != "/healthz" || p.HTTPGet.Port.StrVal != "status" {
			t.Errorf("startup: %+v", p)
		}
		service := f.services["hookgate"].Spec
		selects(t, "the service", meta.LabelSelector{MatchLabels: service.Selector}, f.pod)
		if p := service.Ports; p[0].Port != 80 || p[0].TargetPort.StrVal != "hooks" || len(p) != len(hookgate.Ports)-1 {
			t.Errorf("the service leads to %+v", p)
		}
		for _, m := range f.monitors {
			if e := m.Spec.PodMetricsEndpoints; len(e) != 1 || *e[0].Port != "status" || e[0].Path != "/metrics" {
				t.Errorf("Prometheus asks at %+v", e)
			}
			if !strings.Contains(m.Name, "hookgate") {
				t.Errorf("the job gets the name %s, which the rules do not look for", m.Name)
			}
			selects(t, "the monitor", m.Spec.Selector, f.pod)
		}
	})
}

func selects(t *testing.T, what string, selector meta.LabelSelector, deployment *apps.Deployment) {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(&selector)
	if err != nil || s.Empty() || !s.Matches(labelSet(deployment.Spec.Template.Labels)) {
		t.Errorf("%s does not select the pods of %s: %v, %v", what, deployment.Name, s, err)
	}
}

type labelSet map[string]string

func (l labelSet) Has(label string) bool              { _, found := l[label]; return found }
func (l labelSet) Get(label string) string            { return l[label] }
func (l labelSet) Lookup(label string) (string, bool) { v, found := l[label]; return v, found }

// TestDrain: Hookgate may finish what it has taken, and Matcher is there until then.
func TestDrain(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		config := f.caddyfile(t)
		last := duration(t, config, "shutdown_delay") + duration(t, config, "grace_period")
		pod := f.pod.Spec.Template.Spec
		if len(pod.InitContainers) != 0 {
			t.Error("a native sidecar ends in another order")
		}
		if f.beside {
			matcher := f.container(t, "matcher").Lifecycle.PreStop.Sleep
			if matcher == nil || time.Duration(matcher.Seconds)*time.Second <= last {
				t.Fatalf("Matcher ends after %+v, Hookgate needs %v", matcher, last)
			}
			last = time.Duration(matcher.Seconds) * time.Second
		}
		if all := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; all <= last {
			t.Errorf("the pod is killed after %v", all)
		}
		// The endpoint is gone before the delay is over.
		ready := f.container(t, "hookgate").ReadinessProbe
		if red := time.Duration(ready.PeriodSeconds*ready.FailureThreshold) * time.Second; red >= duration(t, config, "shutdown_delay") {
			t.Errorf("readiness takes %v to turn red", red)
		}
	})
}

// TestOnlyHookgateIsReachable: the ingress comes to the vendors' port and Prometheus to
// that for status; what else Matcher has is closed, or open to the same namespace.
func TestOnlyHookgateIsReachable(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		p := f.policies["hookgate"].Spec
		selects(t, "the policy", p.PodSelector, f.pod)
		ports := f.container(t, "hookgate").Ports
		if !slices.Equal(p.PolicyTypes, []networking.PolicyType{networking.PolicyTypeIngress}) || len(p.Ingress) != len(ports) {
			t.Fatalf("policy: %+v", p)
		}
		let := map[string]networking.NetworkPolicyPeer{}
		for _, rule := range p.Ingress {
			if len(rule.From) != 1 || len(rule.Ports) != 1 || rule.From[0].IPBlock != nil {
				t.Fatalf("a rule lets in %+v", rule)
			}
			let[rule.Ports[0].Port.StrVal] = rule.From[0]
		}
		for _, port := range ports {
			from, found := let[port.Name]
			if same := port.Name == "other-routes"; !found || same != (from.NamespaceSelector == nil) || !same && len(from.NamespaceSelector.MatchLabels) == 0 {
				t.Errorf("%s lets in %+v", port.Name, from)
			}
		}
		// Operators come by way of a port-forward.
		if l := f.listeners(t); !strings.Contains(l["127.0.0.1:8081"], "hookgate_admin") {
			t.Errorf("the admin API is elsewhere: %v", l)
		}
	})
}

// TestLocked: no container has a right that it does not need, nor a secret in its
// manifest.
func TestLocked(t *testing.T) {
	eachForm(t, func(t *testing.T, f form) {
		for name, deployment := range f.deployments {
			pod := deployment.Spec.Template.Spec
			if s := pod.SecurityContext; f.ours && (s == nil || !*s.RunAsNonRoot || *s.RunAsUser < 100 || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault) {
				t.Errorf("%s: %+v", name, s)
			}
			if f.ours && (*pod.AutomountServiceAccountToken || *pod.EnableServiceLinks || pod.HostNetwork) {
				t.Errorf("%s can speak to the API server, or knows other services", name)
			}
			for _, c := range pod.Containers {
				if !f.ours && c.Name != "hookgate" {
					continue
				}
				s := c.SecurityContext
				if s == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) != 0 {
					t.Errorf("%s: %+v", c.Name, s)
				}
				if c.Name == "hookgate" && (!*s.RunAsNonRoot || *s.RunAsUser < 100 || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault) {
					t.Errorf("%s: %+v", c.Name, s)
				}
				if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
					t.Errorf("%s: %+v", c.Name, c.Resources)
				}
				for name, value := range f.environment(c) {
					// It would override what is made of the limit, and not follow it.
					if name == "GOMEMLIMIT" || strings.Contains(value, "@") {
						t.Errorf("%s has %s", c.Name, name)
					}
				}
			}
		}
	})
}
