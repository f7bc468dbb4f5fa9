// Package manifests reads what deploy/ has for Kubernetes and Docker Compose with
// their own libraries.
package manifests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
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

// overlay is what kustomize makes of one.
type overlay struct {
	deployments map[string]*apps.Deployment
	services    map[string]*core.Service
	policies    map[string]*networking.NetworkPolicy
	budget      *policy.PodDisruptionBudget
	config      *core.ConfigMap
	monitor     *monitoring.PodMonitor
}

// render reads an overlay. A field that the API does not have is an error.
func render(t *testing.T, name string) overlay {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(deploy, "kubernetes/overlays", name))
	if err != nil {
		t.Fatal(err)
	}
	made := overlay{map[string]*apps.Deployment{}, map[string]*core.Service{}, map[string]*networking.NetworkPolicy{}, nil, nil, nil}
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if resource.GetNamespace() == "" {
			t.Errorf("%s %s has no namespace", resource.GetKind(), resource.GetName())
		}
		strict := func(into any) {
			if err := yaml.UnmarshalStrict(text, into); err != nil {
				t.Errorf("%s %s: %v\n%s", resource.GetKind(), resource.GetName(), err, text)
			}
		}
		kind := resource.GetApiVersion() + " " + resource.GetKind()
		switch kind {
		case "apps/v1 Deployment":
			made.deployments[resource.GetName()] = new(apps.Deployment)
			strict(made.deployments[resource.GetName()])
		case "v1 Service":
			made.services[resource.GetName()] = new(core.Service)
			strict(made.services[resource.GetName()])
		case "networking.k8s.io/v1 NetworkPolicy":
			made.policies[resource.GetName()] = new(networking.NetworkPolicy)
			strict(made.policies[resource.GetName()])
		case "policy/v1 PodDisruptionBudget":
			made.budget = new(policy.PodDisruptionBudget)
			strict(made.budget)
		case "v1 ConfigMap":
			made.config = new(core.ConfigMap)
			strict(made.config)
		case "monitoring.coreos.com/v1 PodMonitor":
			made.monitor = new(monitoring.PodMonitor)
			strict(made.monitor)
		default:
			t.Errorf("%s %s is not expected: a Secret least of all", kind, resource.GetName())
		}
	}
	return made
}

func eachOverlay(t *testing.T, test func(*testing.T, overlay)) {
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) { test(t, render(t, name)) })
	}
}

