package manifests

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLint is `helm lint`.
func TestLint(t *testing.T) {
	for _, v := range []string{"", "sidecar: true", "{podMonitor: true, matcher: {otherRoutes: true, podLabels: null}}"} {
		for _, message := range lint.All(chartPath, values(t, v), "matcher", true).Messages {
			if message.Severity >= support.WarningSev {
				t.Errorf("%q: %s", v, message)
			}
		}
	}
}

// TestChartIsTheComponent: as a sidecar, the chart makes what the component makes.
func TestChartIsTheComponent(t *testing.T) {
	const same = `
image: {repository: registry.example.com/hookgate, tag: "1.0"}
matcher: {version: 2, otherRoutes: true}
redisUrl: rediss://redis.example.com:6380
publicUrl: https://hooks.example.com
`
	for name, made := range map[string][2]objects{
		"with other routes": {component(t), sidecar(t, same)},
		"without":           {component(t, otherRoutes, ""), sidecar(t, strings.Replace(same, "Routes: true", "Routes: false", 1))},
	} {
		t.Run(name, func(t *testing.T) {
			equal := func(what string, part func(objects) any) {
				t.Helper()
				if ofComponent, ofChart := part(made[0]), part(made[1]); !reflect.DeepEqual(ofComponent, ofChart) {
					t.Errorf("%s of the component:\n%+v\nof the chart:\n%+v", what, ofComponent, ofChart)
				}
			}
			equal("the container", func(o objects) any { return named(container(t, o.deployments["matcher"], "hookgate")) })
			equal("the volumes", func(o objects) any {
				volumes := map[string]core.Volume{}
				for _, v := range o.deployments["matcher"].Spec.Template.Spec.Volumes {
					if v.ConfigMap != nil {
						v.ConfigMap.Name = unhashed(v.ConfigMap.Name)
					}
					volumes[v.Name] = v
				}
				return volumes
			})
			equal("Matcher's environment", func(o objects) any {
				env := o.environment(container(t, o.deployments["matcher"], "matcher"))
				delete(env, "LOG_LEVEL")
				return env
			})
			equal("Matcher's probes and hooks", func(o objects) any {
				m := container(t, o.deployments["matcher"], "matcher")
				readiness := *m.ReadinessProbe
				readiness.InitialDelaySeconds = 0 // what it had before stays
				return []any{readiness, m.LivenessProbe, m.StartupProbe, *m.Lifecycle, m.Ports}
			})
			equal("the end", func(o objects) any { return *o.deployments["matcher"].Spec.Template.Spec.TerminationGracePeriodSeconds })
			equal("the label", func(o objects) any { return o.deployments["matcher"].Spec.Template.Labels["hookgate"] })
			equal("the service", func(o objects) any { return o.services["hookgate"].Spec })
			equal("the policy", func(o objects) any { return o.policies["hookgate"].Spec })
			equal("the files", func(o objects) any { return o.configs["hookgate"].Data })
			equal("the settings", func(o objects) any { return o.configs["hookgate-settings"].Data })
			if len(made[1].deployments) != 1 || len(made[1].policies) != 1 || len(made[1].configs) != 2 {
				t.Errorf("the chart makes more: %+v", made[1])
			}
		})
	}
}

// named is a container with the names of ConfigMaps as they are in the files, and its
// ports in an order.
func named(c core.Container) core.Container {
	for _, from := range c.EnvFrom {
		from.ConfigMapRef.Name = unhashed(from.ConfigMapRef.Name)
	}
	slices.SortFunc(c.Ports, func(a, b core.ContainerPort) int { return int(a.ContainerPort - b.ContainerPort) })
	return c
}

