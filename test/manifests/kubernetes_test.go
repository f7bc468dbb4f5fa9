// Package manifests reads what deploy/ has for Kubernetes and Docker Compose with
// their own libraries.
package manifests

import (
	"fmt"
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