// container returns one of Matcher's pod.
func (o overlay) container(t *testing.T, name string) core.Container {
	t.Helper()
	for _, c := range o.deployments["matcher"].Spec.Template.Spec.Containers {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no container %s", name)
	return core.Container{}
}

func (o overlay) caddyfile(t *testing.T) string {
	t.Helper()
	if o.config == nil || o.config.Data["Caddyfile"] == "" {
		t.Fatal("there is no Caddyfile")
	}
	return o.config.Data["Caddyfile"]
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
	eachOverlay(t, func(t *testing.T, o overlay) {
		dir := t.TempDir()
		config := o.caddyfile(t)
		// The secrets are elsewhere here.
		const mounted = "/run/secrets/hookgate/"
		for _, name := range []string{"redis-password", "jwt-secret"} {
			if !strings.Contains(config, mounted+name) {
				t.Errorf("the Caddyfile does not use %s%s", mounted, name)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		config = strings.ReplaceAll(config, mounted, dir+"/")
		path := filepath.Join(dir, "Caddyfile")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary(t), "validate", "--config", path, "--adapter", "caddyfile")
		cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
		for _, variable := range o.container(t, "hookgate").Env {
			cmd.Env = append(cmd.Env, variable.Name+"="+variable.Value)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestMounts: every file that the Caddyfile names is mounted where it says.
func TestMounts(t *testing.T) {
	eachOverlay(t, func(t *testing.T, o overlay) {
		volumes := map[string]core.Volume{}
		for _, v := range o.deployments["matcher"].Spec.Template.Spec.Volumes {
			volumes[v.Name] = v
		}
		at := map[string]core.Volume{}
		for _, mount := range o.container(t, "hookgate").VolumeMounts {
			at[mount.MountPath] = volumes[mount.Name]
		}
		if v := at["/etc/hookgate"]; v.ConfigMap == nil || v.ConfigMap.Name != o.config.Name {
			t.Errorf("the Caddyfile is not mounted: %+v", v)
		}
		if v := at["/run/secrets/hookgate"]; v.Secret == nil || v.Secret.SecretName != "hookgate" || *v.Secret.DefaultMode != 0o440 {
			t.Errorf("the secrets are not mounted: %+v", v)
		}
		if v := at["/var/lib/hookgate"]; v.EmptyDir == nil {
			t.Errorf("there is nowhere to write: %+v", v)
		}
	})
}

// TestProbes: the kubelet and Prometheus ask where hookgate_status listens.
func TestProbes(t *testing.T) {
	eachOverlay(t, func(t *testing.T, o overlay) {
		hookgate, config := o.container(t, "hookgate"), o.caddyfile(t)
		ports := map[string]int32{}
		for _, port := range hookgate.Ports {
			ports[port.Name] = port.ContainerPort
		}
		for name, handler := range map[string]string{"status": "hookgate_status", "hooks": "log\n\thookgate {"} {
			site := regexp.MustCompile(fmt.Sprintf(`(?s)http://:%d \{\n\t%s`, ports[name], regexp.QuoteMeta(handler)))
			if !site.MatchString(config) {
				t.Errorf("%s does not listen on %d", handler, ports[name])
			}
		}
		for path, probe := range map[string]*core.Probe{"/healthz": hookgate.LivenessProbe, "/readyz": hookgate.ReadinessProbe} {
			if probe == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != "status" {
				t.Errorf("%s: %+v", path, probe)
			}
		}
		if p := hookgate.StartupProbe; p == nil || p.HTTPGet.Path != "/healthz" || p.HTTPGet.Port.StrVal != "status" {
			t.Errorf("startup: %+v", p)
		}
		if p := o.services["matcher"].Spec.Ports; len(p) != 1 || p[0].TargetPort.StrVal != "hooks" {
			t.Errorf("the service leads to %+v", p)
		}
		if m := o.monitor; m != nil {
			if e := m.Spec.PodMetricsEndpoints; len(e) != 1 || *e[0].Port != "status" || e[0].Path != "/metrics" {
				t.Errorf("Prometheus asks at %+v", e)
			}
			if !strings.Contains(m.Name, "hookgate") {
				t.Errorf("the job gets the name %s, which the rules do not look for", m.Name)
			}
			selects(t, "the monitor", m.Spec.Selector, o.deployments["matcher"])
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
	eachOverlay(t, func(t *testing.T, o overlay) {
		config := o.caddyfile(t)
		drain := duration(t, config, "shutdown_delay") + duration(t, config, "grace_period")
		pod := o.deployments["matcher"].Spec.Template.Spec
		if len(pod.InitContainers) != 0 {
			t.Error("a native sidecar ends in another order")
		}
		matcher := o.container(t, "matcher").Lifecycle.PreStop.Sleep
		if matcher == nil || time.Duration(matcher.Seconds)*time.Second <= drain {
			t.Errorf("Matcher ends after %+v, Hookgate needs %v", matcher, drain)
		}
		if all := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; all <= time.Duration(matcher.Seconds)*time.Second {
			t.Errorf("the pod is killed after %v", all)
		}
		// The endpoint is gone before the delay is over.
		ready := o.container(t, "hookgate").ReadinessProbe
		if red := time.Duration(ready.PeriodSeconds*ready.FailureThreshold) * time.Second; red >= duration(t, config, "shutdown_delay") {
			t.Errorf("readiness takes %v to turn red", red)
		}
	})
}

// TestOnlyHookgateIsReachable: Matcher listens on loopback, and nothing else lets
// anybody in.
func TestOnlyHookgateIsReachable(t *testing.T) {
	eachOverlay(t, func(t *testing.T, o overlay) {
		p := o.policies["matcher"]
		selects(t, "the policy", p.Spec.PodSelector, o.deployments["matcher"])
		if len(p.Spec.PolicyTypes) != 1 || p.Spec.PolicyTypes[0] != networking.PolicyTypeIngress || len(p.Spec.Ingress) != 2 {
			t.Fatalf("policy: %+v", p.Spec)
		}
		for i, port := range []string{"hooks", "status"} {
			rule := p.Spec.Ingress[i]
			if len(rule.From) != 1 || rule.From[0].NamespaceSelector == nil || len(rule.From[0].NamespaceSelector.MatchLabels) == 0 ||
				len(rule.Ports) != 1 || rule.Ports[0].Port.StrVal != port {
				t.Errorf("rule %d lets in %+v", i, rule)
			}
		}
		matcher := o.container(t, "matcher")
		if len(matcher.Ports) != 0 {
			t.Errorf("Matcher has ports: %+v", matcher.Ports)
		}
		listen := strings.Join(matcher.Args, " ")
		for _, variable := range matcher.Env {
			if variable.Name == "SERVER_ADDRESS" {
				listen += variable.Value
			}
		}
		const address = "127.0.0.1:4018"
		if !strings.Contains(listen, address) || !strings.Contains(o.caddyfile(t), "hookgate_proxy "+address) {
			t.Errorf("Matcher listens on %s", listen)
		}
		// Operators come by way of a port-forward.
		if !strings.Contains(o.caddyfile(t), "http://:8081 {\n\tbind 127.0.0.1\n\thookgate_admin {") {
			t.Error("the admin API is reachable")
		}
	})
}

// TestLocked: no container has a right that it does not need, nor a secret in its
// manifest.
func TestLocked(t *testing.T) {
	eachOverlay(t, func(t *testing.T, o overlay) {
		for name, deployment := range o.deployments {
			pod := deployment.Spec.Template.Spec
			s := pod.SecurityContext
			if s == nil || !*s.RunAsNonRoot || *s.RunAsUser < 100 || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s: %+v", name, s)
			}
			if *pod.AutomountServiceAccountToken || *pod.EnableServiceLinks || pod.HostNetwork {
				t.Errorf("%s can speak to the API server, or knows other services", name)
			}
			for _, c := range pod.Containers {
				s := c.SecurityContext
				if s == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" || len(s.Capabilities.Add) != 0 {
					t.Errorf("%s: %+v", c.Name, s)
				}
				if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
					t.Errorf("%s: %+v", c.Name, c.Resources)
				}
				for _, variable := range c.Env {
					// It would override what is made of the limit, and not follow it.
					if variable.Name == "GOMEMLIMIT" || strings.Contains(variable.Value, "@") {
						t.Errorf("%s has %s", c.Name, variable.Name)
					}
				}
			}
		}
	})
}

// TestProduction: losing a node or a zone, or the drain of one, leaves pods that serve.
func TestProduction(t *testing.T) {
	o := render(t, "prod")
	deployment := o.deployments["matcher"]
	if *deployment.Spec.Replicas < 2 || deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.IntVal != 0 {
		t.Errorf("%d replicas, %+v", *deployment.Spec.Replicas, deployment.Spec.Strategy.RollingUpdate)
	}
	if o.budget == nil || o.budget.Spec.MaxUnavailable.IntVal != 1 {
		t.Fatalf("budget: %+v", o.budget)
	}
	selects(t, "the budget", *o.budget.Spec.Selector, deployment)
	for _, spread := range deployment.Spec.Template.Spec.TopologySpreadConstraints {
		selects(t, "the spread", *spread.LabelSelector, deployment)
	}
	for _, name := range []string{"hookgate", "matcher"} {
		if image := o.container(t, name).Image; !strings.Contains(image, "@sha256:") {
			t.Errorf("%s is not pinned: %s", name, image)
		}
	}
	for _, variable := range o.container(t, "hookgate").Env {
		if variable.Name == "HOOKGATE_REDIS_URL" && !strings.HasPrefix(variable.Value, "rediss://") {
			t.Error("Redis is spoken to without TLS")
		}
	}
}