// TestOwnPodsGuardMatcher: where Hookgate has its own pods, Matcher's pods take nothing
// from others.
func TestOwnPodsGuardMatcher(t *testing.T) {
	o := ownPods(t, "")
	hookgate := o.deployments["hookgate"]
	p := o.policies["hookgate-matcher"].Spec
	s, err := meta.LabelSelectorAsSelector(&p.PodSelector)
	if err != nil || !s.Matches(labelSet{"app.kubernetes.io/name": "matcher", "app.kubernetes.io/instance": "matcher"}) || s.Matches(labelSet(hookgate.Spec.Template.Labels)) {
		t.Errorf("the policy is for %v, %v", s, err)
	}
	if len(p.Ingress) != 1 || len(p.Ingress[0].From) != 1 || p.Ingress[0].From[0].NamespaceSelector != nil {
		t.Fatalf("the policy lets in %+v", p.Ingress)
	}
	selects(t, "what is let in", *p.Ingress[0].From[0].PodSelector, hookgate)
	f := form{objects: o, pod: hookgate}
	if l := f.listeners(t); !strings.Contains(l[":8080"], `"upstream":"matcher:8080"`) || !strings.Contains(l[":8082"], `"upstream":"matcher:8080"`) {
		t.Errorf("Hookgate sends to %v", l)
	}
	if o := ownPods(t, "namespaces: {otherRoutes: [ingress-ui]}"); len(o.policies["hookgate"].Spec.Ingress[2].From) != 2 {
		t.Errorf("the other routes are open to %+v", o.policies["hookgate"].Spec.Ingress[2].From)
	}
	if o := ownPods(t, "matcher: {podLabels: null}"); o.policies["hookgate-matcher"] != nil {
		t.Error("there is a policy for no pods, which is one for all")
	}
}

// TestGuardLines: further lines of the guard get into it, and another guard is another
// pod.
func TestGuardLines(t *testing.T) {
	lines := "guard: |\n  vendor belvo {\n    allow_ips 3.130.254.46\n  }\nmatcher: {version: 4}\ntrustedProxies: [10.1.0.0/16, \"fd00::/8\"]"
	o, without := ownPods(t, lines), ownPods(t, "")
	f := form{objects: o, pod: o.deployments["hookgate"]}
	f.hookgate(t, "validate")
	if guard := f.listeners(t)[":8080"]; !strings.Contains(guard, "3.130.254.46") {
		t.Errorf("the guard is %s", guard)
	}
	if adapted := string(f.hookgate(t, "adapt")); !strings.Contains(adapted, `"ranges":["10.1.0.0/16","fd00::/8"]`) {
		t.Errorf("the trusted proxies are not in %s", adapted)
	}
	const annotation = "hookgate/configuration"
	one, other := f.pod.Spec.Template.Annotations[annotation], without.deployments["hookgate"].Spec.Template.Annotations[annotation]
	if one == "" || one == other {
		t.Errorf("the pods have %q before and %q after", one, other)
	}
}

// TestRefusedValues: what would not work, or not safely, is no object.
func TestRefusedValues(t *testing.T) {
	for _, v := range []string{
		"matcher: {version: 3}",
		"matcher: {version: 2, authorisation: false}",
		strings.Replace(openMatcher, "2", "4", 1),
		strings.Replace(openMatcher, "[", "[0199d5a4-0000-7000-8000-00000000000b, ", 1),
		"matcher: {tenants: [0199d5a4-0000-7000-8000-00000000000a]}",
		"matcher: {version: 2, tenants: [everybody]}",
		"matcher: {adress: matcher:8080}",
		"matcher: {address: matcher}",
		"matcher: {address: \"http://matcher:8080\"}",
		"redisUrl: redis://user:password@redis:6379",
		"trustedProxies: []",
		"trustedProxies: [\"10.0.0.0/8\\n}\"]",
		"image: {digest: latest}",
		"name: matcher",
		"replicas: 0",
		"namespaces: {ingress: \"\"}",
		"secrets: {jwt: value}",
	} {
		if _, err := template(t, load(t), values(t, v)); err == nil {
			t.Errorf("%s is taken", v)
		}
	}
}
